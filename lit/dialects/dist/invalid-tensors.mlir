// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Layouts.

// expected-error@+1 {{"mean" is no reduction, which are merge, sum, max, min, prod, and, or}}
%w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.partial<"mean">>

// -----

// expected-error@+1 {{#dist.rows is no layout of a tensor}}
%w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.rows>

// -----

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
// expected-error@+1 {{#dist.split<0 : i64, #dist.any> is a layout of tensors}}
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.split<0 : i64, #dist.any>>)

// -----

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
// expected-error@+1 {{no column 'x' among k}}
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.shards<["x"], 4 : i64>>)

// -----

// expected-error@+1 {{expected a distributed frame, got !dist.part<index, #dist.replicated>}}
%w = nn.parameters <"f00d"> ["w"] : !dist.part<index, #dist.replicated>

// -----

// Collectives.

%w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.replicated>
// expected-error@+1 {{dist.gather: expected a distributed frame, got !dist.part<tensor<f32>, #dist.replicated>}}
%a = dist.gather %w : !dist.part<tensor<f32>, #dist.replicated> -> !dist.part<tensor<f32>, #dist.replicated>

// -----

%w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.partial<"sum">>
// expected-error@+1 {{dist.all_reduce_tensors: order must be tree or any, got "ring"}}
%a = dist.all_reduce_tensors "sum" "ring" %w : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>

// -----

%w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.partial<"sum">>
// expected-error@+1 {{dist.all_reduce_tensors: expected a partial max, got #dist.partial<"sum">}}
%a = dist.all_reduce_tensors "max" "tree" %w : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>

// -----

%w = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<f32>, #dist.partial<"sum">>
// expected-error@+1 {{dist.all_reduce_tensors: an all-reduce leaves the same tensors on every rank}}
%a = dist.all_reduce_tensors "sum" "tree" %w : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f64>, #dist.replicated>

// -----

%w, %v = nn.parameters <"f00d"> ["w", "v"] : !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<f32>, #dist.partial<"sum">>
// expected-error@+1 {{dist.all_reduce_tensors: an all-reduce leaves the same tensors on every rank}}
%a = dist.all_reduce_tensors "sum" "tree" %w, %v : !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
