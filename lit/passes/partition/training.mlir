// RUN: dlc opt -p 'partition{ranks=4},fuse-fragments,bucket-reductions,verify-dist' %s | filecheck %s
// RUN: dlc opt -p 'partition{ranks=3},fuse-fragments,bucket-reductions,verify-dist' %s | filecheck %s --check-prefix=THREE
// RUN: dlc opt -p 'partition{ranks=3 fast-math=true},fuse-fragments,bucket-reductions,verify-dist' %s | filecheck %s --check-prefix=FAST
// RUN: dlc opt -p 'partition{ranks=1},fuse-fragments,bucket-reductions,verify-dist' %s | filecheck %s --check-prefix=ONE
// RUN: dlc opt -p 'partition{ranks=4},fuse-fragments,bucket-reductions,place{ranks=4},verify-placed' %s | filecheck %s --check-prefix=MOVED

// Join, group-by and training move the rows once.

func.func private @line.forward(%rows: tensor<i32> {flow.rows}, %w: tensor<1xf32>, %x: tensor<?x1xf32>, %y: tensor<?xf32>) -> (tensor<f32>, tensor<?xf32>) {
  %n = stablehlo.convert %rows : (tensor<i32>) -> tensor<f32>
  %p = stablehlo.dot_general %x, %w, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<?x1xf32>, tensor<1xf32>) -> tensor<?xf32>
  %e = stablehlo.subtract %p, %y : tensor<?xf32>
  %q = stablehlo.multiply %e, %e : tensor<?xf32>
  %zero = stablehlo.constant dense<0.000000e+00> : tensor<f32>
  %s = "stablehlo.reduce"(%q, %zero) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
  %m = stablehlo.divide %s, %n : tensor<f32>
  func.return %m, %e : tensor<f32>, tensor<?xf32>
}

func.func private @line.backward(%rows: tensor<i32> {flow.rows}, %x: tensor<?x1xf32>, %e: tensor<?xf32>) -> tensor<1xf32> {
  %g = stablehlo.dot_general %e, %x, contracting_dims = [0] x [0], precision = [DEFAULT, DEFAULT] : (tensor<?xf32>, tensor<?x1xf32>) -> tensor<1xf32>
  func.return %g : tensor<1xf32>
}

func.func private @line.update(%rows: tensor<i32> {flow.rows}, %w: tensor<1xf32>, %g: tensor<1xf32>) -> tensor<1xf32> {
  %n = stablehlo.subtract %w, %g : tensor<1xf32>
  func.return %n : tensor<1xf32>
}

// Both sides of the join meet by the key. Grouping, tensors and batches take the rows from where they are then,
// and all that is sent in a step is one bucket with the loss and the gradient.
// CHECK-LABEL:   flow.program @train
// CHECK:         table.scan "parquet" ["l"]
// CHECK:         dist.shuffle %{{.*}} by ["k"] :
// CHECK:         table.scan "parquet" ["r"]
// CHECK:         dist.shuffle %{{.*}} by ["k"] :
// CHECK-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// CHECK:         table.join
// CHECK-NEXT:    table.aggregate
// CHECK-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// CHECK:         table.to_tensor
// CHECK:         (!dist.part<tensor<?x1xf32>, #dist.split<0 : i64, #dist.hash<["k"]>>>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.hash<["k"]>>>)
// CHECK-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// CHECK:         scf.for %epoch
// CHECK-NEXT:      %[[B:.*]] = nn.batches {{.*}} owned "hash"
// CHECK-NEXT:      nn.steps %[[B]]
// CHECK-NEXT:      scf.for %step
// CHECK-NEXT:        %[[N:.*]], %[[X:.*]], %[[Y:.*]] = nn.batch %[[B]] at %step
// Forward and backward are one module: the errors of the rows stay inside.
// CHECK-NEXT:        %[[LOSS:.*]], %[[GRADIENT:.*]] = dist.local(%[[N]], %v, %[[X]], %[[Y]]) {
// CHECK:               %[[L:.*]], %[[E:.*]] = func.call @line.forward
// CHECK-NEXT:          %[[G:.*]] = func.call @line.backward(%{{.*}}, %{{.*}}, %[[E]])
// CHECK-NEXT:          dist.yield %[[L]], %[[G]]
// CHECK:             !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<1xf32>, #dist.partial<"sum">>)
// CHECK-NEXT:        %[[MEAN:.*]], %[[WHOLE:.*]] = dist.all_reduce_tensors "sum" "tree" %[[LOSS]], %[[GRADIENT]]
// CHECK-NEXT:        nn.log "loss" %[[MEAN]]
// CHECK-NEXT:        dist.local(%{{.*}}, %v, %[[WHOLE]]) {
// CHECK:               func.call @line.update
// CHECK:             scf.yield
// CHECK-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// CHECK:         flow.return

