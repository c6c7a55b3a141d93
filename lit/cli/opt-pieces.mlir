// RUN: dlc opt --split-input-file --print-debuginfo %s | filecheck %s
// RUN: not dlc opt --split-input-file --verify-diagnostics %s 2>&1 >/dev/null | filecheck %s --check-prefix=EXPECTED

// Lines count from the start of the file, whichever piece they are in.

dist.gang @main ranks 4 on "node"
// CHECK: dist.gang @main ranks 4 on "node" loc("{{.*}}opt-pieces.mlir":6:1)

// -----
// CHECK: // -----

dist.gang @other ranks 2 on "rack" loc("prog.py":3:7)
// CHECK: dist.gang @other ranks 2 on "rack" loc("prog.py":3:7)

// -----

// EXPECTED: opt-pieces.mlir:18: expected error "no such thing" was not produced
// expected-error@+1 {{no such thing}}
dist.gang @third ranks 2 on "rack"
