"""Moves table rows between ranks: frames become Arrow IPC messages, and come back without a copy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from dlc.runtime.transport import Transport

_SEED = 0x5EED  # the same on every rank, so that equal keys meet
_MANY_KEYS = 16  # beyond these, a struct is hashed: building a long expression takes longer than the hashes
_MIX = 0x9E3779B97F4A7C15
_MOST_FILTERS = 8  # up to so many ranks, one filter a rank beats sorting the rows by rank
_SMALL_CHUNK = 1 << 16  # rows; on average smaller received pieces are joined into one


def shuffle(
    frame: pl.DataFrame, keys: Sequence[str], transport: Transport, shards: int | None = None
) -> pl.DataFrame:
    """Rows of all ranks whose keys belong to this one; equal keys (nulls, NaN and ±0 too) meet.

    With `shards`, keys belong to one of so many shards, and shard s to rank s modulo the number of ranks.
    """
    if transport.size == 1:
        return frame
    return _exchange(partition(frame, keys, transport.size, shards), frame, transport)


def shard_of(keys: Sequence[str], shards: int) -> pl.Expr:
    """The shard, from 0 on, that the keys of a row belong to."""
    return (_hash(keys) % shards).cast(pl.UInt32)


def _hash(keys: Sequence[str]) -> pl.Expr:
    """A hash that does not depend on the names of the keys."""
    if len(keys) > _MANY_KEYS:
        return pl.struct(pl.col(key).alias(str(at)) for at, key in enumerate(keys)).hash(_SEED)
    mixed = pl.col(keys[0]).hash(_SEED)
    for key in keys[1:]:
        mixed = mixed * _MIX + pl.col(key).hash(_SEED)  # wraps, as hashes may
    return mixed


def partition(
    frame: pl.DataFrame, keys: Sequence[str], ranks: int, shards: int | None = None
) -> list[pl.DataFrame]:
    """The rows for each rank, in the order in which they stand."""
    if not keys:
        return [frame, *[frame.clear()] * (ranks - 1)]
    target = frame.select(target=shard_of(keys, shards or ranks) % ranks).to_series()
    if ranks == 2:
        first = target == 0
        return [frame.filter(first), frame.filter(~first)]
    if ranks <= _MOST_FILTERS:
        return [frame.filter(target == rank) for rank in range(ranks)]
    grouped = frame.select(pl.all().gather(pl.lit(target.arg_sort())))
    ends = np.cumsum(np.bincount(target.to_numpy(), minlength=ranks)).tolist()
    return [grouped[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def range_shuffle(
    frame: pl.DataFrame, splitters: pl.DataFrame, by: Sequence[tuple[str, bool, bool]], transport: Transport
) -> pl.DataFrame:
    """Rows of all ranks that fall into this rank's range of the order `by` (column, descending, nulls last).

    `splitters` holds samples in that order, the same on every rank; its quantiles bound the ranges.
    """
    ranks = transport.size
    if ranks == 1:
        return frame
    bounds = [splitters.height * rank // ranks for rank in range(1, ranks)] if splitters.height else []
    columns = [name for name, _, _ in by]
    samples = splitters.select(columns)[bounds] if bounds else splitters.select(columns).clear()
    cuts = _positions(frame.select(columns), samples, by)
    cuts += [frame.height] * (ranks - 1 - len(cuts))
    parts = [frame[start:end] for start, end in zip([0, *cuts], [*cuts, frame.height], strict=True)]
    return _exchange(parts, frame, transport)


def _positions(frame: pl.DataFrame, samples: pl.DataFrame, by: Sequence[tuple[str, bool, bool]]) -> list[int]:
    """How many rows of the sorted `frame` come before each of the sorted `samples`, or equal it."""
    both = pl.concat([frame.with_columns(_sample=False), samples.with_columns(_sample=True)])
    names = [name for name, _, _ in by]
    # Equal rows sort before the sample, so that all of them land on one rank.
    order = both.lazy().sort(
        *names,
        "_sample",
        descending=[*(descending for _, descending, _ in by), False],
        nulls_last=[*(last for _, _, last in by), False],
    )
    found = order.select(pl.arg_where(pl.col("_sample"))).collect().to_series().to_numpy()
    return (found - np.arange(len(found))).tolist()


def _exchange(parts: Sequence[pl.DataFrame], frame: pl.DataFrame, transport: Transport) -> pl.DataFrame:
    nothing = memoryview(b"")
    buffers = [encode(part) if peer != transport.rank else nothing for peer, part in enumerate(parts)]
    received = [decode(buffer) for buffer in transport.all_to_all(buffers)]
    received[transport.rank] = parts[transport.rank]
    return _join(received, frame)


def all_gather(frame: pl.DataFrame, transport: Transport) -> pl.DataFrame:
    """The rows of all ranks in rank order, on every rank."""
    if transport.size == 1:
        return frame
    return _join([decode(buffer) for buffer in transport.all_gather(encode(frame))], frame)


def gather(frame: pl.DataFrame, root: int, transport: Transport) -> pl.DataFrame:
    """The rows of all ranks in rank order on `root`, no rows elsewhere."""
    if transport.size == 1:
        return frame
    return _join([decode(buffer) for buffer in transport.gather(encode(frame), root)], frame)


def broadcast(frame: pl.DataFrame, root: int, transport: Transport) -> pl.DataFrame:
    """The rows of `root` on every rank; the other ranks give a frame of the same columns."""
    if transport.size == 1:
        return frame
    buffer = transport.broadcast(encode(frame) if transport.rank == root else memoryview(b""), root)
    return frame if transport.rank == root else _join([decode(buffer)], frame)


def send(frame: pl.DataFrame, peer: int, tag: int, transport: Transport) -> None:
    """Start to send the rows to a rank of the world."""
    transport.send(encode(frame, describe=True), peer, tag)


def receive(peer: int, tag: int, transport: Transport) -> pl.DataFrame:
    """The rows that a rank of the world sent with this tag."""
    frame = decode(transport.recv(peer, tag))
    assert frame is not None
    return frame


def encode(frame: pl.DataFrame, describe: bool = False) -> memoryview:
    """The rows as one Arrow IPC stream; no bytes for no rows, unless the columns must be described."""
    if not frame.height and not describe:
        return memoryview(b"")
    schema = frame.schema
    wide = [name for name, kind in schema.items() if kind == pl.Int128]
    if wide:  # Arrow has no such integer; its decimals have the same bits
        frame = frame.with_columns(pl.col(wide).reinterpret(dtype=pl.Decimal(38, 0)))
    # Selected string views keep all bytes of the column they came from; plain strings hold only their own.
    level = pl.CompatLevel.oldest() if pl.String in schema.values() else pl.CompatLevel.newest()
    table: Any = frame.rechunk().to_arrow(compat_level=level)
    # The metadata tells the receiver which decimals are integers.
    described = table.schema.with_metadata({"wide": "\0".join(wide)})
    batches = table.to_batches()
    size = described.serialize().size + sum(pa.ipc.get_record_batch_size(batch) for batch in batches) + 8
    data = np.empty(size, np.uint8).data
    stream: Any = pa.ipc.new_stream(pa.FixedSizeBufferWriter(pa.py_buffer(data)), described)
    for batch in batches:
        stream.write_batch(batch)
    stream.close()
    return data


def decode(buffer: memoryview) -> pl.DataFrame | None:
    """The rows of an encoded frame, whose memory they share; None for no bytes."""
    if not buffer.nbytes:
        return None
    table = pa.ipc.open_stream(pa.py_buffer(buffer)).read_all()
    frame = pl.DataFrame(table)
    wide: str = table.schema.metadata[b"wide"].decode()
    return frame.with_columns(pl.col(wide.split("\0")).to_physical()) if wide else frame


def _join(frames: Sequence[pl.DataFrame | None], like: pl.DataFrame) -> pl.DataFrame:
    """All rows in order; a frame without rows as `like` has its columns where there are none."""
    some = [frame for frame in frames if frame is not None and frame.height]
    if len(some) <= 1:
        return some[0] if some else like.clear()
    joined = pl.concat(some, rechunk=False)
    return joined.rechunk() if joined.height < _SMALL_CHUNK * len(some) else joined
