"""What the executor costs in a training step beside XLA and the all-reduce, on a model too small to matter.

Run it as `python benchmarks/training_overhead.py [RANKS]`; it starts the ranks itself.
"""

import io
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from safetensors.numpy import save

from dlc.runtime.executor import execute
from dlc.runtime.launch import in_mpi_world, mpirun
from dlc.runtime.plan import Gang, Json, Plan
from dlc.runtime.reduce import Reduction, as_partials
from dlc.runtime.transport import Transport

SHARDS, SIZE, FEATURES, ROWS, EPOCHS = 4, 64, 8, 6400, 5
SIZES = (1_000, 100_000, 10_000_000)  # floats of a reduction


def texts(micro: int) -> dict[str, str]:
    """Least squares on a micro-batch, with and without padding, and a step of steepest descent."""
    import jax
    import jax.numpy as jnp

    def loss(w: Any, x: Any, y: Any, rows: Any, weight: Any) -> Any:
        error = x @ w - y
        return jnp.sum(weight * error * error) / rows

    def full(rows: Any, x: Any, y: Any, w: Any) -> Any:
        return jax.value_and_grad(loss)(w, x, y, rows.astype(jnp.float32), 1.0)

    def masked(rows: Any, x: Any, y: Any, w: Any, valid: Any) -> Any:
        weight = jnp.where(jnp.arange(micro) < valid, 1.0, 0.0)
        return jax.value_and_grad(loss)(w, x, y, rows.astype(jnp.float32), weight)

    def update(w: Any, gradient: Any) -> Any:
        return w - 0.01 * gradient

    count = jax.ShapeDtypeStruct((), jnp.int32)
    w, x, y = (
        jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((FEATURES,), (micro, FEATURES), (micro,))
    )
    arguments = {full: (count, x, y, w), masked: (count, x, y, w, count), update: (w, w)}
    return {
        function.__name__: jax.jit(function, keep_unused=True).lower(*shapes).as_text()
        for function, shapes in arguments.items()
    }


def training_plan(ranks: int, epochs: int, order: str) -> Plan:
    """So many epochs over random rows that every rank holds."""
    random = np.random.default_rng(0)
    names = [f"x{index}" for index in range(FEATURES)]
    frame = pl.DataFrame({name: random.random(ROWS) for name in [*names, "y"]})
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    micro = SIZE // SHARDS
    parts, sums = ["loss.parts", "g.parts"], ["loss", "g"]
    xla = {"kind": "xla", "version": 1}
    micro_step = {
        **xla,
        "inputs": 4,
        "outputs": 2,
        "module": "full",
        "masked": "masked",
        "rows": {"chunk": micro},
    }
    update = {**xla, "inputs": 2, "outputs": 1, "module": "update", "rows": None}
    body = [
        instruction("micro", **{"in": "b"}, step="t", ins=["w"], outs=parts, fragment=micro_step),
        instruction("reduce", ins=parts, outs=sums, combine="sum", order=order, **{"async": True}),
        instruction("wait", ins=sums),
        instruction("run", ins=["w", "g"], outs=["w.new"], fragment=update),
        instruction("log", **{"in": "loss"}, name="loss", epoch="e", step="t"),
    ]
    dealt = {"size": SIZE, "micro_batches": SHARDS, "seed": 1, "shuffle": False, "keys": None, "owned": "all"}
    epoch = [
        instruction("batches", frame=None, ins=["x", "y"], out="b", epoch="e", **dealt),
        instruction("steps", **{"in": "b"}, out="n"),
        loop("t", "n", ["w.epoch"], ["w"], ["w.new"], ["w.after"], body),
    ]
    columns = {"columns": [names, "y"], "dtypes": ["f32", "f32"]}
    steps = [
        instruction("constant", out="f", name="rows"),
        instruction("parameters", outs=["w.first"], name="model", tensors=["w"]),
        instruction("to_tensor", **{"in": "f"}, outs=["x", "y"], **columns),
        loop("e", epochs, ["w.first"], ["w.epoch"], ["w.after"], ["w.last"], epoch),
    ]
    constants = {
        "rows.arrow": buffer.getvalue(),
        "model.safetensors": save({"w": np.zeros(FEATURES, np.float32)}),
    }
    gang = Gang("main", list(range(ranks)), steps)
    return Plan("training", ranks, [gang], constants=constants, kernels=texts(micro))


