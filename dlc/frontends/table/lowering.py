"""From the tree of an expression to typed ops over the rows of one frame."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.ir import SSAValue

from .builder import Builder, Operand
from .node import Node
from .rules import RULES


class Lowering(Builder):
    """Lowers trees into one region, in which a shared subtree is computed once.

    `columns` names the nodes that are columns of the frame by now, such as aggregates computed before.
    """

    def __init__(self, frame: SSAValue, columns: Mapping[int, str] | None = None):
        super().__init__(frame)
        self._known = columns or {}
        self._done: dict[int, Operand] = {}

    def value(self, root: Node) -> SSAValue:
        """The value of an expression; DLC101 and DLC102 at the node that does not fit."""
        # Bottom up and without recursion: users build deep trees in loops.
        stack = [root]
        while stack:
            node = stack[-1]
            if id(node) in self._done:
                stack.pop()
            elif id(node) in self._known:
                self._done[id(node)] = self.column(self._known[id(node)], node.loc)
            elif waiting := [arg for arg in node.args if id(arg) not in self._done]:
                stack.extend(reversed(waiting))
            else:
                operands = [self._done[id(arg)] for arg in node.args]
                self._done[id(node)] = RULES[node.kind](self, node, operands)
        return self.alone(self._done[id(root)], root)
