// RUN: dlc opt -p verify-opt --verify-diagnostics --split-input-file %s

flow.program @fine {
  %a = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
  flow.return ["a"] %a : !table.frame<["v" : i64]>
}

// -----

flow.program @collective {
  // expected-error@+1 {{dist.local breaks the opt stage: only table operators, training, calls and loops stand here}}
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.single>)
  flow.return ["a"] %a : !dist.part<!table.frame<["v" : i64]>, #dist.single>
}

// -----

// expected-error@+1 {{flow.program: the frames returned are not those that the program declares}}
flow.program @boundary returns [!table.frame<["w" : i64]>] {
  %a = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
  flow.return ["a"] %a : !table.frame<["v" : i64]>
}
