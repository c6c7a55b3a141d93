// RUN: dlc opt --verify-diagnostics --split-input-file %s

// expected-error@+1 {{plan.program: a program needs at least one rank}}
plan.program @p world 0 {
  plan.end
}

// -----

// expected-error@+1 {{plan.program: a program must end in plan.end}}
plan.program @p world 1 {
  flow.return []
}

// -----

// expected-error@+1 {{plan.program: a program holds gangs, not table.scan}}
plan.program @p world 1 {
  %a = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  plan.end
}

// -----

// expected-error@+1 {{plan.gang: ranks must be a dense array of i64}}
plan.gang @g [0] {
  plan.end
}

// -----

// expected-error@+1 {{plan.gang: a gang needs ranks, each of them once}}
plan.gang @g array<i64: 0, 0> {
  plan.end
}

// -----

// expected-error@+1 {{plan.gang: a gang needs ranks, each of them once}}
plan.gang @g array<i64> {
  plan.end
}

// -----

// expected-error@+1 {{plan.read holds one table.scan and yields it}}
%a = plan.read {
  plan.end
} : !table.frame<["k" : i64]>

// -----

// expected-error@+1 {{plan.read yields the frame that it reads}}
%a = plan.read {
  %s = table.scan "parquet" ["a"] : !table.frame<["k" : i64]>
  dist.yield %s : !table.frame<["k" : i64]>
} : !table.frame<["k" : i32]>

// -----

// expected-error@+1 {{plan.run: a fragment must end in dist.yield}}
plan.run() {
  plan.end
} : () -> ()

// -----

%a = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
// expected-error@+1 {{plan.gather: a collective leaves the schema as it is}}
%b = plan.gather %a : !table.frame<["k" : i64]> -> !table.frame<["k" : i32]>

// -----

%a = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
// expected-error@+1 {{plan.all_reduce: the fragment's arguments must have the types of its operands}}
%b = plan.all_reduce %a {
  dist.yield
} : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
