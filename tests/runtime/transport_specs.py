"""What every transport must do: each spec runs on every rank of a group, whatever carries the bytes."""

import os
import sys
from collections.abc import Callable

import numpy as np

from dlc.runtime.transport import Transport


def bytes_of(*parts: object) -> memoryview:
    return memoryview(":".join(map(str, parts)).encode())


def reaches_every_pair(t: Transport) -> None:
    received = t.all_to_all([bytes_of(t.rank, peer) for peer in range(t.size)])
    assert [bytes(part) for part in received] == [bytes(bytes_of(peer, t.rank)) for peer in range(t.size)]


def carries_parts_of_any_size(t: Transport) -> None:
    sizes = [0, 1, 65_537, 3_000_000]
    for shift in range(len(sizes)):
        part = {peer: sizes[(t.rank + peer + shift) % len(sizes)] for peer in range(t.size)}
        received = t.all_to_all([memoryview(bytes([t.rank]) * part[peer]) for peer in range(t.size)])
        for peer, data in enumerate(received):
            assert bytes(data) == bytes([peer]) * part[peer]


def gathers_in_rank_order(t: Transport) -> None:
    everything = [b"x" * (1000 * peer) for peer in range(t.size)]
    mine = memoryview(everything[t.rank])
    assert [bytes(part) for part in t.all_gather(mine)] == everything
    for root in range(t.size):
        gathered = [bytes(part) for part in t.gather(mine, root)]
        assert gathered == (everything if t.rank == root else [])


def broadcasts_from_any_root(t: Transport) -> None:
    for root in range(t.size):
        assert bytes(t.broadcast(bytes_of("from", t.rank), root)) == f"from:{root}".encode()
        assert bytes(t.broadcast(memoryview(b""), root)) == b""


def keeps_messages_apart_by_tag_and_in_order(t: Transport) -> None:
    peer, source = (t.rank + 1) % t.size, (t.rank - 1) % t.size
    big = b"y" * 2_000_000
    for part, tag in ((b"first", 7), (b"second", 7), (big, 8), (b"", 9)):
        t.send(memoryview(part), peer, tag)
    assert bytes(t.recv(source, 9)) == b""
    assert bytes(t.recv(source, 8)) == big
    assert bytes(t.recv(source, 7)) == b"first"
    assert bytes(t.recv(source, 7)) == b"second"
    t.flush()


def splits_into_groups_that_do_not_hear_each_other(t: Transport) -> None:
    low = t.rank < (t.size + 1) // 2
    members = [rank for rank in range(t.size) if (rank < (t.size + 1) // 2) == low]
    for _ in range(2):
        group = t.split(members)
        assert (group.rank, group.size) == (members.index(t.rank), len(members))
        gathered = [bytes(part) for part in group.all_gather(bytes_of(t.rank))]
        assert gathered == [str(rank).encode() for rank in members]
    t.barrier()


def lets_one_rank_claim_the_report(t: Transport) -> None:
    claims = t.all_gather(bytes_of(t.claim()))
    assert sorted(bytes(claim) for claim in claims) == sorted([b"True"] + [b"False"] * (t.size - 1))


def transfers_that_were_started_end_in_any_order(t: Transport) -> None:
    peers = [peer for peer in range(t.size) if peer != t.rank]
    sizes = [100_000, 7]
    received = [{peer: bytearray(size) for peer in peers} for size in sizes]
    started = [
        t.start_exchange(
            [(peer, memoryview(bytes([t.rank, peer]) * (size // 2 + 1))[:size]) for peer in peers],
            [(peer, memoryview(buffers[peer])) for peer in peers],
        )
        for size, buffers in zip(sizes, received, strict=True)
    ]
    t.barrier()
    for pending in reversed(started):
        pending.wait()
    for size, buffers in zip(sizes, received, strict=True):
        for peer in peers:
            assert bytes(buffers[peer]) == (bytes([peer, t.rank]) * (size // 2 + 1))[:size]


def gathers_into_one_buffer(t: Transport) -> None:
    for unit in (1, 1 << 21):
        sizes = [unit * (rank % 3) for rank in range(t.size)]
        whole = np.zeros(sum(sizes), np.uint8)
        start = sum(sizes[: t.rank])
        whole[start : start + sizes[t.rank]] = t.rank + 1
        t.start_all_gather(whole.data, sizes).wait()
        assert np.array_equal(whole, np.repeat(np.arange(1, t.size + 1, dtype=np.uint8), sizes))


def reduces_in_place(t: Transport) -> None:
    for combine, function in (("sum", np.add), ("prod", np.multiply)):
        for dtype in (np.float32, np.float64, np.int64):
            values = np.arange(1000, dtype=dtype) % 3 + t.rank
            every = [np.arange(1000, dtype=dtype) % 3 + rank for rank in range(t.size)]
            t.start_all_reduce(values, combine).wait()
            assert np.array_equal(values, function.reduce(every))


SPECS: list[Callable[[Transport], None]] = [
    reaches_every_pair,
    carries_parts_of_any_size,
    gathers_in_rank_order,
    broadcasts_from_any_root,
    keeps_messages_apart_by_tag_and_in_order,
    splits_into_groups_that_do_not_hear_each_other,
    transfers_that_were_started_end_in_any_order,
    gathers_into_one_buffer,
    reduces_in_place,
    lets_one_rank_claim_the_report,
]


def main() -> None:
    """Run every spec on the ranks of an MPI job."""
    from mpi4py import MPI

    from dlc.runtime.transport.mpi import MpiTransport

    transport = MpiTransport(MPI.COMM_WORLD, patience=30)
    try:
        for spec in SPECS:
            spec(transport)
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        transport.abort(1)
    print(f"rank {transport.rank} of {transport.size} passed", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    main()
