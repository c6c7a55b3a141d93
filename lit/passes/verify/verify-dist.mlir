// RUN: dlc opt -p verify-dist --verify-diagnostics --split-input-file %s

// A layout that the fragment does not leave.
flow.program @claim stage "dist" {
  // expected-error@+1 {{it claims to leave #dist.replicated, but its operators leave #dist.rows}}
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>)
  flow.return ["a"] %a : !dist.part<!table.frame<["v" : i64]>, #dist.replicated>
}

// -----

// Results lie in one place.
flow.program @result stage "dist" {
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.rows>)
  // expected-error@+1 {{it needs all rows in one place, got #dist.rows}}
  flow.return ["a"] %a : !dist.part<!table.frame<["v" : i64]>, #dist.rows>
}

// -----

// Rows that no hash brought together do not join.
flow.program @join stage "dist" {
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.rows>)
  %b = dist.local() {
    %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.rows>)
  %j = dist.local(%a, %b) {
  ^bb0(%x: !table.frame<["v" : i64]>, %y: !table.frame<["v" : i64]>):
    // expected-error@+1 {{rows with equal keys do not meet: #dist.rows against #dist.rows}}
    %j = table.join "semi" %x, %y on ["v"] = ["v"] : !table.frame<["v" : i64]>, !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %j : !table.frame<["v" : i64]>
  } : (!dist.part<!table.frame<["v" : i64]>, #dist.rows>, !dist.part<!table.frame<["v" : i64]>, #dist.rows>) -> (!dist.part<!table.frame<["v" : i64]>, #dist.any>)
  %g = dist.gather %j : !dist.part<!table.frame<["v" : i64]>, #dist.any> -> !dist.part<!table.frame<["v" : i64]>, #dist.single>
  flow.return ["g"] %g : !dist.part<!table.frame<["v" : i64]>, #dist.single>
}

// -----

// A partial result is combined by whoever takes it.
flow.program @partial stage "dist" {
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
    %u = table.unique %s : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    dist.yield %u : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.partial<"merge">>)
  %b = dist.shuffle %a by ["v"] : !dist.part<!table.frame<["v" : i64]>, #dist.partial<"merge">> -> !dist.part<!table.frame<["v" : i64]>, #dist.hash<["v"]>>
  // expected-error@+1 {{it must combine the partial results it is given}}
  %c = dist.gather %b : !dist.part<!table.frame<["v" : i64]>, #dist.hash<["v"]>> -> !dist.part<!table.frame<["v" : i64]>, #dist.single>
  flow.return ["c"] %c : !dist.part<!table.frame<["v" : i64]>, #dist.single>
}

// -----

// What every rank holds is not sent again.
flow.program @twice stage "dist" {
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] {replicated} : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.replicated>)
  // expected-error@+1 {{every rank holds all rows already: they would be duplicated}}
  %b = dist.shuffle %a by ["v"] : !dist.part<!table.frame<["v" : i64]>, #dist.replicated> -> !dist.part<!table.frame<["v" : i64]>, #dist.hash<["v"]>>
  flow.return []
}

// -----

// Nothing runs outside of fragments.
flow.program @outside stage "dist" {
  // expected-error@+1 {{table.scan breaks the dist stage: only fragments, collectives and the program's ends stand here}}
  %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
  flow.return []
}
