// RUN: dlc opt %s | filecheck %s
// RUN: dlc opt %s | dlc opt - | filecheck %s
// RUN: dlc opt --print-op-generic %s | filecheck %s --check-prefix GENERIC
// RUN: dlc opt --print-op-generic %s | dlc opt - | filecheck %s

// CHECK: hw.machine @m attributes {meta = {source = "a data sheet"}} {
// GENERIC: "hw.machine"() <{sym_name = "m", meta = {source = "a data sheet"}}> ({
hw.machine @m attributes {meta = {source = "a data sheet"}} {
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
    // CHECK-NEXT: hw.nic @h : @Wire
    hw.nic @h : @Wire
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
  // CHECK-NEXT: hw.node @fat[32] : @Fat attributes {power = #hw.quantity<1000.0 : f64, "W", "assumed">}
  hw.node @fat[32] : @Fat attributes {power = #hw.quantity<1000.0 : f64, "W", "assumed">}
  // CHECK-NEXT: hw.network @net : @Wire attributes {topology = "star", attach = ["thin[*].h", "fat[*].h"]}
  hw.network @net : @Wire attributes {topology = "star", attach = ["thin[*].h", "fat[*].h"]}
  // CHECK-NEXT: hw.store @files attributes {kind = "file", read = #hw.quantity<1.4e+10 : f64, "B/s", "spec">, attach = ["net"]}
  hw.store @files attributes {kind = "file", read = #hw.quantity<1.4e+10 : f64, "B/s", "spec">, attach = ["net"]}
  // CHECK-NEXT: hw.island @half attributes {members = ["thin[0..49999]"]}
  hw.island @half attributes {members = ["thin[0..49999]"]}
  // CHECK-NEXT: hw.grid @mesh attributes {over = "fat[*].s[*].g[*]", shape = [32 : i64, 8 : i64], axes = ["node", "gpu"]}
  hw.grid @mesh attributes {over = "fat[*].s[*].g[*]", shape = [32 : i64, 8 : i64], axes = ["node", "gpu"]}
// CHECK-NEXT: }
}
