// RUN: dlc opt -p verify-plan --verify-diagnostics --split-input-file %s

// A send meets its receive.
plan.program @fine world 2 {
  plan.gang @zero array<i64: 0> {
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    plan.send %a to 1 tag 7 : !table.frame<["v" : i64]>
    plan.free %a : !table.frame<["v" : i64]>
    plan.end
  }
  plan.gang @one array<i64: 1> {
    %a = plan.recv from 0 tag 7 : !table.frame<["v" : i64]>
    plan.free %a : !table.frame<["v" : i64]>
    plan.end
  }
  plan.end
}

// -----

// Another tag, another message.
plan.program @tag world 2 {
  plan.gang @zero array<i64: 0> {
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    // expected-error@+1 {{the plan would hang: rank 0 waits in plan.send for rank 1, tag 7}}
    plan.send %a to 1 tag 7 : !table.frame<["v" : i64]>
    plan.free %a : !table.frame<["v" : i64]>
    plan.end
  }
  plan.gang @one array<i64: 1> {
    // expected-note@+1 {{rank 1 waits in plan.recv for rank 0, tag 8}}
    %a = plan.recv from 0 tag 8 : !table.frame<["v" : i64]>
    plan.free %a : !table.frame<["v" : i64]>
    plan.end
  }
  plan.end
}

// -----

// Two ranks that both send first would need a buffer.
plan.program @circle world 2 {
  plan.gang @zero array<i64: 0> {
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    // expected-error@+1 {{the plan would hang: rank 0 waits in plan.send for rank 1, tag 0}}
    plan.send %a to 1 tag 0 : !table.frame<["v" : i64]>
    %b = plan.recv from 1 tag 0 : !table.frame<["v" : i64]>
    plan.free %a, %b : !table.frame<["v" : i64]>, !table.frame<["v" : i64]>
    plan.end
  }
  plan.gang @one array<i64: 1> {
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    // expected-note@+1 {{rank 1 waits in plan.send for rank 0, tag 0}}
    plan.send %a to 0 tag 0 : !table.frame<["v" : i64]>
    %b = plan.recv from 0 tag 0 : !table.frame<["v" : i64]>
    plan.free %a, %b : !table.frame<["v" : i64]>, !table.frame<["v" : i64]>
    plan.end
  }
  plan.end
}

// -----

// A member that waits elsewhere keeps its gang from meeting.
plan.program @order world 2 {
  plan.gang @zero array<i64: 0> {
    // expected-error@+1 {{the plan would hang: rank 0 waits in plan.recv for rank 1, tag 0}}
    %a = plan.recv from 1 tag 0 : !table.frame<["v" : i64]>
    plan.free %a : !table.frame<["v" : i64]>
    plan.end
  }
  plan.gang @both array<i64: 0, 1> {
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    // expected-note@+1 {{rank 1 waits in plan.all_gather for the other members of its gang}}
    %b = plan.all_gather %a : !table.frame<["v" : i64]> -> !table.frame<["v" : i64]>
    plan.free %a, %b : !table.frame<["v" : i64]>, !table.frame<["v" : i64]>
    plan.end
  }
  plan.end
}

// -----

plan.program @leak world 1 {
  plan.gang @zero array<i64: 0> {
    // expected-error@+1 {{what it leaves is never freed}}
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    plan.end
  }
  plan.end
}

// -----

plan.program @freed world 1 {
  plan.gang @zero array<i64: 0> {
    %a = plan.read {
      %s = table.scan "parquet" ["l"] : !table.frame<["v" : i64]>
      dist.yield %s : !table.frame<["v" : i64]>
    } : !table.frame<["v" : i64]>
    plan.free %a : !table.frame<["v" : i64]>
    // expected-error@+1 {{it reads a frame that has been freed}}
    plan.result "a" %a : !table.frame<["v" : i64]>
    plan.end
  }
  plan.end
}

// -----

plan.program @outside world 1 {
  // expected-error@+1 {{rank 3 is outside of the world of 1}}
  plan.gang @zero array<i64: 3> {
    plan.end
  }
  plan.end
}
