// RUN: dlc opt -p fuse-fragments,verify-dist %s | filecheck %s

// A chain of fragments is one query; what two fragments use is computed once and kept.
// CHECK:       %[[SHARED:.*]] = dist.local() {
// CHECK-NEXT:    table.scan
// CHECK-NEXT:    table.head
// CHECK-NEXT:    dist.yield
// CHECK:       dist.local(%[[SHARED]]) {
// CHECK:         table.unique
// CHECK-NEXT:    table.head
// CHECK-NEXT:    dist.yield
// CHECK:       dist.local(%[[SHARED]]) {
// CHECK-NOT:   dist.local
flow.program @q stage "dist" {
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] {replicated} : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>)
  %b = dist.local(%a) {
  ^bb0(%x: !table.frame<["v" : i64]>):
    %y = table.head %x 9 : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %y : !table.frame<["v" : i64]>
  } : (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>) -> (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>)
  %c = dist.local(%b) {
  ^bb0(%x: !table.frame<["v" : i64]>):
    %y = table.unique %x : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %y : !table.frame<["v" : i64]>
  } : (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>) -> (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>)
  %d = dist.local(%c) {
  ^bb0(%x: !table.frame<["v" : i64]>):
    %y = table.head %x 5 : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %y : !table.frame<["v" : i64]>
  } : (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>) -> (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>)
  %e = dist.local(%b) {
  ^bb0(%x: !table.frame<["v" : i64]>):
    %y = table.head %x 1 : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %y : !table.frame<["v" : i64]>
  } : (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>) -> (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>)
  flow.return ["d", "e"] %d, %e : !dist.part<!table.frame<["v" : i64]>, #dist.replicated>, !dist.part<!table.frame<["v" : i64]>, #dist.replicated>
}
