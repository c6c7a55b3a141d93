"""What a StableHLO module computes: FLOPs, bytes and the sizes of its results, read from its text.

Products and convolutions count two FLOP for each multiplication, every other operation one for each element
that it gives. Bytes are those of arguments and results, and of what passes through products: the rest is
fused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache

_FUNCTION = re.compile(
    r"func\.func (?:public |private )?@([\w.$-]+)\((.*?)\)\s*->\s*(.*?)\s*(?:attributes.*)?\{\s*$"
)
_TENSOR = re.compile(r"tensor<((?:\d+x)*)([a-z][a-z0-9]*)>")
_CALL = re.compile(r"(?:func\.)?call @([\w.$-]+)\(")
_OPERATION = re.compile(r"=\s+\"?(?:stablehlo|chlo)\.(\w+)\"?\s*(.*)$")
_CONTRACTING = re.compile(r"contracting_dims = \[([\d, ]*)\]|lhs_contracting_dimensions = \[([\d, ]*)\]")
_KERNEL = re.compile(r"x\[([^\]]*)\]->")
_MOVING = frozenset(
    {"constant", "broadcast_in_dim", "reshape", "transpose", "slice", "concatenate", "iota", "convert", "pad"}
    | {"gather", "return", "dynamic_slice", "dynamic_update_slice", "copy", "bitcast_convert"}
)
_SIZES = {"i1": 1, "i8": 1, "ui8": 1, "i16": 2, "ui16": 2, "bf16": 2, "f16": 2, "i64": 8, "ui64": 8, "f64": 8}


@dataclass(frozen=True)
class ModuleCost:
    """One call of a module: FLOP of its products, its convolutions, and all other operations.

    `results` are the bytes of each output, `dtype` the type of its products.
    """

    products: float
    convolutions: float
    elements: float
    nbytes: float
    results: tuple[float, ...]
    dtype: str

    @property
    def flops(self) -> float:
        return self.products + self.convolutions + self.elements


@dataclass(frozen=True)
class _Shape:
    dims: tuple[int, ...]
    dtype: str

    @property
    def elements(self) -> int:
        return math.prod(self.dims)

    @property
    def nbytes(self) -> float:
        return self.elements * _SIZES.get(self.dtype, 4)


@dataclass
class _Function:
    arguments: list[_Shape]
    results: list[_Shape]
    flops: dict[str, float] = field(default_factory=dict[str, float])
    nbytes: float = 0.0
    calls: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def module_cost(text: str) -> ModuleCost:
    """The cost of the function `main` of a module, or of its first one."""
    functions, dtype = _functions(text)
    if not functions:
        return ModuleCost(0.0, 0.0, 0.0, 0.0, (), "f32")
    main = functions.get("main") or next(iter(functions.values()))
    flops, inner = _total(main, functions, 0)
    outer = sum(shape.nbytes for shape in (*main.arguments, *main.results))
    return ModuleCost(
        flops.get("dot_general", 0.0),
        flops.get("convolution", 0.0),
        flops.get("", 0.0),
        inner + outer,
        tuple(shape.nbytes for shape in main.results),
        dtype,
    )


def _functions(text: str) -> tuple[dict[str, _Function], str]:
    functions: dict[str, _Function] = {}
    current, dtype = _Function([], []), "f32"
    for line in text.splitlines():
        if match := _FUNCTION.search(line):
            current = functions[match[1]] = _Function(_shapes(match[2]), _shapes(match[3]))
        elif match := _CALL.search(line):
            current.calls += (match[1],)
        elif match := _OPERATION.search(line):
            flops, nbytes, kind = _operation(match[1], match[2])
            product = match[1] if kind else ""
            current.flops[product] = current.flops.get(product, 0.0) + flops
            current.nbytes += nbytes
            dtype = kind or dtype
    return functions, dtype


def _total(
    function: _Function, functions: dict[str, _Function], depth: int
) -> tuple[dict[str, float], float]:
    """FLOP by kind of product, and bytes, of a function and all that it calls."""
    flops, nbytes = dict(function.flops), function.nbytes
    for name in function.calls if depth < 64 else ():
        if name in functions:
            more, moved = _total(functions[name], functions, depth + 1)
            flops = {kind: flops.get(kind, 0.0) + more.get(kind, 0.0) for kind in flops.keys() | more.keys()}
            nbytes += moved
    return flops, nbytes


def _operation(name: str, rest: str) -> tuple[float, float, str]:
    """FLOP and bytes of an operation, and the element type of a product."""
    shapes = _shapes(rest.rpartition(" : ")[2])
    if not shapes or name in _MOVING:
        return 0.0, 0.0, ""
    out = shapes[-1]
    if name == "dot_general" and len(shapes) >= 3:
        match = _CONTRACTING.search(rest)
        axes = [int(axis) for axis in re.findall(r"\d+", (match[1] or match[2] or "") if match else "")]
        depth = math.prod(shapes[0].dims[axis] for axis in axes if axis < len(shapes[0].dims))
        return 2.0 * out.elements * depth, sum(shape.nbytes for shape in shapes), out.dtype
    if name == "convolution" and len(shapes) >= 3:
        match = _KERNEL.search(rest)
        order = [axis.strip() for axis in match[1].split(",")] if match else []
        features = shapes[1].dims[order.index("o")] if "o" in order else 1
        depth = shapes[1].elements / max(features, 1)
        return 2.0 * out.elements * depth, sum(shape.nbytes for shape in shapes), out.dtype
    if name.startswith("reduce"):
        return float(shapes[0].elements), 0.0, ""
    return float(out.elements), 0.0, ""


def _shapes(text: str) -> list[_Shape]:
    return [
        _Shape(tuple(int(size) for size in match[1].split("x") if size), match[2])
        for match in _TENSOR.finditer(text)
    ]
