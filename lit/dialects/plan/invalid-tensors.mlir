// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Chunks of rows.

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%x = table.to_tensor %f ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
// expected-error@+1 {{plan.map_rows: the module must take a chunk of each of its operands}}
%y = plan.map_rows(%x) chunk 256 as ["rows"] {
^bb0(%j: tensor<255xf32>):
  dist.yield %j : tensor<255xf32>
} : (tensor<?xf32>) -> (tensor<?xf32>)

// -----

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%x = table.to_tensor %f ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
// expected-error@+1 {{plan.map_rows: a module must end in dist.yield}}
%y = plan.map_rows(%x) chunk 256 as ["rows"] {
^bb0(%j: tensor<256xf32>):
  plan.end
} : (tensor<?xf32>) -> (tensor<?xf32>)

// -----

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%n = table.rows %f : !table.frame<["k" : i64]>
// expected-error@+1 {{plan.map_rows: the masked module takes the number of real rows last}}
%y = plan.map_rows(%n) chunk 256 as ["sum"] {
^bb0(%i: tensor<i32>):
  dist.yield %i : tensor<i32>
} masked {
^bb0(%i: tensor<i32>):
  dist.yield %i : tensor<i32>
} : (tensor<i32>) -> (tensor<i32>)

// -----

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%n = table.rows %f : !table.frame<["k" : i64]>
// expected-error@+1 {{plan.map_rows: the masked module must leave the same as the other}}
%y = plan.map_rows(%n) chunk 256 as ["sum"] {
^bb0(%i: tensor<i32>):
  dist.yield %i : tensor<i32>
} masked {
^bb0(%i: tensor<i32>, %valid: tensor<i32>):
  dist.yield
} : (tensor<i32>) -> (tensor<i32>)

// -----

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%n = table.rows %f : !table.frame<["k" : i64]>
// expected-error@+1 {{plan.map_rows: 2 kinds for 1 results}}
%y = plan.map_rows(%n) chunk 256 as ["sum", "same"] {
^bb0(%i: tensor<i32>):
  dist.yield %i : tensor<i32>
} : (tensor<i32>) -> (tensor<i32>)

// -----

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%n = table.rows %f : !table.frame<["k" : i64]>
// expected-error@+1 {{plan.map_rows: "merge" is no kind of result}}
%y = plan.map_rows(%n) chunk 256 as ["merge"] {
^bb0(%i: tensor<i32>):
  dist.yield %i : tensor<i32>
} : (tensor<i32>) -> (tensor<i32>)

// -----

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%x = table.to_tensor %f ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
// expected-error@+1 {{plan.map_rows: the results must be those of the chunks put together}}
%y = plan.map_rows(%x) chunk 256 as ["rows"] {
^bb0(%j: tensor<256xf32>):
  dist.yield %j : tensor<256xf32>
} : (tensor<?xf32>) -> (tensor<?x1xf32>)

// -----

// Micro-batches.

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%x = table.to_tensor %f ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
%b = nn.batches %f, %x size 8 micro_batches 4 seed 0 by ["k"] owned "hash" : !table.frame<["k" : i64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>
// expected-error@+1 {{plan.micro: the results must be those of the module}}
%p = plan.micro %b() rows 2 leaves "sum" {
^bb0(%i: tensor<i32>, %j: tensor<2xf32>):
  dist.yield %i : tensor<i32>
} masked {
^bb0(%i: tensor<i32>, %j: tensor<2xf32>, %valid: tensor<i32>):
  dist.yield %i : tensor<i32>
} : !nn.batches<[tensor<?xf32>]>() -> (tensor<f32>)

// -----

// Reductions.

%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%n = table.rows %f : !table.frame<["k" : i64]>
// expected-error@+1 {{plan.reduce: a reduction leaves the types as they are}}
%y = plan.reduce "sum" "tree" %n : tensor<i32> -> tensor<i64>
