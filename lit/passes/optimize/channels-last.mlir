// RUN: dlc opt -p channels-last %s | filecheck %s

// Between two convolutions the channels stay innermost; a bias is spread along them there.
func.func @between(%x: tensor<4x3x8x8xf32>, %v: tensor<16x3x3x3xf32>, %w: tensor<32x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<4x32x4x4xf32> {
  %h = "stablehlo.convolution"(%x, %v) <{dimension_numbers = #stablehlo.conv<[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<4x3x8x8xf32>, tensor<16x3x3x3xf32>) -> tensor<4x16x6x6xf32>
  %bias = stablehlo.broadcast_in_dim %b, dims = [1] : (tensor<16xf32>) -> tensor<4x16x6x6xf32>
  %shifted = stablehlo.add %h, %bias : tensor<4x16x6x6xf32>
  %y = "stablehlo.convolution"(%shifted, %w) <{dimension_numbers = #stablehlo.conv<[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<4x16x6x6xf32>, tensor<32x16x3x3xf32>) -> tensor<4x32x4x4xf32>
  func.return %y : tensor<4x32x4x4xf32>
}
// CHECK-LABEL: @between
// CHECK-NEXT:  [[X:%.*]] = stablehlo.transpose %x, dims = [0, 2, 3, 1]
// CHECK-NEXT:  [[V:%.*]] = stablehlo.transpose %v, dims = [0, 2, 3, 1]
// CHECK-NEXT:  [[H:%.*]] = "stablehlo.convolution"([[X]], [[V]]) {{.*}}#stablehlo.conv<[b, 0, 1, f]x[o, 0, 1, i]->[b, 0, 1, f]>
// CHECK-NEXT:  [[BIAS:%.*]] = stablehlo.broadcast_in_dim %b, dims = [3] : (tensor<16xf32>) -> tensor<4x6x6x16xf32>
// CHECK-NEXT:  [[SHIFTED:%.*]] = stablehlo.add [[H]], [[BIAS]] : tensor<4x6x6x16xf32>
// CHECK-NEXT:  [[W:%.*]] = stablehlo.transpose %w, dims = [0, 2, 3, 1]
// CHECK-NEXT:  [[Y:%.*]] = "stablehlo.convolution"([[SHIFTED]], [[W]])
// CHECK-NEXT:  [[OUT:%.*]] = stablehlo.transpose [[Y]], dims = [0, 3, 1, 2]
// CHECK-NEXT:  func.return [[OUT]]
