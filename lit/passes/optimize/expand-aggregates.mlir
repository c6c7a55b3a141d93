// RUN: dlc opt -p expand-aggregates --split-input-file %s | filecheck %s

// Means share the counts, and what the user asked for is not computed twice.
flow.program @means {
  %f = table.scan "parquet" ["t.parquet"] : !table.frame<["k" : i64, "x" : f64, "i" : !expr.nullable<i64>, "d" : !expr.decimal<15, 2>]>
  %a = table.aggregate %f keys ["k"] aggregates [#table.agg<"mx", "mean", "x">, #table.agg<"n", "len", "">, #table.agg<"mi", "mean", "i">, #table.agg<"md", "mean", "d">] : !table.frame<["k" : i64, "x" : f64, "i" : !expr.nullable<i64>, "d" : !expr.decimal<15, 2>]> -> !table.frame<["k" : i64, "mx" : !expr.nullable<f64>, "n" : i64, "mi" : !expr.nullable<f64>, "md" : !expr.nullable<f64>]>
  flow.return ["r"] %a : !table.frame<["k" : i64, "mx" : !expr.nullable<f64>, "n" : i64, "mi" : !expr.nullable<f64>, "md" : !expr.nullable<f64>]>
}
// CHECK-LABEL: @means
// CHECK:      table.project ["k", "x", "i", "d", "i.wide"]
// CHECK:        expr.cast %{{.*}} : !expr.nullable<i64> -> !expr.nullable<!expr.decimal<19, 0>>
// CHECK:      table.aggregate %{{.*}} keys ["k"] aggregates [#table.agg<"n", "len", "">, #table.agg<"x.sum", "sum", "x">, #table.agg<"i.wide.sum", "sum", "i.wide">, #table.agg<"d.sum", "sum", "d">, #table.agg<"i.count", "count", "i">]
// CHECK-NEXT: table.project ["k", "mx", "n", "mi", "md"]
// CHECK-NEXT:   [[K:%.*]] = expr.col "k" : i64
// CHECK-NEXT:   [[SUM:%.*]] = expr.col "x.sum" : !expr.nullable<f64>
// CHECK-NEXT:   [[N:%.*]] = expr.col "n" : i64
// CHECK-NEXT:   [[COUNT:%.*]] = expr.cast [[N]] : i64 -> f64
// CHECK-NEXT:   [[MEAN:%.*]] = expr.div [[SUM]], [[COUNT]] : !expr.nullable<f64>, f64 -> !expr.nullable<f64>
// CHECK:        table.yield [[K]], [[MEAN]], [[N]]
// CHECK-NEXT: }
// CHECK-NEXT: flow.return

// -----

// Without keys, the mean is one scalar.
flow.program @spread_of_all_rows {
  %f = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : f32]>
  %a = table.aggregate %f keys [] aggregates [#table.agg<"v", "std", "x">] : !table.frame<["x" : f32]> -> !table.frame<["v" : !expr.nullable<f64>]>
  flow.return ["r"] %a : !table.frame<["v" : !expr.nullable<f64>]>
}
// CHECK-LABEL: @spread_of_all_rows
// CHECK:      table.aggregate %{{.*}} keys [] aggregates [#table.agg<"x.wide.sum", "sum", "x.wide">, #table.agg<"rows", "len", "">]
// CHECK-NEXT: [[MEANS:%.*]] = table.project ["x.mean"]
// CHECK:        [[MEAN:%.*]] = expr.scalar [[MEANS]] "x.mean"
// CHECK-NEXT:   expr.cast %{{.*}} : f32 -> f64
// CHECK-NEXT:   [[D:%.*]] = expr.sub %{{.*}}, [[MEAN]]
// CHECK-NEXT:   expr.mul [[D]], [[D]]
// CHECK:      table.aggregate %{{.*}} keys [] aggregates [#table.agg<"x.square.sum", "sum", "x.square">, #table.agg<"rows.2", "len", "">]
// CHECK-NEXT: table.project ["v"]
// CHECK:        expr.case
// CHECK-NEXT:   expr.call "sqrt"
// CHECK-NOT:  table.join

// -----

// With keys, the mean of each group is joined to its rows; nulls are a group, which a join has to be told.
flow.program @spread_of_groups {
  %f = table.scan "parquet" ["t.parquet"] : !table.frame<["k" : i64, "g" : !expr.nullable<!expr.string>, "x" : f64]>
  %a = table.aggregate %f keys ["k", "g"] aggregates [#table.agg<"v", "var", "x">] : !table.frame<["k" : i64, "g" : !expr.nullable<!expr.string>, "x" : f64]> -> !table.frame<["k" : i64, "g" : !expr.nullable<!expr.string>, "v" : !expr.nullable<f64>]>
  flow.return ["r"] %a : !table.frame<["k" : i64, "g" : !expr.nullable<!expr.string>, "v" : !expr.nullable<f64>]>
}
// CHECK-LABEL: @spread_of_groups
// CHECK:      table.aggregate %{{.*}} keys ["k", "g"] aggregates [#table.agg<"x.sum", "sum", "x">, #table.agg<"rows", "len", "">]
// CHECK:      table.project ["k", "g", "x", "g.value", "g.null"]
// CHECK:      table.project ["k", "x.mean", "g.value", "g.null"]
// CHECK:      table.join "inner" %{{.*}} on ["k", "g.value", "g.null"] = ["k", "g.value", "g.null"]
// CHECK-NEXT: table.project ["k", "g", "x", "x.square"]
// CHECK:      table.aggregate %{{.*}} keys ["k", "g"] aggregates [#table.agg<"x.square.sum", "sum", "x.square">, #table.agg<"rows.2", "len", "">]

// -----

// Medians need the values themselves, and stay.
flow.program @holistic {
  %f = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : f64]>
  %a = table.aggregate %f keys [] aggregates [#table.agg<"m", "median", "x">] : !table.frame<["x" : f64]> -> !table.frame<["m" : !expr.nullable<f64>]>
  flow.return ["r"] %a : !table.frame<["m" : !expr.nullable<f64>]>
}
// CHECK-LABEL: @holistic
// CHECK:      [[A:%.*]] = table.aggregate %{{.*}} keys [] aggregates [#table.agg<"m", "median", "x">]
// CHECK-NEXT: flow.return ["r"] [[A]]
