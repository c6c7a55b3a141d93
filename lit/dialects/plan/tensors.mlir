// RUN: dlc opt %s | dlc opt | filecheck %s
// RUN: dlc opt --print-op-generic %s | dlc opt | filecheck %s

%first = arith.constant 0 : index
// CHECK:      %first = arith.constant 0 : index
%f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
// CHECK-NEXT: %f = plan.recv from 0 tag 1 : !table.frame<["k" : i64]>
%g = plan.shuffle %f by ["k"] shards 4 : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
// CHECK-NEXT: %g = plan.shuffle %f by ["k"] shards 4 : !table.frame<["k" : i64]> -> !table.frame<["k" : i64]>
%n, %x = plan.run(%g) {
// CHECK-NEXT: %n, %x = plan.run(%g) {
^bb0(%r: !table.frame<["k" : i64]>):
// CHECK-NEXT: ^bb0(%r: !table.frame<["k" : i64]>):
  %t = table.to_tensor %r ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
  // CHECK-NEXT: %t = table.to_tensor %r ["k"] : !table.frame<["k" : i64]> -> tensor<?xf32>
  %c = table.rows %r : !table.frame<["k" : i64]>
  // CHECK-NEXT: %c = table.rows %r : !table.frame<["k" : i64]>
  dist.yield %c, %t : tensor<i32>, tensor<?xf32>
  // CHECK-NEXT: dist.yield %c, %t : tensor<i32>, tensor<?xf32>
} : (!table.frame<["k" : i64]>) -> (tensor<i32>, tensor<?xf32>)
// CHECK-NEXT: } : (!table.frame<["k" : i64]>) -> (tensor<i32>, tensor<?xf32>)

// On chunks of rows: results are put together, or combined, which takes a module that masks the padding.
%y = plan.map_rows(%n, %x) chunk 256 as ["rows"] {
// CHECK-NEXT: %y = plan.map_rows(%n, %x) chunk 256 as ["rows"] {
^bb0(%i: tensor<i32>, %j: tensor<256xf32>):
// CHECK-NEXT: ^bb0(%i: tensor<i32>, %j: tensor<256xf32>):
  dist.yield %j : tensor<256xf32>
  // CHECK-NEXT: dist.yield %j : tensor<256xf32>
} : (tensor<i32>, tensor<?xf32>) -> (tensor<?xf32>)
// CHECK-NEXT: } : (tensor<i32>, tensor<?xf32>) -> (tensor<?xf32>)
%s, %u = plan.map_rows(%n, %x) chunk 256 as ["sum", "same"] {
// CHECK-NEXT: %s, %u = plan.map_rows(%n, %x) chunk 256 as ["sum", "same"] {
^bb0(%i: tensor<i32>, %j: tensor<256xf32>):
// CHECK-NEXT: ^bb0(%i_1: tensor<i32>, %j_1: tensor<256xf32>):
  dist.yield %i, %i : tensor<i32>, tensor<i32>
  // CHECK-NEXT: dist.yield %i_1, %i_1 : tensor<i32>, tensor<i32>
} masked {
// CHECK-NEXT: } masked {
^bb0(%i: tensor<i32>, %j: tensor<256xf32>, %valid: tensor<i32>):
// CHECK-NEXT: ^bb0(%i_2: tensor<i32>, %j_2: tensor<256xf32>, %valid: tensor<i32>):
  dist.yield %i, %valid : tensor<i32>, tensor<i32>
  // CHECK-NEXT: dist.yield %i_2, %valid : tensor<i32>, tensor<i32>
} : (tensor<i32>, tensor<?xf32>) -> (tensor<i32>, tensor<i32>)
// CHECK-NEXT: } : (tensor<i32>, tensor<?xf32>) -> (tensor<i32>, tensor<i32>)

// On micro-batches of one batch, and of all.
%b = nn.batches %g, %x epoch %first size 8 micro_batches 4 seed 0 by ["k"] owned "hash" : !table.frame<["k" : i64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>
// CHECK-NEXT: %b = nn.batches %g, %x epoch %first size 8 micro_batches 4 seed 0 by ["k"] owned "hash" : !table.frame<["k" : i64]>, tensor<?xf32> -> !nn.batches<[tensor<?xf32>]>
%p, %q = plan.micro %b at %first(%n) rows 2 leaves "sum" {
// CHECK-NEXT: %p, %q = plan.micro %b at %first(%n) rows 2 leaves "sum" {
^bb0(%i: tensor<i32>, %j: tensor<2xf32>, %w: tensor<i32>):
// CHECK-NEXT: ^bb0(%i_3: tensor<i32>, %j_3: tensor<2xf32>, %w: tensor<i32>):
  dist.yield %i, %w : tensor<i32>, tensor<i32>
  // CHECK-NEXT: dist.yield %i_3, %w : tensor<i32>, tensor<i32>
} masked {
// CHECK-NEXT: } masked {
^bb0(%i: tensor<i32>, %j: tensor<2xf32>, %w: tensor<i32>, %valid: tensor<i32>):
// CHECK-NEXT: ^bb0(%i_4: tensor<i32>, %j_4: tensor<2xf32>, %w_1: tensor<i32>, %valid_1: tensor<i32>):
  dist.yield %i, %valid : tensor<i32>, tensor<i32>
  // CHECK-NEXT: dist.yield %i_4, %valid_1 : tensor<i32>, tensor<i32>
} : !nn.batches<[tensor<?xf32>]>(tensor<i32>) -> (tensor<i32>, tensor<i32>)
// CHECK-NEXT: } : !nn.batches<[tensor<?xf32>]>(tensor<i32>) -> (tensor<i32>, tensor<i32>)
%m = plan.micro %b() rows 2 leaves "max" {
// CHECK-NEXT: %m = plan.micro %b() rows 2 leaves "max" {
^bb0(%i: tensor<i32>, %j: tensor<2xf32>):
// CHECK-NEXT: ^bb0(%i_5: tensor<i32>, %j_5: tensor<2xf32>):
  dist.yield %i : tensor<i32>
  // CHECK-NEXT: dist.yield %i_5 : tensor<i32>
} masked {
// CHECK-NEXT: } masked {
^bb0(%i: tensor<i32>, %j: tensor<2xf32>, %valid: tensor<i32>):
// CHECK-NEXT: ^bb0(%i_6: tensor<i32>, %j_6: tensor<2xf32>, %valid_2: tensor<i32>):
  dist.yield %valid : tensor<i32>
  // CHECK-NEXT: dist.yield %valid_2 : tensor<i32>
} : !nn.batches<[tensor<?xf32>]>() -> (tensor<i32>)
// CHECK-NEXT: } : !nn.batches<[tensor<?xf32>]>() -> (tensor<i32>)

// A reduction starts here and must be complete there.
%pr, %qr = plan.reduce "sum" "tree" %p, %q : tensor<i32>, tensor<i32> -> tensor<i32>, tensor<i32>
// CHECK-NEXT: %pr, %qr = plan.reduce "sum" "tree" %p, %q : tensor<i32>, tensor<i32> -> tensor<i32>, tensor<i32>
plan.wait %pr, %qr : tensor<i32>, tensor<i32>
// CHECK-NEXT: plan.wait %pr, %qr : tensor<i32>, tensor<i32>
plan.free %g, %x, %b : !table.frame<["k" : i64]>, tensor<?xf32>, !nn.batches<[tensor<?xf32>]>
// CHECK-NEXT: plan.free %g, %x, %b : !table.frame<["k" : i64]>, tensor<?xf32>, !nn.batches<[tensor<?xf32>]>
