// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// Columns as tensors: a list gives a matrix, a name a vector.
%f = table.scan "parquet" ["a.parquet"] : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]>
// CHECK:      %f = table.scan "parquet" ["a.parquet"] : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]>
%m, %v, %one = table.to_tensor %f [["a", "b"], "c", ["a"]] : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]> -> tensor<?x2xf32>, tensor<?xi1>, tensor<?x1xui8>
// CHECK-NEXT: %m, %v, %one = table.to_tensor %f [["a", "b"], "c", ["a"]] : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]> -> tensor<?x2xf32>, tensor<?xi1>, tensor<?x1xui8>
%n = table.rows %f : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]>
// CHECK-NEXT: %n = table.rows %f : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]>

// Tensors as columns of the frame that they came from; scalars as a frame of their own.
%g = table.from_tensor %f : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]> with ["p"] %v : tensor<?xi1> -> !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1, "p" : i1]>
// CHECK-NEXT: %g = table.from_tensor %f : !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1]> with ["p"] %v : tensor<?xi1> -> !table.frame<["a" : f64, "b" : !expr.nullable<i64>, "c" : i1, "p" : i1]>
%s = table.from_tensor ["n", "m"] %n, %n : tensor<i32>, tensor<i32> -> !table.frame<["n" : i32, "m" : i32]>
// CHECK-NEXT: %s = table.from_tensor ["n", "m"] %n, %n : tensor<i32>, tensor<i32> -> !table.frame<["n" : i32, "m" : i32]>
