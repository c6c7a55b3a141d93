// RUN: dlc opt -p fuse-calls %s | filecheck %s

// Between @merge and @sum stands a tensor whose rows are merged with another dimension: they become one.
// What @scale leaves is split like the rows, and stays a call of its own.
// CHECK:       func.func private @merge.sum(%{{.*}}: tensor<i32> {flow.rows}, %{{.*}}: tensor<?x3xf32>) -> tensor<f32> {
// CHECK:         stablehlo.dynamic_reshape
// CHECK:         stablehlo.reduce
// CHECK-LABEL: flow.program @p
// CHECK:         %[[ROWS:.*]] = table.rows
// CHECK:         %[[X:.*]] = table.to_tensor
// CHECK:         %[[S:.*]] = func.call @scale(%[[ROWS]], %[[X]])
// CHECK-NEXT:    %[[T:.*]] = func.call @merge.sum(%[[ROWS]], %[[S]])
// CHECK-NOT:     func.call
func.func private @scale(%rows: tensor<i32> {flow.rows}, %x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %y = stablehlo.add %x, %x : tensor<?x3xf32>
  func.return %y : tensor<?x3xf32>
}
func.func private @merge(%rows: tensor<i32> {flow.rows}, %x: tensor<?x3xf32>) -> tensor<?xf32> {
  %three = stablehlo.constant dense<3> : tensor<i32>
  %n = stablehlo.multiply %rows, %three : tensor<i32>
  %shape = stablehlo.reshape %n : (tensor<i32>) -> tensor<1xi32>
  %y = "stablehlo.dynamic_reshape"(%x, %shape) : (tensor<?x3xf32>, tensor<1xi32>) -> tensor<?xf32>
  func.return %y : tensor<?xf32>
}
func.func private @sum(%rows: tensor<i32> {flow.rows}, %x: tensor<?xf32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %y = "stablehlo.reduce"(%x, %zero) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
  func.return %y : tensor<f32>
}
flow.program @p {
  %f = table.scan "parquet" ["f"] : !table.frame<["a" : f32, "b" : f32, "c" : f32]>
  %rows = table.rows %f : !table.frame<["a" : f32, "b" : f32, "c" : f32]>
  %x = table.to_tensor %f [["a", "b", "c"]] : !table.frame<["a" : f32, "b" : f32, "c" : f32]> -> tensor<?x3xf32>
  %s = func.call @scale(%rows, %x) : (tensor<i32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  %m = func.call @merge(%rows, %s) : (tensor<i32>, tensor<?x3xf32>) -> tensor<?xf32>
  %t = func.call @sum(%rows, %m) : (tensor<i32>, tensor<?xf32>) -> tensor<f32>
  %g = table.from_tensor ["total"] %t : tensor<f32> -> !table.frame<["total" : f32]>
  flow.return ["g"] %g : !table.frame<["total" : f32]>
}
