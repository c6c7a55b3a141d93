// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Frame types.

// expected-error@+1 {{duplicate column 'x'}}
%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64, "x" : f64]>

// -----

// expected-error@+1 {{column 'x': index cannot be a column type}}
%a = table.scan "parquet" ["a"] : !table.frame<["x" : index]>

// -----

// expected-error@+1 {{i64 should be of base attribute table.frame}}
%a = table.scan "parquet" ["a"] : i64

// -----

// Scans.

// expected-error@+1 {{table.scan: format must be one of parquet, csv, got "xls"}}
%a = table.scan "xls" ["a"] : !table.frame<["x" : i64]>

// -----

// expected-error@+1 {{table.scan: no file to scan}}
%a = table.scan "parquet" [] : !table.frame<["x" : i64]>

// -----

// expected-error@+1 {{pieces must be a dense array of i64}}
%a = table.scan "parquet" ["a"] pieces "all" : !table.frame<["x" : i64]>

// -----

// expected-error@+1 {{pieces come in triples (file, first row, rows)}}
%a = table.scan "parquet" ["a"] pieces array<i64: 0, 1> : !table.frame<["x" : i64]>

// -----

// expected-error@+1 {{table.scan: a predicate yields one boolean}}
%a = table.scan "parquet" ["a"] where {
  %x = expr.col "x" : i64
  table.yield %x : i64
} : !table.frame<["x" : i64]>

// -----

// Expression regions.

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.filter: no column 'y' among x}}
%b = table.filter %a {
  %y = expr.col "y" : i1
  table.yield %y : i1
} : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.filter: column 'x' is i64, not bool}}
%b = table.filter %a {
  %x = expr.col "x" : i1
  table.yield %x : i1
} : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i1]>
// expected-error@+1 {{table.filter: a predicate yields one boolean}}
%b = table.filter %a {
  %x = expr.col "x" : i1
  table.yield %x, %x : i1, i1
} : !table.frame<["x" : i1]> -> !table.frame<["x" : i1]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i1]>
// expected-error@+1 {{table.filter: an expression region must end in table.yield}}
%b = table.filter %a {
  %x = expr.col "x" : i1
  flow.return []
} : !table.frame<["x" : i1]> -> !table.frame<["x" : i1]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i1]>
// expected-error@+1 {{table.filter: result schema must be x: bool}}
%b = table.filter %a {
  %x = expr.col "x" : i1
  table.yield %x : i1
} : !table.frame<["x" : i1]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i1]>
// expected-error@+1 {{table.project: 2 names for 1 values}}
%b = table.project ["x", "y"] %a {
  %x = expr.col "x" : i1
  table.yield %x : i1
} : !table.frame<["x" : i1]> -> !table.frame<["x" : i1]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i1]>
// expected-error@+1 {{table.project: result schema must be y: bool}}
%b = table.project ["y"] %a {
  %x = expr.col "x" : i1
  table.yield %x : i1
} : !table.frame<["x" : i1]> -> !table.frame<["x" : i1]>

// -----

// Joins.

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{join kind must be one of inner, left, semi, anti, got "outer"}}
%b = table.join "outer" %a, %a on ["x"] = ["x"] : !table.frame<["x" : i64]>, !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{both sides need the same number of keys, at least one}}
%b = table.join "semi" %a, %a on [] = [] : !table.frame<["x" : i64]>, !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.join: no column 'y' among x}}
%b = table.join "semi" %a, %a on ["x"] = ["y"] : !table.frame<["x" : i64]>, !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64, "y" : !expr.nullable<f64>]>
// expected-error@+1 {{keys 'x' and 'y' differ in type: i64 and f64}}
%b = table.join "semi" %a, %a on ["x"] = ["y"] : !table.frame<["x" : i64, "y" : !expr.nullable<f64>]>, !table.frame<["x" : i64, "y" : !expr.nullable<f64>]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64, "y" : f64]>
// expected-error@+1 {{column 'y' stands on both sides}}
%b = table.join "inner" %a, %a on ["x"] = ["x"] : !table.frame<["x" : i64, "y" : f64]>, !table.frame<["x" : i64, "y" : f64]> -> !table.frame<["x" : i64, "y" : f64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
%b = table.scan "parquet" ["b"] : !table.frame<["x" : i64, "y" : f64]>
// expected-error@+1 {{table.join: result schema must be x: i64, y: f64?}}
%c = table.join "left" %a, %b on ["x"] = ["x"] : !table.frame<["x" : i64]>, !table.frame<["x" : i64, "y" : f64]> -> !table.frame<["x" : i64, "y" : f64]>

// -----

// Aggregates.

%a = table.scan "parquet" ["a"] : !table.frame<["x" : !expr.string]>
// expected-error@+1 {{aggregate 'sum' is not defined for string}}
%b = table.aggregate %a keys [] aggregates [#table.agg<"s", "sum", "x">] : !table.frame<["x" : !expr.string]> -> !table.frame<["s" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{aggregate 'sum' is not defined for no column}}
%b = table.aggregate %a keys [] aggregates [#table.agg<"s", "sum", "">] : !table.frame<["x" : i64]> -> !table.frame<["s" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.aggregate: duplicate column 'x'}}
%b = table.aggregate %a keys ["x"] aggregates [#table.agg<"x", "len", "">] : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{result columns must be x, n}}
%b = table.aggregate %a keys ["x"] aggregates [#table.agg<"n", "len", "">] : !table.frame<["x" : i64]> -> !table.frame<["n" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{result column 'm' must be f64?}}
%b = table.aggregate %a keys [] aggregates [#table.agg<"m", "mean", "x">] : !table.frame<["x" : i64]> -> !table.frame<["m" : f64]>

// -----

// Order and parts.

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.sort: no column 'y' among x}}
%b = table.sort %a by [#table.order<"y", false, false>] : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.unique: no column 'y' among x}}
%b = table.unique %a on ["y"] : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.head: result schema must be x: i64}}
%b = table.head %a 3 : !table.frame<["x" : i64]> -> !table.frame<["x" : i32]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{table.sample: no column 'y' among x}}
%b = table.sample %a ["y"] 3 : !table.frame<["x" : i64]> -> !table.frame<["y" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
%b = table.scan "parquet" ["b"] : !table.frame<["y" : i64]>
// expected-error@+1 {{table.concat: result schema must be y: i64}}
%c = table.concat %a, %b : !table.frame<["x" : i64]>, !table.frame<["y" : i64]> -> !table.frame<["x" : i64]>

// -----

%a = table.scan "parquet" ["a"] : !table.frame<["x" : i64]>
// expected-error@+1 {{layout must be file or directory, got "table"}}
table.sink %a to "parquet" "out" as "table" : !table.frame<["x" : i64]>

// -----

// A value is defined before it is used.

// expected-error@+1 {{table.head: %b is used before it is defined}}
%b = table.head %b 3 : !table.frame<["x" : i64]> -> !table.frame<["x" : i64]>
