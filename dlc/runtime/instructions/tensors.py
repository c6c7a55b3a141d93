"""Instructions between frames and tensors."""

import numpy as np

from dlc.diagnostics import DlcError
from dlc.runtime.checkpoint import unpack
from dlc.runtime.instructions.base import Run, Site, Values, instruction
from dlc.runtime.plan import Json
from dlc.runtime.tensors import dtype_of, from_frame, rows_as_count, to_frame


@instruction("parameters")
def _parameters(code: Json, site: Site) -> Run:
    outs = code["outs"]
    held = unpack(site.context.plan.constants[f"{code['name']}.safetensors"])
    if held is None or not held.keys() >= set(code["tensors"]):
        raise DlcError("DLC501", "a constant of the plan does not hold the tensors that are taken from it")
    tensors = [held[name] for name in code["tensors"]]

    def run(values: Values) -> None:
        values.update(zip(outs, tensors, strict=True))

    return run


@instruction("to_tensor")
def _to_tensor(code: Json, site: Site) -> Run:
    source, outs, columns, dtypes = code["in"], code["outs"], code["columns"], code["dtypes"]
    loc = site.locate(code)
    for dtype in dtypes:
        dtype_of(dtype)

    def run(values: Values) -> None:
        tensors = from_frame(site.collect(source, values), columns, dtypes, loc)
        values.update(zip(outs, tensors, strict=True))

    return run


@instruction("from_tensor")
def _from_tensor(code: Json, site: Site) -> Run:
    source, tensors, columns, out = code["in"], code["tensors"], code["columns"], code["out"]

    def run(values: Values) -> None:
        named = {column: values[name] for column, name in zip(columns, tensors, strict=True)}
        values[out] = to_frame(None if source is None else site.collect(source, values), named)

    return run


@instruction("rows")
def _rows(code: Json, site: Site) -> Run:
    source, out, whole = code["in"], code["out"], code.get("whole", False)
    group, loc = site.group, site.locate(code)

    def run(values: Values) -> None:
        rows = site.collect(source, values).height
        if not whole:
            counts = group.all_gather(np.array([rows], np.int64).data.cast("B"))
            rows = sum(int(np.frombuffer(part, np.int64)[0]) for part in counts)
        values[out] = rows_as_count(rows, loc)

    return run
