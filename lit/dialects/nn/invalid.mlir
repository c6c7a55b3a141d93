// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Parameters.

// expected-error@+1 {{nn.parameters: 2 names for 1 tensors}}
%w = nn.parameters <"f00d"> ["w", "b"] : tensor<2xf32>

// -----

// Batches.

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%x = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
// expected-error@+1 {{nn.batches: 3 micro-batches do not divide a batch of 8 rows}}
%b = nn.batches %f, %x size 8 micro_batches 3 seed 0 by ["x"] : !table.frame<["x" : f64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%x = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
// expected-error@+1 {{nn.batches: 0 micro-batches do not divide a batch of 8 rows}}
%b = nn.batches %f, %x size 8 micro_batches 0 seed 0 by ["x"] : !table.frame<["x" : f64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%x = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
// expected-error@+1 {{nn.batches: owned must be hash, all or local, got "some"}}
%b = nn.batches %f, %x size 8 micro_batches 4 seed 0 by ["x"] owned "some" : !table.frame<["x" : f64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%x = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
// expected-error@+1 {{nn.batches: the batches must be those of the tensors}}
%b = nn.batches %f, %x size 8 micro_batches 4 seed 0 by ["x"] : !table.frame<["x" : f64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf64>]>

// -----

%f = table.scan "parquet" ["a"] : !table.frame<["x" : f64]>
%x = table.to_tensor %f ["x"] : !table.frame<["x" : f64]> -> tensor<?xf32>
%b = nn.batches %f, %x size 8 micro_batches 4 seed 0 by ["x"] : !table.frame<["x" : f64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>
// expected-error@+1 {{nn.batch: a batch has the tensors of its batches}}
%n, %t = nn.batch %b : !nn.batches<[tensor<?xf32>]> -> tensor<i32>, tensor<?xf64>

// -----

%w = nn.parameters <"f00d"> ["w"] : tensor<2xf32>
// expected-error@+1 {{tensor<2xf32> should be of base attribute nn.batches}}
%n = "nn.steps"(%w) : (tensor<2xf32>) -> index

// -----

// expected-error@+1 {{f32 should be of base attribute tensor}}
%n, %t = nn.batch %b : !nn.batches<[f32]> -> tensor<i32>, f32

// -----

// Checkpoints.

%e = arith.constant 0 : index
%w = nn.parameters <"f00d"> ["w"] : tensor<2xf32>
// expected-error@+1 {{nn.save: 2 names for 1 tensors}}
nn.save %w as ["w", "b"] epoch %e of "1234" to "checkpoint" : tensor<2xf32>

// -----

%w = nn.parameters <"f00d"> ["w"] : tensor<2xf32>
// expected-error@+1 {{nn.load: 2 names for 1 tensors}}
%e, %l = nn.load %w as ["w", "b"] of "1234" from "checkpoint" : tensor<2xf32> -> index, tensor<2xf32>

// -----

%w = nn.parameters <"f00d"> ["w"] : tensor<2xf32>
// expected-error@+1 {{nn.load: a checkpoint gives tensors of the types of the initial ones}}
%e, %l = nn.load %w as ["w"] of "1234" from "checkpoint" : tensor<2xf32> -> index, tensor<3xf32>
