// RUN: dlc opt -p dce %s | filecheck %s

// What leads to no result goes, operators and expressions alike; a sink stays.
flow.program @dead {
  %a = table.scan "parquet" ["a.parquet"] : !table.frame<["x" : i64]>
  %b = table.scan "parquet" ["b.parquet"] : !table.frame<["x" : i64]>
  %s = table.aggregate %b keys [] aggregates [#table.agg<"n", "len", "">] : !table.frame<["x" : i64]> -> !table.frame<["n" : i64]>
  %f = table.filter %a {
    %n = expr.scalar %s "n" : !table.frame<["n" : i64]> -> i64
    %x = expr.col "x" : i64
    %c = expr.cmp "lt" %x, %n : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  %p = table.project ["x"] %a {
    %x = expr.col "x" : i64
    %dead = expr.mul %x, %x : i64, i64 -> i64
    table.yield %x : i64
  } : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  table.sink %p to "parquet" "out.parquet" as "file" : !table.frame<["x" : i64]>
  flow.return []
}
// CHECK-LABEL: @dead
// CHECK-NEXT: table.scan "parquet" ["a.parquet"]
// CHECK-NEXT: table.project ["x"]
// CHECK-NEXT:   expr.col
// CHECK-NEXT:   table.yield
// CHECK-NEXT: }
// CHECK-NEXT: table.sink
// CHECK-NEXT: flow.return []
