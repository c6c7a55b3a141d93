"""The numbers of a training on dlc: against JAX on the same batches, between ranks, and what a step takes.

``train_curve.py PLAN`` under mpiexec prints the parts of a step as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from train_models import MODELS, RATE, write

from dlc.runtime.batches import content_hashes, order_keys
from dlc.runtime.exchange import shard_of
from dlc.runtime.executor import execute
from dlc.runtime.plan import load
from dlc.runtime.transport import run_local

SHARDS, SEED = 4, 1


def history(plan: Path) -> pl.DataFrame:
    """The losses of a run whose ranks are threads of this process."""
    loaded = load(plan)
    results = run_local(loaded.world_size, lambda transport: execute(loaded, transport))[0]
    assert results is not None
    return results["history"]


def same_bits(plans: Sequence[Path]) -> bool:
    """Whether plans for several numbers of ranks give the same losses, to the last bit."""
    first, *others = (history(plan)["value"].to_numpy().tobytes() for plan in plans)
    return all(other == first for other in others)


def batches(name: str, data: Path, epoch: int = 0) -> list[np.ndarray]:
    """The rows of each step: those of every shard in the order of their hashes."""
    model, path = MODELS[name], write(name, data)
    shards = pl.read_parquet(path, columns=["id"]).select(shard_of(["id"], SHARDS)).to_series().to_numpy()
    hashes = content_hashes(model.arrays(path))
    keys = order_keys(hashes, SEED, epoch)
    rows = [np.flatnonzero(shards == shard) for shard in range(SHARDS)]
    ordered = [found[np.argsort(keys[found])] for found in rows]
    micro = model.batch // SHARDS
    steps = max(-(-len(found) // micro) for found in ordered)
    return [
        np.concatenate([found[micro * step : micro * (step + 1)] for found in ordered])
        for step in range(steps)
    ]


def curve_differences(name: str, data: Path, plan: Path) -> dict[str, float]:
    """The largest relative differences of losses to JAX's, over the "steps" of the first epoch.

    Of dlc's ("dlc"), and of those of JAX itself with the rows of each batch the other way round ("jax"): what
    rounding alone does, which Adam magnifies where gradients are small.
    """
    dealt = batches(name, data)
    wanted = jax_curve(name, data, dealt)
    turned = jax_curve(name, data, [rows[::-1] for rows in dealt])
    found = history(plan)["value"].to_numpy()
    return {
        "steps": len(wanted),
        "dlc": float(np.max(np.abs(found / wanted - 1))),
        "jax": float(np.max(np.abs(turned / wanted - 1))),
    }


def jax_curve(name: str, data: Path, dealt: Sequence[np.ndarray]) -> np.ndarray:
    """The losses of a training in JAX on batches of these rows."""
    import jax

    import dlc

    model = MODELS[name]
    x, y = model.arrays(write(name, data))
    optimizer = dlc.Adam(RATE)
    params: Any = model.initial()
    state = optimizer.init(params)
    both = jax.jit(jax.value_and_grad(model.loss))
    update = jax.jit(optimizer.update)
    losses: list[float] = []
    for rows in dealt:
        loss, gradients = both(params, x[rows], y[rows])
        params, state = update(params, state, gradients)
        losses.append(float(loss))
    return np.array(losses)


def step_parts(plan: Path) -> dict[str, float]:
    """Seconds of a step on the ranks of a plan: in all, in XLA, in reductions, and the rest."""
    mpiexec = Path(sys.executable).with_name("mpiexec")
    command = [mpiexec, "-n", str(load(plan).world_size), sys.executable, __file__, plan]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _timed_calls() -> list[float]:
    """Lets every call of a compiled module add its seconds to the one number of a list."""
    from dlc.runtime.kernels.xla_device import Module

    spent, build = [0.0], Module.__init__

    def built(self: Any, loaded: Any, owner: Any) -> None:
        build(self, loaded, owner)
        execute = self._execute

        def timed(arguments: Any) -> Any:
            start = time.perf_counter()
            found = execute(arguments)
            spent[0] += time.perf_counter() - start
            return found

        self._execute = timed

    Module.__init__ = built
    return spent


def _parts(plan: Path) -> None:
    from dlc.runtime.job import connect
    from dlc.runtime.trace import Recorder

    transport, spent, loaded = connect(), _timed_calls(), load(plan)
    execute(loaded, transport)
    recorder = Recorder()
    spent[0] = 0.0
    execute(loaded, transport, None, recorder)
    loops = [entry for entry in recorder.entries if entry["op"] == "for"]
    inner = next(entry for loop in loops for entry in loop["body"] if entry["op"] == "for")
    steps = inner["body"][0]["count"]
    reduce = sum(entry["seconds"] for entry in inner["body"] if entry["op"] in ("reduce", "wait"))
    parts = {"step": inner["seconds"], "xla": spent[0], "reduce": reduce}
    parts["executor"] = parts["step"] - spent[0] - reduce
    if transport.rank == 0:
        print(json.dumps({name: seconds / steps for name, seconds in parts.items()}))


if __name__ == "__main__":
    _parts(Path(sys.argv[1]))
