// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// Files, with everything that passes find out about them.
%t = table.scan "parquet" ["a.parquet", "b.parquet"] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>
// CHECK:      %t = table.scan "parquet" ["a.parquet", "b.parquet"] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>
%u = table.scan "csv" ["u.csv"] options {has_header = true, separator = ";"} pieces array<i64: 0, 0, 10> statistics [#table.statistics<"k", 1 : i64, 9 : i64, 0 : i64, 7 : i64, -1 : i64>, #table.statistics<"w", unit, unit, -1 : i64, -1 : i64, -1 : i64>] where {
// CHECK-NEXT: %u = table.scan "csv" ["u.csv"] options {has_header = true, separator = ";"} pieces array<i64: 0, 0, 10> statistics [#table.statistics<"k", 1 : i64, 9 : i64, 0 : i64, 7 : i64, -1 : i64>, #table.statistics<"w", unit, unit, -1 : i64, -1 : i64, -1 : i64>] where {
  %k = expr.col "k" : i64
  // CHECK-NEXT: %k = expr.col "k" : i64
  %one = expr.literal 1 : i64
  // CHECK-NEXT: %one = expr.literal 1 : i64
  %p = expr.cmp "gt" %k, %one : i64, i64 -> i1
  // CHECK-NEXT: %p = expr.cmp "gt" %k, %one : i64, i64 -> i1
  table.yield %p : i1
  // CHECK-NEXT: table.yield %p : i1
} : !table.frame<["k" : i64, "w" : !expr.string]>
// CHECK-NEXT: } : !table.frame<["k" : i64, "w" : !expr.string]>

// Rows and columns.
%f = table.filter %t {
// CHECK-NEXT: %f = table.filter %t {
  %k2 = expr.col "k" : i64
  // CHECK-NEXT: %k2 = expr.col "k" : i64
  %two = expr.literal 2 : i64
  // CHECK-NEXT: %two = expr.literal 2 : i64
  %q = expr.cmp "eq" %k2, %two : i64, i64 -> i1
  // CHECK-NEXT: %q = expr.cmp "eq" %k2, %two : i64, i64 -> i1
  table.yield %q : i1
  // CHECK-NEXT: table.yield %q : i1
} : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]> -> !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>
// CHECK-NEXT: } : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]> -> !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>
%g = table.project ["k", "half"] %f {
// CHECK-NEXT: %g = table.project ["k", "half"] %f {
  %k3 = expr.col "k" : i64
  // CHECK-NEXT: %k3 = expr.col "k" : i64
  %four = expr.literal 4 : i64
  // CHECK-NEXT: %four = expr.literal 4 : i64
  %h = expr.div %k3, %four : i64, i64 -> f64
  // CHECK-NEXT: %h = expr.div %k3, %four : i64, i64 -> f64
  table.yield %k3, %h : i64, f64
  // CHECK-NEXT: table.yield %k3, %h : i64, f64
} : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: } : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]> -> !table.frame<["k" : i64, "half" : f64]>

// The four joins.
%inner = table.join "inner" %t, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string, "w" : !expr.string]>
// CHECK-NEXT: %inner = table.join "inner" %t, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string, "w" : !expr.string]>
%left = table.join "left" %t, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string, "w" : !expr.nullable<!expr.string>]>
// CHECK-NEXT: %left = table.join "left" %t, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string, "w" : !expr.nullable<!expr.string>]>
%semi = table.join "semi" %g, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "half" : f64]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %semi = table.join "semi" %g, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "half" : f64]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "half" : f64]>
%anti = table.join "anti" %g, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "half" : f64]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %anti = table.join "anti" %g, %u on ["k"] = ["k"] : !table.frame<["k" : i64, "half" : f64]>, !table.frame<["k" : i64, "w" : !expr.string]> -> !table.frame<["k" : i64, "half" : f64]>

// Groups, order, and parts of a frame.
%sums = table.aggregate %t keys ["k"] aggregates [#table.agg<"total", "sum", "v">, #table.agg<"n", "len", "">] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]> -> !table.frame<["k" : i64, "total" : !expr.nullable<f64>, "n" : i64]>
// CHECK-NEXT: %sums = table.aggregate %t keys ["k"] aggregates [#table.agg<"total", "sum", "v">, #table.agg<"n", "len", "">] : !table.frame<["k" : i64, "v" : !expr.nullable<f64>, "name" : !expr.string]> -> !table.frame<["k" : i64, "total" : !expr.nullable<f64>, "n" : i64]>
%all = table.aggregate %g keys [] aggregates [#table.agg<"p90", "quantile:0.9", "half">] : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["p90" : !expr.nullable<f64>]>
// CHECK-NEXT: %all = table.aggregate %g keys [] aggregates [#table.agg<"p90", "quantile:0.9", "half">] : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["p90" : !expr.nullable<f64>]>
%ordered = table.sort %g by [#table.order<"half", true, false>, #table.order<"k", false, true>] : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %ordered = table.sort %g by [#table.order<"half", true, false>, #table.order<"k", false, true>] : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
%top = table.sort %g by [#table.order<"k", false, false>] limit 10 : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %top = table.sort %g by [#table.order<"k", false, false>] limit 10 : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
%distinct = table.unique %g : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %distinct = table.unique %g : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
%one_each = table.unique %g on ["k"] : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %one_each = table.unique %g on ["k"] : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
%few = table.head %g 3 : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %few = table.head %g 3 : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
%sample = table.sample %g ["k"] 64 : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64]>
// CHECK-NEXT: %sample = table.sample %g ["k"] 64 : !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64]>
%both = table.concat %g, %few : !table.frame<["k" : i64, "half" : f64]>, !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: %both = table.concat %g, %few : !table.frame<["k" : i64, "half" : f64]>, !table.frame<["k" : i64, "half" : f64]> -> !table.frame<["k" : i64, "half" : f64]>
table.sink %both to "parquet" "out.parquet" as "file" : !table.frame<["k" : i64, "half" : f64]>
// CHECK-NEXT: table.sink %both to "parquet" "out.parquet" as "file" : !table.frame<["k" : i64, "half" : f64]>

// Names of columns may hold anything.
%odd = table.scan "csv" ["odd.csv"] : !table.frame<["a \"b\"" : i1, "" : ui8, "é : i64]>" : i32]>
// CHECK-NEXT: %odd = table.scan "csv" ["odd.csv"] : !table.frame<["a \22b\22" : i1, "" : ui8, "\C3\A9 : i64]>" : i32]>
