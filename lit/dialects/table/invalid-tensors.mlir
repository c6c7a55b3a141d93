// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Columns as tensors.

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
// expected-error@+1 {{table.to_tensor: 1 lists of columns for 2 tensors}}
%a, %b = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>, tensor<?xf32>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
// expected-error@+1 {{table.to_tensor: no column 'y' among x}}
%a = table.to_tensor %f [["x", "y"]] : !table.frame<["x" : f64]> -> tensor<?x2xf32>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
// expected-error@+1 {{table.to_tensor: 3 : i64 is no column and no list of columns}}
%a = table.to_tensor %f [3 : i64] : !table.frame<["x" : f64]> -> tensor<?xf32>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
// expected-error@+1 {{table.to_tensor: columns x give a tensor of shape ?x1}}
%a = table.to_tensor %f [["x"]] : !table.frame<["x" : f64]> -> tensor<?xf32>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
// expected-error@+1 {{table.to_tensor: columns x give a tensor of shape ?}}
%a = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<4xf32>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["s" : !expr.nullable<!expr.string>]>
// expected-error@+1 {{table.to_tensor: column 's' of string? is not a number}}
%a = table.to_tensor %f ["s"] : !table.frame<["s" : !expr.nullable<!expr.string>]> -> tensor<?xf32>

// -----

// Tensors as columns.

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%v = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
// expected-error@+1 {{table.from_tensor: 2 columns for 1 tensors}}
%g = table.from_tensor %f : !table.frame<["x" : f64]> with ["p", "q"] %v : tensor<?xf32> -> !table.frame<["x" : f64, "p" : f32]>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%n = table.rows %f : !table.frame<["x" : f64]>
// expected-error@+1 {{table.from_tensor: column 'n' takes one value a row, got tensor<i32>}}
%g = table.from_tensor %f : !table.frame<["x" : f64]> with ["n"] %n : tensor<i32> -> !table.frame<["x" : f64, "n" : i32]>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%v = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
// expected-error@+1 {{table.from_tensor: column 'p' takes a scalar, got tensor<?xf32>}}
%g = table.from_tensor ["p"] %v : tensor<?xf32> -> !table.frame<["p" : f32]>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%v = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
// expected-error@+1 {{table.from_tensor: the result has the frame's columns and those of the tensors}}
%g = table.from_tensor %f : !table.frame<["x" : f64]> with ["p"] %v : tensor<?xf32> -> !table.frame<["x" : f64, "p" : f64]>
