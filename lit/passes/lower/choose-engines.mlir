// RUN: dlc opt -p choose-engines --split-input-file %s | filecheck %s

// A convolution with a window of one is a product; the gradient of pooling becomes comparisons.
// CHECK-LABEL: @pointwise
// CHECK-NOT:     stablehlo.convolution
// CHECK:         stablehlo.dot_general {{.*}}engine = "matrix-product"
func.func private @pointwise(%x: tensor<8x14x14x32xf32>, %w: tensor<1x1x32x64xf32>) -> tensor<8x14x14x64xf32> {
  %y = "stablehlo.convolution"(%x, %w) <{batch_group_count = 1 : i64, feature_group_count = 1 : i64, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, padding = dense<0> : tensor<2x2xi64>, window_strides = array<i64: 1, 1>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>}> : (tensor<8x14x14x32xf32>, tensor<1x1x32x64xf32>) -> tensor<8x14x14x64xf32>
  func.return %y : tensor<8x14x14x64xf32>
}

// -----

// XLA is fast at what remains, and the module says so.
// CHECK-LABEL: @plane
// CHECK:         stablehlo.convolution{{.*}}engine = "xla"
func.func private @plane(%x: tensor<8x14x14x32xf32>, %w: tensor<3x3x32x64xf32>) -> tensor<8x14x14x64xf32> {
  %y = "stablehlo.convolution"(%x, %w) <{batch_group_count = 1 : i64, feature_group_count = 1 : i64, dimension_numbers = #stablehlo.conv<[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]>, padding = dense<1> : tensor<2x2xi64>, window_strides = array<i64: 1, 1>, lhs_dilation = array<i64: 1, 1>, rhs_dilation = array<i64: 1, 1>}> : (tensor<8x14x14x32xf32>, tensor<3x3x32x64xf32>) -> tensor<8x14x14x64xf32>
  func.return %y : tensor<8x14x14x64xf32>
}
