// RUN: dlc opt -p push-down-projections --split-input-file %s | filecheck %s

// Every operator carries what is read later; a predicate inside the scan reads a column that the scan does not leave.
flow.program @narrow {
  %l = table.scan "parquet" ["l.parquet"] where {
    %day = expr.col "day" : !expr.date
    %first = expr.literal 0 : !expr.date
    %c = expr.cmp "ge" %day, %first : !expr.date, !expr.date -> i1
    table.yield %c : i1
  } : !table.frame<["k" : i64, "x" : i64, "y" : i64, "day" : !expr.date]>
  %r = table.scan "parquet" ["r.parquet"] : !table.frame<["j" : i64, "name" : !expr.string, "note" : !expr.string]>
  %f = table.filter %r {
    %note = expr.col "note" : !expr.string
    %x = expr.literal "x" : !expr.string
    %c = expr.cmp "ne" %note, %x : !expr.string, !expr.string -> i1
    table.yield %c : i1
  } : !table.frame<["j" : i64, "name" : !expr.string, "note" : !expr.string]> -> !table.frame<["j" : i64, "name" : !expr.string, "note" : !expr.string]>
  %t = table.join "left" %l, %f on ["k"] = ["j"] : !table.frame<["k" : i64, "x" : i64, "y" : i64, "day" : !expr.date]>, !table.frame<["j" : i64, "name" : !expr.string, "note" : !expr.string]> -> !table.frame<["k" : i64, "x" : i64, "y" : i64, "day" : !expr.date, "name" : !expr.nullable<!expr.string>, "note" : !expr.nullable<!expr.string>]>
  %p = table.project ["name", "x", "z"] %t {
    %name = expr.col "name" : !expr.nullable<!expr.string>
    %x = expr.col "x" : i64
    %y = expr.col "y" : i64
    %z = expr.mul %x, %y : i64, i64 -> i64
    table.yield %name, %x, %z : !expr.nullable<!expr.string>, i64, i64
  } : !table.frame<["k" : i64, "x" : i64, "y" : i64, "day" : !expr.date, "name" : !expr.nullable<!expr.string>, "note" : !expr.nullable<!expr.string>]> -> !table.frame<["name" : !expr.nullable<!expr.string>, "x" : i64, "z" : i64]>
  %g = table.aggregate %p keys ["name"] aggregates [#table.agg<"x", "sum", "x">, #table.agg<"z", "sum", "z">] : !table.frame<["name" : !expr.nullable<!expr.string>, "x" : i64, "z" : i64]> -> !table.frame<["name" : !expr.nullable<!expr.string>, "x" : !expr.nullable<i64>, "z" : !expr.nullable<i64>]>
  %q = table.project ["x"] %g {
    %x = expr.col "x" : !expr.nullable<i64>
    table.yield %x : !expr.nullable<i64>
  } : !table.frame<["name" : !expr.nullable<!expr.string>, "x" : !expr.nullable<i64>, "z" : !expr.nullable<i64>]> -> !table.frame<["x" : !expr.nullable<i64>]>
  flow.return ["r"] %q : !table.frame<["x" : !expr.nullable<i64>]>
}
// CHECK-LABEL: @narrow
// CHECK:      expr.col "day"
// CHECK:      } : !table.frame<["k" : i64, "x" : i64]>
// CHECK-NEXT: table.scan "parquet" ["r.parquet"] : !table.frame<["j" : i64, "name" : !expr.string, "note" : !expr.string]>
// CHECK:      [[R:%.*]] = table.project ["j", "name"]
// CHECK:      table.join "left" %{{.*}}, [[R]] {{.*}} -> !table.frame<["k" : i64, "x" : i64, "name" : !expr.nullable<!expr.string>]>
// CHECK-NEXT: table.project ["name", "x"]
// CHECK-NOT:    expr.mul
// CHECK:      table.aggregate %{{.*}} keys ["name"] aggregates [#table.agg<"x", "sum", "x">] :

// -----

// Rows are counted by the narrowest column.
flow.program @count {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["text" : !expr.string, "x" : i64, "flag" : i8]>
  %g = table.aggregate %t keys [] aggregates [#table.agg<"n", "len", "">] : !table.frame<["text" : !expr.string, "x" : i64, "flag" : i8]> -> !table.frame<["n" : i64]>
  flow.return ["r"] %g : !table.frame<["n" : i64]>
}
// CHECK-LABEL: @count
// CHECK: table.scan "parquet" ["t.parquet"] : !table.frame<["flag" : i8]>

// -----

// Which rows are the first, or distinct, depends on all columns.
flow.program @all_columns {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["k" : i64, "x" : i64]>
  %h = table.head %t 5 : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64, "x" : i64]>
  %hk = table.project ["k"] %h {
    %k = expr.col "k" : i64
    table.yield %k : i64
  } : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64]>
  %u = table.unique %t : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64, "x" : i64]>
  %uk = table.project ["k"] %u {
    %k = expr.col "k" : i64
    table.yield %k : i64
  } : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64]>
  flow.return ["h", "u"] %hk, %uk : !table.frame<["k" : i64]>, !table.frame<["k" : i64]>
}
// CHECK-LABEL: @all_columns
// CHECK: table.scan {{.*}} : !table.frame<["k" : i64, "x" : i64]>
// CHECK: table.head {{.*}} -> !table.frame<["k" : i64, "x" : i64]>
// CHECK: table.unique {{.*}} -> !table.frame<["k" : i64, "x" : i64]>

// -----

// Which keys there are does not depend on the other columns. Both parts of a concatenation lose the same columns.
flow.program @only_keys {
  %a = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64, "x" : i64]>
  %b = table.scan "parquet" ["b.parquet"] : !table.frame<["k" : i64, "x" : i64]>
  %c = table.concat %a, %b : !table.frame<["k" : i64, "x" : i64]>, !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64, "x" : i64]>
  %u = table.unique %c on ["k"] : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64, "x" : i64]>
  %p = table.project ["k"] %u {
    %k = expr.col "k" : i64
    table.yield %k : i64
  } : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["k" : i64]>
  table.sink %b to "parquet" "b2.parquet" as "file" : !table.frame<["k" : i64, "x" : i64]>
  flow.return ["p"] %p : !table.frame<["k" : i64]>
}
// CHECK-LABEL: @only_keys
// CHECK-NEXT: [[A:%.*]] = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64]>
// CHECK-NEXT: [[B:%.*]] = table.scan "parquet" ["b.parquet"] : !table.frame<["k" : i64, "x" : i64]>
// CHECK-NEXT: [[K:%.*]] = table.project ["k"] [[B]]
// CHECK:      table.concat [[A]], [[K]] : !table.frame<["k" : i64]>
// CHECK-NEXT: table.unique %{{.*}} on ["k"] : !table.frame<["k" : i64]>
// CHECK:      table.sink [[B]]
