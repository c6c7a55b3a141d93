// RUN: dlc opt -p 'place{ranks=2},verify-placed' --split-input-file %s | filecheck %s
// RUN: dlc opt -p 'place{ranks=2},lower-to-plan' --split-input-file %s | filecheck %s --check-prefix PLAN

// The gang needs what the runtime itself takes (270 MiB), the frame of both ranks' halves, and its copy on rank 0
// together with what the gather packs: 188743680 + 500000 + 2 * 1000000. Nobody knows how long it takes on a machine
// that nobody knows.
// CHECK:      flow.program @q stage "placed" {
// CHECK-NEXT:   dist.gang @main ranks 2 on "any" memory 170272160{{$}}
// CHECK-NOT:    start =
flow.program @q stage "dist" {
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] {bytes = 1000000 : i64} : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.rows>)
  %b = dist.gather %a : !dist.part<!table.frame<["v" : i64]>, #dist.rows> -> !dist.part<!table.frame<["v" : i64]>, #dist.single>
  flow.return ["b"] %b : !dist.part<!table.frame<["v" : i64]>, #dist.single>
}

// -----

// On a known machine every operation begins when those before it have ended; of a loop, the first round is told. The
// batches are of 1024 of 10000 rows, which makes 10 rounds an epoch. Ranks begin by loading XLA. What a reduction of
// one float moves is padded to 64 bytes.
// CHECK-LABEL: flow.program @train stage "placed" {
// CHECK-NEXT:   dist.gang @main ranks 2 on "small" memory {{[0-9]+}} {seconds = [[END:.*]] : f64}
// CHECK:        table.scan
// CHECK:        } {start = {{0\.[1-9].*}} : f64, finish = [[READ:.*]] : f64} : () ->
// CHECK:        table.to_tensor
// CHECK:        } {start = [[READ]] : f64, finish = [[MADE:.*]] : f64}
// CHECK:        nn.batches {{.*}} {start = [[MADE]] : f64, finish = [[DEALT:.*]] : f64}
// CHECK:        nn.steps %b {start = [[DEALT]] : f64, finish = [[DEALT]] : f64}
// CHECK:        func.call @slope
// CHECK:        } {start = [[DEALT]] : f64, finish = [[FIRST:.*]] : f64}
// CHECK-NEXT:   dist.all_reduce_tensors {{.*}} {moved = 128 : i64, start = [[FIRST]] : f64, finish = {{.*}} : f64}
// CHECK:        } {start = [[DEALT]] : f64, finish = [[EPOCH:.*]] : f64, rounds = 10 : i64}
// CHECK-NEXT:   nn.save {{.*}} {start = [[EPOCH]] : f64
// CHECK:        } {start = [[DEALT]] : f64, finish = [[END]] : f64, rounds = 5 : i64}

// PLAN-LABEL: plan.program @train world 2
// PLAN-NEXT:    plan.gang @main array<i64: 0, 1> attributes {{.*}}seconds = [[END:.*]] : f64} {
// PLAN:         plan.micro
// PLAN:         } {{.*}}, start = [[BEGIN:.*]] : f64, finish = [[FIRST:.*]] : f64}
// PLAN:         plan.reduce {{.*}} moved = 128 : i64, start = [[FIRST]] : f64, finish
// PLAN:         } {start = [[BEGIN]] : f64, finish = {{.*}} : f64, rounds = 10 : i64}
// PLAN:         } {start = [[BEGIN]] : f64, finish = [[END]] : f64, rounds = 5 : i64}
hw.machine @small {
  hw.node @n {
    hw.processor cpu @c attributes {compute = {f64 = #hw.quantity<4.0e+10 : f64, "FLOP/s", "assumed">}, cores = #hw.quantity<2.0 : f64, "1", "assumed">}
    hw.memory @ram attributes {bandwidth = #hw.quantity<2.0e+10 : f64, "B/s", "assumed">, capacity = #hw.quantity<1.6e+10 : f64, "B", "assumed">}
    hw.link @shm attributes {bandwidth = #hw.quantity<1.0e+10 : f64, "B/s", "assumed">, latency = #hw.quantity<5.0e-7 : f64, "s", "assumed">, scope = "core"}
  }
}
func.func private @slope(%rows: tensor<i32> {flow.rows}, %w: tensor<f32>, %x: tensor<?xf32>) -> tensor<f32> {
  %zero = stablehlo.constant dense<0.000000e+00> : tensor<f32>
  %s = "stablehlo.reduce"(%x, %zero) <{dimensions = array<i64: 0>}> ({
  ^bb0(%a: tensor<f32>, %b: tensor<f32>):
    %c = stablehlo.add %a, %b : tensor<f32>
    stablehlo.return %c : tensor<f32>
  }) : (tensor<?xf32>, tensor<f32>) -> tensor<f32>
  %m = stablehlo.multiply %s, %w : tensor<f32>
  func.return %m : tensor<f32>
}
flow.program @train stage "dist" {
  %w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.replicated>
  %zero = arith.constant 0 : index
  %epochs = arith.constant 5 : index
  %one = arith.constant 1 : index
  %f = dist.local() {
    %f_1 = table.scan "parquet" ["f"] {rows = 10000 : i64, bytes = 40000 : i64, replicated} : !table.frame<["x" : f32]>
    dist.yield %f_1 : !table.frame<["x" : f32]>
  } : () -> (!dist.part<!table.frame<["x" : f32]>, #dist.replicated>)
  %x = dist.local(%f) {
  ^bb0(%0: !table.frame<["x" : f32]>):
    %x_1 = table.to_tensor %0 ["x"] : !table.frame<["x" : f32]> -> tensor<?xf32>
    dist.yield %x_1 : tensor<?xf32>
  } : (!dist.part<!table.frame<["x" : f32]>, #dist.replicated>) -> (!dist.part<tensor<?xf32>, #dist.replicated>)
  %b = nn.batches %f, %x size 1024 micro_batches 4 seed 0 by ["x"] owned "all" : !dist.part<!table.frame<["x" : f32]>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.replicated> -> !nn.batches<[tensor<?xf32>]>
  %trained = scf.for %epoch = %zero to %epochs step %one iter_args(%u = %w) -> (!dist.part<tensor<f32>, #dist.replicated>) {
    %steps = nn.steps %b : !nn.batches<[tensor<?xf32>]>
    %after = scf.for %step = %zero to %steps step %one iter_args(%v = %u) -> (!dist.part<tensor<f32>, #dist.replicated>) {
      %n, %bx = nn.batch %b at %step : !nn.batches<[tensor<?xf32>]> -> !dist.part<tensor<i32>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.any>>
      %next = dist.local(%n, %v, %bx) {
      ^bb0(%0: tensor<i32>, %1: tensor<f32>, %2: tensor<?xf32>):
        %next_1 = func.call @slope(%0, %1, %2) : (tensor<i32>, tensor<f32>, tensor<?xf32>) -> tensor<f32>
        dist.yield %next_1 : tensor<f32>
      } : (!dist.part<tensor<i32>, #dist.replicated>, !dist.part<tensor<f32>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.any>>) -> (!dist.part<tensor<f32>, #dist.partial<"sum">>)
      %0 = dist.all_reduce_tensors "sum" "tree" %next : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
      scf.yield %0 : !dist.part<tensor<f32>, #dist.replicated>
    }
    nn.save %after as ["w"] epoch %epoch of "1234" to "checkpoint" : !dist.part<tensor<f32>, #dist.replicated>
    scf.yield %after : !dist.part<tensor<f32>, #dist.replicated>
  }
  flow.return []
}
