"""Factor rules of StableHLO: what each operation does with the dimensions of its tensors."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd, prod

from xdsl.ir import Operation
from xdsl_jax.dialects.stablehlo.attributes import DotAttr

from .factors import DYNAMIC, FactorRule, Factors
from .index_rules import dynamic_slice, dynamic_update_slice, gather, scatter
from .ops import Unsupported, attribute, ints, named, number, reducer, shape
from .window_rules import convolution, reduce_window, select_and_scatter

Rule = Callable[[Operation], FactorRule]

TRANSCENDENTAL = named(
    "atan2 cbrt cosine divide exponential exponential_minus_one log log_plus_one logistic power remainder "
    "rsqrt sine sqrt tan tanh"
) | named(
    "acos acosh asin asinh atan atanh bessel_i1e cosh digamma erf erf_inv erfc lgamma next_after polygamma "
    "sinh tan zeta",
    "chlo",
)
"""Element by element, each worth many additions."""

ELEMENTWISE = (
    TRANSCENDENTAL
    | named(
        "abs add and bitcast_convert ceil clamp compare complex convert count_leading_zeros floor imag "
        "is_finite map maximum minimum multiply negate not or popcnt real reduce_precision round_nearest_afz "
        "round_nearest_even select shift_left shift_right_arithmetic shift_right_logical sign subtract "
        "uniform_dequantize uniform_quantize xor"
    )
    | named("conj is_inf is_neg_inf is_pos_inf square", "chlo")
)
"""Element by element; scalars among the operands serve all elements."""


def has_rule(name: str) -> bool:
    """Whether functions with an operation of that name can run on a part of the rows."""
    return name in ELEMENTWISE or name in _RULES or name in _REGIONS


_REGIONS = named("while if case return")
"""Operations that do what those in their regions do."""


def factor_rule(op: Operation) -> FactorRule:
    """The rule of an operation. Raises Unsupported."""
    name = op.name
    if name in ELEMENTWISE:
        return _elementwise(op)
    if name not in _RULES:
        raise Unsupported(op, "the operation has no partition rule")
    return _RULES[name](op)


def _elementwise(op: Operation) -> FactorRule:
    factors = Factors()
    dims = factors.each(shape(op.results[0]))
    if any(shape(operand) and len(shape(operand)) != len(dims) for operand in op.operands):
        raise Unsupported(op, "the operands have different ranks")
    return factors.rule([dims if shape(operand) else () for operand in op.operands], [dims])


def _barrier(op: Operation) -> FactorRule:
    factors = Factors()
    dims = [factors.each(shape(operand)) for operand in op.operands]
    return factors.rule(dims, dims)


def _constant(op: Operation) -> FactorRule:
    factors = Factors()
    return factors.rule([], [factors.each(shape(op.results[0]))])


def _iota(op: Operation) -> FactorRule:
    factors = Factors()
    counted = number(op, "iota_dimension")
    dims = tuple(
        (factors.new(size, whole=axis == counted),) for axis, size in enumerate(shape(op.results[0]))
    )
    return factors.rule([_alone(factors, op, at) for at in range(len(op.operands))], [dims])


def _size_query(op: Operation) -> FactorRule:
    factors = Factors()
    return factors.rule([factors.each(shape(op.operands[0]))], [()])


def _broadcast(op: Operation) -> FactorRule:
    factors = Factors()
    source, target = shape(op.operands[0]), shape(op.results[0])
    result = factors.each(target)
    operand = tuple(
        result[axis] if size != 1 or target[axis] == 1 else (factors.new(1),)
        for size, axis in zip(source, ints(op, "broadcast_dimensions"), strict=True)
    )
    return factors.rule([operand, *(_alone(factors, op, at) for at in range(1, len(op.operands)))], [result])


def _reshape(op: Operation) -> FactorRule:
    """Rows × k merge and split; dimensions without rows are not followed."""
    factors = Factors()
    source, target = shape(op.operands[0]), shape(op.results[0])
    operand, result = list(factors.each(source)), list(factors.each(target))
    if DYNAMIC in source and DYNAMIC in target:
        if source.count(DYNAMIC) > 1 or target.count(DYNAMIC) > 1:
            raise Unsupported(op, "rows along two dimensions")
        here, there = source.index(DYNAMIC), target.index(DYNAMIC)
        rows = factors.new(DYNAMIC)
        outer = (prod(source[:here]), prod(target[:there]))
        inner = (prod(source[here + 1 :]), prod(target[there + 1 :]))
        for side, at, other in ((operand, here, 0), (result, there, 1)):
            # What stands before or after the rows on the other side only has been merged with them on this.
            before = outer[1 - other] // gcd(*outer)
            after = inner[1 - other] // gcd(*inner)
            side[at] = tuple(
                [factors.new(before)] * (before > 1) + [rows] + [factors.new(after)] * (after > 1)
            )
    extra = [_alone(factors, op, at) for at in range(1, len(op.operands))]
    return factors.rule([tuple(operand), *extra], [tuple(result)])


def _transpose(op: Operation) -> FactorRule:
    factors = Factors()
    operand = factors.each(shape(op.operands[0]))
    return factors.rule([operand], [tuple(operand[axis] for axis in ints(op, "permutation"))])


def _resized(op: Operation) -> FactorRule:
    """Slices and pads: a dimension whose size stays is kept as it is."""
    factors = Factors()
    source, target = shape(op.operands[0]), shape(op.results[0])
    result = factors.each(target)
    operand = tuple(
        result[axis] if size == target[axis] else (factors.new(size, whole=True),)
        for axis, size in enumerate(source)
    )
    return factors.rule([operand, *(_alone(factors, op, at) for at in range(1, len(op.operands)))], [result])


def _concatenate(op: Operation) -> FactorRule:
    factors = Factors()
    axis = number(op, "dimension")
    shared = list(factors.each(shape(op.results[0])))
    sizes = [shape(operand)[axis] for operand in op.operands]
    if len(sizes) == 1 or DYNAMIC not in sizes:
        parts = [shared[axis] if len(sizes) == 1 else (factors.new(size),) for size in sizes]
    elif set(sizes) == {DYNAMIC}:
        parts = [(factors.new(DYNAMIC),)] * len(sizes)
        shared[axis] = (factors.new(len(sizes)), *parts[0])
    else:
        parts = [(factors.new(size, whole=True),) for size in sizes]
    operands = [(*shared[:axis], part, *shared[axis + 1 :]) for part in parts]
    return factors.rule(operands, [tuple(shared)])


def _dot_general(op: Operation) -> FactorRule:
    factors = Factors()
    numbers = DotNumbers(op)
    left: dict[int, tuple[int, ...]] = {}
    right: dict[int, tuple[int, ...]] = {}
    lhs, rhs = shape(op.operands[0]), shape(op.operands[1])
    batch = [(factors.new(lhs[axis]),) for axis in numbers.lhs_batch]
    left.update(zip(numbers.lhs_batch, batch, strict=True))
    right.update(zip(numbers.rhs_batch, batch, strict=True))
    for a, b in zip(numbers.lhs_contracting, numbers.rhs_contracting, strict=True):
        left[a] = right[b] = (factors.new(lhs[a], reduction="sum"),)
    free: list[tuple[int, ...]] = []
    for dims, sizes in ((left, lhs), (right, rhs)):
        for axis, size in enumerate(sizes):
            if axis not in dims:
                dims[axis] = (factors.new(size),)
                free.append(dims[axis])
    operands = [tuple(dims[axis] for axis in range(len(dims))) for dims in (left, right)]
    return factors.rule(operands, [(*batch, *free)])


class DotNumbers:
    """The dimension numbers of a `dot_general`."""

    def __init__(self, op: Operation):
        found = attribute(op, "dot_dimension_numbers")
        assert isinstance(found, DotAttr)

        def axes(name: str) -> tuple[int, ...]:
            return tuple(axis.value.data for axis in getattr(found, name))

        self.lhs_batch = axes("lhs_batching_dimensions")
        self.rhs_batch = axes("rhs_batching_dimensions")
        self.lhs_contracting = axes("lhs_contracting_dimensions")
        self.rhs_contracting = axes("rhs_contracting_dimensions")


def _reduce(op: Operation) -> FactorRule:
    factors = Factors()
    dimensions, count = ints(op, "dimensions"), len(op.results)
    reduction = reducer(op) if count == 1 else None
    operand = tuple(
        (factors.new(size, reduction=reduction or "", whole=reduction is None),)
        if axis in dimensions
        else (factors.new(size),)
        for axis, size in enumerate(shape(op.operands[0]))
    )
    result = tuple(dim for axis, dim in enumerate(operand) if axis not in dimensions)
    return factors.rule([operand] * count + [()] * count, [result] * count)


def _along(op: Operation, axes: tuple[int, ...]) -> FactorRule:
    """Operations that keep every shape and mix entries along some axes."""
    factors = Factors()
    dims = tuple((factors.new(size, whole=axis in axes),) for axis, size in enumerate(shape(op.operands[0])))
    return factors.rule([dims] * len(op.operands), [dims] * len(op.results))


def _reverse(op: Operation) -> FactorRule:
    return _along(op, ints(op, "dimensions"))


def _sort(op: Operation) -> FactorRule:
    axis = number(op, "dimension", -1)
    return _along(op, (axis % len(shape(op.operands[0])),))


def _top_k(op: Operation) -> FactorRule:
    factors = Factors()
    *batch, last = shape(op.operands[0])
    dims = factors.each(batch)
    ends = [(factors.new(size, whole=True),) for size in (last, shape(op.results[0])[-1])]
    return factors.rule([(*dims, ends[0])], [(*dims, ends[1])] * len(op.results))


def _matrices(op: Operation) -> FactorRule:
    rank = len(shape(op.operands[0]))
    return _along(op, (rank - 2, rank - 1))


def _alone(factors: Factors, op: Operation, at: int) -> tuple[tuple[int, ...], ...]:
    """Dimensions of an operand that has no part in the result: a shape, an index, an initial value."""
    return factors.each(shape(op.operands[at]))


_RULES: dict[str, Rule] = {
    f"stablehlo.{name}": rule
    for name, rule in {
        "broadcast_in_dim": _broadcast,
        "cholesky": _matrices,
        "concatenate": _concatenate,
        "constant": _constant,
        "convolution": convolution,
        "dot_general": _dot_general,
        "dynamic_broadcast_in_dim": _broadcast,
        "dynamic_gather": gather,
        "dynamic_iota": _iota,
        "dynamic_pad": _resized,
        "dynamic_reshape": _reshape,
        "dynamic_slice": dynamic_slice,
        "dynamic_update_slice": dynamic_update_slice,
        "gather": gather,
        "get_dimension_size": _size_query,
        "iota": _iota,
        "optimization_barrier": _barrier,
        "pad": _resized,
        "real_dynamic_slice": _resized,
        "reduce": _reduce,
        "reduce_window": reduce_window,
        "reshape": _reshape,
        "reverse": _reverse,
        "scatter": scatter,
        "select_and_scatter": select_and_scatter,
        "slice": _resized,
        "sort": _sort,
        "transpose": _transpose,
        "triangular_solve": _matrices,
    }.items()
} | {"chlo.top_k": _top_k}
