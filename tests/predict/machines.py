"""Machines and plans for specs of predictions."""

from typing import Any

from dlc import hwspec
from dlc.runtime.plan import Gang, Json, Plan

SALES = [["k", "i64"], ["v", "f64"], ["w", "f64"]]


def cluster(nodes: int, cores: int = 8, *, bandwidth: str = "12.5 GB/s") -> hwspec.Machine:
    """Nodes of some cores on a star."""
    return hwspec.loads(f"""
        machine cluster {{
          node n[0..{nodes - 1}] {{
            price = 2 USD/h
            power = 500 W
            cpu c {{ cores = {cores}; clock = 2 GHz; compute = {{ f64: {cores * 32} GFLOP/s }} }}
            memory ram {{ capacity = 64 GB; bandwidth = 200 GB/s }}
            interconnect shm {{ scope = core; bandwidth = 10 GB/s; latency = 0.5 us }}
            nic h {{ bandwidth = {bandwidth}; latency = 1 us; overhead = 0.5 us; duplex = full }}
          }}
          network net : star {{ attach = n[*].h; bandwidth = {bandwidth}; latency = 1 us; overhead = 0.5 us }}
        }}""")


def make_plan(ranks: int, instructions: list[Json], **parts: Any) -> Plan:
    """A plan of one gang."""
    return Plan("sales", ranks, [Gang("main", list(range(ranks)), instructions)], **parts)


def read(out: str = "sales", rows: int = 1_000_000) -> Json:
    return {
        "op": "read", "out": out, "format": "parquet", "paths": [f"{out}.parquet"], "schema": SALES,
        "pieces": [[0, 0, rows]], "loc": -1, "predicted": {"rows": rows, "bytes": 24 * rows},
    }  # fmt: skip


def group(source: str, out: str, rows: int) -> Json:
    """Totals of a frame by its first column."""
    aggregate = {"op": "aggregate", "in": 0, "keys": ["k"], "aggs": [["t", "sum", "v", "f64"]], "loc": -1}
    fragment = {"version": 1, "inputs": 1, "ops": [aggregate], "outputs": [1]}
    return {
        "op": "run", "ins": [source], "outs": [out], "fragment": fragment, "loc": -1,
        "predicted": {"rows": rows, "bytes": 16 * rows},
    }  # fmt: skip


def shuffle(source: str, out: str) -> Json:
    return {"op": "shuffle", "in": source, "out": out, "keys": ["k"], "layouts": ["hash[k]"], "loc": -1}


def result(source: str) -> Json:
    return {"op": "result", "in": source, "name": "totals", "loc": -1}


def totals(ranks: int, rows: int = 1_000_000) -> Plan:
    """Read, shuffle, group, gather."""
    gather = {"op": "gather", "in": "t", "out": "g", "root": 0, "layouts": ["single"], "loc": -1}
    free = {"op": "free", "values": ["s"], "loc": -1}
    steps = [read(rows=rows), shuffle("sales", "s"), group("s", "t", rows // 10), free, gather, result("g")]
    return make_plan(ranks, steps)
