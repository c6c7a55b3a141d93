// RUN: dlc opt -p insert-frees,verify-plan %s | filecheck %s

// A frame goes after its last reader; one that nothing reads goes at once; results stay.
// CHECK:      %[[A:.*]] = plan.recv from 1 tag 0
// CHECK-NEXT: %[[B:.*]] = plan.run(%[[A]])
// CHECK:      plan.run(%[[A]])
// CHECK:      plan.free %[[A]], %{{.*}}
// CHECK:      plan.result "b" %[[B]]
// CHECK-NOT:  plan.free
// CHECK:      plan.gang @one
plan.program @q world 2 {
  plan.gang @zero array<i64: 0> {
    %a = plan.recv from 1 tag 0 : !table.frame<["v" : i64]>
    %b = plan.run(%a) {
    ^bb0(%x: !table.frame<["v" : i64]>):
      dist.yield %x : !table.frame<["v" : i64]>
    } : (!table.frame<["v" : i64]>) -> (!table.frame<["v" : i64]>)
    %c = plan.run(%a) {
    ^bb0(%x: !table.frame<["v" : i64]>):
      dist.yield %x : !table.frame<["v" : i64]>
    } : (!table.frame<["v" : i64]>) -> (!table.frame<["v" : i64]>)
    plan.result "b" %b : !table.frame<["v" : i64]>
    plan.end
  }
  plan.gang @one array<i64: 1> {
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    plan.send %a to 0 tag 0 : !table.frame<["v" : i64]>
    plan.end
  }
  plan.end
}
