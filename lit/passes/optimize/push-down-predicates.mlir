// RUN: dlc opt -p push-down-predicates --split-input-file %s | filecheck %s

// Each term goes as far as it can: one to each scan, the one on the key to both; the last may overflow and stays.
flow.program @join {
  %l = table.scan "parquet" ["l.parquet"] : !table.frame<["k" : i64, "x" : i64]>
  %r = table.scan "parquet" ["r.parquet"] : !table.frame<["j" : i64, "y" : i64]>
  %t = table.join "inner" %l, %r on ["k"] = ["j"] : !table.frame<["k" : i64, "x" : i64]>, !table.frame<["j" : i64, "y" : i64]> -> !table.frame<["k" : i64, "x" : i64, "y" : i64]>
  %f = table.filter %t {
    %zero = expr.literal 0 : i64
    %k = expr.col "k" : i64
    %x = expr.col "x" : i64
    %y = expr.col "y" : i64
    %s = expr.add %x, %y : i64, i64 -> i64
    %a = expr.cmp "gt" %k, %zero : i64, i64 -> i1
    %b = expr.cmp "ne" %x, %zero : i64, i64 -> i1
    %c = expr.cmp "le" %y, %zero : i64, i64 -> i1
    %d = expr.cmp "eq" %s, %zero : i64, i64 -> i1
    %ab = expr.and %a, %b : i1, i1 -> i1
    %abc = expr.and %ab, %c : i1, i1 -> i1
    %abcd = expr.and %abc, %d : i1, i1 -> i1
    table.yield %abcd : i1
  } : !table.frame<["k" : i64, "x" : i64, "y" : i64]> -> !table.frame<["k" : i64, "x" : i64, "y" : i64]>
  flow.return ["r"] %f : !table.frame<["k" : i64, "x" : i64, "y" : i64]>
}
// CHECK-LABEL: @join
// CHECK-NEXT: [[L:%.*]] = table.scan "parquet" ["l.parquet"] where {
// CHECK:        [[K:%.*]] = expr.col "k"
// CHECK:        expr.cmp "gt" [[K]]
// CHECK:        [[X:%.*]] = expr.col "x"
// CHECK:        expr.cmp "ne" [[X]]
// CHECK:        expr.and
// CHECK:      [[R:%.*]] = table.scan "parquet" ["r.parquet"] where {
// CHECK:        [[J:%.*]] = expr.col "j"
// CHECK:        expr.cmp "gt" [[J]]
// CHECK:        [[Y:%.*]] = expr.col "y"
// CHECK:        expr.cmp "le" [[Y]]
// CHECK:      [[T:%.*]] = table.join "inner" [[L]], [[R]]
// CHECK-NEXT: table.filter [[T]] {
// CHECK:        expr.add
// CHECK:        expr.cmp "eq"
// CHECK-NEXT:   table.yield

// -----

// Rows of the right that match nothing are null after a left join: only terms on the left go down.
flow.program @left_join {
  %l = table.scan "parquet" ["l.parquet"] : !table.frame<["k" : i64, "x" : i64]>
  %r = table.scan "parquet" ["r.parquet"] : !table.frame<["j" : i64, "y" : i64]>
  %t = table.join "left" %l, %r on ["k"] = ["j"] : !table.frame<["k" : i64, "x" : i64]>, !table.frame<["j" : i64, "y" : i64]> -> !table.frame<["k" : i64, "x" : i64, "y" : !expr.nullable<i64>]>
  %f = table.filter %t {
    %zero = expr.literal 0 : i64
    %x = expr.col "x" : i64
    %y = expr.col "y" : !expr.nullable<i64>
    %a = expr.cmp "gt" %x, %zero : i64, i64 -> i1
    %b = expr.is_null %y : !expr.nullable<i64>
    %c = expr.and %a, %b : i1, i1 -> i1
    table.yield %c : i1
  } : !table.frame<["k" : i64, "x" : i64, "y" : !expr.nullable<i64>]> -> !table.frame<["k" : i64, "x" : i64, "y" : !expr.nullable<i64>]>
  flow.return ["r"] %f : !table.frame<["k" : i64, "x" : i64, "y" : !expr.nullable<i64>]>
}
// CHECK-LABEL: @left_join
// CHECK:      "l.parquet"] where
// CHECK:      "r.parquet"] :
// CHECK-NEXT: table.join "left"
// CHECK-NEXT: table.filter
// CHECK:        expr.is_null

// -----

