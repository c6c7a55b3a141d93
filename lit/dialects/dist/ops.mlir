// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// Layouts.
%single, %rows, %any, %hash, %range, %partial, %sample = dist.local() {
// CHECK:      %single, %rows, %any, %hash, %range, %partial, %sample = dist.local() {
  %f = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64]>
  // CHECK-NEXT: %f = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64]>
  dist.yield %f, %f, %f, %f, %f, %f, %f : !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>
  // CHECK-NEXT: dist.yield %f, %f, %f, %f, %f, %f, %f : !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>, !table.frame<["k" : i64]>
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.single>, !dist.part<!table.frame<["k" : i64]>, #dist.rows>, !dist.part<!table.frame<["k" : i64]>, #dist.any>, !dist.part<!table.frame<["k" : i64]>, #dist.hash<["k"]>>, !dist.part<!table.frame<["k" : i64]>, #dist.range<[#table.order<"k", false, false>]>>, !dist.part<!table.frame<["k" : i64]>, #dist.partial<"merge">>, !dist.part<!table.frame<["k" : i64]>, #dist.replicated>)
// CHECK-NEXT: } : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.single>, !dist.part<!table.frame<["k" : i64]>, #dist.rows>, !dist.part<!table.frame<["k" : i64]>, #dist.any>, !dist.part<!table.frame<["k" : i64]>, #dist.hash<["k"]>>, !dist.part<!table.frame<["k" : i64]>, #dist.range<[#table.order<"k", false, false>]>>, !dist.part<!table.frame<["k" : i64]>, #dist.partial<"merge">>, !dist.part<!table.frame<["k" : i64]>, #dist.replicated>)

// A fragment: every rank runs it on its own rows.
%few = dist.local(%rows) {
// CHECK-NEXT: %few = dist.local(%rows) {
^bb0(%r: !table.frame<["k" : i64]>):
// CHECK-NEXT: ^bb0(%r: !table.frame<["k" : i64]>):
  %h = table.head %r 10 : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
  // CHECK-NEXT: %h = table.head %r 10 : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
  dist.yield %h : !table.frame<["k" : i64]>
  // CHECK-NEXT: dist.yield %h : !table.frame<["k" : i64]>
} : (!dist.part<!table.frame<["k" : i64]>, #dist.rows>) -> (!dist.part<!table.frame<["k" : i64]>, #dist.any>)
// CHECK-NEXT: } : (!dist.part<!table.frame<["k" : i64]>, #dist.rows>) -> (!dist.part<!table.frame<["k" : i64]>, #dist.any>)
dist.local() {
// CHECK-NEXT: dist.local() {
  dist.yield
  // CHECK-NEXT: dist.yield
} : () -> ()
// CHECK-NEXT: } : () -> ()

// Collectives.
%a = dist.shuffle %any by ["k"] : !dist.part<!table.frame<["k" : i64]>, #dist.any> -> !dist.part<!table.frame<["k" : i64]>, #dist.hash<["k"]>>
// CHECK-NEXT: %a = dist.shuffle %any by ["k"] : !dist.part<!table.frame<["k" : i64]>, #dist.any> -> !dist.part<!table.frame<["k" : i64]>, #dist.hash<["k"]>>
%b = dist.all_gather %few : !dist.part<!table.frame<["k" : i64]>, #dist.any> -> !dist.part<!table.frame<["k" : i64]>, #dist.replicated>
// CHECK-NEXT: %b = dist.all_gather %few : !dist.part<!table.frame<["k" : i64]>, #dist.any> -> !dist.part<!table.frame<["k" : i64]>, #dist.replicated>
%c = dist.gather %hash : !dist.part<!table.frame<["k" : i64]>, #dist.hash<["k"]>> -> !dist.part<!table.frame<["k" : i64]>, #dist.single>
// CHECK-NEXT: %c = dist.gather %hash : !dist.part<!table.frame<["k" : i64]>, #dist.hash<["k"]>> -> !dist.part<!table.frame<["k" : i64]>, #dist.single>
%d = dist.broadcast %single : !dist.part<!table.frame<["k" : i64]>, #dist.single> -> !dist.part<!table.frame<["k" : i64]>, #dist.replicated>
// CHECK-NEXT: %d = dist.broadcast %single : !dist.part<!table.frame<["k" : i64]>, #dist.single> -> !dist.part<!table.frame<["k" : i64]>, #dist.replicated>
%e = dist.all_reduce %partial {
// CHECK-NEXT: %e = dist.all_reduce %partial {
^bb0(%p: !table.frame<["k" : i64]>):
// CHECK-NEXT: ^bb0(%p: !table.frame<["k" : i64]>):
  %u = table.unique %p : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
  // CHECK-NEXT: %u = table.unique %p : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
  dist.yield %u : !table.frame<["k" : i64]>
  // CHECK-NEXT: dist.yield %u : !table.frame<["k" : i64]>
} : !dist.part<!table.frame<["k" : i64]>, #dist.partial<"merge">> -> !dist.part<!table.frame<["k" : i64]>, #dist.replicated>
// CHECK-NEXT: } : !dist.part<!table.frame<["k" : i64]>, #dist.partial<"merge">> -> !dist.part<!table.frame<["k" : i64]>, #dist.replicated>
%g = dist.range_shuffle %any at %sample by [#table.order<"k", false, false>] : !dist.part<!table.frame<["k" : i64]>, #dist.any>, !dist.part<!table.frame<["k" : i64]>, #dist.replicated> -> !dist.part<!table.frame<["k" : i64]>, #dist.range<[#table.order<"k", false, false>]>>
// CHECK-NEXT: %g = dist.range_shuffle %any at %sample by [#table.order<"k", false, false>] : !dist.part<!table.frame<["k" : i64]>, #dist.any>, !dist.part<!table.frame<["k" : i64]>, #dist.replicated> -> !dist.part<!table.frame<["k" : i64]>, #dist.range<[#table.order<"k", false, false>]>>

// Ranks on an island of the machine.
dist.gang @main ranks 4 on "node"
// CHECK-NEXT: dist.gang @main ranks 4 on "node"
dist.gang @big ranks 64 on "rack" memory 1073741824
// CHECK-NEXT: dist.gang @big ranks 64 on "rack" memory 1073741824
