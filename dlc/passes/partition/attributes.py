"""Layouts to and from the attributes of the `dist` dialect."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute

from dlc.dialects import dist
from dlc.dialects.frame import OrderAttr

from . import layouts as la


def to_attribute(layout: la.Layout) -> Attribute:
    """The attribute that stands for a layout in a type."""
    match layout:
        case la.Hash(keys):
            return dist.hash_layout(keys)
        case la.Shards(keys, count):
            return dist.shard_layout(keys, count)
        case la.Range(by):
            return dist.RangeAttr(ArrayAttr([order_attribute(order) for order in by]))
        case la.Replicated():
            return dist.ReplicatedAttr()
        case la.Single():
            return dist.SingleAttr()
        case la.Rows():
            return dist.RowsAttr()
        case la.Split(axis, rows):
            return dist.SplitAttr(IntegerAttr(axis, i64), to_attribute(rows))
        case la.Partial(op):
            return dist.PartialAttr(StringAttr(op))
        case _:
            return dist.AnyAttr()


def from_attribute(attribute: Attribute) -> la.Layout:
    """The layout that an attribute stands for."""
    match attribute:
        case dist.HashAttr(keys=keys):
            return la.Hash(tuple(key.data for key in keys))
        case dist.ShardsAttr(keys=keys, count=count):
            return la.Shards(tuple(key.data for key in keys), count.value.data)
        case dist.RangeAttr(by=by):
            return la.Range(tuple(order_of(order) for order in by))
        case dist.ReplicatedAttr():
            return la.Replicated()
        case dist.SingleAttr():
            return la.Single()
        case dist.RowsAttr():
            return la.Rows()
        case dist.SplitAttr(axis=axis, rows=rows):
            return la.Split(axis.value.data, from_attribute(rows))
        case dist.PartialAttr(op=op):
            return la.Partial(op.data)
        case _:
            return la.Any()


def order_attribute(order: la.Order) -> OrderAttr:
    """The attribute of a sort key."""
    return OrderAttr.of(order.column, order.descending, order.nulls_last)


def order_of(attribute: OrderAttr) -> la.Order:
    """The sort key of an attribute."""
    return la.Order(*attribute.key)
