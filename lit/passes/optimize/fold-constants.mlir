// RUN: dlc opt -p fold-constants --split-input-file %s | filecheck %s

flow.program @exact {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %p = table.project ["int", "floor", "mod", "decimal", "div", "inf", "year", "nan", "null"] %t {
    %a = expr.literal -7 : i64
    %b = expr.literal 2 : i64
    // CHECK-DAG: expr.literal -5 : i64
    %int = expr.add %a, %b : i64, i64 -> i64
    // CHECK-DAG: expr.literal -4 : i64
    %floor = expr.floordiv %a, %b : i64, i64 -> i64
    // CHECK-DAG: expr.literal 1 : i64
    %mod = expr.mod %a, %b : i64, i64 -> i64
    %d = expr.literal "150" : !expr.decimal<3, 2>
    %e = expr.literal "2" : !expr.decimal<1, 0>
    // 1.50 + 2 = 3.50
    // CHECK-DAG: expr.literal "350" : !expr.decimal<4, 2>
    %decimal = expr.add %d, %e : !expr.decimal<3, 2>, !expr.decimal<1, 0> -> !expr.decimal<4, 2>
    // CHECK-DAG: expr.literal -3.5 : f64
    %div = expr.div %a, %b : i64, i64 -> f64
    %one = expr.literal 1.0 : f64
    %zero = expr.literal 0.0 : f64
    // CHECK-DAG: expr.literal inf : f64
    %inf = expr.div %one, %zero : f64, f64 -> f64
    %day = expr.literal 10957 : !expr.date
    // CHECK-DAG: expr.literal 2000 : i64
    %year = expr.call "year" (%day) : !expr.date -> i64
    %n = expr.literal nan : f64
    // NaN equals itself.
    // CHECK-DAG: expr.literal true : i1
    %nan = expr.cmp "eq" %n, %n : f64, f64 -> i1
    %x = expr.col "x" : i64
    %none = expr.null : !expr.nullable<i64>
    // CHECK-DAG: expr.null : !expr.nullable<i64>
    %null = expr.mul %x, %none : i64, !expr.nullable<i64> -> !expr.nullable<i64>
    table.yield %int, %floor, %mod, %decimal, %div, %inf, %year, %nan, %null : i64, i64, i64, !expr.decimal<4, 2>, f64, f64, i64, i1, !expr.nullable<i64>
  } : !table.frame<["x" : i64]> -> !table.frame<["int" : i64, "floor" : i64, "mod" : i64, "decimal" : !expr.decimal<4, 2>, "div" : f64, "inf" : f64, "year" : i64, "nan" : i1, "null" : !expr.nullable<i64>]>
  flow.return ["r"] %p : !table.frame<["int" : i64, "floor" : i64, "mod" : i64, "decimal" : !expr.decimal<4, 2>, "div" : f64, "inf" : f64, "year" : i64, "nan" : i1, "null" : !expr.nullable<i64>]>
}

// -----

// Errors are left for the run to report.
flow.program @failing {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : i64]>
  %p = table.project ["a", "b", "c"] %t {
    %most = expr.literal 127 : i8
    %one = expr.literal 1 : i8
    %zero = expr.literal 0 : i8
    // CHECK-DAG: expr.add
    %a = expr.add %most, %one : i8, i8 -> i8
    // CHECK-DAG: expr.floordiv
    %b = expr.floordiv %one, %zero : i8, i8 -> i8
    // CHECK-DAG: expr.div
    %c = expr.div %one, %zero : i8, i8 -> f64
    table.yield %a, %b, %c : i8, i8, f64
  } : !table.frame<["x" : i64]> -> !table.frame<["a" : i8, "b" : i8, "c" : f64]>
  flow.return ["r"] %p : !table.frame<["a" : i8, "b" : i8, "c" : f64]>
}

// -----

// Kleene's connectives know the result as soon as one side decides; the type stays nullable.
flow.program @kleene {
  %t = table.scan "parquet" ["t.parquet"] : !table.frame<["x" : !expr.nullable<i1>]>
  %p = table.project ["a", "b"] %t {
    %x = expr.col "x" : !expr.nullable<i1>
    %false = expr.literal false : i1
    %true = expr.literal true : i1
    // CHECK:      [[FALSE:%.*]] = expr.literal false : i1
    // CHECK-NEXT: [[A:%.*]] = expr.cast [[FALSE]] : i1 -> !expr.nullable<i1>
    %a = expr.and %x, %false : !expr.nullable<i1>, i1 -> !expr.nullable<i1>
    // CHECK:      [[TRUE:%.*]] = expr.literal true : i1
    // CHECK-NEXT: [[B:%.*]] = expr.cast [[TRUE]] : i1 -> !expr.nullable<i1>
    %b = expr.or %true, %x : i1, !expr.nullable<i1> -> !expr.nullable<i1>
    // CHECK-NEXT: table.yield [[A]], [[B]]
    table.yield %a, %b : !expr.nullable<i1>, !expr.nullable<i1>
  } : !table.frame<["x" : !expr.nullable<i1>]> -> !table.frame<["a" : !expr.nullable<i1>, "b" : !expr.nullable<i1>]>
  flow.return ["r"] %p : !table.frame<["a" : !expr.nullable<i1>, "b" : !expr.nullable<i1>]>
}
