"""Calls of tensor functions as one rank runs them: on chunks of a fixed number of rows."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from dlc.dialects import dist
from dlc.dialects.plan_training import COUNT, chunk_of
from dlc.passes.locations import at
from dlc.passes.partition.functions import callee, row_layouts, row_split
from dlc.passes.partition.layouts import Layout, Partial, Split


def result_layouts(fragment: dist.LocalOp) -> list[Layout]:
    """How the results of a fragment lie over the chunks of a rank's rows."""
    known = _argument_layouts(fragment)
    for op in fragment.body.block.ops:
        if isinstance(op, CallOp):
            known.update(zip(op.results, _left(op, known), strict=True))
    return [known[value] for value in fragment.yield_op.values]


def kind_of(layout: Layout) -> str:
    """What becomes of a result over the chunks: put together, combined by a reduction, or all the same."""
    match layout:
        case Split():
            return "rows"
        case Partial(op):
            return op
        case _:
            return "same"


class LocalCalls:
    """Makes the static functions of a module, each once."""

    def __init__(self, module: ModuleOp):
        self._module = module
        self._names = dict[tuple[str, tuple[Layout, ...], int, bool], str]()

    def region(
        self,
        fragment: dist.LocalOp,
        types: Sequence[Attribute],
        places: Sequence[int],
        chunk: int,
        *,
        masked: bool,
    ) -> Region:
        """The fragment on `chunk` rows, as a region that takes chunks of values of these types.

        Argument k of the fragment is argument `places[k]` of the region. With `masked` the number of real
        rows comes last.
        """
        block = Block(arg_types=[*(chunk_of(type_, chunk) for type_ in types), *([COUNT] if masked else [])])
        valid = [block.args[-1]] if masked else []
        layouts = _argument_layouts(fragment)
        values: dict[SSAValue, SSAValue] = {}
        for argument, place in zip(fragment.body.block.args, places, strict=True):
            values[argument] = block.args[place]
            block.args[place].name_hint = argument.name_hint
        for op in fragment.body.block.ops:
            if not isinstance(op, CallOp):
                continue
            name = self._define(op, [layouts[value] for value in op.operands], chunk, masked)
            layouts.update(zip(op.results, _left(op, layouts), strict=True))
            results = [chunk_of(result.type, chunk) for result in op.results]
            call = CallOp(name, [*(values[value] for value in op.operands), *valid], results)
            block.add_op(at(op.location, call))
            values.update(zip(op.results, call.results, strict=True))
        end = dist.YieldOp([values[value] for value in fragment.yield_op.values])
        block.add_op(at(fragment.yield_op.location, end))
        return Region(block)

    def _define(self, op: CallOp, given: list[Layout], chunk: int, masked: bool) -> str:
        """The static function that stands for the one called; returns its name."""
        function = callee(op)
        original = function.sym_name.data
        key = (original, tuple(given), chunk, masked)
        if key not in self._names:
            from dlc.passes.partition.tensor.localise import localise

            twins = sum(other[0] == original and other[2:] == key[2:] for other in self._names)
            parts = [original, str(chunk), *(["masked"] if masked else []), *([str(twins)] if twins else [])]
            self._names[key] = ".".join(parts)
            local = localise(function, given, chunk, masked, self._names[key])
            self._module.body.block.insert_op_after(local, function)
        return self._names[key]


def _argument_layouts(fragment: dist.LocalOp) -> dict[SSAValue, Layout]:
    return {value: row_split(value.type) for value in fragment.body.block.args}


def _left(op: CallOp, known: dict[SSAValue, Layout]) -> tuple[Layout, ...]:
    left = row_layouts(callee(op), [known[value] for value in op.operands])
    assert left is not None, "the partitioner offers only calls that can run on some of the rows"
    return left
