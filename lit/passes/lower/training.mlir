// RUN: dlc opt -p 'partition{ranks=2},fuse-fragments,bucket-reductions,place{ranks=2},lower-to-plan,insert-frees,verify-plan' %s | filecheck %s

// Functions get static shapes; the masked form takes the number of real rows last, and leaves padding out of what
// crosses rows.
// CHECK-LABEL: func.func private @line.forward.256.masked(%0: tensor<i32> {flow.rows}, %1: tensor<1xf32>, %2: tensor<256x1xf32>, %3: tensor<256xf32>, %4: tensor<i32>) -> (tensor<f32>, tensor<256xf32>)
// CHECK:         %[[SQUARES:.*]] = stablehlo.multiply
// CHECK:         %[[REAL:.*]] = stablehlo.compare LT
// CHECK:         stablehlo.select %{{.*}}, %[[SQUARES]], %{{.*}} : tensor<256xi1>, tensor<256xf32>
// CHECK-LABEL: func.func private @line.forward.256(%0: tensor<i32> {flow.rows}, %1: tensor<1xf32>, %2: tensor<256x1xf32>, %3: tensor<256xf32>) -> (tensor<f32>, tensor<256xf32>)
// CHECK-NOT:     stablehlo.select
// CHECK-LABEL: func.func private @line.backward.256.masked
// CHECK-LABEL: func.func private @most.256.masked
// CHECK-LABEL: func.func private @twice.4096(
// CHECK-LABEL: func.func private @total.4096.masked

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

func.func private @most(%rows: tensor<i32> {flow.rows}, %y: tensor<?xf32>) -> tensor<f32> {
  %least = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %s = "stablehlo.reduce"(%y, %least) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.maximum %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
  func.return %s : tensor<f32>
}

func.func private @twice(%rows: tensor<i32> {flow.rows}, %y: tensor<?xf32>) -> tensor<?xf32> {
  %d = stablehlo.add %y, %y : tensor<?xf32>
  func.return %d : tensor<?xf32>
}

func.func private @total(%rows: tensor<i32> {flow.rows}, %y: tensor<?xf32>) -> (tensor<?xf32>, tensor<f32>, tensor<i32>) {
  %zero = stablehlo.constant dense<0.000000e+00> : tensor<f32>
  %s = "stablehlo.reduce"(%y, %zero) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
  %d = stablehlo.add %y, %y : tensor<?xf32>
  %m = stablehlo.add %rows, %rows : tensor<i32>
  func.return %d, %s, %m : tensor<?xf32>, tensor<f32>, tensor<i32>
}

