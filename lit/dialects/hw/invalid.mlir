// RUN: dlc opt --verify-diagnostics --split-input-file %s

// Quantities.

hw.machine @m {
  // expected-error@+1 {{unit must be one of 1, B, s, B/s, FLOP/s, Hz, W, IO/s, USD/h, EUR/h, GBP/h, CHF/h, JPY/h, not 'GB'}}
  hw.type memory @M attributes {capacity = #hw.quantity<16.0 : f64, "GB", "spec">}
}

// -----

hw.machine @m {
  // expected-error@+1 {{provenance must be one of spec, measured, assumed, not 'guess'}}
  hw.type memory @M attributes {capacity = #hw.quantity<16.0 : f64, "B", "guess">}
}

// -----

hw.machine @m {
  // expected-error@+1 {{a quantity is finite and at least 0, not -1.0}}
  hw.type memory @M attributes {capacity = #hw.quantity<-1.0 : f64, "B", "spec">}
}

// -----

hw.machine @m {
  // expected-error@+1 {{expected a quantity in "B"}}
  hw.memory @r attributes {capacity = #hw.quantity<16.0 : f64, "B/s", "spec">}
}

// -----

hw.machine @m {
  // expected-error@+1 {{compute of f64: expected a quantity in "FLOP/s"}}
  hw.processor cpu @c attributes {compute = {f64 = #hw.quantity<16.0 : f64, "Hz", "spec">}}
}

// -----

// Kinds and copies.

hw.machine @m {
  // expected-error@+1 {{kind must be one of cpu, gpu, accel, not 'fpga'}}
  hw.processor fpga @f
}

// -----

hw.machine @m {
  // expected-error@+1 {{a part has at least 1 copy, not 0}}
  hw.node @n[0]
}

// -----

// expected-error@+1 {{Redefinition of symbol "n"}}
hw.machine @m {
  hw.node @n
  hw.node @n
}

// -----

// expected-error@+1 {{a machine holds parts and types, not hw.machine}}
hw.machine @m {
  hw.machine @inner {
  }
}

// -----

// expected-error@+1 {{meta holds strings, and 'x' is none}}
hw.machine @m attributes {meta = {x = 3 : i64}} {
}

// -----

// expected-error@+1 {{total 'nodes': expected a quantity}}
hw.machine @m attributes {total = {nodes = 3 : i64}} {
}

// -----

hw.machine @m {
  // expected-error@+1 {{price: expected one of USD/h, EUR/h, GBP/h, CHF/h, JPY/h, not 'W'}}
  hw.node @n attributes {price = #hw.quantity<3.0 : f64, "W", "spec">}
}

// -----

hw.machine @m {
  hw.node @n {
    // expected-error@+1 {{path "s[*]" leads nowhere: no part @s in @n}}
    hw.nic @h attributes {affinity = ["s[*]"]}
  }
}

// -----

// Types.

hw.machine @m {
  // expected-error@+1 {{unknown type @Thin}}
  hw.node @n : @Thin
}

// -----

hw.machine @m {
  hw.type gpu @G
  // expected-error@+1 {{@G is a type of gpu, not of node}}
  hw.node @n : @G
}

// -----

hw.machine @m {
  // expected-error@+1 {{unknown kind 'nod'}}
  hw.type nod @N
}

// -----

hw.machine @m {
  // expected-error@+1 {{a memory has no property 'speed'}}
  hw.type memory @M attributes {speed = #hw.quantity<16.0 : f64, "B/s", "spec">}
}

// -----

hw.machine @m {
  // expected-error@+1 {{property 'capacity': expected a quantity in "B"}}
  hw.type memory @M attributes {capacity = #hw.quantity<16.0 : f64, "s", "spec">}
}

// -----

hw.machine @m {
  hw.type memory @M
  // expected-error@+1 {{a type of gpu cannot extend one of memory}}
  hw.type gpu @G extends @M
}

// -----

hw.machine @m {
  // expected-error@+1 {{unknown type @M}}
  hw.type memory @N extends @M
}

// -----

// Paths.

hw.machine @m {
  hw.node @n {
    hw.processor cpu @c
    // expected-error@+1 {{path "g[*]" leads nowhere: no part @g in @n}}
    hw.link "c" <-> "g[*]"
  }
}

// -----

hw.machine @m {
  hw.type node @N {
    hw.nic @h
  }
  hw.node @n[4] : @N
  // expected-error@+1 {{path "n[*].hca" leads nowhere: no part @hca in @n}}
  hw.network @net attributes {topology = "star", attach = ["n[*].hca"]}
}

// -----

hw.machine @m {
  // expected-error@+1 {{argument 'ports': expected a quantity}}
  hw.network @net attributes {topology = "star", arguments = {ports = 36 : i64}}
}

// -----

hw.machine @m {
  // expected-error@+1 {{argument 'dims': expected a quantity}}
  hw.network @net attributes {topology = "torus", arguments = {dims = [4 : i64, 4 : i64]}}
}

// -----

hw.machine @m {
  // expected-error@+1 {{path "n[*]" leads nowhere: no part @n in @m}}
  hw.island @i attributes {members = ["n[*]"]}
}

// -----

hw.machine @m {
  // expected-error@+1 {{a link has two ends, not 1}}
  "hw.link"() <{ends = ["c"]}> : () -> ()
}

// -----

hw.machine @m {
  // expected-error@+1 {{a link has either two ends or a name}}
  "hw.link"() : () -> ()
}
