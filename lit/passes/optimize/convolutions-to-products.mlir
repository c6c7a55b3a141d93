// RUN: dlc opt -p convolutions-to-products --split-input-file %s | filecheck %s

// A window of one place is a product of features.
func.func @point(%x: tensor<4x8x8x16xf32>, %w: tensor<1x1x16x32xf32>) -> tensor<4x8x8x32xf32> {
  %y = "stablehlo.convolution"(%x, %w) <{dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<4x8x8x16xf32>, tensor<1x1x16x32xf32>) -> tensor<4x8x8x32xf32>
  func.return %y : tensor<4x8x8x32xf32>
}
// CHECK-LABEL: @point
// CHECK-NEXT:  [[W:%.*]] = stablehlo.reshape %w : (tensor<1x1x16x32xf32>) -> tensor<16x32xf32>
// CHECK-NEXT:  [[Y:%.*]] = stablehlo.dot_general %x, [[W]], contracting_dims = [3] x [0] {engine = "matrix-product"}
// CHECK-NEXT:  func.return [[Y]]

// -----

// One position of the window: everything that it sees is contracted, as in the gradient of a kernel.
func.func @one_position(%x: tensor<4x8x8x16xf32>, %w: tensor<8x8x16x32xf32>) -> tensor<4x1x1x32xf32> {
  %y = "stablehlo.convolution"(%x, %w) <{dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<4x8x8x16xf32>, tensor<8x8x16x32xf32>) -> tensor<4x1x1x32xf32>
  func.return %y : tensor<4x1x1x32xf32>
}
// CHECK-LABEL: @one_position
// CHECK:       stablehlo.dot_general %x, %w, contracting_dims = [3, 1, 2] x [2, 0, 1] {engine = "matrix-product"}

// -----

// Windows in space: what each place of the window sees stands side by side.
func.func @volume(%x: tensor<2x6x6x6x16xf32>, %w: tensor<2x2x2x16x32xf32>) -> tensor<2x5x5x5x32xf32> {
  %y = "stablehlo.convolution"(%x, %w) <{dimension_numbers = #stablehlo.conv<[b, 0, 1, 2, f]x[0, 1, 2, i, o]->[b, 0, 1, 2, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<2x6x6x6x16xf32>, tensor<2x2x2x16x32xf32>) -> tensor<2x5x5x5x32xf32>
  func.return %y : tensor<2x5x5x5x32xf32>
}
// CHECK-LABEL:   @volume
// CHECK-COUNT-8: stablehlo.slice %x
// CHECK:         [[COLUMNS:%.*]] = stablehlo.concatenate
// CHECK:         stablehlo.dot_general {{.*}} : (tensor<2x5x5x5x128xf32>, tensor<128x32xf32>) -> tensor<2x5x5x5x32xf32>

// -----

// A single channel is scaled for each feature.
func.func @one_channel(%x: tensor<4x8x1xf32>, %w: tensor<2x1x32xf32>) -> tensor<4x7x32xf32> {
  %y = "stablehlo.convolution"(%x, %w) <{dimension_numbers = #stablehlo.conv<[b, 0, f]x[0, i, o]->[b, 0, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<4x8x1xf32>, tensor<2x1x32xf32>) -> tensor<4x7x32xf32>
  func.return %y : tensor<4x7x32xf32>
}
// CHECK-LABEL: @one_channel
// CHECK:       [[A:%.*]] = stablehlo.multiply
// CHECK:       [[B:%.*]] = stablehlo.multiply
// CHECK-NEXT:  [[Y:%.*]] = stablehlo.add [[A]], [[B]]
// CHECK-NEXT:  func.return [[Y]]

// -----

// Convolutions over a plane are what XLA does well.
func.func @plane(%x: tensor<4x8x8x16xf32>, %w: tensor<3x3x16x32xf32>) -> tensor<4x6x6x32xf32> {
  %y = "stablehlo.convolution"(%x, %w) <{dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, feature_group_count = 1 : i64, batch_group_count = 1 : i64}> : (tensor<4x8x8x16xf32>, tensor<3x3x16x32xf32>) -> tensor<4x6x6x32xf32>
  func.return %y : tensor<4x6x6x32xf32>
}
// CHECK-LABEL: @plane
// CHECK:       "stablehlo.convolution"{{.*}} {engine = "xla"}
