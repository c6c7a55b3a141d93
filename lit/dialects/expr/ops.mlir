// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// Every data type of a column.
%t = table.scan "parquet" ["t.parquet"] : !table.frame<["b" : i1, "i8" : i8, "i16" : i16, "i32" : i32, "i64" : i64, "u8" : ui8, "u16" : ui16, "u32" : ui32, "u64" : ui64, "f32" : f32, "f64" : f64, "s" : !expr.string, "d" : !expr.date, "m" : !expr.decimal<15, 2>, "ts" : !expr.timestamp<"us", "">, "tz" : !expr.timestamp<"ns", "UTC">, "dur" : !expr.duration<"us">, "n" : !expr.nullable<!expr.date>]>
// CHECK:      %t = table.scan "parquet" ["t.parquet"] : !table.frame<["b" : i1, "i8" : i8, "i16" : i16, "i32" : i32, "i64" : i64, "u8" : ui8, "u16" : ui16, "u32" : ui32, "u64" : ui64, "f32" : f32, "f64" : f64, "s" : !expr.string, "d" : !expr.date, "m" : !expr.decimal<15, 2>, "ts" : !expr.timestamp<"us", "">, "tz" : !expr.timestamp<"ns", "UTC">, "dur" : !expr.duration<"us">, "n" : !expr.nullable<!expr.date>]>
%one_row = table.aggregate %t keys [] aggregates [#table.agg<"top", "max", "f64">] : !table.frame<["b" : i1, "i8" : i8, "i16" : i16, "i32" : i32, "i64" : i64, "u8" : ui8, "u16" : ui16, "u32" : ui32, "u64" : ui64, "f32" : f32, "f64" : f64, "s" : !expr.string, "d" : !expr.date, "m" : !expr.decimal<15, 2>, "ts" : !expr.timestamp<"us", "">, "tz" : !expr.timestamp<"ns", "UTC">, "dur" : !expr.duration<"us">, "n" : !expr.nullable<!expr.date>]> -> !table.frame<["top" : !expr.nullable<f64>]>
// CHECK-NEXT: %one_row = table.aggregate %t keys [] aggregates [#table.agg<"top", "max", "f64">] : !table.frame<["b" : i1, "i8" : i8, "i16" : i16, "i32" : i32, "i64" : i64, "u8" : ui8, "u16" : ui16, "u32" : ui32, "u64" : ui64, "f32" : f32, "f64" : f64, "s" : !expr.string, "d" : !expr.date, "m" : !expr.decimal<15, 2>, "ts" : !expr.timestamp<"us", "">, "tz" : !expr.timestamp<"ns", "UTC">, "dur" : !expr.duration<"us">, "n" : !expr.nullable<!expr.date>]> -> !table.frame<["top" : !expr.nullable<f64>]>

// Values of the row, of the program and of a one-row frame.
%b = expr.col "b" : i1
// CHECK-NEXT: %b = expr.col "b" : i1
%i = expr.col "i64" : i64
// CHECK-NEXT: %i = expr.col "i64" : i64
%x = expr.col "f64" : f64
// CHECK-NEXT: %x = expr.col "f64" : f64
%s = expr.col "s" : !expr.string
// CHECK-NEXT: %s = expr.col "s" : !expr.string
%d = expr.col "d" : !expr.date
// CHECK-NEXT: %d = expr.col "d" : !expr.date
%m = expr.col "m" : !expr.decimal<15, 2>
// CHECK-NEXT: %m = expr.col "m" : !expr.decimal<15, 2>
%ts = expr.col "ts" : !expr.timestamp<"us", "">
// CHECK-NEXT: %ts = expr.col "ts" : !expr.timestamp<"us", "">
%dur = expr.col "dur" : !expr.duration<"us">
// CHECK-NEXT: %dur = expr.col "dur" : !expr.duration<"us">
%n = expr.col "n" : !expr.nullable<!expr.date>
// CHECK-NEXT: %n = expr.col "n" : !expr.nullable<!expr.date>
%year = expr.param "year" : i64
// CHECK-NEXT: %year = expr.param "year" : i64
%top = expr.scalar %one_row "top" : !table.frame<["top" : !expr.nullable<f64>]> -> !expr.nullable<f64>
// CHECK-NEXT: %top = expr.scalar %one_row "top" : !table.frame<["top" : !expr.nullable<f64>]> -> !expr.nullable<f64>

// Constants.
%true = expr.literal true : i1
// CHECK-NEXT: %true = expr.literal true : i1
%seven = expr.literal -7 : i64
// CHECK-NEXT: %seven = expr.literal -7 : i64
%half = expr.literal 0.5 : f64
// CHECK-NEXT: %half = expr.literal 0.5 : f64
%whole = expr.literal 2.0 : f64
// CHECK-NEXT: %whole = expr.literal 2.0 : f64
%tiny = expr.literal 1.0e-300 : f64
// CHECK-NEXT: %tiny = expr.literal 1.0e-300 : f64
%great = expr.literal -2.5e+40 : f64
// CHECK-NEXT: %great = expr.literal -2.5e+40 : f64
%zero = expr.literal -0.0 : f64
// CHECK-NEXT: %zero = expr.literal -0.0 : f64
%most = expr.literal 18446744073709551615 : ui64
// CHECK-NEXT: %most = expr.literal 18446744073709551615 : ui64
%inf = expr.literal inf : f64
// CHECK-NEXT: %inf = expr.literal inf : f64
%minus_inf = expr.literal -inf : f64
// CHECK-NEXT: %minus_inf = expr.literal -inf : f64
%nan = expr.literal nan : f64
// CHECK-NEXT: %nan = expr.literal nan : f64
%text = expr.literal "a \"quoted\" text" : !expr.string
// CHECK-NEXT: %text = expr.literal "a \22quoted\22 text" : !expr.string
%cents = expr.literal "1999" : !expr.decimal<15, 2>
// CHECK-NEXT: %cents = expr.literal "1999" : !expr.decimal<15, 2>
%day = expr.literal 19723 : !expr.date
// CHECK-NEXT: %day = expr.literal 19723 : !expr.date
%second = expr.literal 1000000 : !expr.duration<"us">
// CHECK-NEXT: %second = expr.literal 1000000 : !expr.duration<"us">
%unknown = expr.null : !expr.nullable<!expr.date>
// CHECK-NEXT: %unknown = expr.null : !expr.nullable<!expr.date>

// Arithmetic; `proven` where it cannot fail at run time.
%add = expr.add %i, %seven : i64, i64 -> i64
// CHECK-NEXT: %add = expr.add %i, %seven : i64, i64 -> i64
%sure = expr.add %i, %seven proven : i64, i64 -> i64
// CHECK-NEXT: %sure = expr.add %i, %seven proven : i64, i64 -> i64
%sub = expr.sub %d, %day : !expr.date, !expr.date -> !expr.duration<"us">
// CHECK-NEXT: %sub = expr.sub %d, %day : !expr.date, !expr.date -> !expr.duration<"us">
%later = expr.add %ts, %dur : !expr.timestamp<"us", "">, !expr.duration<"us"> -> !expr.timestamp<"us", "">
// CHECK-NEXT: %later = expr.add %ts, %dur : !expr.timestamp<"us", "">, !expr.duration<"us"> -> !expr.timestamp<"us", "">
%mul = expr.mul %m, %cents : !expr.decimal<15, 2>, !expr.decimal<15, 2> -> !expr.decimal<30, 4>
// CHECK-NEXT: %mul = expr.mul %m, %cents : !expr.decimal<15, 2>, !expr.decimal<15, 2> -> !expr.decimal<30, 4>
%narrow = expr.mul %m, %cents proven : !expr.decimal<15, 2>, !expr.decimal<15, 2> -> !expr.decimal<18, 4>
// CHECK-NEXT: %narrow = expr.mul %m, %cents proven : !expr.decimal<15, 2>, !expr.decimal<15, 2> -> !expr.decimal<18, 4>
%div = expr.div %i, %seven : i64, i64 -> f64
// CHECK-NEXT: %div = expr.div %i, %seven : i64, i64 -> f64
%floordiv = expr.floordiv %i, %seven : i64, i64 -> i64
// CHECK-NEXT: %floordiv = expr.floordiv %i, %seven : i64, i64 -> i64
%mod = expr.mod %i, %seven : i64, i64 -> i64
// CHECK-NEXT: %mod = expr.mod %i, %seven : i64, i64 -> i64
%pow = expr.pow %x, %half : f64, f64 -> f64
// CHECK-NEXT: %pow = expr.pow %x, %half : f64, f64 -> f64
%neg = expr.neg %x : f64 -> f64
// CHECK-NEXT: %neg = expr.neg %x : f64 -> f64
%abs = expr.abs %i proven : i64 -> i64
// CHECK-NEXT: %abs = expr.abs %i proven : i64 -> i64

// Comparison and logic.
%eq = expr.cmp "eq" %i, %seven : i64, i64 -> i1
// CHECK-NEXT: %eq = expr.cmp "eq" %i, %seven : i64, i64 -> i1
%lt = expr.cmp "lt" %n, %day : !expr.nullable<!expr.date>, !expr.date -> !expr.nullable<i1>
// CHECK-NEXT: %lt = expr.cmp "lt" %n, %day : !expr.nullable<!expr.date>, !expr.date -> !expr.nullable<i1>
%and = expr.and %eq, %lt : i1, !expr.nullable<i1> -> !expr.nullable<i1>
// CHECK-NEXT: %and = expr.and %eq, %lt : i1, !expr.nullable<i1> -> !expr.nullable<i1>
%or = expr.or %eq, %b : i1, i1 -> i1
// CHECK-NEXT: %or = expr.or %eq, %b : i1, i1 -> i1
%not = expr.not %lt : !expr.nullable<i1> -> !expr.nullable<i1>
// CHECK-NEXT: %not = expr.not %lt : !expr.nullable<i1> -> !expr.nullable<i1>
%is_null = expr.is_null %n : !expr.nullable<!expr.date>
// CHECK-NEXT: %is_null = expr.is_null %n : !expr.nullable<!expr.date>
%is_in = expr.is_in %s ["AIR", "SHIP"] : !expr.string -> i1
// CHECK-NEXT: %is_in = expr.is_in %s ["AIR", "SHIP"] : !expr.string -> i1

// Choice and conversion.
%case = expr.case %eq, %x, %lt, %half, %top : i1, f64, !expr.nullable<i1>, f64, !expr.nullable<f64> -> !expr.nullable<f64>
// CHECK-NEXT: %case = expr.case %eq, %x, %lt, %half, %top : i1, f64, !expr.nullable<i1>, f64, !expr.nullable<f64> -> !expr.nullable<f64>
%coalesce = expr.coalesce %n, %d : !expr.nullable<!expr.date>, !expr.date -> !expr.date
// CHECK-NEXT: %coalesce = expr.coalesce %n, %d : !expr.nullable<!expr.date>, !expr.date -> !expr.date
%cast = expr.cast %i : i64 -> i32
// CHECK-NEXT: %cast = expr.cast %i : i64 -> i32
%lenient = expr.cast %s lenient : !expr.string -> !expr.nullable<i64>
// CHECK-NEXT: %lenient = expr.cast %s lenient : !expr.string -> !expr.nullable<i64>

// Functions.
%len = expr.call "str_len" (%s) : !expr.string -> i64
// CHECK-NEXT: %len = expr.call "str_len"(%s) : !expr.string -> i64
%like = expr.call "like" (%s) options {pattern = "%green%"} {note = "kept"} : !expr.string -> i1
// CHECK-NEXT: %like = expr.call "like"(%s) options {pattern = "%green%"} {note = "kept"} : !expr.string -> i1
%part = expr.call "exact_part" (%x, %half, %i) options {index = 0 : i64} : f64, f64, i64 -> f64
// CHECK-NEXT: %part = expr.call "exact_part"(%x, %half, %i) options {index = 0 : i64} : f64, f64, i64 -> f64
