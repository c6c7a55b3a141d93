// RUN: dlc opt -p 'place{ranks=2},verify-placed' %s | filecheck %s

// The gang needs what the runtime itself takes (200 MiB), the frame of both ranks' halves, and its copy on rank 0
// together with what the gather packs: 209715200 + 500000 + 2 * 1000000.
// CHECK:      flow.program @q stage "placed" {
// CHECK-NEXT:   dist.gang @main ranks 2 on "any" memory 212215200
flow.program @q stage "dist" {
  %a = dist.local() {
    %s = table.scan "parquet" ["l"] {bytes = 1000000 : i64} : !table.frame<["v" : i64]>
    dist.yield %s : !table.frame<["v" : i64]>
  } : () -> (!dist.part<!table.frame<["v" : i64]>, #dist.rows>)
  %b = dist.gather %a : !dist.part<!table.frame<["v" : i64]>, #dist.rows> -> !dist.part<!table.frame<["v" : i64]>, #dist.single>
  flow.return ["b"] %b : !dist.part<!table.frame<["v" : i64]>, #dist.single>
}
