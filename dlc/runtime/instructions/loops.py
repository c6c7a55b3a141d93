"""Counted loops whose bodies are instruction lists."""

from typing import Any

from dlc.runtime.instructions.base import Run, Site, Values, compile_steps, instruction, run_steps
from dlc.runtime.plan import Json


@instruction("for")
def _for(code: Json, site: Site) -> Run:
    index, step = code["index"], code["step"]
    ins, args, yields, outs = code["ins"], code["args"], code["yields"], code["outs"]
    steps, plan = compile_steps(code["body"], site), site.context.plan

    def run(values: Values) -> None:
        outer = set(values)
        carried = [values[name] for name in ins]
        for number in range(_bound(code["start"], values), _bound(code["stop"], values), step):
            values[index] = number
            values.update(zip(args, carried, strict=True))
            run_steps(steps, values, plan)
            carried = [values[name] for name in yields]
        for name in values.keys() - outer:
            del values[name]
        values.update(zip(outs, carried, strict=True))

    return run


def _bound(bound: Any, values: Values) -> int:
    return int(values[bound]) if isinstance(bound, str) else bound
