"""Factor rules of operations that take indices: gather, scatter, dynamic slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.ir import Attribute, Operation, SSAValue

from .factors import DYNAMIC, Dimensions, FactorRule, Factors
from .ops import attribute, integers, ints, reducer, shape
from .row_numbers import are_row_numbers, index_columns

Dimension = tuple[int, ...]


def _numbers(op: Operation, name: str, field: str) -> tuple[int, ...]:
    return integers(cast("Attribute | None", getattr(attribute(op, name), field)))


def gather(op: Operation) -> FactorRule:
    """Entries of the result are slices of the operand: dimensions sliced whole and batches run along."""

    def numbers(field: str) -> tuple[int, ...]:
        return _numbers(op, "dimension_numbers", field)

    factors = Factors()
    operand, indices, result = shape(op.operands[0]), shape(op.operands[1]), shape(op.results[0])
    dims = list(factors.each(result))
    offsets = numbers("offset_dims")
    batch = [dim for axis, dim in enumerate(dims) if axis not in offsets]
    index_dims = _index_dimensions(factors, indices, numbers("index_vector_dim")[0], batch)
    sizes = slice_sizes(op, result)
    kept = dict(zip(*slice_dimensions(op), strict=True))
    batched = dict(zip(numbers("operand_batching_dims"), numbers("start_indices_batching_dims"), strict=True))
    batched |= own_rows(op)[0]
    source = tuple(
        index_dims[batched[axis]]
        if axis in batched
        else dims[kept[axis]]
        if axis in kept and sizes[axis] == size
        else (factors.new(size, whole=True),)
        for axis, size in enumerate(operand)
    )
    extra = [factors.each(shape(value)) for value in op.operands[2:]]
    return factors.rule([source, index_dims, *extra], [tuple(dims)])


def slice_sizes(op: Operation, result: Sequence[int]) -> list[int]:
    """Sizes of a gather's slices, as its result shows them."""
    sizes = [1] * len(shape(op.operands[0]))
    for axis, offset in zip(*slice_dimensions(op), strict=True):
        sizes[axis] = result[offset]
    return sizes


def slice_dimensions(op: Operation) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Axes of a gather's operand that its slices keep, and where the result has them."""
    dropped = _numbers(op, "dimension_numbers", "collapsed_slice_dims")
    dropped += _numbers(op, "dimension_numbers", "operand_batching_dims")
    kept = tuple(axis for axis in range(len(shape(op.operands[0]))) if axis not in dropped)
    return kept, _numbers(op, "dimension_numbers", "offset_dims")


def scatter(op: Operation) -> FactorRule:
    """Updates are slices of the operand; what several of them add to one place is a reduction."""

    def numbers(field: str) -> tuple[int, ...]:
        return _numbers(op, "scatter_dimension_numbers", field)

    factors = Factors()
    count = (len(op.operands) - 1) // 2
    operand, indices, updates = (shape(op.operands[at]) for at in (0, count, count + 1))
    reduction = reducer(op) if count == 1 else None
    windows = numbers("update_window_dims")
    batches = numbers("scatter_indices_batching_dims")
    vector = numbers("index_vector_dim")[0]
    own = own_rows(op)[0]
    scattered = [axis for axis in range(len(updates)) if axis not in windows]
    batch: list[Dimension] = []
    index_axes = [axis for axis in range(len(indices)) if axis != vector]
    for at, axis in zip(index_axes, scattered, strict=True):
        reduced = at not in batches and at not in own.values()
        batch.append(
            (
                factors.new(
                    updates[axis],
                    reduction=(reduction or "") if reduced else "",
                    whole=reduced and reduction is None,
                ),
            )
        )
    index_dims = _index_dimensions(factors, indices, vector, batch)
    dropped = numbers("inserted_window_dims") + numbers("input_batching_dims")
    kept = dict(zip((axis for axis in range(len(operand)) if axis not in dropped), windows, strict=True))
    batched = dict(zip(numbers("input_batching_dims"), batches, strict=True)) | own
    moved: dict[int, Dimension] = dict(zip(scattered, batch, strict=True))
    source: list[Dimension] = []
    for axis, size in enumerate(operand):
        if axis in batched:
            source.append(index_dims[batched[axis]])
            continue
        same = axis in kept and updates[kept[axis]] == size
        source.append((factors.new(size, whole=not same),))
        if axis in kept:
            moved[kept[axis]] = source[-1] if same else (factors.new(updates[kept[axis]], whole=True),)
    update_dims = tuple(moved[axis] for axis in range(len(updates)))
    results: Dimensions = tuple(source)
    return factors.rule([results] * count + [index_dims] + [update_dims] * count, [results] * count)


def _index_dimensions(
    factors: Factors, indices: tuple[int, ...], vector: int, batch: list[Dimension]
) -> Dimensions:
    """Dimensions of an index tensor: its batch, and the index vector unless that is implied."""
    dims = list(batch)
    if vector < len(indices):
        dims.insert(vector, (factors.new(indices[vector]),))
    return tuple(dims)


def own_rows(op: Operation) -> tuple[dict[int, int], list[SSAValue]]:
    """What a gather or scatter does with row numbers among its indices.

    First, the axes of the operand along which every row finds itself, to the axis of the rows in the indices;
    second, the parts of the indices that are for other axes.
    """
    if op.name == "stablehlo.scatter":
        name, field, at = (
            "scatter_dimension_numbers",
            "scatter_dims_to_operand_dims",
            (len(op.operands) - 1) // 2,
        )
    else:
        name, field, at = "dimension_numbers", "start_index_map", 1
    indices, operand = op.operands[at], shape(op.operands[0])
    columns = index_columns(indices, _numbers(op, name, "index_vector_dim")[0])
    own: dict[int, int] = {}
    others: list[SSAValue] = []
    for axis, column in zip(_numbers(op, name, field), columns, strict=False):
        if operand[axis] == DYNAMIC and are_row_numbers(column):
            own[axis] = shape(indices).index(DYNAMIC)
        else:
            others.append(column)
    return own, others


def dynamic_slice(op: Operation) -> FactorRule:
    """Dimensions taken whole run along, the others are cut at a position."""
    factors = Factors()
    sizes = ints(op, "slice_sizes")
    result = factors.each(sizes)
    operand = tuple(
        result[axis] if size == sizes[axis] else (factors.new(size, whole=True),)
        for axis, size in enumerate(shape(op.operands[0]))
    )
    return factors.rule([operand] + [()] * (len(op.operands) - 1), [result])


def dynamic_update_slice(op: Operation) -> FactorRule:
    """Dimensions replaced whole run along, the others at a position."""
    factors = Factors()
    operand, update = shape(op.operands[0]), shape(op.operands[1])
    same = [a == b for a, b in zip(operand, update, strict=True)]
    result = tuple((factors.new(size, whole=not same[axis]),) for axis, size in enumerate(operand))
    inner = tuple(
        result[axis] if same[axis] else (factors.new(size, whole=True),) for axis, size in enumerate(update)
    )
    return factors.rule([result, inner] + [()] * (len(op.operands) - 2), [result])
