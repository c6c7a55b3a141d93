// RUN: not dlc opt %s 2>&1 | filecheck %s
// RUN: not dlc opt - < %s 2>&1 | filecheck %s --check-prefix=STDIN

// The place, the line and the word at fault.

%t = table.scan "csv" ["t.csv"] : !table.frame<["x" : i64]>
%h = table.haed %t 3 : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// CHECK:      error[DLC301]: Operation table.haed is not registered
// CHECK-NEXT:  --> {{.*}}opt-errors.mlir:7:6
// CHECK-NEXT:   |
// CHECK-NEXT: 7 | %h = table.haed %t 3 : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
// CHECK-NEXT:   |      ^^^^^^^^^^
// CHECK-NEXT:   = help: did you mean 'table.head'?

// STDIN:      error[DLC301]
// STDIN-NEXT:  --> <stdin>:7:6
// STDIN-NEXT:   |
// STDIN-NEXT: 7 | %h = table.haed %t 3