def instruction(op: str, **fields: Any) -> Json:
    """An instruction without a source line."""
    return {"op": op, "loc": -1, **fields}


def loop(
    index: str, stop: int | str, ins: list[str], args: list[str], yields: list[str], outs: list[str],
    body: list[Json],
) -> Json:  # fmt: skip
    """A loop from 0 on."""
    names = {"ins": ins, "args": args, "yields": yields, "outs": outs}
    return instruction("for", index=index, start=0, stop=stop, step=1, **names, body=body)


def best(transport: Transport, work: Callable[[], object], times: int) -> float:
    """The least time of several calls, in seconds."""
    found: list[float] = []
    for _ in range(times):
        transport.barrier()
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def xla_alone(ranks: int) -> float:
    """Seconds that XLA takes for the calls of one step on one rank."""
    from dlc.runtime.kernels.xla_device import device

    micro = SIZE // SHARDS
    kernels = texts(micro)
    full, update = device().compile(kernels["full"]), device().compile(kernels["update"])
    shapes = ((micro, FEATURES), (micro,), (FEATURES,))
    x, y, w = (device().put(np.ones(shape, np.float32)) for shape in shapes)
    rows = device().put(SIZE)

    def step() -> None:
        for _ in range(SHARDS // ranks):
            np.asarray(full([rows, x, y, w])[1])
        np.asarray(update([w, w])[0])

    times = 2000
    found: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            step()
        found.append((time.perf_counter() - start) / times)
    return min(found)


def reduce(values: Any, order: str, transport: Transport) -> None:
    """A whole reduction of one tensor a rank."""
    Reduction([as_partials(values, transport)], "sum", order, transport).wait()


def reductions(transport: Transport) -> None:
    """A bucket in the fixed tree and in any order, against MPI alone."""
    from mpi4py import MPI

    for size in SIZES:
        values, summed = np.ones(size, np.float32), np.empty(size, np.float32)
        times = max(5, min(500, 20_000_000 // size))
        plain = best(transport, partial(MPI.COMM_WORLD.Allreduce, values, summed), times)
        tree, free = (
            best(transport, partial(reduce, values, order, transport), times) for order in ("tree", "any")
        )
        if transport.rank == 0:
            print(
                f"reduction of {size:>10,} floats: MPI {plain * 1e6:9.1f} us, "
                f"tree {tree * 1e6:9.1f} us, any order {free * 1e6:9.1f} us"
            )


def measure(transport: Transport) -> None:
    steps = ROWS // SIZE * EPOCHS
    alone = xla_alone(transport.size)
    values = np.ones(FEATURES + 1, np.float32)
    for order in ("tree", "any"):
        plans = [training_plan(transport.size, epochs, order) for epochs in (EPOCHS, 2 * EPOCHS)]
        few, many = (best(transport, partial(execute, plan, transport), 7) for plan in plans)
        combined = best(transport, partial(reduce, values, order, transport), 500)
        step = (many - few) / steps
        if transport.rank == 0:
            print(f"ranks {transport.size}, order {order}")
            print(f"  training step          {step * 1e6:9.1f} us")
            print(f"  XLA alone              {alone * 1e6:9.1f} us")
            print(f"  one reduction alone    {combined * 1e6:9.1f} us")
            print(f"  executor               {(step - alone - combined) * 1e6:9.1f} us")
    if transport.size > 1:
        reductions(transport)


def main() -> int:
    ranks = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    if not in_mpi_world():
        return mpirun(ranks, [__file__])
    from dlc.runtime.job import connect

    measure(connect())
    return 0


if __name__ == "__main__":
    sys.exit(main())