// Through projections by substitution, unless the column may fail; through groups by their keys.
flow.program @computed {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["k" : i64, "x" : f64]>
  %p = table.project ["k", "half", "twice"] %t {
    %k = expr.col "k" : i64
    %x = expr.col "x" : f64
    %two = expr.literal 2.0 : f64
    %half = expr.div %x, %two : f64, f64 -> f64
    %twice = expr.add %k, %k : i64, i64 -> i64
    table.yield %k, %half, %twice : i64, f64, i64
  } : !table.frame<["k" : i64, "x" : f64]> -> !table.frame<["k" : i64, "half" : f64, "twice" : i64]>
  %f = table.filter %p {
    %zero = expr.literal 0 : i64
    %one = expr.literal 1.0 : f64
    %half = expr.col "half" : f64
    %twice = expr.col "twice" : i64
    %a = expr.cmp "gt" %half, %one : f64, f64 -> i1
    %b = expr.cmp "ne" %twice, %zero : i64, i64 -> i1
    %c = expr.and %a, %b : i1, i1 -> i1
    table.yield %c : i1
  } : !table.frame<["k" : i64, "half" : f64, "twice" : i64]> -> !table.frame<["k" : i64, "half" : f64, "twice" : i64]>
  %g = table.aggregate %f keys ["k"] aggregates [#table.agg<"n", "len", "">] : !table.frame<["k" : i64, "half" : f64, "twice" : i64]> -> !table.frame<["k" : i64, "n" : i64]>
  %h = table.filter %g {
    %five = expr.literal 5 : i64
    %k = expr.col "k" : i64
    %n = expr.col "n" : i64
    %a = expr.cmp "lt" %k, %five : i64, i64 -> i1
    %b = expr.cmp "ge" %n, %five : i64, i64 -> i1
    %c = expr.and %a, %b : i1, i1 -> i1
    table.yield %c : i1
  } : !table.frame<["k" : i64, "n" : i64]> -> !table.frame<["k" : i64, "n" : i64]>
  flow.return ["r"] %h : !table.frame<["k" : i64, "n" : i64]>
}
// CHECK-LABEL: @computed
// CHECK-NEXT: table.scan "parquet" ["t.parquet"] where {
// CHECK:        [[X:%.*]] = expr.col "x"
// CHECK:        [[HALF:%.*]] = expr.div [[X]]
// CHECK:        expr.cmp "gt" [[HALF]]
// CHECK:        expr.cmp "lt"
// CHECK:      table.project
// CHECK:      table.filter
// CHECK:        expr.col "twice"
// CHECK:      table.aggregate
// CHECK-NEXT: table.filter
// CHECK:        expr.col "n"

// -----

// Of the first rows, some are dropped: dropping them earlier would let others in. Another reader needs all rows.
flow.program @stays {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %s = table.sort %t by [#table.order<"x", false, false>] limit 3 : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %f = table.filter %s {
    %x = expr.col "x" : i64
    %five = expr.literal 5 : i64
    %c = expr.cmp "gt" %x, %five : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %g = table.filter %t {
    %x = expr.col "x" : i64
    %five = expr.literal 5 : i64
    %c = expr.cmp "gt" %x, %five : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  flow.return ["f", "g"] %f, %g : !table.frame<["x" : i64]>, !table.frame<["x" : i64]>
}
// CHECK-LABEL: @stays
// CHECK-NEXT: [[T:%.*]] = table.scan "parquet" ["t.parquet"] :
// CHECK-NEXT: [[S:%.*]] = table.sort [[T]]
// CHECK-NEXT: table.filter [[S]]
// CHECK:      table.filter [[T]]

// -----

// A term that reads another frame moves with all that it needs, but a scan cannot have it.
flow.program @scalar {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %u = table.concat %t : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %n = table.scan "parquet" ["n.parquet"] : !table.frame<["x" : i64]>
  %one = table.aggregate %n keys [] aggregates [#table.agg<"n", "len", "">] : !table.frame<["x" : i64]> -> !table.frame<["n" : i64]>
  %f = table.filter %u {
    %x = expr.col "x" : i64
    %m = expr.scalar %one "n" : !table.frame<["n" : i64]> -> i64
    %c = expr.cmp "gt" %x, %m : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  flow.return ["f"] %f : !table.frame<["x" : i64]>
}
// CHECK-LABEL: @scalar
// CHECK-NEXT: [[T:%.*]] = table.scan "parquet" ["t.parquet"] :
// CHECK:      [[ONE:%.*]] = table.aggregate
// CHECK-NEXT: [[F:%.*]] = table.filter [[T]]
// CHECK:      table.concat [[F]]
