// RUN: dlc opt -p bucket-reductions,verify-dist --split-input-file %s | filecheck %s
// RUN: dlc opt -p 'bucket-reductions{bucket-bytes=8}' --split-input-file %s | filecheck %s --check-prefix=SMALL

// What reads the first reduction waits for the bucket, and stays in its order.
// CHECK-LABEL: flow.program @merged
// CHECK:         %[[A:.*]], %[[B:.*]], %[[C:.*]] = nn.parameters
// CHECK-NEXT:    %[[RA:.*]], %[[RB:.*]], %[[RC:.*]] = dist.all_reduce_tensors "sum" "tree" %[[A]], %[[B]], %[[C]]
// CHECK-SAME:      : !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<1xf32>, #dist.partial<"sum">>
// CHECK-NEXT:    nn.log "a" %[[RA]]
// CHECK-NEXT:    nn.log "a twice" %[[RA]]
// CHECK-NEXT:    nn.log "b" %[[RB]]
// CHECK-NEXT:    nn.log "c" %[[RC]]

// 8 bytes hold two of these numbers.
// SMALL-LABEL: flow.program @merged
// SMALL:         dist.all_reduce_tensors "sum" "tree" %a, %b :
// SMALL-NEXT:    nn.log "a" %{{.*}} epoch
// SMALL-NEXT:    nn.log "a twice" %{{.*}} epoch
// SMALL-NEXT:    nn.log "b" %{{.*}} epoch
// SMALL-NEXT:    dist.all_reduce_tensors "sum" "tree" %c :
// SMALL-NEXT:    nn.log "c"
flow.program @merged stage "dist" {
  %e = arith.constant 0 : index
  %a, %b, %c = nn.parameters <"f00d"> ["a", "b", "c"] : !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<1xf32>, #dist.partial<"sum">>
  %ra = dist.all_reduce_tensors "sum" "tree" %a : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
  nn.log "a" %ra epoch %e : !dist.part<tensor<f32>, #dist.replicated>
  nn.log "a twice" %ra epoch %e : !dist.part<tensor<f32>, #dist.replicated>
  %rb = dist.all_reduce_tensors "sum" "tree" %b : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
  nn.log "b" %rb epoch %e : !dist.part<tensor<f32>, #dist.replicated>
  %rc = dist.all_reduce_tensors "sum" "tree" %c : !dist.part<tensor<1xf32>, #dist.partial<"sum">> -> !dist.part<tensor<1xf32>, #dist.replicated>
  nn.log "c" %rc epoch %e : !dist.part<tensor<1xf32>, #dist.replicated>
  flow.return []
}

// -----

func.func private @dot(%rows: tensor<i32> {flow.rows}, %w: tensor<f32>, %x: tensor<?xf32>) -> tensor<f32> {
  %n = stablehlo.reshape %rows : (tensor<i32>) -> tensor<1xi32>
  %b = stablehlo.dynamic_broadcast_in_dim %w, %n, dims = [] : (tensor<f32>, tensor<1xi32>) -> tensor<?xf32>
  %s = stablehlo.dot_general %b, %x, contracting_dims = [0] x [0], precision = [DEFAULT, DEFAULT] : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32>
  func.return %s : tensor<f32>
}

// Reductions differ in element type, operation or order; and the last needs the one before it.
// CHECK-LABEL: flow.program @apart
// CHECK:         dist.all_reduce_tensors "sum" "tree" %wide :
// CHECK:         dist.all_reduce_tensors "max" "tree" %most :
// CHECK:         dist.all_reduce_tensors "sum" "tree" %a, %again :
// CHECK:         %[[FIRST:.*]] = dist.all_reduce_tensors "sum" "any" %a :
// CHECK:         %[[SECOND:.*]] = dist.local(%{{.*}}, %[[FIRST]], %{{.*}})
// CHECK:         dist.all_reduce_tensors "sum" "any" %[[SECOND]] :
// SMALL-LABEL: flow.program @apart
flow.program @apart stage "dist" {
  %e = arith.constant 0 : index
  %n = nn.parameters <"f00d"> ["n"] : !dist.part<tensor<i32>, #dist.replicated>
  %x = dist.local() {
    %f = table.scan "parquet" ["a"] : !table.frame<["x" : f32]>
    %t = table.to_tensor %f ["x"] : !table.frame<["x" : f32]> -> tensor<?xf32>
    dist.yield %t : tensor<?xf32>
  } : () -> (!dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.rows>>)
  %a, %again, %wide, %most = nn.parameters <"f00d"> ["a", "again", "wide", "most"] : !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<f32>, #dist.partial<"sum">>, !dist.part<tensor<f64>, #dist.partial<"sum">>, !dist.part<tensor<f64>, #dist.partial<"max">>
  %ra = dist.all_reduce_tensors "sum" "tree" %a : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
  nn.log "a" %ra epoch %e : !dist.part<tensor<f32>, #dist.replicated>
  %rw = dist.all_reduce_tensors "sum" "tree" %wide : !dist.part<tensor<f64>, #dist.partial<"sum">> -> !dist.part<tensor<f64>, #dist.replicated>
  nn.log "wide" %rw epoch %e : !dist.part<tensor<f64>, #dist.replicated>
  %rm = dist.all_reduce_tensors "max" "tree" %most : !dist.part<tensor<f64>, #dist.partial<"max">> -> !dist.part<tensor<f64>, #dist.replicated>
  nn.log "most" %rm epoch %e : !dist.part<tensor<f64>, #dist.replicated>
  %rb = dist.all_reduce_tensors "sum" "tree" %again : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
  nn.log "again" %rb epoch %e : !dist.part<tensor<f32>, #dist.replicated>
  %rf = dist.all_reduce_tensors "sum" "any" %a : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
  %s = dist.local(%n, %rf, %x) {
  ^bb0(%i: tensor<i32>, %w: tensor<f32>, %t: tensor<?xf32>):
    %d = func.call @dot(%i, %w, %t) : (tensor<i32>, tensor<f32>, tensor<?xf32>) -> tensor<f32>
    dist.yield %d : tensor<f32>
  } : (!dist.part<tensor<i32>, #dist.replicated>, !dist.part<tensor<f32>, #dist.replicated>, !dist.part<tensor<?xf32>, #dist.split<0 : i64, #dist.rows>>) -> (!dist.part<tensor<f32>, #dist.partial<"sum">>)
  %rs = dist.all_reduce_tensors "sum" "any" %s : !dist.part<tensor<f32>, #dist.partial<"sum">> -> !dist.part<tensor<f32>, #dist.replicated>
  nn.log "second" %rs epoch %e : !dist.part<tensor<f32>, #dist.replicated>
  flow.return []
}