// Three ranks cannot hold four whole shards alike, so the groups are dealt once more, to four shards.
// THREE-LABEL:   flow.program @train
// THREE-COUNT-2: dist.shuffle %{{.*}} by ["k"] :
// THREE-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// THREE:         table.aggregate
// THREE-NOT:     dist.{{all_|gather|broadcast|range}}
// THREE:         dist.shuffle %{{.*}} by ["k"] shards 4 : {{.*}} -> !dist.part<{{.*}}, #dist.shards<["k"], 4 : i64>>
// THREE-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// THREE:         table.to_tensor
// THREE:         nn.batches {{.*}} owned "hash"
// THREE:         dist.all_reduce_tensors "sum" "tree" %{{.*}}, %{{.*}} :
// THREE-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// THREE:         flow.return

// Where last bits may depend on the ranks, every rank's own rows are a shard, and MPI orders the sums.
// FAST-LABEL:    flow.program @train
// FAST-COUNT-2:  dist.shuffle %{{.*}} by ["k"] :
// FAST-NOT:      dist.{{shuffle|all_|gather|broadcast|range}}
// FAST:          nn.batches {{.*}} owned "local"
// FAST:          dist.all_reduce_tensors "sum" "any" %{{.*}}, %{{.*}} :
// FAST-NOT:      dist.{{shuffle|all_|gather|broadcast|range}}
// FAST:          flow.return

// One rank holds all rows and all shards; the sums of micro-batches are combined as on several.
// ONE-LABEL:     flow.program @train
// ONE-NOT:       dist.{{shuffle|gather|broadcast|range}}
// ONE:           nn.batches {{.*}} owned "all"
// ONE-NOT:       dist.{{shuffle|gather|broadcast|range}}
// ONE:           dist.all_reduce_tensors "sum" "tree" %{{.*}}, %{{.*}} :
// ONE-NOT:       dist.{{shuffle|gather|broadcast|range}}
// ONE:           flow.return

// Three of four rows of each table find their rank, 2 × 16 GB × 3/4 together, in 12 messages with headers of 432
// bytes: what the join alone needs. A step
// sends 12 messages of 128 bytes: two tensors, each from a multiple of 64 bytes on, to three others from four.
// MOVED-LABEL:   flow.program @train
// MOVED-NOT:     moved
// MOVED:         dist.shuffle
// MOVED-SAME:    {moved = 12000005184 : i64}
// MOVED-NOT:     moved
// MOVED:         dist.shuffle
// MOVED-SAME:    {moved = 12000005184 : i64}
// MOVED-NOT:     moved
// MOVED:         dist.all_reduce_tensors
// MOVED-SAME:    {moved = 1536 : i64}
// MOVED-NOT:     moved
// MOVED:         flow.return
flow.program @train {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %epochs = arith.constant 5 : index
  %rows, %w = nn.parameters <"f00d"> ["rows", "w"] : tensor<i32>, tensor<1xf32>
  %l = table.scan "parquet" ["l"] {rows = 1000000000 : i64, bytes = 16000000000 : i64} : !table.frame<["k" : i64, "x" : f32]>
  %r = table.scan "parquet" ["r"] {rows = 1000000000 : i64, bytes = 16000000000 : i64} : !table.frame<["k" : i64, "y" : f32]>
  %j = table.join "inner" %l, %r on ["k"] = ["k"] {rows = 1000000000 : i64, bytes = 20000000000 : i64} : !table.frame<["k" : i64, "x" : f32]>, !table.frame<["k" : i64, "y" : f32]> -> !table.frame<["k" : i64, "x" : f32, "y" : f32]>
  %g = table.aggregate %j keys ["k"] aggregates [#table.agg<"x", "max", "x">, #table.agg<"y", "min", "y">] {rows = 500000000 : i64, bytes = 8000000000 : i64} : !table.frame<["k" : i64, "x" : f32, "y" : f32]> -> !table.frame<["k" : i64, "x" : !expr.nullable<f32>, "y" : !expr.nullable<f32>]>
  %x, %y = table.to_tensor %g [["x"], "y"] : !table.frame<["k" : i64, "x" : !expr.nullable<f32>, "y" : !expr.nullable<f32>]> -> tensor<?x1xf32>, tensor<?xf32>
  %trained = scf.for %epoch = %zero to %epochs step %one iter_args(%u = %w) -> (tensor<1xf32>) {
    %b = nn.batches %g, %x, %y epoch %epoch size 1024 micro_batches 4 seed 0 by ["k"] : !table.frame<["k" : i64, "x" : !expr.nullable<f32>, "y" : !expr.nullable<f32>]>, tensor<?x1xf32>, tensor<?xf32> -> !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]>
    %steps = nn.steps %b : !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]>
    %after = scf.for %step = %zero to %steps step %one iter_args(%v = %u) -> (tensor<1xf32>) {
      %n, %bx, %by = nn.batch %b at %step : !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]> -> tensor<i32>, tensor<?x1xf32>, tensor<?xf32>
      %loss, %error = func.call @line.forward(%n, %v, %bx, %by) : (tensor<i32>, tensor<1xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<f32>, tensor<?xf32>)
      %gradient = func.call @line.backward(%n, %bx, %error) : (tensor<i32>, tensor<?x1xf32>, tensor<?xf32>) -> tensor<1xf32>
      %next = func.call @line.update(%rows, %v, %gradient) : (tensor<i32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
      nn.log "loss" %loss epoch %epoch step %step : tensor<f32>
      scf.yield %next : tensor<1xf32>
    }
    scf.yield %after : tensor<1xf32>
  }
  %h = nn.history after %trained : tensor<1xf32> -> !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
  flow.return ["h"] %h : !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
}

