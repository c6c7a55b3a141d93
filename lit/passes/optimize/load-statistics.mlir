// RUN: cd %data && dlc opt -p load-statistics --split-input-file %s | filecheck %s
// events.parquet holds 8 rows in row groups of 3, 3 and 2.

// One piece a row group; bounds of the columns of the result and of the predicate, decimals scaled, with nulls,
// distinct values and the mean width of texts.
flow.program @parquet {
  %f = table.scan "parquet" ["events.parquet"] where {
    %day = expr.col "day" : !expr.date
    %first = expr.literal 19723 : !expr.date
    %c = expr.cmp "ge" %day, %first : !expr.date, !expr.date -> i1
    table.yield %c : i1
  } : !table.frame<["id" : i64, "kind" : !expr.nullable<!expr.string>, "fee" : !expr.decimal<21, 2>]>
  flow.return ["r"] %f : !table.frame<["id" : i64, "kind" : !expr.nullable<!expr.string>, "fee" : !expr.decimal<21, 2>]>
}
// CHECK-LABEL: @parquet
// CHECK:      table.scan "parquet" ["events.parquet"] pieces array<i64: 0, 0, 3, 0, 3, 3, 0, 6, 2>
// CHECK-SAME: statistics [#table.statistics<"id", 1 : i64, 8 : i64, 0 : i64, 8 : i64, -1 : i64>,
// CHECK-SAME:   #table.statistics<"kind", "run", "walk", 3 : i64, 3 : i64, 4 : i64>,
// CHECK-SAME:   #table.statistics<"fee", "10000", "80000", 0 : i64, 8 : i64, -1 : i64>,
// CHECK-SAME:   #table.statistics<"day", 19723 : i64, 19785 : i64, 0 : i64, 3 : i64, -1 : i64>] where

// -----

// A column that the file holds in another type tells no bounds.
flow.program @other_type {
  %f = table.scan "parquet" ["events.parquet"] : !table.frame<["id" : f64]>
  flow.return ["r"] %f : !table.frame<["id" : f64]>
}
// CHECK-LABEL: @other_type
// CHECK: statistics [#table.statistics<"id", unit, unit, 0 : i64, 8 : i64, -1 : i64>]

// -----

// Records of CSV files are counted.
flow.program @csv {
  %f = table.scan "csv" ["events.csv"] options {separator = ";"} : !table.frame<["id" : i64]>
  flow.return ["r"] %f : !table.frame<["id" : i64]>
}
// CHECK-LABEL: @csv
// CHECK: table.scan "csv" ["events.csv"] options {separator = ";"} pieces array<i64: 0, 0, 2> :

// -----

// Pieces that stand there are left alone, and no file is looked at.
flow.program @known {
  %f = table.scan "parquet" ["missing.parquet"] pieces array<i64: 0, 0, 5> : !table.frame<["id" : i64]>
  flow.return ["r"] %f : !table.frame<["id" : i64]>
}
// CHECK-LABEL: @known
// CHECK: table.scan "parquet" ["missing.parquet"] pieces array<i64: 0, 0, 5> :
