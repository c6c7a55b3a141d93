// RUN: dlc opt --pass-pipeline='builtin.module(cse, dce)' --print-ir-after-all --timing %s 2>&1 >/dev/null | filecheck %s
// RUN: not dlc opt -p dec %s 2>&1 | filecheck %s --check-prefix=UNKNOWN

flow.program @p {
  %t = table.scan "csv" ["t.csv"] : !table.frame<["x" : i64]>
  %h = table.head %t 3 : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
  flow.return ["t"] %t : !table.frame<["x" : i64]>
}

// CHECK:     // -----// IR Dump After cse //----- //
// CHECK:     table.head
// CHECK:     // -----// IR Dump After dce //----- //
// CHECK-NOT: table.head
// CHECK:     Execution time report
// CHECK:     {{[0-9.]+}} ({{.*}}%)  Parser
// CHECK:     {{[0-9.]+}} ({{.*}}%)  cse
// CHECK:     {{[0-9.]+}} ({{.*}}%)  dce
// CHECK:     {{[0-9.]+}} (100.0%)  Total

// UNKNOWN:      error[DLC303]: no pass is called 'dec'
// UNKNOWN-NEXT: did you mean
