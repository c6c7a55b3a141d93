"""When the operations of a placed program begin and end: what the instructions take that it is lowered to."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, IntegerAttr, ModuleOp, f64, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation

from dlc.dialects import dist, flow, plan
from dlc.hwspec.model import Machine
from dlc.passes.lower.choose_engines import ChooseEnginesPass
from dlc.passes.lower.instructions import Encoder
from dlc.passes.lower.lower_to_plan import lower_program
from dlc.predict.prediction import Prediction, Span
from dlc.predict.schedule import schedule

_DIGITS = 9  # of a second: nanoseconds


def predict_times(ctx: Context, module: ModuleOp, program: flow.ProgramOp, machine: Machine) -> Prediction:
    """Write `start` and `finish` on operations, `rounds` on loops, and the `seconds` of all on the gang.

    Seconds since the program began; those in a loop are of its first round. A copy of the program is lowered,
    so that the times are those which a prediction of the finished plan gives.
    """
    copy = module.clone()
    twins = dict(zip(copy.walk(), module.walk(), strict=True))
    original = {old: new for new, old in twins.items()}
    target = original[program]
    assert isinstance(target, flow.ProgramOp)
    origins = lower_program(copy, target)
    ChooseEnginesPass().apply(ctx, copy)
    encoder = Encoder({op.sym_name.data: op for op in copy.ops if isinstance(op, FuncOp)})
    gang = next(op for op in copy.walk() if isinstance(op, plan.GangOp))
    instructions = encoder.gang(gang)
    ranks = len(plan.ranks_of(gang))
    found = schedule(program.sym_name.data, ranks, instructions, encoder.kernels, machine)
    spans = {span.path: span for span in found.spans}
    parts = dict[Operation, list[Span]]()
    for new, old in origins.items():
        if new in encoder.paths and (span := spans.get(encoder.paths[new])):
            parts.setdefault(twins[old], []).append(span)
    for op, own in parts.items():
        op.attributes["start"] = _seconds(min(span.start for span in own))
        op.attributes["finish"] = _seconds(max(span.finish for span in own))
        if (rounds := own[0].rounds) is not None:
            op.attributes["rounds"] = IntegerAttr(rounds, i64)
    for op in program.body.block.ops:
        if isinstance(op, dist.GangOp):
            op.attributes["seconds"] = _seconds(found.seconds.value)
    return found


def _seconds(value: float) -> Attribute:
    return FloatAttr(round(value, _DIGITS), f64)
