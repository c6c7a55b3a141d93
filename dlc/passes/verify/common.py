"""What the verifiers of several stages check alike."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.scf import ForOp
from xdsl.ir import Block, Operation

from dlc.diagnostics import DlcError
from dlc.dialects import flow
from dlc.passes.locations import source_loc
from dlc.passes.wellformed import verify


def broken(op: Operation, stage: str, reason: str, help: str | None = None) -> DlcError:
    """A DLC305 at an operation."""
    return DlcError("DLC305", f"{op.name} breaks the {stage} stage: {reason}", loc=source_loc(op), help=help)


def programs(module: ModuleOp) -> Iterator[flow.ProgramOp]:
    """The programs of a well-formed module; DLC302 if it is not well-formed."""
    verify(module)
    return (op for op in module.ops if isinstance(op, flow.ProgramOp))


def operations(block: Block) -> Iterator[Operation]:
    """The operations of a program and of its loops, without what stands in other regions."""
    for op in block.ops:
        yield op
        if isinstance(op, ForOp):
            yield from operations(op.body.block)


def require_locations(program: flow.ProgramOp, stage: str) -> None:
    """DLC305 unless every operation says where in the user's files it comes from."""
    for op in program.walk():
        if source_loc(op) is None:
            raise broken(op, stage, "it has no source location", "carry `location` over when rewriting")
