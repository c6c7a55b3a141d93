// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// A whole program: its run-time parameters (`unit` marks one that must be given) and named results.
flow.program @nothing {
// CHECK:      flow.program @nothing {
  flow.return []
  // CHECK-NEXT: flow.return []
}
// CHECK-NEXT: }

flow.program @features parameters [#flow.parameter<"year", i64, 2024 : i64>, #flow.parameter<"city", !expr.string, unit>] returns [!table.frame<["x" : i64]>, !table.frame<["x" : i64]>] stage "opt" attributes {note = "kept"} {
// CHECK-NEXT: flow.program @features parameters [#flow.parameter<"year", i64, 2024 : i64>, #flow.parameter<"city", !expr.string, unit>] returns [!table.frame<["x" : i64]>, !table.frame<["x" : i64]>] stage "opt" attributes {note = "kept"} {
  %a = table.scan "parquet" ["a.parquet"] : !table.frame<["x" : i64]>
  // CHECK-NEXT: %a = table.scan "parquet" ["a.parquet"] : !table.frame<["x" : i64]>
  flow.return ["first", "again"] %a, %a : !table.frame<["x" : i64]>, !table.frame<["x" : i64]> {note = 1 : i64}
  // CHECK-NEXT: flow.return ["first", "again"] %a, %a : !table.frame<["x" : i64]>, !table.frame<["x" : i64]> {note = 1 : i64}
}
// CHECK-NEXT: }
