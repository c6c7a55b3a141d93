"""Moving operations within a block."""

from __future__ import annotations

from xdsl.ir import Operation


def make_way(producer: Operation, user: Operation) -> bool:
    """Move what stands between two ops of a block and depends on the first behind the second.

    False, and nothing moved, if the second needs some of that.
    """
    block = user.parent_block()
    assert block is not None and producer.parent_block() is block
    dependent = {producer: None}
    op = producer.next_op
    while op is not user:
        assert op is not None
        if any(value.owner in dependent for inner in op.walk() for value in inner.operands):
            dependent[op] = None
        op = op.next_op
    del dependent[producer]
    if any(value.owner in dependent for value in user.operands):
        return False
    last = user
    for op in dependent:
        op.detach()
        block.insert_op_after(op, last)
        last = op
    return True
