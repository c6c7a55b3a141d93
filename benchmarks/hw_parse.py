"""Times the machine descriptions: parsing and checking each machine, the same with its IR verified, and ways.

`python benchmarks/hw_parse.py` prints milliseconds after the imports, for the catalog and for a machine of
100,000 nodes: of the first run, which for the first machine also builds the parser's tables, and of 20 runs.
A way between two nodes is that of 1,000 different pairs, in microseconds a pair. The exit code is 1 when
parsing and verifying a machine takes more than 50 ms (median).
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module, resources

from dlc import hwspec

LARGE = """
type interconnect wire { bandwidth = 200 Gbit/s; latency = 1 us }
machine large {
  node n[0..99999] {
    socket s[0..1] { cpu c { cores = 64 }; memory ram { capacity = 256 GB; bandwidth = 200 GB/s } }
    nic h : wire
  }
  network net : fat_tree(radix = 128) { attach = n[*].h; via = wire }
}
"""

LIMIT = 50.0
"""Milliseconds for parsing a machine and verifying its IR."""


def milliseconds(action: Callable[[], object], runs: int = 20) -> tuple[float, float, float]:
    """First, best and median time."""
    times: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e3)
    return times[0], min(times), statistics.median(times)


def microseconds_a_way(machine: hwspec.Machine, pairs: int = 1000) -> float:
    """Mean time of a way between nodes, after the first one."""
    node = machine.of_kind("node")[0]
    ends = [
        tuple(node.path.replace("[*]", f"[{k}]") for k in (i % node.copies, 37 * i % node.copies))
        for i in range(pairs)
    ]
    machine.path(*ends[-1])
    start = time.perf_counter()
    for a, b in ends:
        machine.path(a, b)
    return (time.perf_counter() - start) / pairs * 1e6


def main() -> int:
    for module in ("dlc.hwspec.ir", "dlc.hwspec.build", "dlc.hwspec.parse"):
        import_module(module)
    catalog = resources.files(hwspec) / "catalog"
    texts = {name: (catalog / f"{name}.hw").read_text() for name in hwspec.catalog_names() if name != "host"}
    texts |= {"host": hwspec.detect(), "100,000 nodes": LARGE}
    slow = 0
    print(f"{'machine':15}{'step':20}{'first':>8}{'best':>8}{'median':>8}")
    for name, text in texts.items():
        steps = {
            "parse and check": partial(hwspec.loads, text),
            "with IR, verified": lambda text=text: hwspec.to_ir(hwspec.loads(text)).verify(),
        }
        for step, action in steps.items():
            times = milliseconds(action)
            slow += times[-1] > LIMIT
            print(f"{name:15}{step:20}" + "".join(f"{value:8.2f}" for value in times))
        print(f"{name:15}{'way, µs':20}{microseconds_a_way(hwspec.loads(text)):24.1f}")
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
