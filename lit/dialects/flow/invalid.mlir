// RUN: dlc opt --verify-diagnostics --split-input-file %s

// expected-error@+1 {{DLC302: flow.program: the body must end in flow.return}}
flow.program @p {
  %a = table.scan "parquet" ["a.parquet"] : !table.frame<["x" : i64]>
  table.yield
}

// -----

flow.program @p {
  %a = table.scan "parquet" ["a.parquet"] : !table.frame<["x" : i64]>
  // expected-error@+1 {{flow.return: 2 names for 1 results}}
  flow.return ["a", "b"] %a : !table.frame<["x" : i64]>
}

// -----

flow.program @p {
  %a = table.scan "parquet" ["a.parquet"] : !table.frame<["x" : i64]>
  // expected-error@+1 {{flow.return: result names must differ}}
  flow.return ["a", "a"] %a, %a : !table.frame<["x" : i64]>, !table.frame<["x" : i64]>
}

// -----

// expected-error@+1 {{flow.program: parameter names must differ}}
flow.program @p parameters [#flow.parameter<"year", i64, unit>, #flow.parameter<"year", f64, unit>] {
  flow.return []
}

// -----

// expected-error@+1 {{flow.program: the frames returned are not those that the program declares}}
flow.program @p returns [!table.frame<["x" : i64]>] {
  flow.return []
}

// -----

// expected-error@+1 {{DLC302: parameter 'year': index is not a data type}}
flow.program @p parameters [#flow.parameter<"year", index, unit>] {
  flow.return []
}

// -----

// A program sees nothing from outside.
%a = table.scan "parquet" ["a.parquet"] : !table.frame<["x" : i64]>
// expected-error@+1 {{flow.program: Operation using value defined out of its IsolatedFromAbove parent}}
flow.program @p {
  flow.return ["a"] %a : !table.frame<["x" : i64]>
}
