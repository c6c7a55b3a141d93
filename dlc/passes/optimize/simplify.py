"""Rewrites of single expressions that hold under SQL's nulls, each to something smaller or more regular."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from dlc.dialects import datatypes as t
from dlc.dialects.expr import (
    AddOp,
    AndOp,
    CaseOp,
    CastOp,
    CoalesceOp,
    CompareOp,
    IsInOp,
    IsNullOp,
    LiteralOp,
    MulOp,
    NotOp,
    OrOp,
    SubOp,
)
from dlc.passes.locations import at

from .constants import NULL, Constant, constant, materialize

INVERSE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}
MIRROR = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}


def replace(op: Operation, value: SSAValue, rewriter: PatternRewriter) -> None:
    """Put a value in the place of an op; a cast keeps the type when only the nullability differs."""
    type_ = op.results[0].type
    if value.type == type_:
        rewriter.replace(op, [], [value])
    else:
        rewriter.replace(op, at(op.location, CastOp(value, type_)))


class ConnectiveOfConstant(RewritePattern):
    """`x and true`, `x and false`, `x and x`, and the same of `or`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AndOp | OrOp, rewriter: PatternRewriter):
        neutral = Constant(isinstance(op, AndOp))
        for side, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
            known = constant(side)
            if side is other or known == neutral:
                return replace(op, other, rewriter)
            if known is not None and known != NULL:
                return rewriter.replace(op, materialize(known, op.result.type, op.location))
        return None


class Negation(RewritePattern):
    """`not not x`, `not a < b`, and `not (a or b)`, of which `and` leaves terms that move apart."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: NotOp, rewriter: PatternRewriter):
        inner = op.operand.owner
        match inner:
            case NotOp():
                replace(op, inner.operand, rewriter)
            case CompareOp():
                inverse = CompareOp(INVERSE[inner.predicate.data], inner.lhs, inner.rhs)
                rewriter.replace(op, at(inner.location, inverse))
            case OrOp():
                left, right = (at(op.location, NotOp(side)) for side in (inner.lhs, inner.rhs))
                rewriter.replace(op, [left, right, at(op.location, AndOp(left.result, right.result))])
            case _:
                pass


class LiteralOnTheRight(RewritePattern):
    """`5 < x` is `x > 5`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CompareOp, rewriter: PatternRewriter):
        if constant(op.lhs) is not None and constant(op.rhs) is None:
            mirrored = CompareOp(MIRROR[op.predicate.data], op.rhs, op.lhs)
            rewriter.replace(op, at(op.location, mirrored))


class CastToSameType(RewritePattern):
    """A cast that changes nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CastOp, rewriter: PatternRewriter):
        if op.operand.type == op.result.type:
            rewriter.replace(op, [], [op.operand])


class NullTestOfNeverNull(RewritePattern):
    """`x is null` is false where the type has no null."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: IsNullOp, rewriter: PatternRewriter):
        if not t.is_nullable(op.operand.type):
            rewriter.replace(op, materialize(Constant(False), op.result.type, op.location))


class CoalesceOfKnown(RewritePattern):
    """Operands that are null always, or that come after one that never is."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CoalesceOp, rewriter: PatternRewriter):
        kept = list[SSAValue]()
        for argument in op.arguments:
            if constant(argument) != NULL:
                kept.append(argument)
            if not t.is_nullable(argument.type):
                break
        if len(kept) == 1:
            replace(op, kept[0], rewriter)
        elif kept and len(kept) < len(op.arguments):
            fewer = at(op.location, CoalesceOp(kept))
            rewriter.insert(fewer)
            replace(op, fewer.result, rewriter)


class CaseOfConstant(RewritePattern):
    """A first branch that is always or never taken."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CaseOp, rewriter: PatternRewriter):
        condition, value, *rest = op.arguments
        known = constant(condition)
        if known == Constant(True):
            replace(op, value, rewriter)
        elif known is not None and len(rest) == 1:
            replace(op, rest[0], rewriter)
        elif known is not None:
            rewriter.replace(op, at(op.location, CaseOp(rest, op.result.type)))


class IntegerIdentity(RewritePattern):
    """`x + 0`, `x - 0`, `x * 1` of integers, which cannot overflow; 0.0 + -0.0 is not -0.0."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp | SubOp | MulOp, rewriter: PatternRewriter):
        if t.is_integer(op.result.type):
            neutral = Constant(int(isinstance(op, MulOp)))
            if constant(op.rhs) == neutral:
                replace(op, op.lhs, rewriter)
            elif constant(op.lhs) == neutral and not isinstance(op, SubOp):
                replace(op, op.rhs, rewriter)


class MembershipOfOne(RewritePattern):
    """`x in (5)` is `x = 5`."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: IsInOp, rewriter: PatternRewriter):
        if len(op.values) == 1:
            member = LiteralOp.create(
                properties={"value": op.values.data[0]}, result_types=[t.strip(op.operand.type)]
            )
            equal = CompareOp("eq", op.operand, member.results[0])
            rewriter.replace(op, [at(op.location, member), at(op.location, equal)])


EXPRESSION_PATTERNS: tuple[RewritePattern, ...] = (
    ConnectiveOfConstant(),
    Negation(),
    LiteralOnTheRight(),
    CastToSameType(),
    NullTestOfNeverNull(),
    CoalesceOfKnown(),
    CaseOfConstant(),
    IntegerIdentity(),
    MembershipOfOne(),
)
