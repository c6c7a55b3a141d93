// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

// Parameters: the text knows their values by hash.
%w, %b = nn.parameters <"f00d"> ["w", "b"] : tensor<2xf32>, tensor<f32>
// CHECK:      %w, %b = nn.parameters <"f00d"> ["w", "b"] : tensor<2xf32>, tensor<f32>

// Batches, in the order of an epoch or in one of their own.
%first = arith.constant 0 : index
// CHECK-NEXT: %first = arith.constant 0 : index
%f = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]>
// CHECK-NEXT: %f = table.scan "parquet" ["a.parquet"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]>
%x, %y = table.to_tensor %f [["x", "y"], "y"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]> -> tensor<?x2xf32>, tensor<?xf64>
// CHECK-NEXT: %x, %y = table.to_tensor %f [["x", "y"], "y"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]> -> tensor<?x2xf32>, tensor<?xf64>
%shuffled = nn.batches %f, %x, %y epoch %first size 8 micro_batches 4 seed 42 by ["k"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]>, tensor<?x2xf32>, tensor<?xf64> -> !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]>
// CHECK-NEXT: %shuffled = nn.batches %f, %x, %y epoch %first size 8 micro_batches 4 seed 42 by ["k"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]>, tensor<?x2xf32>, tensor<?xf64> -> !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]>
%dealt = nn.batches %f, %x, %y epoch %first size 8 micro_batches 4 seed 42 by ["k"] owned "hash" : !table.frame<["k" : i64, "x" : f64, "y" : f64]>, tensor<?x2xf32>, tensor<?xf64> -> !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]>
// CHECK-NEXT: %dealt = nn.batches %f, %x, %y epoch %first size 8 micro_batches 4 seed 42 by ["k"] owned "hash" : !table.frame<["k" : i64, "x" : f64, "y" : f64]>, tensor<?x2xf32>, tensor<?xf64> -> !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]>
%still = nn.batches %f, %y size 1 micro_batches 1 seed 0 by ["k", "x"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]>, tensor<?xf64> -> !nn.batches<[tensor<?xf64>]>
// CHECK-NEXT: %still = nn.batches %f, %y size 1 micro_batches 1 seed 0 by ["k", "x"] : !table.frame<["k" : i64, "x" : f64, "y" : f64]>, tensor<?xf64> -> !nn.batches<[tensor<?xf64>]>
%steps = nn.steps %shuffled : !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]>
// CHECK-NEXT: %steps = nn.steps %shuffled : !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]>
%n, %bx, %by = nn.batch %shuffled at %first : !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]> -> tensor<i32>, tensor<?x2xf32>, tensor<?xf64>
// CHECK-NEXT: %n, %bx, %by = nn.batch %shuffled at %first : !nn.batches<[tensor<?x2xf32>, tensor<?xf64>]> -> tensor<i32>, tensor<?x2xf32>, tensor<?xf64>
%m, %all = nn.batch %still : !nn.batches<[tensor<?xf64>]> -> tensor<i32>, tensor<?xf64>
// CHECK-NEXT: %m, %all = nn.batch %still : !nn.batches<[tensor<?xf64>]> -> tensor<i32>, tensor<?xf64>

// On the ranks of a gang, values have layouts.
%pw = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<2xf32>, #dist.replicated>
// CHECK-NEXT: %pw = nn.parameters <"f00d"> ["w"] : !dist.part<tensor<2xf32>, #dist.replicated>
%pf, %px = dist.local() {
// CHECK-NEXT: %pf, %px = dist.local() {
  %s = table.scan "parquet" ["a.parquet"] {replicated} : !table.frame<["k" : i64, "x" : f64]>
  // CHECK-NEXT: %s = table.scan "parquet" ["a.parquet"] {replicated} : !table.frame<["k" : i64, "x" : f64]>
  %t = table.to_tensor %s ["x"] : !table.frame<["k" : i64, "x" : f64]> -> tensor<?xf32>
  // CHECK-NEXT: %t = table.to_tensor %s ["x"] : !table.frame<["k" : i64, "x" : f64]> -> tensor<?xf32>
  dist.yield %s, %t : !table.frame<["k" : i64, "x" : f64]>, tensor<?xf32>
  // CHECK-NEXT: dist.yield %s, %t : !table.frame<["k" : i64, "x" : f64]>, tensor<?xf32>
} : () -> (!dist.part<!table.frame<["k" : i64, "x" : f64]>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.replicated>)
// CHECK-NEXT: } : () -> (!dist.part<!table.frame<["k" : i64, "x" : f64]>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.replicated>)
%pb = nn.batches %pf, %px size 4 micro_batches 2 seed 0 by ["k"] owned "all" : !dist.part<!table.frame<["k" : i64, "x" : f64]>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.replicated> -> !nn.batches<[tensor<?xf32>]>
// CHECK-NEXT: %pb = nn.batches %pf, %px size 4 micro_batches 2 seed 0 by ["k"] owned "all" : !dist.part<!table.frame<["k" : i64, "x" : f64]>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.replicated> -> !nn.batches<[tensor<?xf32>]>
%pn, %pt = nn.batch %pb : !nn.batches<[tensor<?xf32>]> -> !dist.part<tensor<i32>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.any>>
// CHECK-NEXT: %pn, %pt = nn.batch %pb : !nn.batches<[tensor<?xf32>]> -> !dist.part<tensor<i32>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.any>>

// Notes and checkpoints.
nn.log "loss" %b epoch %first step %first : tensor<f32>
// CHECK-NEXT: nn.log "loss" %b epoch %first step %first : tensor<f32>
nn.log "accuracy" %b epoch %first : tensor<f32>
// CHECK-NEXT: nn.log "accuracy" %b epoch %first : tensor<f32>
%h = nn.history after %w : tensor<2xf32> -> !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
// CHECK-NEXT: %h = nn.history after %w : tensor<2xf32> -> !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
%none = nn.history -> !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
// CHECK-NEXT: %none = nn.history -> !table.frame<["epoch" : i64, "step" : i64, "name" : !expr.string, "value" : f64]>
nn.save %w, %b as ["w", "b"] epoch %first of "1234" to "checkpoint" : tensor<2xf32>, tensor<f32>
// CHECK-NEXT: nn.save %w, %b as ["w", "b"] epoch %first of "1234" to "checkpoint" : tensor<2xf32>, tensor<f32>
%e, %lw, %lb = nn.load %w, %b as ["w", "b"] of "1234" from "checkpoint" optional : tensor<2xf32>, tensor<f32> -> index, tensor<2xf32>, tensor<f32>
// CHECK-NEXT: %e, %lw, %lb = nn.load %w, %b as ["w", "b"] of "1234" from "checkpoint" optional : tensor<2xf32>, tensor<f32> -> index, tensor<2xf32>, tensor<f32>
%g, %lv = nn.load %w as ["w"] of "1234" from "checkpoint" : tensor<2xf32> -> index, tensor<2xf32>
// CHECK-NEXT: %g, %lv = nn.load %w as ["w"] of "1234" from "checkpoint" : tensor<2xf32> -> index, tensor<2xf32>
