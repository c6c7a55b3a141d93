// RUN: dlc opt -p pooling-to-comparisons --split-input-file %s | filecheck %s

// Each entry of a window is compared with the best so far, for all windows at once.
func.func @disjoint(%x: tensor<2x5xf32>, %dy: tensor<2x2xf32>, %zero: tensor<f32>) -> tensor<2x5xf32> {
  %dx = "stablehlo.select_and_scatter"(%x, %dy, %zero) <{window_dimensions = array<i64: 1, 2>, window_strides = array<i64: 1, 2>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %keep = stablehlo.compare GE, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %keep : tensor<i1>
  }, {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %sum = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %sum : tensor<f32>
  }) : (tensor<2x5xf32>, tensor<2x2xf32>, tensor<f32>) -> tensor<2x5xf32>
  func.return %dx : tensor<2x5xf32>
}
// CHECK-LABEL: @disjoint
// CHECK-NOT:   select_and_scatter
// CHECK:       [[A:%.*]] = stablehlo.slice %x [0:2, 0:3:2]
// CHECK-NEXT:  [[B:%.*]] = stablehlo.slice %x [0:2, 1:4:2]
// CHECK:       [[KEEP:%.*]] = stablehlo.compare GE, [[A]], [[B]]
// CHECK:       [[HERE:%.*]] = stablehlo.compare EQ, {{.*}} -> tensor<2x2x2xi1>
// CHECK:       [[SPREAD:%.*]] = stablehlo.select [[HERE]], {{.*}} : tensor<2x2x2xi1>, tensor<2x2x2xf32>
// CHECK-NEXT:  [[ROWS:%.*]] = stablehlo.reshape [[SPREAD]] : (tensor<2x2x2xf32>) -> tensor<2x4xf32>
// CHECK:       [[DX:%.*]] = stablehlo.pad [[ROWS]]
// CHECK-NEXT:  func.return [[DX]]

// -----

// An entry may be in two windows: it gets what each of them gives.
func.func @overlapping(%x: tensor<2x5xf32>, %dy: tensor<2x4xf32>, %zero: tensor<f32>) -> tensor<2x5xf32> {
  %dx = "stablehlo.select_and_scatter"(%x, %dy, %zero) <{window_dimensions = array<i64: 1, 2>, window_strides = array<i64: 1, 1>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %keep = stablehlo.compare GE, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %keep : tensor<i1>
  }, {
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %sum = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %sum : tensor<f32>
  }) : (tensor<2x5xf32>, tensor<2x4xf32>, tensor<f32>) -> tensor<2x5xf32>
  func.return %dx : tensor<2x5xf32>
}
// CHECK-LABEL: @overlapping
// CHECK-NOT:   select_and_scatter
// CHECK:       [[KEEP:%.*]] = stablehlo.compare GE
// CHECK:       [[FIRST:%.*]] = stablehlo.pad {{.*}} low = [0, 0], high = [0, 1], interior = [0, 0]
// CHECK-NEXT:  [[SUM:%.*]] = stablehlo.add {{.*}}, [[FIRST]]
// CHECK:       [[SECOND:%.*]] = stablehlo.pad {{.*}} low = [0, 1], high = [0, 0], interior = [0, 0]
// CHECK-NEXT:  [[DX:%.*]] = stablehlo.add [[SUM]], [[SECOND]]
// CHECK-NEXT:  func.return [[DX]]
