// RUN: dlc opt -p make-sums-exact --split-input-file %s | filecheck %s
// RUN: dlc opt -p make-sums-exact{fast-math=true} --split-input-file %s | filecheck %s --check-prefix=FAST

// One look at the whole frame tells the largest magnitude of each column that any aggregate sums up.
flow.program @shared {
  %f = table.scan "parquet" ["t.parquet"] : !table.frame<["k" : i64, "x" : f64, "y" : f32]>
  %a = table.aggregate %f keys ["k"] aggregates [#table.agg<"sx", "sum", "x">, #table.agg<"n", "len", "">, #table.agg<"again", "sum", "x">] : !table.frame<["k" : i64, "x" : f64, "y" : f32]> -> !table.frame<["k" : i64, "sx" : !expr.nullable<f64>, "n" : i64, "again" : !expr.nullable<f64>]>
  %b = table.aggregate %f keys [] aggregates [#table.agg<"sy", "sum", "y">] : !table.frame<["k" : i64, "x" : f64, "y" : f32]> -> !table.frame<["sy" : !expr.nullable<f32>]>
  flow.return ["a", "b"] %a, %b : !table.frame<["k" : i64, "sx" : !expr.nullable<f64>, "n" : i64, "again" : !expr.nullable<f64>]>, !table.frame<["sy" : !expr.nullable<f32>]>
}
// CHECK-LABEL: @shared
// CHECK:      [[F:%.*]] = table.scan
// CHECK-NEXT: [[MAGNITUDES:%.*]] = table.project ["x.largest", "y.largest"] [[F]]
// CHECK:      [[LARGEST:%.*]] = table.aggregate [[MAGNITUDES]] keys [] aggregates [#table.agg<"rows", "len", "">, #table.agg<"x.largest", "max", "x.largest">, #table.agg<"y.largest", "max", "y.largest">]
// CHECK-NEXT: [[SIZES:%.*]] = table.project ["rows", "x.largest", "x.scale", "y.largest", "y.scale"] [[LARGEST]]
// CHECK:      [[SPLIT:%.*]] = table.project ["k", "x.part0", "x.part1", "x.part2", "x.rest"] [[F]]
// CHECK:        [[SCALE:%.*]] = expr.scalar [[SIZES]] "x.scale"
// CHECK-NEXT:   [[V:%.*]] = expr.mul %{{.*}}, [[SCALE]]
// CHECK-NEXT:   [[M:%.*]] = expr.scalar [[SIZES]] "x.largest"
// CHECK-NEXT:   [[N:%.*]] = expr.scalar [[SIZES]] "rows"
// CHECK-NEXT:   [[P0:%.*]] = expr.call "exact_part"([[V]], [[M]], [[N]]) options {index = 0 : i64} : f64, f64, i64 -> f64
// CHECK-NEXT:   [[R0:%.*]] = expr.sub [[V]], [[P0]]
// CHECK-NEXT:   [[P1:%.*]] = expr.call "exact_part"([[V]], [[M]], [[N]]) options {index = 1 : i64} : f64, f64, i64 -> f64
// CHECK-NEXT:   [[R1:%.*]] = expr.sub [[R0]], [[P1]]
// CHECK-NEXT:   [[P2:%.*]] = expr.call "exact_part"([[V]], [[M]], [[N]]) options {index = 2 : i64} : f64, f64, i64 -> f64
// CHECK-NEXT:   [[R2:%.*]] = expr.sub [[R1]], [[P2]]
// CHECK-NEXT:   table.yield %{{.*}}, [[P0]], [[P1]], [[P2]], [[R2]]
// CHECK:      table.aggregate [[SPLIT]] keys ["k"] aggregates [#table.agg<"n", "len", "">, #table.agg<"x.part0", "sum", "x.part0">, #table.agg<"x.part1", "sum", "x.part1">, #table.agg<"x.part2", "sum", "x.part2">, #table.agg<"x.rest", "sum", "x.rest">]
// CHECK-NEXT: table.project ["k", "sx", "n", "again"]
// CHECK-NOT:  keys []
// CHECK:      table.project ["y.part0", "y.part1", "y.part2", "y.rest"] [[F]]
// CHECK:        expr.cast %{{.*}} : f32 -> f64
// CHECK:      table.aggregate %{{.*}} keys [] aggregates [#table.agg<"y.part0", "sum", "y.part0">
// CHECK-NEXT: table.project ["sy"]
// CHECK:        expr.cast %{{.*}} : !expr.nullable<f64> -> !expr.nullable<f32>

// FAST-LABEL: @shared
// FAST-NOT:   exact_part
// FAST:       #table.agg<"sx", "sum", "x">

// -----

// Sums of integers and decimals are exact as they are.
flow.program @integers {
  %f = table.scan "parquet" ["t.parquet"] : !table.frame<["i" : i64, "x" : f64]>
  %a = table.aggregate %f keys [] aggregates [#table.agg<"s", "sum", "i">, #table.agg<"m", "max", "x">] : !table.frame<["i" : i64, "x" : f64]> -> !table.frame<["s" : !expr.nullable<i64>, "m" : !expr.nullable<f64>]>
  flow.return ["a"] %a : !table.frame<["s" : !expr.nullable<i64>, "m" : !expr.nullable<f64>]>
}
// CHECK-LABEL: @integers
// CHECK:      table.scan
// CHECK-NEXT: table.aggregate %{{.*}} keys [] aggregates [#table.agg<"s", "sum", "i">, #table.agg<"m", "max", "x">]
// CHECK-NEXT: flow.return
