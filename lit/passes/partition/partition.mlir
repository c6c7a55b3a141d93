// RUN: dlc opt -p partition,verify-dist --split-input-file %s | filecheck %s
// RUN: dlc opt -p 'partition{ranks=1},verify-dist' --split-input-file %s | filecheck %s --check-prefix=ONE

// One rank needs no collective.
// ONE-NOT: dist.shuffle
// ONE-NOT: dist.all_gather
// ONE-NOT: dist.gather
// ONE-NOT: dist.all_reduce
// ONE-NOT: dist.range_shuffle

// A small right side goes to every rank (it is so small that each reads it), and the left stays where it is.
// CHECK-LABEL: flow.program @broadcast
// CHECK-SAME:    stage "dist"
// CHECK:         %[[BIG:.*]] = dist.local() {
// CHECK:           table.scan "parquet" ["big"]
// CHECK:         #dist.rows>)
// CHECK:         %[[SMALL:.*]] = dist.local() {
// CHECK:           table.scan "parquet" ["small"]
// CHECK-SAME:      replicated
// CHECK:         #dist.replicated>)
// CHECK-NOT:     dist.shuffle
// CHECK:         dist.local(%[[BIG]], %[[SMALL]])
// CHECK:           table.join "inner"
// CHECK:         dist.gather
// CHECK:         flow.return
flow.program @broadcast {
  %l = table.scan "parquet" ["big"] {bytes = 1600000000 : i64} : !table.frame<["k" : i64, "v" : i64]>
  %r = table.scan "parquet" ["small"] {bytes = 1600 : i64} : !table.frame<["k" : i64, "w" : i64]>
  %j = table.join "inner" %l, %r on ["k"] = ["k"] {bytes = 2400000 : i64} : !table.frame<["k" : i64, "v" : i64]>, !table.frame<["k" : i64, "w" : i64]> -> !table.frame<["k" : i64, "v" : i64, "w" : i64]>
  flow.return ["j"] %j : !table.frame<["k" : i64, "v" : i64, "w" : i64]>
}

// -----

