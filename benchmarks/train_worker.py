"""A warm process, or gang of them, that trains a model of ``train_models.py`` on request.

``train_worker.py torch|jax DATA``, ``mpiexec -n 2 python train_worker.py ddp DATA`` or ``mpiexec -n P python
train_worker.py dlc DATA``: one JSON request a line on standard input, ``{"model": "mlp", "epochs": 4}``; one
reply a line on standard output with the "seconds" of a batch and the mean "loss" of the last epoch. Every
request begins with the initial parameters. Between requests a worker sleeps.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from train_models import MODELS, RATE, STEPS, write

Reply = dict[str, Any]


def serve(answer: Callable[[str, int], Reply]) -> None:
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answer(request["model"], request["epochs"])), flush=True)


def serve_gang(answer: Callable[[str, int], Reply]) -> None:
    """Rank 0 reads the requests; the others wait asleep, for a collective would spin."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    if world.rank == 0:
        for line in sys.stdin:
            request = json.loads(line)
            _send_all(world, request)
            print(json.dumps(answer(request["model"], request["epochs"])), flush=True)
        _send_all(world, None)
        return
    while True:
        while not world.iprobe(source=0):
            time.sleep(0.002)
        if (request := world.recv(source=0)) is None:
            return
        answer(request["model"], request["epochs"])


def _send_all(world: Any, request: Any) -> None:
    for rank in range(1, world.size):
        world.send(request, dest=rank)


def timed(epochs: int, epoch: Callable[[], list[float]]) -> Reply:
    """Seconds of a batch over so many epochs, after one that is not counted."""
    epoch()
    start = time.perf_counter()
    losses = [epoch() for _ in range(epochs)]
    seconds = (time.perf_counter() - start) / (epochs * STEPS)
    return {"seconds": seconds, "loss": float(np.mean(losses[-1]))}


def jax_answer(data: Path, name: str, epochs: int) -> Reply:
    import jax

    model, step = MODELS[name], _jax_step(name)
    x, y = model.arrays(write(name, data))
    params = jax.tree.map(jax.numpy.array, model.initial())
    state = _adam().init(params)
    random = np.random.default_rng(1)

    def epoch() -> list[float]:
        nonlocal params, state
        order = random.permutation(len(x))
        xs, ys = x[order], y[order]
        losses: list[Any] = []
        for start in range(0, len(x), model.batch):
            rows = slice(start, start + model.batch)
            loss, params, state = step(params, state, xs[rows], ys[rows])
            losses.append(loss)
        return [float(loss) for loss in losses]

    return timed(epochs, epoch)


@cache
def _jax_step(name: str) -> Any:
    import jax

    def step(params: Any, state: Any, x: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(MODELS[name].loss)(params, x, y)
        return loss, *_adam().update(params, state, gradients)

    return jax.jit(step, donate_argnums=(0, 1))


@cache
def _adam() -> Any:
    import dlc

    return dlc.Adam(RATE)


def torch_answer(data: Path, ranks: int, rank: int, name: str, epochs: int) -> Reply:
    """One process of `ranks`, each of which takes its share of every batch."""
    import torch

    model = MODELS[name]
    x, y = map(torch.from_numpy, model.arrays(write(name, data)))
    module: Any = _module(model)
    if ranks > 1:
        module = torch.nn.parallel.DistributedDataParallel(module)
    optimizer = torch.optim.Adam(module.parameters(), RATE, fused=True)
    random = torch.Generator().manual_seed(1)
    share = model.batch // ranks

    def epoch() -> list[float]:
        order = torch.randperm(len(x), generator=random).reshape(-1, ranks, share)[:, rank].flatten()
        xs, ys = x[order], y[order]
        losses: list[Any] = []
        for start in range(0, len(xs), share):
            optimizer.zero_grad()
            loss = module(xs[start : start + share], ys[start : start + share])
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).tolist()

    return timed(epochs, epoch)


def _module(model: Any) -> Any:
    import torch

    class Loss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            values = {key: torch.nn.Parameter(torch.tensor(value)) for key, value in model.initial().items()}
            self.weights = torch.nn.ParameterDict(values)

        def forward(self, x: Any, y: Any) -> Any:
            return model.torch_loss(self.weights, x, y)

    return Loss()


def serve_torch(data: Path) -> None:
    import torch

    torch.set_num_threads(1)
    serve(partial(torch_answer, data, 1, 0))


def serve_ddp(data: Path) -> None:
    import torch
    from mpi4py import MPI

    torch.set_num_threads(1)
    ranks, rank = MPI.COMM_WORLD.size, MPI.COMM_WORLD.rank
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    torch.distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    serve_gang(partial(torch_answer, data, ranks, rank))
    torch.distributed.destroy_process_group()


def serve_dlc(data: Path) -> None:
    from dlc.runtime.job import connect

    serve_gang(partial(dlc_answer, data, connect()))


def dlc_answer(plans: Path, transport: Any, name: str, epochs: int) -> Reply:
    """What `epochs` more epochs take: reading, set-up and the first epoch are in both runs."""
    few, _ = _run(plans, transport, name, 1)
    many, history = _run(plans, transport, name, 1 + epochs)
    last = [] if history is None else history.filter(history["epoch"] == epochs)["value"].to_list()
    return {"seconds": (many - few) / (epochs * STEPS), "loss": float(np.mean(last)) if last else None}


def _run(plans: Path, transport: Any, name: str, epochs: int) -> tuple[float, Any]:
    from dlc.runtime.executor import execute
    from dlc.runtime.plan import load

    plan = load(plans / f"{name}-{transport.size}-{epochs}.dlc")
    transport.barrier()
    start = time.perf_counter()
    results = execute(plan, transport)
    transport.barrier()
    return time.perf_counter() - start, results and results["history"]


if __name__ == "__main__":
    system, directory = sys.argv[1:]
    data = Path(directory)
    servers = {"torch": serve_torch, "ddp": serve_ddp, "dlc": serve_dlc}
    if system == "jax":
        serve(partial(jax_answer, data))
    else:
        servers[system](data)
