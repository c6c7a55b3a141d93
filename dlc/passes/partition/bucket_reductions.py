"""`bucket-reductions`: all-reduces of tensors that can start together travel as one flat bucket."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import FixedBitwidthType, ModuleOp, TensorType
from xdsl.dialects.scf import ForOp
from xdsl.ir import Attribute, Block
from xdsl.passes import ModulePass

from dlc.dialects import dist, flow

from .ordering import make_way

Kind = tuple[str, str, frozenset[Attribute]]
"""Reduction, order and element types: what a bucket's tensors have in common."""


@dataclass(frozen=True)
class BucketReductionsPass(ModulePass):
    """Merge reductions of one kind, up to `bucket_bytes` a bucket: a message costs its latency once."""

    name = "bucket-reductions"
    bucket_bytes: int = 25 << 20

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for program in [inner for inner in op.ops if isinstance(inner, flow.ProgramOp)]:
            self._block(program.body.block)

    def _block(self, block: Block) -> None:
        pending = dict[Kind, dist.AllReduceTensorsOp]()
        for op in list(block.ops):
            if isinstance(op, ForOp):
                self._block(op.body.block)
            if not isinstance(op, dist.AllReduceTensorsOp):
                continue
            kind = (op.op.data, op.order.data, frozenset(element(value.type) for value in op.tensors))
            merged = self._merge(pending[kind], op) if kind in pending else None
            pending[kind] = merged or op

    def _merge(
        self, first: dist.AllReduceTensorsOp, second: dist.AllReduceTensorsOp
    ) -> dist.AllReduceTensorsOp | None:
        tensors = [*first.tensors, *second.tensors]
        if sum(size(value.type) for value in tensors) > self.bucket_bytes or not make_way(first, second):
            return None
        bucket = dist.AllReduceTensorsOp(tensors, second.op.data, second.order.data)
        bucket.location = second.location
        block = second.parent_block()
        assert block is not None
        block.insert_op_before(bucket, second)
        for old, new in zip([*first.reduced, *second.reduced], bucket.reduced, strict=True):
            new.name_hint = old.name_hint
            old.replace_all_uses_with(new)
        for op in (first, second):
            op.detach()
            op.erase()
        return bucket


def element(type_: Attribute) -> Attribute:
    """The element type of a distributed tensor."""
    return _tensor(type_).element_type


def size(type_: Attribute) -> int:
    """Bytes of a distributed tensor of known shape."""
    bits = element(type_)
    assert isinstance(bits, FixedBitwidthType)
    return math.prod(_tensor(type_).get_shape()) * bits.size


def _tensor(type_: Attribute) -> TensorType[Attribute]:
    assert isinstance(type_, dist.PartType)
    return cast("TensorType[Attribute]", type_.whole)
