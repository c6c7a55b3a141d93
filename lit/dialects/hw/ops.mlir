// RUN: dlc opt %s | filecheck %s
// RUN: dlc opt %s | dlc opt - | filecheck %s
// RUN: dlc opt --print-op-generic %s | filecheck %s --check-prefix GENERIC
// RUN: dlc opt --print-op-generic %s | dlc opt - | filecheck %s

// CHECK: hw.machine @m attributes {meta = {source = "a data sheet"}, total = {nodes = #hw.quantity<100032.0 : f64, "1", "spec">}} {
// GENERIC: "hw.machine"() <{sym_name = "m", meta = {source = "a data sheet"}, total = {nodes = #hw.quantity<100032.0 : f64, "1", "spec">}}> ({
hw.machine @m attributes {meta = {source = "a data sheet"}, total = {nodes = #hw.quantity<100032.0 : f64, "1", "spec">}} {
  // CHECK-NEXT: hw.type memory @HBM attributes {capacity = #hw.quantity<1.6e+10 : f64, "B", "spec">, bandwidth = #hw.quantity<9.0e+11 : f64, "B/s", "measured">}{{$}}
  hw.type memory @HBM attributes {capacity = #hw.quantity<1.6e+10 : f64, "B", "spec">, bandwidth = #hw.quantity<9.0e+11 : f64, "B/s", "measured">}
  // A provenance may name its source and its relative spread.
  // CHECK-NEXT: hw.type interconnect @Wire attributes {bandwidth = #hw.quantity<1.25e+10 : f64, "B/s", #hw.provenance<"measured", "ping-pong", 3.000000e-02 : f64>>}
  hw.type interconnect @Wire attributes {bandwidth = #hw.quantity<1.25e+10 : f64, "B/s", #hw.provenance<"measured", "ping-pong", 3.0e-02 : f64>>}
  // CHECK-NEXT: hw.type node @Thin {
  hw.type node @Thin {
    // CHECK-NEXT: hw.group socket @s[2] {
    // GENERIC: "hw.group"() <{kind = "socket", sym_name = "s", count = 2 : i64}> ({
    hw.group socket @s[2] {
      // CHECK-NEXT: hw.processor cpu @c attributes {cores = #hw.quantity<24.0 : f64, "1", "spec">, isa = ["avx2"], compute = {f64 = #hw.quantity<1.0e+12 : f64, "FLOP/s", "assumed">}} {
      hw.processor cpu @c attributes {cores = #hw.quantity<24.0 : f64, "1", "spec">, isa = ["avx2"], compute = {f64 = #hw.quantity<1.0e+12 : f64, "FLOP/s", "assumed">}} {
        // CHECK-NEXT: hw.cache @l2 attributes {capacity = #hw.quantity<1.048576e+6 : f64, "B", "spec">, per = "core"}
        hw.cache @l2 attributes {capacity = #hw.quantity<1.048576e+6 : f64, "B", "spec">, per = "core"}
      // CHECK-NEXT: }
      }
      // CHECK-NEXT: hw.memory @ram attributes {capacity = #hw.quantity<2.0e+11 : f64, "B", "spec">, bandwidth = #hw.quantity<1.0e+11 : f64, "B/s", "assumed">}
      hw.memory @ram attributes {capacity = #hw.quantity<2.0e+11 : f64, "B", "spec">, bandwidth = #hw.quantity<1.0e+11 : f64, "B/s", "assumed">}
      // CHECK-NEXT: hw.processor gpu @g[4] {
      hw.processor gpu @g[4] {
        // CHECK-NEXT: hw.memory @hbm : @HBM{{$}}
        hw.memory @hbm : @HBM
      // CHECK-NEXT: }
      }
      // CHECK-NEXT: hw.link "c" <-> "g[*]" : @Wire
      // GENERIC: "hw.link"() <{ends = ["c", "g[*]"], type = @Wire}> : () -> ()
      hw.link "c" <-> "g[*]" : @Wire
      // CHECK-NEXT: hw.link "g[0]" -> "g[1]" : @Wire attributes {latency = #hw.quantity<2.0e-6 : f64, "s", "assumed">}
      hw.link "g[0]" -> "g[1]" : @Wire attributes {latency = #hw.quantity<2.0e-6 : f64, "s", "assumed">}
    // CHECK-NEXT: }
    }
    // CHECK-NEXT: hw.nic @h[4] : @Wire attributes {affinity = ["s[*].g[*]"]}
    hw.nic @h[4] : @Wire attributes {affinity = ["s[*].g[*]"]}
    // CHECK-NEXT: hw.cache @l3 attributes {capacity = #hw.quantity<1.0e+6 : f64, "B", "spec">, shared_by = #hw.quantity<8.0 : f64, "1", "spec">}
    hw.cache @l3 attributes {capacity = #hw.quantity<1.0e+6 : f64, "B", "spec">, shared_by = #hw.quantity<8.0 : f64, "1", "spec">}
    // CHECK-NEXT: hw.switch @w attributes {ports = #hw.quantity<4.0 : f64, "1", "spec">}
    hw.switch @w attributes {ports = #hw.quantity<4.0 : f64, "1", "spec">}
    // CHECK-NEXT: hw.disk @d attributes {capacity = #hw.quantity<1.0e+12 : f64, "B", "spec">, write = #hw.quantity<1.0e+9 : f64, "B/s", "assumed">}
    hw.disk @d attributes {capacity = #hw.quantity<1.0e+12 : f64, "B", "spec">, write = #hw.quantity<1.0e+9 : f64, "B/s", "assumed">}
    // CHECK-NEXT: hw.link @shm attributes {bandwidth = #hw.quantity<1.0e+10 : f64, "B/s", "assumed">, scope = "core"}
    hw.link @shm attributes {bandwidth = #hw.quantity<1.0e+10 : f64, "B/s", "assumed">, scope = "core"}
  // CHECK-NEXT: }
  }
  // CHECK-NEXT: hw.type node @Fat extends @Thin {
  hw.type node @Fat extends @Thin {
    hw.group socket @s {
      hw.memory @ram attributes {capacity = #hw.quantity<4.0e+11 : f64, "B", "spec">}
    }
  }
  // CHECK: hw.node @thin[100000] : @Thin{{$}}
  hw.node @thin[100000] : @Thin
  // CHECK-NEXT: hw.node @fat[32] : @Fat attributes {price = #hw.quantity<2.5 : f64, "USD/h", "spec">, power = #hw.quantity<1000.0 : f64, "W", "assumed">, idle = #hw.quantity<200.0 : f64, "W", "assumed">}
  hw.node @fat[32] : @Fat attributes {price = #hw.quantity<2.5 : f64, "USD/h", "spec">, power = #hw.quantity<1000.0 : f64, "W", "assumed">, idle = #hw.quantity<200.0 : f64, "W", "assumed">}
  // CHECK-NEXT: hw.network @net : @Wire attributes {topology = "star", attach = ["thin[*].h[*]", "fat[*].h[*]"]}
  hw.network @net : @Wire attributes {topology = "star", attach = ["thin[*].h[*]", "fat[*].h[*]"]}
  // Arguments of a topology are figures, lists of figures and flags.
  // CHECK-NEXT: hw.network @torus : @Wire attributes {topology = "torus", arguments = {dims = [#hw.quantity<4.0 : f64, "1", "spec">, #hw.quantity<32.0 : f64, "1", "assumed">], wrap = false}, attach = ["fat[*].h[*]"], bisection = #hw.quantity<1.0e+10 : f64, "B/s", "spec">}
  hw.network @torus : @Wire attributes {topology = "torus", arguments = {dims = [#hw.quantity<4.0 : f64, "1", "spec">, #hw.quantity<32.0 : f64, "1", "assumed">], wrap = false}, attach = ["fat[*].h[*]"], bisection = #hw.quantity<1.0e+10 : f64, "B/s", "spec">}
  // CHECK-NEXT: hw.store @files attributes {kind = "file", read = #hw.quantity<1.4e+10 : f64, "B/s", "spec">, attach = ["net"]}
  hw.store @files attributes {kind = "file", read = #hw.quantity<1.4e+10 : f64, "B/s", "spec">, attach = ["net"]}
  // CHECK-NEXT: hw.store @objects attributes {client = #hw.quantity<8.0e+9 : f64, "B/s", "measured">, read_operations = #hw.quantity<5500.0 : f64, "IO/s", "spec">, kind = "object", operations_per = "prefix"}
  hw.store @objects attributes {client = #hw.quantity<8.0e+9 : f64, "B/s", "measured">, read_operations = #hw.quantity<5500.0 : f64, "IO/s", "spec">, kind = "object", operations_per = "prefix"}
  // CHECK-NEXT: hw.island @half attributes {members = ["thin[0..49999]"]}
  hw.island @half attributes {members = ["thin[0..49999]"]}
  // CHECK-NEXT: hw.grid @mesh attributes {over = "fat[*].s[*].g[*]", shape = [32 : i64, 8 : i64], axes = ["node", "gpu"]}
  hw.grid @mesh attributes {over = "fat[*].s[*].g[*]", shape = [32 : i64, 8 : i64], axes = ["node", "gpu"]}
// CHECK-NEXT: }
}