// A batch of 1024 rows in 4 micro-batches is called with 256 rows at a time. What a step reduces is on its way until
// something reads it, and dropped after that; the rows of the frame outlive all epochs, their order one.
// CHECK-LABEL: plan.program @train world 2
// CHECK:         %[[HELD:.*]] = nn.batches %[[F:.*]], %[[X:.*]], %[[Y:.*]] size 1024 micro_batches 4 seed 0 by ["k"] owned "hash"
// CHECK-NEXT:    scf.for %epoch = %zero to %epochs step %one iter_args(%u = %w)
// CHECK-NEXT:      %[[B:.*]] = nn.batches %[[F]], %[[X]], %[[Y]] epoch %epoch
// CHECK-NEXT:      nn.steps %[[B]]
// CHECK-NEXT:      scf.for %step
// CHECK-NEXT:        %[[L:.*]], %[[G:.*]] = plan.micro %[[B]] at %step(%v) rows 256 leaves "sum" {
// CHECK-NEXT:        ^bb0(%[[N:.*]]: tensor<i32>, %[[BX:.*]]: tensor<256x1xf32>, %[[BY:.*]]: tensor<256xf32>, %[[W:.*]]: tensor<1xf32>):
// CHECK-NEXT:          %[[L1:.*]], %[[E:.*]] = func.call @line.forward.256(%[[N]], %[[W]], %[[BX]], %[[BY]])
// CHECK-NEXT:          %[[G1:.*]] = func.call @line.backward.256(%[[N]], %[[BX]], %[[E]])
// CHECK-NEXT:          dist.yield %[[L1]], %[[G1]]
// CHECK-NEXT:        } masked {
// CHECK-NEXT:        ^bb0({{.*}}, %[[VALID:.*]]: tensor<i32>):
// CHECK-NEXT:          func.call @line.forward.256.masked({{.*}}, %[[VALID]])
// CHECK-NEXT:          func.call @line.backward.256.masked({{.*}}, %[[VALID]])
// CHECK:             %[[LR:.*]], %[[GR:.*]] = plan.reduce "sum" "tree" %[[L]], %[[G]]
// CHECK-NEXT:        plan.free %[[L]], %[[G]]
// CHECK-NEXT:        plan.wait %[[LR]], %[[GR]]
// CHECK-NEXT:        nn.log "loss" %[[LR]]
// CHECK-NEXT:        plan.free %[[LR]]
// CHECK-NEXT:        %[[NEXT:.*]] = plan.run(%ones, %v, %[[GR]]) {
// CHECK:               func.call @line.update
// CHECK:             plan.free %[[GR]] :
// CHECK-NEXT:        scf.yield %[[NEXT]]
// CHECK-NEXT:      }
// CHECK-NEXT:      plan.free %[[B]]
// CHECK-NEXT:      %[[M:.*]] = plan.micro %[[HELD]]() rows 256 leaves "max"
// CHECK:           %[[MR:.*]] = plan.reduce "max" "tree" %[[M]]
// CHECK-NEXT:      plan.free %[[M]]
// CHECK-NEXT:      plan.wait %[[MR]]
// CHECK-NEXT:      nn.log "metric" %[[MR]]
// CHECK-NEXT:      plan.free %[[MR]]
// CHECK-NEXT:      nn.save
// CHECK-NEXT:      scf.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    plan.free %ones, %w, %[[F]], %[[X]], %[[Y]], %[[HELD]],
// CHECK-NEXT:    plan.end
flow.program @train {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %epochs = arith.constant 5 : index
  %ones, %w = nn.parameters <"f00d"> ["ones", "w"] : tensor<i32>, tensor<1xf32>
  %f = table.scan "parquet" ["f"] {rows = 1000000000 : i64, bytes = 16000000000 : i64} : !table.frame<["k" : i64, "x" : f32, "y" : f32]>
  %x, %y = table.to_tensor %f [["x"], "y"] : !table.frame<["k" : i64, "x" : f32, "y" : f32]> -> tensor<?x1xf32>, tensor<?xf32>
  %held = nn.batches %f, %x, %y size 1024 micro_batches 4 seed 0 by ["k"] : !table.frame<["k" : i64, "x" : f32, "y" : f32]>, tensor<?x1xf32>, tensor<?xf32> -> !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]>
  %trained = scf.for %epoch = %zero to %epochs step %one iter_args(%u = %w) -> (tensor<1xf32>) {
    %b = nn.batches %f, %x, %y epoch %epoch size 1024 micro_batches 4 seed 0 by ["k"] : !table.frame<["k" : i64, "x" : f32, "y" : f32]>, tensor<?x1xf32>, tensor<?xf32> -> !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]>
    %steps = nn.steps %b : !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]>
    %after = scf.for %step = %zero to %steps step %one iter_args(%v = %u) -> (tensor<1xf32>) {
      %n, %bx, %by = nn.batch %b at %step : !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]> -> tensor<i32>, tensor<?x1xf32>, tensor<?xf32>
      %loss, %error = func.call @line.forward(%n, %v, %bx, %by) : (tensor<i32>, tensor<1xf32>, tensor<?x1xf32>, tensor<?xf32>) -> (tensor<f32>, tensor<?xf32>)
      %gradient = func.call @line.backward(%n, %bx, %error) : (tensor<i32>, tensor<?x1xf32>, tensor<?xf32>) -> tensor<1xf32>
      %next = func.call @line.update(%ones, %v, %gradient) : (tensor<i32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
      nn.log "loss" %loss epoch %epoch step %step : tensor<f32>
      scf.yield %next : tensor<1xf32>
    }
    %n, %hx, %hy = nn.batch %held : !nn.batches<[tensor<?x1xf32>, tensor<?xf32>]> -> tensor<i32>, tensor<?x1xf32>, tensor<?xf32>
    %metric = func.call @most(%n, %hy) : (tensor<i32>, tensor<?xf32>) -> tensor<f32>
    nn.log "metric" %metric epoch %epoch : tensor<f32>
    nn.save %after as ["w"] epoch %epoch of "1234" to "checkpoint" : tensor<1xf32>
    scf.yield %after : tensor<1xf32>
  }
  flow.return []
}

