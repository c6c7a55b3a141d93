// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// One program, two gangs that hand a frame over.
plan.program @empty world 1 {
// CHECK:      plan.program @empty world 1 {
  plan.end
  // CHECK-NEXT: plan.end
}
// CHECK-NEXT: }

plan.program @pair parameters [#flow.parameter<"year", i64, unit>] world 3 attributes {note = "kept"} {
// CHECK-NEXT: plan.program @pair parameters [#flow.parameter<"year", i64, unit>] world 3 attributes {note = "kept"} {
  plan.gang @left array<i64: 0, 1> {
  // CHECK-NEXT: plan.gang @left array<i64: 0, 1> {
    %a = plan.read {
    // CHECK-NEXT: %a = plan.read {
      %s = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64]>
      // CHECK-NEXT: %s = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64]>
      dist.yield %s : !table.frame<["k" : i64]>
      // CHECK-NEXT: dist.yield %s : !table.frame<["k" : i64]>
    } : !table.frame<["k" : i64]>
    // CHECK-NEXT: } : !table.frame<["k" : i64]>
    %b = plan.run(%a) {
    // CHECK-NEXT: %b = plan.run(%a) {
    ^bb0(%f: !table.frame<["k" : i64]>):
    // CHECK-NEXT: ^bb0(%f: !table.frame<["k" : i64]>):
      %u = table.unique %f: !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
      // CHECK-NEXT: %u = table.unique %f : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
      dist.yield %u : !table.frame<["k" : i64]>
      // CHECK-NEXT: dist.yield %u : !table.frame<["k" : i64]>
    } : (!table.frame<["k" : i64]>) -> (!table.frame<["k" : i64]>)
    // CHECK-NEXT: } : (!table.frame<["k" : i64]>) -> (!table.frame<["k" : i64]>)
    plan.free %a : !table.frame<["k" : i64]>
    // CHECK-NEXT: plan.free %a : !table.frame<["k" : i64]>
    %c = plan.shuffle %b by ["k"] : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    // CHECK-NEXT: %c = plan.shuffle %b by ["k"] : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    %d = plan.all_gather %c : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    // CHECK-NEXT: %d = plan.all_gather %c : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    %e = plan.range_shuffle %b at %d by [#table.order<"k", false, false>] : !table.frame<["k" : i64]>, !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    // CHECK-NEXT: %e = plan.range_shuffle %b at %d by [#table.order<"k", false, false>] : !table.frame<["k" : i64]>, !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    %g = plan.all_reduce %e {
    // CHECK-NEXT: %g = plan.all_reduce %e {
    ^bb0(%p: !table.frame<["k" : i64]>):
    // CHECK-NEXT: ^bb0(%p: !table.frame<["k" : i64]>):
      dist.yield %p : !table.frame<["k" : i64]>
      // CHECK-NEXT: dist.yield %p : !table.frame<["k" : i64]>
    } : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    // CHECK-NEXT: } : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    %h = plan.gather %g : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    // CHECK-NEXT: %h = plan.gather %g : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    %i = plan.broadcast %h : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    // CHECK-NEXT: %i = plan.broadcast %h : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
    plan.send %i to 2 tag 7 : !table.frame<["k" : i64]>
    // CHECK-NEXT: plan.send %i to 2 tag 7 : !table.frame<["k" : i64]>
    plan.write %i to "parquet" "out" as "directory" : !table.frame<["k" : i64]>
    // CHECK-NEXT: plan.write %i to "parquet" "out" as "directory" : !table.frame<["k" : i64]>
    plan.free %b, %c : !table.frame<["k" : i64]>, !table.frame<["k" : i64]>
    // CHECK-NEXT: plan.free %b, %c : !table.frame<["k" : i64]>, !table.frame<["k" : i64]>
    plan.end
    // CHECK-NEXT: plan.end
  }
  // CHECK-NEXT: }
  plan.gang @right array<i64: 2> {
  // CHECK-NEXT: plan.gang @right array<i64: 2> {
    %j = plan.recv from 0 tag 7 : !table.frame<["k" : i64]>
    // CHECK-NEXT: %j = plan.recv from 0 tag 7 : !table.frame<["k" : i64]>
    plan.result "answer" %j : !table.frame<["k" : i64]>
    // CHECK-NEXT: plan.result "answer" %j : !table.frame<["k" : i64]>
    plan.end
    // CHECK-NEXT: plan.end
  }
  // CHECK-NEXT: }
  plan.end
  // CHECK-NEXT: plan.end
}
// CHECK-NEXT: }
