// RUN: not dlc opt -p partition %s 2>&1 | filecheck %s
// RUN: dlc opt -p partition,fuse-fragments,place,lower-to-plan --verify-diagnostics --split-input-file %s

// The root of a mean: a rank knows its own part of the sum alone. The line is that of the operation.
// CHECK:      error[DLC307]: the rows of a tensor cannot be shared out over the ranks here: stablehlo.sqrt: it needs the finished sum over all rows
// CHECK-NEXT:   --> {{.*}}training-refusals.mlir:18:3
// CHECK:        = help: compute what needs all rows with the data frame before the tensors are made, or return it as a sum, mean, maximum or minimum over the rows
func.func private @root(%rows: tensor<i32> {flow.rows}, %x: tensor<?xf32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0.000000e+00> : tensor<f32>
  %s = "stablehlo.reduce"(%x, %zero) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
  %n = stablehlo.convert %rows : (tensor<i32>) -> tensor<f32>
  %m = stablehlo.divide %s, %n : tensor<f32>
  // expected-error@+1 {{stablehlo.sqrt: it needs the finished sum over all rows}}
  %r = stablehlo.sqrt %m : tensor<f32>
  func.return %r : tensor<f32>
}

flow.program @root_of_mean {
  %f = table.scan "parquet" ["a"] : !table.frame<["x" : f32]>
  %rows = table.rows %f : !table.frame<["x" : f32]>
  %x = table.to_tensor %f ["x"] : !table.frame<["x" : f32]> -> tensor<?xf32>
  %r = func.call @root(%rows, %x) : (tensor<i32>, tensor<?xf32>) -> tensor<f32>
  %g = table.from_tensor ["r"] %r : tensor<f32> -> !table.frame<["r" : f32]>
  flow.return ["g"] %g : !table.frame<["r" : f32]>
}

// -----

// A softmax over rows subtracts the largest of all.
func.func private @softmax(%rows: tensor<i32> {flow.rows}, %x: tensor<?xf32>) -> tensor<?xf32> {
  %least = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %s = "stablehlo.reduce"(%x, %least) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.maximum %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
  %n = stablehlo.reshape %rows : (tensor<i32>) -> tensor<1xi32>
  %m = stablehlo.dynamic_broadcast_in_dim %s, %n, dims = [] : (tensor<f32>, tensor<1xi32>) -> tensor<?xf32>
  // expected-error@+1 {{stablehlo.subtract: it needs the finished max over all rows}}
  %d = stablehlo.subtract %x, %m : tensor<?xf32>
  %e = stablehlo.exponential %d : tensor<?xf32>
  func.return %e : tensor<?xf32>
}

flow.program @softmax_of_rows {
  %f = table.scan "parquet" ["a"] : !table.frame<["x" : f32]>
  %rows = table.rows %f : !table.frame<["x" : f32]>
  %x = table.to_tensor %f ["x"] : !table.frame<["x" : f32]> -> tensor<?xf32>
  %r = func.call @softmax(%rows, %x) : (tensor<i32>, tensor<?xf32>) -> tensor<?xf32>
  %g = table.from_tensor %f : !table.frame<["x" : f32]> with ["r"] %r : tensor<?xf32> -> !table.frame<["x" : f32, "r" : f32]>
  flow.return ["g"] %g : !table.frame<["x" : f32, "r" : f32]>
}

// -----

// A sort along the rows.
func.func private @sorted(%rows: tensor<i32> {flow.rows}, %x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error@+1 {{stablehlo.sort: it mixes rows, or needs their position among all rows}}
  %s = "stablehlo.sort"(%x) <{dimension = 0 : i64, is_stable = true}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.compare LT, %a, %b : (tensor<f32>, tensor<f32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  }) : (tensor<?xf32>) -> tensor<?xf32>
  func.return %s : tensor<?xf32>
}

flow.program @sort_of_rows {
  %f = table.scan "parquet" ["a"] : !table.frame<["x" : f32]>
  %rows = table.rows %f : !table.frame<["x" : f32]>
  %x = table.to_tensor %f ["x"] : !table.frame<["x" : f32]> -> tensor<?xf32>
  %r = func.call @sorted(%rows, %x) : (tensor<i32>, tensor<?xf32>) -> tensor<?xf32>
  %g = table.from_tensor %f : !table.frame<["x" : f32]> with ["r"] %r : tensor<?xf32> -> !table.frame<["x" : f32, "r" : f32]>
  flow.return ["g"] %g : !table.frame<["x" : f32, "r" : f32]>
}

// -----

// A loss that takes no part of the rows is no sum over them.
func.func private @half(%rows: tensor<i32> {flow.rows}, %x: tensor<?xf32>) -> tensor<f32> {
  %h = stablehlo.constant dense<5.000000e-01> : tensor<f32>
  func.return %h : tensor<f32>
}

flow.program @constant_loss {
  %zero = arith.constant 0 : index
  %f = table.scan "parquet" ["a"] : !table.frame<["x" : f32]>
  %x = table.to_tensor %f ["x"] : !table.frame<["x" : f32]> -> tensor<?xf32>
  %b = nn.batches %f, %x size 4 micro_batches 4 seed 0 by ["x"] : !table.frame<["x" : f32]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>
  %n, %bx = nn.batch %b at %zero : !nn.batches<[tensor<?xf32>]> -> tensor<i32>, tensor<?xf32>
  // expected-error@+1 {{a step of training leaves something else than sums over the rows of its batch}}
  %r = func.call @half(%n, %bx) : (tensor<i32>, tensor<?xf32>) -> tensor<f32>
  nn.log "loss" %r epoch %zero : tensor<f32>
  flow.return []
}