// A small frame is on every rank, which picks its own shards from it: nothing moves but the bucket.
// CHECK-LABEL:   flow.program @small
// CHECK-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// CHECK:         (!dist.part<tensor<?x1xf32>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.replicated>)
// CHECK-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// CHECK:         nn.batches {{.*}} owned "all"
// CHECK:         (!dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<1xf32>, #dist.partial<"sum">>)
// CHECK-NEXT:    dist.all_reduce_tensors "sum" "tree"
// CHECK-NOT:     dist.{{shuffle|all_|gather|broadcast|range}}
// CHECK:         flow.return
flow.program @small {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %epochs = arith.constant 5 : index
  %rows, %w = nn.parameters <"f00d"> ["rows", "w"] : tensor<i32>, tensor<1xf32>
  %l = table.scan "parquet" ["l"] {rows = 100 : i64, bytes = 1600 : i64} : !table.frame<["k" : i64, "x" : f32]>
  %r = table.scan "parquet" ["r"] {rows = 100 : i64, bytes = 1600 : i64} : !table.frame<["k" : i64, "y" : f32]>
  %j = table.join "inner" %l, %r on ["k"] = ["k"] {rows = 100 : i64, bytes = 2000 : i64} : !table.frame<["k" : i64, "x" : f32]>, !table.frame<["k" : i64, "y" : f32]> -> !table.frame<["k" : i64, "x" : f32, "y" : f32]>
  %g = table.aggregate %j keys ["k"] aggregates [#table.agg<"x", "max", "x">, #table.agg<"y", "min", "y">] {rows = 50 : i64, bytes = 800 : i64} : !table.frame<["k" : i64, "x" : f32, "y" : f32]> -> !table.frame<["k" : i64, "x" : !expr.nullable<f32>, "y" : !expr.nullable<f32>]>
  %x, %y = table.to_tensor %g [["x"], "y"] : !table.frame<["k" : i64, "x" : !expr.nullable<f32>, "y" : !expr.nullable<f32>]> -> tensor<?x1xf32>, tensor<?xf32>
  %trained = scf.for %epoch = %zero to %epochs step %one iter_args(%u = %w) -> (tensor<1xf32>) {
    %b = nn.batches %g, %x, %y epoch %epoch size 1024 micro_batches 4 seed 0 by ["k"] : !table.frame<["k" : i64, "x" : !expr.nullable<f32>, "y" : !expr.nullable<f32>]>, tensor<?x1xf32>, tensor<?xf32> -> !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]>
    %steps = nn.steps %b : !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]>
    %after = scf.for %step = %zero to %steps step %one iter_args(%v = %u) -> (tensor<1xf32>) {
      %n, %bx, %by = nn.batch %b at %step : !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]> -> tensor<i32>, tensor<?x1xf32>, tensor<?xf32>
      %loss, %error = func.call @line.forward(%n, %v, %bx, %by) : (tensor<i32>, tensor<1xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<f32>, tensor<?xf32>)
      %gradient = func.call @line.backward(%n, %bx, %error) : (tensor<i32>, tensor<?x1xf32>, tensor<?xf32>) -> tensor<1xf32>
      %next = func.call @line.update(%rows, %v, %gradient) : (tensor<i32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
      nn.log "loss" %loss epoch %epoch step %step : tensor<f32>
      scf.yield %next : tensor<1xf32>
    }
    scf.yield %after : tensor<1xf32>
  }
  %h = nn.history after %trained : tensor<1xf32> -> !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
  flow.return ["h"] %h : !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
}
