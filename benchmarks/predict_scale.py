"""How long predictions take at scale: ``python benchmarks/predict_scale.py``.

A plan of a thousand steps on 100,000 nodes (limit 10 s), a million tasks on ten thousand nodes (limit 3 s,
after the event loop has been compiled once), and an all-to-all of 256 hosts on a torus, flow by flow.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from dlc import hwspec
from dlc.predict import simulate
from dlc.predict.flows import share_links
from dlc.predict.taskgraph import TaskGraph, schedule
from dlc.predict.ways import Ways
from dlc.runtime.plan import Gang, Plan

NODES, TASKS, TASK_NODES, STEPS = 100_000, 1_000_000, 10_000, 250


def exascale() -> hwspec.Machine:
    """A dragonfly of 100,000 nodes."""
    return hwspec.loads(f"""
        machine exa {{
          node n[0..{NODES - 1}] {{
            cpu c {{ cores = 64; clock = 2 GHz; compute = {{ f64: 2 TFLOP/s }} }}
            memory ram {{ capacity = 512 GB; bandwidth = 400 GB/s }}
            interconnect shm {{ scope = core; bandwidth = 10 GB/s; latency = 0.5 us }}
            nic h {{ bandwidth = 25 GB/s; duplex = full }}
          }}
          network net : dragonfly(groups = 196, routers = 32, hosts = 16, links = 8) {{
            attach = n[*].h; bandwidth = 25 GB/s; latency = 1 us; hop = 0.3 us
          }}
        }}""")


def plan() -> Plan:
    """A chain of shuffles and aggregations."""
    instructions = [
        {
            "op": "read", "out": "v0", "format": "parquet", "paths": ["x.parquet"], "loc": -1,
            "schema": [["k", "i64"], ["v", "f64"]], "pieces": [[0, 0, 10**12]],
        }
    ]  # fmt: skip
    aggregate = {"op": "aggregate", "in": 0, "keys": ["k"], "aggs": [["v", "sum", "v", "f64"]], "loc": -1}
    for step in range(STEPS):
        known = {"predicted": {"rows": 10**12 - step, "bytes": 16 * (10**12 - step)}, "loc": -1}
        run = {"op": "run", "ins": [f"s{step}"], "outs": [f"v{step + 1}"], **known}
        instructions += [
            {
                "op": "shuffle",
                "in": f"v{step}",
                "out": f"s{step}",
                "keys": ["k"],
                "layouts": ["hash[k]"],
                **known,
            },
            {"op": "free", "values": [f"v{step}"], "loc": -1},
            {**run, "fragment": {"version": 1, "inputs": 1, "ops": [aggregate], "outputs": [1]}},
            {"op": "free", "values": [f"s{step}"], "loc": -1},
        ]
    return Plan("chain", 2, [Gang("main", [0, 1], instructions)])


def graph() -> TaskGraph:
    """Tasks that need the results of two earlier ones."""
    random = np.random.default_rng(1)
    targets = np.repeat(np.arange(TASK_NODES, TASKS), 2)
    sources = targets - 1 - random.integers(0, TASK_NODES, len(targets))
    return TaskGraph(
        random.exponential(1.0, TASKS), sources, targets, sizes=random.random(len(targets)) * 1e6
    )


def all_to_all(hosts: int = 256) -> float:
    """Seconds of 1 MiB for each pair on a torus."""
    torus = hwspec.loads(f"""
        type interconnect wire {{ bandwidth = 12.5 GB/s; latency = 1 us; duplex = full }}
        machine t {{
          node n[0..{hosts - 1}] {{
            cpu c {{ cores = 1 }}; memory ram {{ capacity = 1 GB; bandwidth = 100 GB/s }}
            nic h : wire }}
          network net : torus(dims = [8, 8, 4]) {{ attach = n[*].h; via = wire }}
        }}""")
    ways = Ways(torus, "n[{}]")
    flows = [ways.flow(a, b, 1 << 20) for a in range(hosts) for b in range(hosts) if a != b]
    return share_links(flows, ways.capacity).seconds


def timed(label: str, limit: float, work: Callable[[], object]) -> bool:
    """Time one piece of work; whether it stays within its limit."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    print(f"{label:<52}{seconds:>8.2f} s   (limit {limit:g} s)", flush=True)
    return seconds <= limit


def main() -> int:
    machine, chain, tasks = exascale(), plan(), graph()
    ranks = 64 * NODES
    start = time.perf_counter()
    schedule(TaskGraph(np.ones(2), np.array([0]), np.array([1])), 1)
    print(f"{'loading or compiling the event loop':<52}{time.perf_counter() - start:>8.2f} s")
    fine = [
        timed(f"{len(chain.gangs[0].instructions)} steps on {NODES:,} nodes, {ranks:,} ranks", 10,
              lambda: simulate(chain, machine, ranks=ranks)),
        timed(f"{TASKS:,} tasks on {TASK_NODES:,} nodes", 3,
              lambda: schedule(tasks, TASK_NODES, latency=1e-6, rate=1e10)),
        timed("all-to-all of 256 hosts on a torus, 65,280 flows", 60, all_to_all),
    ]  # fmt: skip
    return int(not all(fine))


if __name__ == "__main__":
    sys.exit(main())
