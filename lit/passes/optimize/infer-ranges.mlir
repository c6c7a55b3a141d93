// RUN: dlc opt -p infer-ranges --split-input-file %s | filecheck %s

// price < 10⁷ and discount ≤ 10 in hundredths, 6,001,215 rows: every product and sum fits 64 bits.
flow.program @narrow {
  %f = table.scan "parquet" ["t.parquet"] pieces array<i64: 0, 0, 6001215> statistics [#table.statistics<"price", "90091", "10494950", 0 : i64, -1 : i64, -1 : i64>, #table.statistics<"discount", "0", "10", 0 : i64, -1 : i64, -1 : i64>] : !table.frame<["price" : !expr.decimal<15, 2>, "discount" : !expr.decimal<15, 2>]>
  %p = table.project ["paid"] %f {
    %price = expr.col "price" : !expr.decimal<15, 2>
    %discount = expr.col "discount" : !expr.decimal<15, 2>
    %one = expr.literal "1" : !expr.decimal<1, 0>
    %rest = expr.sub %one, %discount : !expr.decimal<1, 0>, !expr.decimal<15, 2> -> !expr.decimal<16, 2>
    %paid = expr.mul %price, %rest : !expr.decimal<15, 2>, !expr.decimal<16, 2> -> !expr.decimal<31, 4>
    table.yield %paid : !expr.decimal<31, 4>
  } : !table.frame<["price" : !expr.decimal<15, 2>, "discount" : !expr.decimal<15, 2>]> -> !table.frame<["paid" : !expr.decimal<31, 4>]>
  %a = table.aggregate %p keys [] aggregates [#table.agg<"total", "sum", "paid">] : !table.frame<["paid" : !expr.decimal<31, 4>]> -> !table.frame<["total" : !expr.nullable<!expr.decimal<38, 4>>]>
  flow.return ["r"] %a : !table.frame<["total" : !expr.nullable<!expr.decimal<38, 4>>]>
}
// CHECK-LABEL: @narrow
// CHECK:      expr.sub %{{.*}} proven : !expr.decimal<1, 0>, !expr.decimal<15, 2> -> !expr.decimal<16, 2>
// CHECK-NEXT: expr.mul %{{.*}} proven : !expr.decimal<15, 2>, !expr.decimal<16, 2> -> !expr.decimal<18, 4>
// CHECK:      table.aggregate %{{.*}} {proven = ["total"]} : !table.frame<["paid" : !expr.decimal<18, 4>]> -> !table.frame<["total" : !expr.nullable<!expr.decimal<18, 4>>]>
// CHECK:      [[R:%.*]] = table.project ["total"]
// CHECK:        expr.cast %{{.*}} : !expr.nullable<!expr.decimal<18, 4>> -> !expr.nullable<!expr.decimal<38, 4>>
// CHECK:      flow.return ["r"] [[R]] : !table.frame<["total" : !expr.nullable<!expr.decimal<38, 4>>]>

// -----

// A filter proves what comes after it, and nothing before it.
flow.program @filter {
  %f = table.scan "parquet" ["t.parquet"] pieces array<i64: 0, 0, 100> : !table.frame<["i" : i64, "j" : i64]>
  %r = table.filter %f {
    %i = expr.col "i" : i64
    %j = expr.col "j" : i64
    %sum = expr.add %i, %j : i64, i64 -> i64
    %a = expr.cmp "lt" %sum, %i : i64, i64 -> i1
    %zero = expr.literal 0 : i64
    %thousand = expr.literal 1000 : i64
    %b = expr.cmp "gt" %i, %zero : i64, i64 -> i1
    %c = expr.cmp "le" %i, %thousand : i64, i64 -> i1
    %ab = expr.and %a, %b : i1, i1 -> i1
    %abc = expr.and %ab, %c : i1, i1 -> i1
    table.yield %abc : i1
  } : !table.frame<["i" : i64, "j" : i64]> -> !table.frame<["i" : i64, "j" : i64]>
  %p = table.project ["square", "rest", "sum"] %r {
    %i = expr.col "i" : i64
    %j = expr.col "j" : i64
    %square = expr.mul %i, %i : i64, i64 -> i64
    %rest = expr.mod %j, %i : i64, i64 -> i64
    %sum = expr.add %i, %j : i64, i64 -> i64
    table.yield %square, %rest, %sum : i64, i64, i64
  } : !table.frame<["i" : i64, "j" : i64]> -> !table.frame<["square" : i64, "rest" : i64, "sum" : i64]>
  %a = table.aggregate %p keys ["rest"] aggregates [#table.agg<"squares", "sum", "square">, #table.agg<"sums", "sum", "sum">] : !table.frame<["square" : i64, "rest" : i64, "sum" : i64]> -> !table.frame<["rest" : i64, "squares" : !expr.nullable<i64>, "sums" : !expr.nullable<i64>]>
  flow.return ["r"] %a : !table.frame<["rest" : i64, "squares" : !expr.nullable<i64>, "sums" : !expr.nullable<i64>]>
}
// CHECK-LABEL: @filter
// CHECK:      table.filter
// CHECK:        expr.add %{{.*}}, %{{[a-z0-9_]*}} : i64
// CHECK:      table.project
// CHECK:        expr.mul %{{.*}} proven : i64
// CHECK-NEXT:   expr.mod %{{.*}} proven : i64
// CHECK-NEXT:   expr.add %{{.*}}, %{{[a-z0-9_]*}} : i64
// CHECK:      table.aggregate {{.*}} {proven = ["squares"]}

// -----

// A join may multiply rows, unless the keys of one side are unique.
flow.program @join {
  %l = table.scan "parquet" ["l.parquet"] pieces array<i64: 0, 0, 4000000000> statistics [#table.statistics<"x", 0 : i64, 1000000000 : i64, 0 : i64, -1 : i64, -1 : i64>] : !table.frame<["k" : i64, "x" : i64]>
  %r = table.scan "parquet" ["r.parquet"] pieces array<i64: 0, 0, 4000000000> : !table.frame<["j" : i64]>
  %u = table.unique %r on ["j"] : !table.frame<["j" : i64]> -> !table.frame<["j" : i64]>
  %many = table.join "inner" %l, %r on ["k"] = ["j"] : !table.frame<["k" : i64, "x" : i64]>, !table.frame<["j" : i64]> -> !table.frame<["k" : i64, "x" : i64]>
  %one = table.join "inner" %l, %u on ["k"] = ["j"] : !table.frame<["k" : i64, "x" : i64]>, !table.frame<["j" : i64]> -> !table.frame<["k" : i64, "x" : i64]>
  %a = table.aggregate %many keys [] aggregates [#table.agg<"many", "sum", "x">] : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["many" : !expr.nullable<i64>]>
  %b = table.aggregate %one keys [] aggregates [#table.agg<"one", "sum", "x">] : !table.frame<["k" : i64, "x" : i64]> -> !table.frame<["one" : !expr.nullable<i64>]>
  flow.return ["a", "b"] %a, %b : !table.frame<["many" : !expr.nullable<i64>]>, !table.frame<["one" : !expr.nullable<i64>]>
}
// CHECK-LABEL: @join
// CHECK:      table.aggregate {{.*}}"many", "sum", "x">] : !table
// CHECK-NEXT: table.aggregate {{.*}}"one", "sum", "x">] {proven = ["one"]} : !table
