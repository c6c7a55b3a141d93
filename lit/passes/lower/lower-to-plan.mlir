// RUN: dlc opt -p lower-to-plan,insert-frees,verify-plan %s | filecheck %s

// Scans become reads, fragments runs, collectives instructions of the same name; results end the list.
// CHECK:      plan.program @q parameters [#flow.parameter<"least", i64, 3 : i64>] world 2 {
// CHECK-NEXT:   plan.gang @main array<i64: 0, 1>
// CHECK:          %[[READ:.*]] = plan.read {
// CHECK-NEXT:       table.scan "parquet" ["l"] pieces array<i64: 0, 0, 10>
// CHECK:          %[[FRAG:.*]] = plan.run(%[[READ]]) {
// CHECK:            table.head
// CHECK:          layouts = ["partial<merge>"]
// CHECK:          plan.free %[[READ]]
// CHECK-NEXT:     %[[ALL:.*]] = plan.gather %[[FRAG]]
// CHECK:          plan.free %[[FRAG]]
// CHECK-NEXT:     %[[TOP:.*]] = plan.run(%[[ALL]])
// CHECK:          plan.free %[[ALL]]
// CHECK:          plan.write %[[TOP]] to "parquet" "top.parquet" as "file"
// CHECK:          plan.result "top" %[[TOP]]
// CHECK-NEXT:     plan.end
flow.program @q parameters [#flow.parameter<"least", i64, 3>] stage "placed" {
  dist.gang @main ranks 2 on "any"
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] pieces array<i64: 0, 0, 10> : !table.frame<["v" : i64]>
    %h = table.head %s 5 : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %h : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.partial<"merge">>)
  %b = dist.gather %a : !dist.part<!table.frame<["v" : i64]>, #dist.partial<"merge">> -> !dist.part<!table.frame<["v" : i64]>, #dist.single>
  %c = dist.local(%b) {
  ^bb0(%x: !table.frame<["v" : i64]>):
    %h = table.head %x 5 : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %h : !table.frame<["v" : i64]>
  } : (!dist.part<!table.frame<["v" : i64]>, #dist.single>) -> (!dist.part<!table.frame<["v" : i64]>, #dist.single>)
  table.sink %c to "parquet" "top.parquet" as "file" : !dist.part<!table.frame<["v" : i64]>, #dist.single>
  flow.return ["top"] %c : !dist.part<!table.frame<["v" : i64]>, #dist.single>
}
