// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Data types.

// expected-error@+1 {{DLC302: decimal precision must be 1 to 38, got 39}}
%a = expr.null : !expr.nullable<!expr.decimal<39, 2>>

// -----

// expected-error@+1 {{decimal scale must be 0 to its precision 4, got 5}}
%a = expr.null : !expr.nullable<!expr.decimal<4, 5>>

// -----

// expected-error@+1 {{timestamp unit must be one of ms, us, ns, got 's'}}
%a = expr.null : !expr.nullable<!expr.timestamp<"s", "">>

// -----

// expected-error@+1 {{duration unit must be one of ms, us, ns, got 'd'}}
%a = expr.null : !expr.nullable<!expr.duration<"d">>

// -----

// expected-error@+1 {{nullable of nullable}}
%a = expr.null : !expr.nullable<!expr.nullable<i64>>

// -----

// expected-error@+1 {{index cannot be a column type}}
%a = expr.null : !expr.nullable<index>

// -----

// Constants.

// expected-error@+1 {{expr.literal: literal 1 : i64 does not fit type string}}
%a = expr.literal 1 : !expr.string

// -----

// expected-error@+1 {{literal "1" does not fit type i64}}
%a = expr.literal "1" : i64

// -----

// expected-error@+1 {{does not fit type i64?}}
%a = expr.literal 1 : !expr.nullable<i64>

// -----

// expected-error@+1 {{i64 should be of base attribute expr.nullable}}
%a = expr.null : i64

// -----

// Arithmetic.

%a = expr.literal "x" : !expr.string
// expected-error@+1 {{expr.add: add operands are not defined for these operand types}}
%b = expr.add %a, %a : !expr.string, !expr.string -> !expr.string

// -----

%a = expr.literal 1 : i64
// expected-error@+1 {{expr.add: result must be i64, got i32}}
%b = expr.add %a, %a : i64, i64 -> i32

// -----

%a = expr.literal 1 : i64
%b = expr.null : !expr.nullable<i64>
// expected-error@+1 {{expr.mul: result must be i64?, got i64}}
%c = expr.mul %a, %b : i64, !expr.nullable<i64> -> i64

// -----

%a = expr.literal "100" : !expr.decimal<5, 2>
// expected-error@+1 {{expr.add: result must be decimal(6,2) or narrower, got decimal(7,2)}}
%b = expr.add %a, %a : !expr.decimal<5, 2>, !expr.decimal<5, 2> -> !expr.decimal<7, 2>

// -----

%a = expr.literal true : i1
// expected-error@+1 {{neg needs a number, got bool}}
%b = expr.neg %a : i1 -> i1

// -----

%a = expr.literal 1 : i64
// expected-error@+1 {{expr.abs: result must be i64, got f64}}
%b = expr.abs %a : i64 -> f64

// -----

// Comparison and logic.

%a = expr.literal 1 : i64
// expected-error@+1 {{predicate must be one of eq, ne, lt, le, gt, ge, got "is"}}
%b = expr.cmp "is" %a, %a : i64, i64 -> i1

// -----

%a = expr.literal 1 : i64
%b = expr.literal "x" : !expr.string
// expected-error@+1 {{cannot compare i64 with string: cast one of them}}
%c = expr.cmp "eq" %a, %b : i64, !expr.string -> i1

// -----

%a = expr.null : !expr.nullable<i64>
// expected-error@+1 {{expr.cmp: result must be bool?, got bool}}
%b = expr.cmp "eq" %a, %a : !expr.nullable<i64>, !expr.nullable<i64> -> i1

// -----

%a = expr.literal 1 : i64
// expected-error@+1 {{expr.and: needs booleans, got i64}}
%b = expr.and %a, %a : i64, i64 -> i1

// -----

%a = expr.literal true : i1
// expected-error@+1 {{expr.or: result must be bool, got bool?}}
%b = expr.or %a, %a : i1, i1 -> !expr.nullable<i1>

// -----

%a = expr.literal 1 : i64
// expected-error@+1 {{expr.not: needs a boolean, got i64}}
%b = expr.not %a : i64 -> i64

// -----

%a = expr.literal 1 : i64
// expected-error@+1 {{expr.is_in: result must be bool, got bool?}}
%b = expr.is_in %a [1 : i64] : i64 -> !expr.nullable<i1>

// -----

// Choice and conversion.

%a = expr.literal true : i1
// expected-error@+1 {{needs pairs of condition and value, then one value}}
%b = expr.case %a, %a : i1, i1 -> i1

// -----

%a = expr.literal 1 : i64
// expected-error@+1 {{conditions must be booleans}}
%b = expr.case %a, %a, %a : i64, i64, i64 -> i64

// -----

%a = expr.literal true : i1
%b = expr.literal 1 : i64
// expected-error@+1 {{values and result must have one type}}
%c = expr.case %a, %b, %a : i1, i64, i1 -> i64

// -----

%a = expr.literal 1 : i64
%b = expr.literal 1.0 : f64
// expected-error@+1 {{operands and result must have one type}}
%c = expr.coalesce %a, %b : i64, f64 -> i64

// -----

%a = expr.null : !expr.nullable<i64>
// expected-error@+1 {{a cast does not remove nulls: coalesce first}}
%b = expr.cast %a : !expr.nullable<i64> -> f64

// -----

// Functions.

%a = expr.literal 1 : i64
// expected-error@+1 {{unknown function 'sha256'}}
%b = expr.call "sha256"(%a) : i64 -> i64

// -----

%a = expr.literal "x" : !expr.string
// expected-error@+1 {{str_len has no option 'unit'}}
%b = expr.call "str_len"(%a) options {unit = "bytes"} : !expr.string -> i64

// -----

%a = expr.literal 1 : i64
// expected-error@+1 {{str_len arguments are not defined for these operand types}}
%b = expr.call "str_len"(%a) : i64 -> i64

// -----

%a = expr.literal "x" : !expr.string
// expected-error@+1 {{expr.call: result must be i64, got i32}}
%b = expr.call "str_len"(%a) : !expr.string -> i32
