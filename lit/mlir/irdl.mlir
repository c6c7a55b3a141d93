// RUN: dlc opt --emit-irdl table | filecheck %s --check-prefix=IRDL
// RUN: dlc opt --print-for-mlir %s | filecheck %s

// IRDL describes types by their printed parameters, and operations by operands, results, what attributes they
// must have, and regions.

// IRDL:      irdl.dialect @table {
// IRDL-NEXT:   irdl.type @frame {
// IRDL-NEXT:     %0 = irdl.base "#builtin.array"
// IRDL-NEXT:     irdl.parameters(columns: %0)
// IRDL-NEXT:   }
// IRDL:        irdl.operation @filter {
// IRDL-NEXT:     %0 = irdl.base @table::@frame
// IRDL-NEXT:     irdl.operands(frame: %0)
// IRDL-NEXT:     %1 = irdl.base @table::@frame
// IRDL-NEXT:     irdl.results(result: %1)
// IRDL-NEXT:     %2 = irdl.region with size 1
// IRDL-NEXT:     irdl.regions(predicate: %2)
// IRDL-NEXT:   }

// MLIR reads the generic form; what IRDL cannot describe is in a dialect `dlc` that nobody registers.

%t = table.scan "csv" ["t.csv"] : !table.frame<["b" : i1]>
// CHECK:      %t = "table.scan"() ({
// CHECK-NEXT: }) {{.*}}format = "csv", paths = ["t.csv"]{{.*}} : () -> !table.frame<["b" : i1]>
%f = table.filter %t {
  %b = expr.col "b" : i1
  table.yield %b : i1
} : !table.frame<["b" : i1]> -> !table.frame<["b" : i1]>
// CHECK-NEXT: %f = "table.filter"(%t) ({
// CHECK-NEXT:   %b = "expr.col"() {column = "b"} : () -> i1
// CHECK-NEXT:   "dlc.table.yield"(%b) : (i1) -> ()
// CHECK-NEXT: }) : (!table.frame<["b" : i1]>) -> !table.frame<["b" : i1]>

hw.machine @none {
}
// CHECK-NEXT: "hw.machine"() ({
// CHECK-NEXT:   "dlc.end"() : () -> ()
// CHECK-NEXT: }) {sym_name = "none"} : () -> ()
