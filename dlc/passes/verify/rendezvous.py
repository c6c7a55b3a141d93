"""Runs instruction lists under zero-buffer semantics: a send ends only when its receive has begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation

from dlc.dialects import plan
from dlc.dialects.plan_training import WaitOp


@dataclass(frozen=True)
class Blocked:
    """A rank that can never go on."""

    rank: int
    op: Operation
    reason: str


Gang = tuple[Sequence[int], Sequence[Operation]]


def simulate(gangs: Sequence[Gang]) -> list[Blocked]:
    """Ranks left waiting at the end; empty when every list runs to its end.

    One round of a loop stands for all, since every member of a gang runs as many.
    A rank in several gangs runs their lists in order. The first rank of a gang sends and receives for it.
    """
    lists: dict[int, list[tuple[int, Operation]]] = {}
    for index, (ranks, operations) in enumerate(gangs):
        for rank in ranks:
            waits = [op for op in operations if _waits(op, rank == ranks[0])]
            lists.setdefault(rank, []).extend((index, op) for op in waits)
    position = dict.fromkeys(lists, 0)
    ready = list(lists)
    while ready:
        rank = ready.pop()
        meeting = _meeting(rank, lists, position, gangs)
        if meeting:
            for member in meeting:
                position[member] += 1
            ready.extend(meeting)
    return [
        Blocked(rank, lists[rank][at][1], _reason(lists[rank][at][1]))
        for rank, at in sorted(position.items())
        if at < len(lists[rank])
    ]


def _waits(op: Operation, first: bool) -> bool:
    return isinstance(op, plan.CollectiveOp | WaitOp) or (first and isinstance(op, plan.SendOp | plan.RecvOp))


def _meeting(
    rank: int, lists: dict[int, list[tuple[int, Operation]]], position: dict[int, int], gangs: Sequence[Gang]
) -> list[int]:
    """Ranks that can go on together with this one; empty if it has to wait."""
    if position[rank] >= len(lists[rank]):
        return []
    gang, op = lists[rank][position[rank]]

    def stands_at(other: int) -> tuple[int, Operation] | None:
        if other not in lists or position[other] >= len(lists[other]):
            return None
        return lists[other][position[other]]

    if isinstance(op, plan.SendOp | plan.RecvOp):
        peer = op.peer.value.data
        there = stands_at(peer)
        return [rank, peer] if there is not None and _matches(op, rank, there[1]) else []
    members = list(gangs[gang][0])
    return members if all(stands_at(member) == (gang, op) for member in members) else []


def _matches(op: Operation, rank: int, other: Operation) -> bool:
    send, recv = (op, other) if isinstance(op, plan.SendOp) else (other, op)
    return (
        isinstance(send, plan.SendOp)
        and isinstance(recv, plan.RecvOp)
        and isinstance(other, plan.SendOp | plan.RecvOp)
        and other.peer.value.data == rank
        and send.tag == recv.tag
        and send.frame.type == recv.result.type
    )


def _reason(op: Operation) -> str:
    if isinstance(op, plan.SendOp | plan.RecvOp):
        return f"for rank {op.peer.value.data}, tag {op.tag.value.data}"
    return "for the other members of its gang"
