"""The calls of a fragment as a module of StableHLO text, which a rank compiles as a whole."""

from __future__ import annotations

from hashlib import sha256

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from dlc.passes.text import print_module


def module_text(region: Region, functions: dict[str, FuncOp]) -> tuple[str, str]:
    """SHA-256 and text of a module whose entry `main` does what the region does."""
    source = region.block
    block = Block(arg_types=[argument.type for argument in source.args])
    known: dict[SSAValue, SSAValue] = dict(zip(source.args, block.args, strict=True))
    called = dict[str, FuncOp]()
    for op in source.ops:
        if isinstance(op, CallOp):
            name = op.callee.root_reference.data
            called.setdefault(name, functions[name])
            block.add_op(op.clone(known))
        else:
            block.add_op(ReturnOp(*(known[value] for value in op.operands)))
    end = block.last_op
    assert isinstance(end, ReturnOp)
    types = [argument.type for argument in block.args], [value.type for value in end.operands]
    main = FuncOp("main", types, Region(block), visibility="public")
    copies = [function.clone() for function in called.values()]
    for copy in copies:
        copy.arg_attrs = None
    text = print_module(ModuleOp([main, *copies]))
    return sha256(text.encode()).hexdigest(), text
