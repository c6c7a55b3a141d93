// RUN: dlc opt -p canonicalize --split-input-file %s | filecheck %s

// A projection of a projection is one, when no expression is computed twice; the columns kept as they are vanish.
flow.program @projections {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64, "y" : i64]>
  %a = table.project ["s", "x"] %t {
    %x = expr.col "x" : i64
    %y = expr.col "y" : i64
    %s = expr.add %x, %y : i64, i64 -> i64
    table.yield %s, %x : i64, i64
  } : !table.frame<["x" : i64, "y" : i64]> -> !table.frame<["s" : i64, "x" : i64]>
  %b = table.project ["z", "s"] %a {
    %s = expr.col "s" : i64
    %x = expr.col "x" : i64
    table.yield %x, %s : i64, i64
  } : !table.frame<["s" : i64, "x" : i64]> -> !table.frame<["z" : i64, "s" : i64]>
  %c = table.project ["z", "s"] %b {
    %z = expr.col "z" : i64
    %s = expr.col "s" : i64
    table.yield %z, %s : i64, i64
  } : !table.frame<["z" : i64, "s" : i64]> -> !table.frame<["z" : i64, "s" : i64]>
  flow.return ["r"] %c : !table.frame<["z" : i64, "s" : i64]>
}
// CHECK-LABEL: @projections
// CHECK-NEXT: [[T:%.*]] = table.scan
// CHECK-NEXT: [[P:%.*]] = table.project ["z", "s"] [[T]] {
// CHECK-DAG:    [[X:%.*]] = expr.col "x" : i64
// CHECK-DAG:    [[S:%.*]] = expr.add
// CHECK:        table.yield [[X]], [[S]]
// CHECK-NEXT: }
// CHECK-NEXT: flow.return ["r"] [[P]]

// -----

// The sum would be computed twice.
flow.program @shared_work {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %a = table.project ["s"] %t {
    %x = expr.col "x" : i64
    %s = expr.add %x, %x : i64, i64 -> i64
    table.yield %s : i64
  } : !table.frame<["x" : i64]> -> !table.frame<["s" : i64]>
  %b = table.project ["p", "q"] %a {
    %s = expr.col "s" : i64
    %n = expr.neg %s : i64 -> i64
    table.yield %s, %n : i64, i64
  } : !table.frame<["s" : i64]> -> !table.frame<["p" : i64, "q" : i64]>
  flow.return ["r"] %b : !table.frame<["p" : i64, "q" : i64]>
}
// CHECK-LABEL: @shared_work
// CHECK-COUNT-2: table.project

// -----

