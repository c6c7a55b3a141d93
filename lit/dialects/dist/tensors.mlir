// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// Layouts of tensors: the rows of a frame, everywhere, or not reduced yet.
%f, %rows, %sum, %max, %whole = dist.local() {
// CHECK:      %f, %rows, %sum, %max, %whole = dist.local() {
  %s = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64]>
  // CHECK-NEXT: %s = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64]>
  %t = table.to_tensor %s ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
  // CHECK-NEXT: %t = table.to_tensor %s ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
  %n = table.rows %s : !table.frame<["k" : i64]>
  // CHECK-NEXT: %n = table.rows %s : !table.frame<["k" : i64]>
  dist.yield %s, %t, %n, %n, %n : !table.frame<["k" : i64]>, tensor<?xf32>, tensor<i32>, tensor<i32>, tensor<i32>
  // CHECK-NEXT: dist.yield %s, %t, %n, %n, %n : !table.frame<["k" : i64]>, tensor<?xf32>, tensor<i32>, tensor<i32>, tensor<i32>
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.any>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.hash<["k"]>>>, !dist.part<tensor<i32>, #dist.partial<"sum">>, !dist.part<tensor<i32>, #dist.partial<"max">>, !dist.part<tensor<i32>, #dist.replicated>)
// CHECK-NEXT: } : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.any>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.hash<["k"]>>>, !dist.part<tensor<i32>, #dist.partial<"sum">>, !dist.part<tensor<i32>, #dist.partial<"max">>, !dist.part<tensor<i32>, #dist.replicated>)

// Rows in 12 shards, whatever the number of ranks.
%g = dist.shuffle %f by ["k"] shards 12 : !dist.part<!table.frame<["k" : i64]>, #dist.any> -> !dist.part<!table.frame<["k" : i64]>, #dist.shards<["k"], 12 : i64>>
// CHECK-NEXT: %g = dist.shuffle %f by ["k"] shards 12 : !dist.part<!table.frame<["k" : i64]>, #dist.any> -> !dist.part<!table.frame<["k" : i64]>, #dist.shards<["k"], 12 : i64>>

// One bucket, in an order that does not depend on the ranks, and in any.
%a, %b = dist.all_reduce_tensors "sum" "tree" %sum, %sum : !dist.part<tensor<i32>, #dist.partial<"sum">>, !dist.part<tensor<i32>, #dist.partial<"sum">> -> !dist.part<tensor<i32>, #dist.replicated>, !dist.part<tensor<i32>, #dist.replicated>
// CHECK-NEXT: %a, %b = dist.all_reduce_tensors "sum" "tree" %sum, %sum : !dist.part<tensor<i32>, #dist.partial<"sum">>, !dist.part<tensor<i32>, #dist.partial<"sum">> -> !dist.part<tensor<i32>, #dist.replicated>, !dist.part<tensor<i32>, #dist.replicated>
%c = dist.all_reduce_tensors "max" "any" %max : !dist.part<tensor<i32>, #dist.partial<"max">> -> !dist.part<tensor<i32>, #dist.replicated>
// CHECK-NEXT: %c = dist.all_reduce_tensors "max" "any" %max : !dist.part<tensor<i32>, #dist.partial<"max">> -> !dist.part<tensor<i32>, #dist.replicated>