// Other calls take the rows of a rank in chunks: results with rows are put together, sums are added, and what does
// not depend on rows is the same in each. The number of rows is awaited where the first call needs it.
// CHECK-LABEL: plan.program @apply world 2
// CHECK:         %[[ROWS:.*]] = plan.reduce "sum" "tree"
// CHECK-NOT:     plan.wait
// CHECK:         table.to_tensor
// CHECK:         plan.wait %[[ROWS]]
// CHECK-NEXT:    %[[T:.*]] = plan.map_rows(%[[ROWS]], %[[Y:.*]]) chunk 4096 as ["rows"] {
// CHECK-NEXT:    ^bb0(%[[N:.*]]: tensor<i32>, %[[C:.*]]: tensor<4096xf32>):
// CHECK-NEXT:      func.call @twice.4096(%[[N]], %[[C]])
// CHECK-NOT:     masked
// CHECK:         plan.write {{.*}} to "parquet" "out"
// CHECK:         %[[D:.*]], %[[S:.*]], %[[M:.*]] = plan.map_rows(%[[ROWS]], %[[Y]]) chunk 4096 as ["rows", "sum", "same"] {
// CHECK:         } masked {
// CHECK:           func.call @total.4096.masked
// CHECK:         plan.free %[[ROWS]], %[[Y]]
// CHECK:         %[[SR:.*]] = plan.reduce "sum" "tree" %[[S]]
// CHECK-NEXT:    plan.free %[[S]]
// CHECK-NEXT:    plan.wait %[[SR]]
// CHECK-NEXT:    plan.run(%[[SR]], %[[M]]) {
flow.program @apply {
  %f = table.scan "parquet" ["f"] {rows = 1000000000 : i64, bytes = 16000000000 : i64} : !table.frame<["k" : i64, "x" : f32, "y" : f32]>
  %rows = table.rows %f : !table.frame<["k" : i64, "x" : f32, "y" : f32]>
  %y = table.to_tensor %f ["y"] : !table.frame<["k" : i64, "x" : f32, "y" : f32]> -> tensor<?xf32>
  %t = func.call @twice(%rows, %y) : (tensor<i32>, tensor<?xf32>) -> tensor<?xf32>
  %g = table.from_tensor %f : !table.frame<["k" : i64, "x" : f32, "y" : f32]> with ["t"] %t : tensor<?xf32> -> !table.frame<["k" : i64, "x" : f32, "y" : f32, "t" : f32]>
  table.sink %g to "parquet" "out" as "directory" : !table.frame<["k" : i64, "x" : f32, "y" : f32, "t" : f32]>
  %d, %s, %m = func.call @total(%rows, %y) : (tensor<i32>, tensor<?xf32>) -> (tensor<?xf32>, tensor<f32>, tensor<i32>)
  %h = table.from_tensor %f : !table.frame<["k" : i64, "x" : f32, "y" : f32]> with ["d"] %d : tensor<?xf32> -> !table.frame<["k" : i64, "x" : f32, "y" : f32, "d" : f32]>
  table.sink %h to "parquet" "more" as "directory" : !table.frame<["k" : i64, "x" : f32, "y" : f32, "d" : f32]>
  %r = table.from_tensor ["s", "m"] %s, %m : tensor<f32>, tensor<i32> -> !table.frame<["s" : f32, "m" : i32]>
  flow.return ["r"] %r : !table.frame<["s" : f32, "m" : i32]>
}
