// RUN: dlc opt -p verify-placed --verify-diagnostics --split-input-file %s

// expected-error@+1 {{flow.program breaks the placed stage: it needs one gang, got 0}}
flow.program @no_gang stage "placed" {
  flow.return []
}

// -----

flow.program @no_ranks stage "placed" {
  // expected-error@+1 {{a gang needs at least one rank}}
  dist.gang @main ranks 0 on "any"
  flow.return []
}
