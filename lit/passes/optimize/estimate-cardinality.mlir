// RUN: dlc opt -p estimate-cardinality --split-input-file %s | filecheck %s

// 900 rows of 31 days, 10 groups: two terms cut the range one after the other.
flow.program @filter_and_group {
  %f = table.scan "parquet" ["t.parquet"] pieces array<i64: 0, 0, 500, 0, 500, 400> statistics [#table.statistics<"k", 1 : i64, 10 : i64, 0 : i64, -1 : i64, -1 : i64>, #table.statistics<"day", 100 : i64, 130 : i64, 0 : i64, -1 : i64, -1 : i64>] : !table.frame<["k" : i64, "day" : !expr.date]>
  %r = table.filter %f {
    %day = expr.col "day" : !expr.date
    %low = expr.literal 110 : !expr.date
    %high = expr.literal 120 : !expr.date
    %a = expr.cmp "ge" %day, %low : !expr.date, !expr.date -> i1
    %b = expr.cmp "lt" %day, %high : !expr.date, !expr.date -> i1
    %c = expr.and %a, %b : i1, i1 -> i1
    table.yield %c : i1
  } : !table.frame<["k" : i64, "day" : !expr.date]> -> !table.frame<["k" : i64, "day" : !expr.date]>
  %g = table.aggregate %r keys ["k"] aggregates [#table.agg<"n", "len", "">] : !table.frame<["k" : i64, "day" : !expr.date]> -> !table.frame<["k" : i64, "n" : i64]>
  %h = table.head %g 3 : !table.frame<["k" : i64, "n" : i64]> -> !table.frame<["k" : i64, "n" : i64]>
  flow.return ["r"] %h : !table.frame<["k" : i64, "n" : i64]>
}
// CHECK-LABEL: @filter_and_group
// CHECK:      table.scan {{.*}} {rows = 900 : i64, bytes = 10800 : i64}
// CHECK:      } {rows = 300 : i64, bytes = 3600 : i64}
// CHECK:      table.aggregate {{.*}} {rows = 10 : i64, bytes = 160 : i64}
// CHECK:      table.head {{.*}} {rows = 3 : i64, bytes = 48 : i64}

// -----

// Every row of the large side finds its one partner in the small side.
flow.program @join {
  %l = table.scan "parquet" ["l.parquet"] pieces array<i64: 0, 0, 6000> statistics [#table.statistics<"k", 1 : i64, 25 : i64, 0 : i64, -1 : i64, -1 : i64>] : !table.frame<["k" : i64]>
  %r = table.scan "parquet" ["r.parquet"] pieces array<i64: 0, 0, 25> statistics [#table.statistics<"j", 1 : i64, 25 : i64, 0 : i64, -1 : i64, -1 : i64>] : !table.frame<["j" : i64, "x" : f64]>
  %a = table.join "inner" %l, %r on ["k"] = ["j"] : !table.frame<["k" : i64]>, !table.frame<["j" : i64, "x" : f64]> -> !table.frame<["k" : i64, "x" : f64]>
  flow.return ["r"] %a : !table.frame<["k" : i64, "x" : f64]>
}
// CHECK-LABEL: @join
// CHECK:      table.join {{.*}} {rows = 6000 : i64, bytes = 96000 : i64}

// -----

// Dictionaries tell how many texts there are, and how wide: 4 and 12 bytes.
flow.program @words {
  %f = table.scan "parquet" ["t.parquet"] pieces array<i64: 0, 0, 6000000> statistics [#table.statistics<"mode", "AIR", "TRUCK", 0 : i64, 7 : i64, 4 : i64>, #table.statistics<"how", "COLLECT COD", "TAKE BACK RETURN", 0 : i64, 4 : i64, 12 : i64>] where {
    %mode = expr.col "mode" : !expr.string
    %air = expr.literal "AIR" : !expr.string
    %c = expr.cmp "ne" %mode, %air : !expr.string, !expr.string -> i1
    table.yield %c : i1
  } : !table.frame<["mode" : !expr.string, "how" : !expr.string]>
  %g = table.aggregate %f keys ["mode", "how"] aggregates [#table.agg<"n", "len", "">] : !table.frame<["mode" : !expr.string, "how" : !expr.string]> -> !table.frame<["mode" : !expr.string, "how" : !expr.string, "n" : i64]>
  flow.return ["r"] %g : !table.frame<["mode" : !expr.string, "how" : !expr.string, "n" : i64]>
}
// CHECK-LABEL: @words
// CHECK:      } {rows = 5142857 : i64, bytes = 82285714 : i64}
// CHECK:      table.aggregate {{.*}} {rows = 28 : i64, bytes = 672 : i64}

// -----

// The order of a line tells its day: there are no more groups than orders. Of 1,000 orders with 6 lines of 1 to 50
// pieces each on average, few have 300 pieces.
flow.program @determined_keys {
  %l = table.scan "parquet" ["l.parquet"] pieces array<i64: 0, 0, 6000> statistics [#table.statistics<"line", 1 : i64, 4000 : i64, 0 : i64, 1000 : i64, -1 : i64>, #table.statistics<"pieces", 1 : i64, 50 : i64, 0 : i64, 50 : i64, -1 : i64>] : !table.frame<["line" : i64, "pieces" : i64]>
  %r = table.scan "parquet" ["r.parquet"] pieces array<i64: 0, 0, 1000> statistics [#table.statistics<"order", 1 : i64, 4000 : i64, 0 : i64, 1000 : i64, -1 : i64>, #table.statistics<"day", 100 : i64, 399 : i64, 0 : i64, 300 : i64, -1 : i64>] : !table.frame<["order" : i64, "day" : i64]>
  %a = table.join "inner" %l, %r on ["line"] = ["order"] : !table.frame<["line" : i64, "pieces" : i64]>, !table.frame<["order" : i64, "day" : i64]> -> !table.frame<["line" : i64, "pieces" : i64, "day" : i64]>
  %g = table.aggregate %a keys ["line", "day"] aggregates [#table.agg<"n", "sum", "pieces">] : !table.frame<["line" : i64, "pieces" : i64, "day" : i64]> -> !table.frame<["line" : i64, "day" : i64, "n" : !expr.nullable<i64>]>
  %b = table.filter %g {
    %n = expr.col "n" : !expr.nullable<i64>
    %many = expr.literal 300 : i64
    %c = expr.cmp "gt" %n, %many : !expr.nullable<i64>, i64 -> !expr.nullable<i1>
    table.yield %c : !expr.nullable<i1>
  } : !table.frame<["line" : i64, "day" : i64, "n" : !expr.nullable<i64>]> -> !table.frame<["line" : i64, "day" : i64, "n" : !expr.nullable<i64>]>
  flow.return ["r"] %b : !table.frame<["line" : i64, "day" : i64, "n" : !expr.nullable<i64>]>
}
// CHECK-LABEL: @determined_keys
// CHECK:      table.join {{.*}} {rows = 6000 : i64
// CHECK:      table.aggregate {{.*}} {rows = 1000 : i64
// CHECK:      } {rows = 20 : i64
