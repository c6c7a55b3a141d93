// RUN: cd %data && dlc opt -p load-statistics,prune-row-groups --split-input-file %s | filecheck %s
// events.parquet holds ids 1-3, 4-6 and 7-8; kind is walk or null, run or swim, and null throughout.

// Statistics describe what is left.
flow.program @comparison {
  %f = table.scan "parquet" ["events.parquet"] where {
    %id = expr.col "id" : i64
    %five = expr.literal 5 : i64
    %c = expr.cmp "gt" %id, %five : i64, i64 -> i1
    table.yield %c : i1
  } : !table.frame<["id" : i64]>
  flow.return ["r"] %f : !table.frame<["id" : i64]>
}
// CHECK-LABEL: @comparison
// CHECK: pieces array<i64: 0, 3, 3, 0, 6, 2> statistics [#table.statistics<"id", 4 : i64, 8 : i64, 0 : i64, 5 : i64, -1 : i64>] where
// CHECK: } {kept = "2 of 3 row groups"}

// -----

// What is null throughout equals nothing; "run" is less than "swim".
flow.program @text {
  %f = table.scan "parquet" ["events.parquet"] where {
    %kind = expr.col "kind" : !expr.nullable<!expr.string>
    %c = expr.is_in %kind ["dance", "swim"] : !expr.nullable<!expr.string> -> !expr.nullable<i1>
    table.yield %c : !expr.nullable<i1>
  } : !table.frame<["id" : i64]>
  flow.return ["r"] %f : !table.frame<["id" : i64]>
}
// CHECK-LABEL: @text
// CHECK: pieces array<i64: 0, 3, 3>
// CHECK: kept = "1 of 3 row groups"

// -----

// Nothing can match: the scan stays, and reads nothing.
flow.program @nothing {
  %f = table.scan "parquet" ["events.parquet"] where {
    %kind = expr.col "kind" : !expr.nullable<!expr.string>
    %id = expr.col "id" : i64
    %three = expr.literal 3 : i64
    %starts = expr.call "str_starts_with" (%kind) options {pattern = "wa"} : !expr.nullable<!expr.string> -> !expr.nullable<i1>
    %late = expr.cmp "gt" %id, %three : i64, i64 -> i1
    %c = expr.and %starts, %late : !expr.nullable<i1>, i1 -> !expr.nullable<i1>
    table.yield %c : !expr.nullable<i1>
  } : !table.frame<["id" : i64]>
  flow.return ["r"] %f : !table.frame<["id" : i64]>
}
// CHECK-LABEL: @nothing
// CHECK: pieces array<i64> statistics [#table.statistics<"id", unit, unit, 0 : i64, 0 : i64, -1 : i64>, #table.statistics<"kind", unit, unit, 0 : i64, 0 : i64, -1 : i64>]
// CHECK: kept = "0 of 3 row groups"
