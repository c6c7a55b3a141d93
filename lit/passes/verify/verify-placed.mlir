// RUN: dlc opt -p verify-placed --verify-diagnostics --split-input-file %s

// expected-error@+1 {{flow.program breaks the placed stage: it needs one gang, got 0}}
flow.program @no_gang stage "placed" {
  flow.return []
}

// -----

flow.program @no_ranks stage "placed" {
  // expected-error@+1 {{a gang needs at least one rank}}
  dist.gang @main ranks 0 on "any"
  flow.return []
}

// -----

// What is predicted comes in an order that a run can have.
flow.program @backwards stage "placed" {
  dist.gang @main ranks 2 on "any"
  // expected-error@+1 {{it starts at 2.0 s and finishes at 1.5 s}}
  %w = nn.parameters <"f00d"> ["w"] {start = 2.0 : f64, finish = 1.5 : f64} : !dist.part<tensor<f32>, #dist.replicated>
  flow.return []
}

// -----

flow.program @half stage "placed" {
  dist.gang @main ranks 2 on "any"
  // expected-error@+1 {{it needs both a start and a finish, in seconds, or none}}
  %w = nn.parameters <"f00d"> ["w"] {start = 2.0 : f64} : !dist.part<tensor<f32>, #dist.replicated>
  flow.return []
}

// -----

flow.program @early stage "placed" {
  dist.gang @main ranks 2 on "any"
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } {start = 0.0 : f64, finish = 1.5 : f64} : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.rows>)
  // expected-error@+1 {{it starts at 1.0 s, and what it uses is there at 1.5 s}}
  %b = dist.gather %a {start = 1.0 : f64, finish = 2.0 : f64} : !dist.part<!table.frame<["v" : i64]>, #dist.rows> -> !dist.part<!table.frame<["v" : i64]>, #dist.single>
  flow.return ["b"] %b : !dist.part<!table.frame<["v" : i64]>, #dist.single>
}

// -----

flow.program @round stage "placed" {
  dist.gang @main ranks 2 on "any"
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.replicated>
  %last = scf.for %i = %zero to %two step %one iter_args(%v = %w) -> (!dist.part<tensor<f32>, #dist.replicated>) {
    // expected-error@+1 {{its first round is not over when its loop is, at 2.0 s}}
    %n = nn.parameters <"f00d"> ["w"] {start = 1.0 : f64, finish = 2.5 : f64} : !dist.part<tensor<f32>, #dist.replicated>
    scf.yield %n : !dist.part<tensor<f32>, #dist.replicated>
  } {start = 1.0 : f64, finish = 2.0 : f64, rounds = 2 : i64}
  flow.return []
}
