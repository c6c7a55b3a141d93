// RUN: dlc opt -p cse --split-input-file %s | filecheck %s

// Two equal filters over two equal scans are one; so are equal expressions.
flow.program @merged {
  %a = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %b = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %f = table.filter %a {
    %x = expr.col "x" : i64
    %y = expr.col "x" : i64
    %c = expr.cmp "eq" %x, %y : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %g = table.filter %b {
    %x = expr.col "x" : i64
    %y = expr.col "x" : i64
    %c = expr.cmp "eq" %x, %y : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  flow.return ["f", "g"] %f, %g : !table.frame<["x" : i64]>, !table.frame<["x" : i64]>
}
// CHECK-LABEL: @merged
// CHECK-NEXT: [[A:%.*]] = table.scan
// CHECK-NEXT: [[F:%.*]] = table.filter [[A]] {
// CHECK-NEXT:   [[X:%.*]] = expr.col "x" : i64
// CHECK-NEXT:   expr.cmp "eq" [[X]], [[X]]
// CHECK-NEXT:   table.yield
// CHECK-NEXT: }
// CHECK-NEXT: flow.return ["f", "g"] [[F]], [[F]]

// -----

// Different predicates, or one and none, make different frames.
flow.program @distinct {
  %a = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i1]>
  %b = table.scan "parquet" ["t.parquet"] where {
    %x = expr.col "x" : i1
    table.yield %x : i1
  } : !table.frame<["x" : i1]>
  %c = table.scan "parquet" ["t.parquet"] where {
    %x = expr.col "x" : i1
    %n = expr.not %x : i1 -> i1
    table.yield %n : i1
  } : !table.frame<["x" : i1]>
  flow.return ["a", "b", "c"] %a, %b, %c : !table.frame<["x" : i1]>, !table.frame<["x" : i1]>, !table.frame<["x" : i1]>
}
// CHECK-LABEL: @distinct
// CHECK-COUNT-3: table.scan
