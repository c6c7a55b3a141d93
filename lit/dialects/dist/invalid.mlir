// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Layouts.

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
// expected-error@+1 {{"blocks" is not a layout}}
} : () -> (!dist.part<!table.frame<["k" : i64]>, "blocks">)

// -----

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
// expected-error@+1 {{no column 'x' among k}}
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.hash<["x"]>>)

// -----

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
// expected-error@+1 {{no column 'x' among k}}
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.range<[#table.order<"x", false, false>]>>)

// -----

// Fragments.

// expected-error@+1 {{dist.local: the fragment's arguments must have the types of its operands}}
dist.local() {
^bb0(%f: !table.frame<["k" : i64]>):
  dist.yield
} : () -> ()

// -----

// expected-error@+1 {{dist.local: a fragment must end in dist.yield}}
dist.local() {
  table.yield
} : () -> ()

// -----

// expected-error@+1 {{dist.local: the fragment must yield the types of its results}}
%a = dist.local() {
  dist.yield
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.rows>)

// -----

// A fragment is isolated: it sees its arguments alone.
%s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
// expected-error@+1 {{dist.local: Operation using value defined out of its IsolatedFromAbove parent}}
%a = dist.local() {
  dist.yield %s : !table.frame<["k" : i64]>
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.rows>)

// -----

// Collectives.

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.rows>)
// expected-error@+1 {{dist.gather: a collective leaves the schema as it is}}
%b = dist.gather %a : !dist.part<!table.frame<["k" : i64]>, #dist.rows> -> !dist.part<!table.frame<["k" : i32]>, #dist.single>

// -----

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.rows>)
// expected-error@+1 {{dist.gather cannot leave layout #dist.rows}}
%b = dist.gather %a : !dist.part<!table.frame<["k" : i64]>, #dist.rows> -> !dist.part<!table.frame<["k" : i64]>, #dist.rows>

// -----

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.rows>)
// expected-error@+1 {{the sample must be replicated, or ranks would cut at different places}}
%b = dist.range_shuffle %a at %a by [#table.order<"k", false, false>] : !dist.part<!table.frame<["k" : i64]>, #dist.rows>, !dist.part<!table.frame<["k" : i64]>, #dist.rows> -> !dist.part<!table.frame<["k" : i64]>, #dist.range<[#table.order<"k", false, false>]>>

// -----

%a = dist.local() {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
} : () -> (!dist.part<!table.frame<["k" : i64]>, #dist.partial<"merge">>)
// expected-error@+1 {{dist.all_reduce: the fragment must yield the types of its results}}
%b = dist.all_reduce %a {
^bb0(%p: !table.frame<["k" : i64]>):
  dist.yield
} : !dist.part<!table.frame<["k" : i64]>, #dist.partial<"merge">> -> !dist.part<!table.frame<["k" : i64]>, #dist.replicated>