// Filters merge, unless the upper one could fail on rows that the lower one drops.
flow.program @filters {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %a = table.filter %t {
    %x = expr.col "x" : i64
    %zero = expr.literal 0 : i64
    %c = expr.cmp "ne" %x, %zero : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %b = table.filter %a {
    %x = expr.col "x" : i64
    %nine = expr.literal 9 : i64
    %c = expr.cmp "gt" %nine, %x : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %c = table.filter %b {
    %x = expr.col "x" : i64
    %nine = expr.literal 9 : i64
    %q = expr.floordiv %nine, %x : i64, i64 -> i64
    %c = expr.cmp "eq" %q, %nine : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  flow.return ["r"] %c : !table.frame<["x" : i64]>
}
// CHECK-LABEL: @filters
// CHECK-NEXT: table.scan
// CHECK-NEXT: table.filter
// CHECK:        expr.cmp "ne"
// CHECK:        expr.cmp "lt"
// CHECK:        expr.and
// CHECK:      table.filter
// CHECK:        expr.floordiv
// CHECK-NOT:  table.filter

// -----

// An order that is not seen is not made; the first of the sorted rows need no full sort.
flow.program @orders {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %a = table.sort %t by [#table.order<"x", true, false>] : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %u = table.aggregate %a keys ["x"] aggregates [#table.agg<"n", "len", "">] : !table.frame<["x" : i64]> -> !table.frame<["x" : i64, "n" : i64]>
  %v = table.unique %u on ["x"] : !table.frame<["x" : i64, "n" : i64]> -> !table.frame<["x" : i64, "n" : i64]>
  %s = table.sort %v by [#table.order<"n", true, false>] : !table.frame<["x" : i64, "n" : i64]> -> !table.frame<["x" : i64, "n" : i64]>
  %h = table.head %s 5 : !table.frame<["x" : i64, "n" : i64]> -> !table.frame<["x" : i64, "n" : i64]>
  %i = table.head %h 3 : !table.frame<["x" : i64, "n" : i64]> -> !table.frame<["x" : i64, "n" : i64]>
  %c = table.concat %i : !table.frame<["x" : i64, "n" : i64]> -> !table.frame<["x" : i64, "n" : i64]>
  flow.return ["r"] %c : !table.frame<["x" : i64, "n" : i64]>
}
// CHECK-LABEL: @orders
// CHECK-NEXT: [[T:%.*]] = table.scan
// CHECK-NEXT: [[A:%.*]] = table.aggregate [[T]]
// CHECK-NEXT: [[S:%.*]] = table.sort [[A]] by [#table.order<"n", true, false>] limit 3
// CHECK-NEXT: flow.return ["r"] [[S]]

// -----

// The first row of each group depends on the order.
flow.program @first {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["k" : i64, "x" : i64]>
  %a = table.sort %t by [#table.order<"x", true, false>] : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64, "x" : i64]>
  %u = table.aggregate %a keys ["k"] aggregates [#table.agg<"x", "first", "x">] : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64, "x" : !expr.nullable<i64>]>
  flow.return ["r"] %u : !table.frame<["k" : i64, "x" : !expr.nullable<i64>]>
}
// CHECK-LABEL: @first
// CHECK: table.sort

// -----

// Expressions under SQL's nulls: what is nullable stays nullable.
flow.program @expressions {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : !expr.nullable<i64>, "b" : i1, "c" : !expr.nullable<i1>]>
  %f = table.filter %t {
    %true = expr.literal true : i1
    %b = expr.col "b" : i1
    %c = expr.col "c" : !expr.nullable<i1>
    %or = expr.or %b, %c : i1, !expr.nullable<i1> -> !expr.nullable<i1>
    %not = expr.not %or : !expr.nullable<i1> -> !expr.nullable<i1>
    %and = expr.and %not, %true : !expr.nullable<i1>, i1 -> !expr.nullable<i1>
    table.yield %and : !expr.nullable<i1>
  } : !table.frame<["x" : !expr.nullable<i64>, "b" : i1, "c" : !expr.nullable<i1>]> -> !table.frame<["x" : !expr.nullable<i64>, "b" : i1, "c" : !expr.nullable<i1>]>
  %p = table.project ["not", "is", "in", "one", "sum"] %f {
    %x = expr.col "x" : !expr.nullable<i64>
    %b = expr.col "b" : i1
    %zero = expr.literal 0 : i64
    %less = expr.cmp "lt" %x, %zero : !expr.nullable<i64>, i64 -> !expr.nullable<i1>
    %not = expr.not %less : !expr.nullable<i1> -> !expr.nullable<i1>
    %is = expr.is_null %b : i1
    %in = expr.is_in %x [3] : !expr.nullable<i64> -> !expr.nullable<i1>
    %one = expr.coalesce %x, %zero, %x : !expr.nullable<i64>, i64, !expr.nullable<i64> -> i64
    %sum = expr.add %x, %zero : !expr.nullable<i64>, i64 -> !expr.nullable<i64>
    table.yield %not, %is, %in, %one, %sum : !expr.nullable<i1>, i1, !expr.nullable<i1>, i64, !expr.nullable<i64>
  } : !table.frame<["x" : !expr.nullable<i64>, "b" : i1, "c" : !expr.nullable<i1>]> -> !table.frame<["not" : !expr.nullable<i1>, "is" : i1, "in" : !expr.nullable<i1>, "one" : i64, "sum" : !expr.nullable<i64>]>
  flow.return ["r"] %p : !table.frame<["not" : !expr.nullable<i1>, "is" : i1, "in" : !expr.nullable<i1>, "one" : i64, "sum" : !expr.nullable<i64>]>
}
// CHECK-LABEL: @expressions
// CHECK:      [[B:%.*]] = expr.col "b"
// CHECK-NEXT: [[C:%.*]] = expr.col "c"
// CHECK-NEXT: [[NB:%.*]] = expr.not [[B]] : i1 -> i1
// CHECK-NEXT: [[NC:%.*]] = expr.not [[C]]
// CHECK-NEXT: [[AND:%.*]] = expr.and [[NB]], [[NC]]
// CHECK-NEXT: table.yield [[AND]]
// CHECK:      [[X:%.*]] = expr.col "x"
// CHECK-DAG:  [[GE:%.*]] = expr.cmp "ge" [[X]]
// CHECK-DAG:  [[FALSE:%.*]] = expr.literal false
// CHECK-DAG:  [[EQ:%.*]] = expr.cmp "eq" [[X]]
// CHECK-DAG:  [[ONE:%.*]] = expr.coalesce [[X]], %{{[^,]*}} :
// CHECK:      table.yield [[GE]], [[FALSE]], [[EQ]], [[ONE]], [[X]]