// Two large sides meet by their keys, and the grouping by the same key needs no further shuffle.
// CHECK-LABEL: flow.program @shuffle
// CHECK-COUNT-2: dist.shuffle %{{.*}} by ["k"]
// CHECK-NOT:     dist.shuffle
// CHECK:         table.join "inner"
// CHECK:         #dist.hash<["k"]>>)
// CHECK-NOT:     dist.shuffle
// CHECK:         table.aggregate
// CHECK:         #dist.hash<["k"]>>)
// CHECK:         dist.gather
flow.program @shuffle {
  %l = table.scan "parquet" ["l"] {bytes = 16000000000 : i64} : !table.frame<["k" : i64, "v" : i64]>
  %r = table.scan "parquet" ["r"] {bytes = 16000000000 : i64} : !table.frame<["k" : i64, "w" : i64]>
  %j = table.join "inner" %l, %r on ["k"] = ["k"] {bytes = 16000000000 : i64} : !table.frame<["k" : i64, "v" : i64]>, !table.frame<["k" : i64, "w" : i64]> -> !table.frame<["k" : i64, "v" : i64, "w" : i64]>
  %g = table.aggregate %j keys ["k"] aggregates [#table.agg<"s", "sum", "v">] {bytes = 8000000000 : i64} : !table.frame<["k" : i64, "v" : i64, "w" : i64]> -> !table.frame<["k" : i64, "s" : !expr.nullable<i64>]>
  flow.return ["g"] %g : !table.frame<["k" : i64, "s" : !expr.nullable<i64>]>
}

// -----

// Few groups: every rank groups its own rows, and the partial results are combined.
// CHECK-LABEL: flow.program @two_phase
// CHECK:         table.aggregate %{{.*}} keys ["k"] aggregates [#table.agg<"n", "len", "">, #table.agg<"s", "sum", "v">]
// CHECK:         #dist.partial<"merge">>)
// CHECK:         dist.all_gather
// CHECK:         table.aggregate %{{.*}} keys ["k"] aggregates [#table.agg<"n", "merge_count", "n">, #table.agg<"s", "sum", "s">]
// CHECK:         #dist.replicated>)
flow.program @two_phase {
  %l = table.scan "parquet" ["l"] {bytes = 16000000000 : i64} : !table.frame<["k" : i64, "v" : i64]>
  %g = table.aggregate %l keys ["k"] aggregates [#table.agg<"n", "len", "">, #table.agg<"s", "sum", "v">] {bytes = 240 : i64} : !table.frame<["k" : i64, "v" : i64]> -> !table.frame<["k" : i64, "n" : i64, "s" : !expr.nullable<i64>]>
  flow.return ["g"] %g : !table.frame<["k" : i64, "n" : i64, "s" : !expr.nullable<i64>]>
}

// -----

// A global aggregate is one all-reduce; a median needs all rows in one place.
// CHECK-LABEL: flow.program @global
// CHECK:         #dist.partial<"merge">>)
// CHECK:         dist.all_reduce
// CHECK:           #table.agg<"s", "sum", "s">
// CHECK:         dist.all_gather
// CHECK:         #table.agg<"m", "median", "v">
flow.program @global {
  %l = table.scan "parquet" ["l"] {bytes = 1600000000 : i64} : !table.frame<["v" : i64]>
  %s = table.aggregate %l keys [] aggregates [#table.agg<"s", "sum", "v">] {bytes = 8 : i64} : !table.frame<["v" : i64]> -> !table.frame<["s" : !expr.nullable<i64>]>
  %m = table.aggregate %l keys [] aggregates [#table.agg<"m", "median", "v">] {bytes = 8 : i64} : !table.frame<["v" : i64]> -> !table.frame<["m" : !expr.nullable<f64>]>
  flow.return ["s", "m"] %s, %m : !table.frame<["s" : !expr.nullable<i64>]>, !table.frame<["m" : !expr.nullable<f64>]>
}

// -----

// A large sort: sample, cut, send ranges, sort each. The file is written from one place in order.
// CHECK-LABEL: flow.program @sample_sort
// CHECK:         table.sort
// CHECK:         table.sample %{{.*}} ["v"] 64
// CHECK:         dist.all_gather
// CHECK:         table.sort
// CHECK:         dist.range_shuffle %{{.*}} at %{{.*}} by [#table.order<"v", true, false>]
// CHECK:         table.sort
// CHECK:         #dist.range<[#table.order<"v", true, false>]>>)
// CHECK:         table.sink %{{.*}} to "parquet" "out" as "directory"
flow.program @sample_sort {
  %l = table.scan "parquet" ["l"] {bytes = 160000000000 : i64} : !table.frame<["v" : i64, "w" : i64]>
  %s = table.sort %l by [#table.order<"v", true, false>] {bytes = 160000000000 : i64} : !table.frame<["v" : i64, "w" : i64]> -> !table.frame<["v" : i64, "w" : i64]>
  table.sink %s to "parquet" "out" as "directory" : !table.frame<["v" : i64, "w" : i64]>
  flow.return []
}

// -----

// The best rows of each rank are enough for the best of all.
// CHECK-LABEL: flow.program @top
// CHECK:         table.sort %{{.*}} limit 5
// CHECK:         dist.gather
// CHECK:         table.sort %{{.*}} limit 5
// CHECK:         #dist.single>)
flow.program @top {
  %l = table.scan "parquet" ["l"] {bytes = 160000000 : i64} : !table.frame<["v" : i64]>
  %s = table.sort %l by [#table.order<"v", false, false>] limit 5 {bytes = 40 : i64} : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
  flow.return ["s"] %s : !table.frame<["v" : i64]>
}

// -----

// The head of a bag is its smallest rows by all columns, whatever the number of ranks.
// CHECK-LABEL: flow.program @head_of_bag
// CHECK:         table.sort %{{.*}} by [#table.order<"k", false, false>, #table.order<"n", false, false>] limit 3
flow.program @head_of_bag {
  %l = table.scan "parquet" ["l"] {bytes = 160000000 : i64} : !table.frame<["k" : i64]>
  %g = table.aggregate %l keys ["k"] aggregates [#table.agg<"n", "len", "">] : !table.frame<["k" : i64]> -> !table.frame<["k" : i64, "n" : i64]>
  %h = table.head %g 3 : !table.frame<["k" : i64, "n" : i64]> -> !table.frame<["k" : i64, "n" : i64]>
  flow.return ["h"] %h : !table.frame<["k" : i64, "n" : i64]>
}

// -----

// A scalar read by an expression is whole on every rank.
// CHECK-LABEL: flow.program @scalar
// CHECK:         %[[MAX:.*]] = dist.all_reduce
// CHECK:         dist.local(%{{.*}}, %[[MAX]])
// CHECK:           expr.scalar
flow.program @scalar {
  %l = table.scan "parquet" ["l"] {bytes = 1600000000 : i64} : !table.frame<["v" : i64]>
  %m = table.aggregate %l keys [] aggregates [#table.agg<"m", "max", "v">] {bytes = 8 : i64} : !table.frame<["v" : i64]> -> !table.frame<["m" : !expr.nullable<i64>]>
  %f = table.filter %l {
    %v = expr.col "v" : i64
    %x = expr.scalar %m "m" : !table.frame<["m" : !expr.nullable<i64>]> -> !expr.nullable<i64>
    %c = expr.cmp "eq" %v, %x : i64, !expr.nullable<i64> -> !expr.nullable<i1>
    table.yield %c : !expr.nullable<i1>
  } {bytes = 8 : i64} : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
  flow.return ["f"] %f : !table.frame<["v" : i64]>
}
