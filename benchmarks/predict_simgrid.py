"""Hold the flow model and the collectives against SimGrid: ``python benchmarks/predict_simgrid.py``.

The same machines, as SimGrid's own stars, tori and fat trees of 8 to 256 hosts: five traffic patterns against
its flow model CM02 without cross traffic, and collective algorithms, one by one, against SMPI: as plans are
priced, by the fullest link of each round, and flow by flow. Takes ten minutes. Needs
SimGrid's Python bindings and its `smpicc` (Debian: ``apt install python3-simgrid libsimgrid-dev``); skipped
without them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from dlc import hwspec
from dlc.hwspec import exporters
from dlc.predict.collectives import choices
from dlc.predict.flows import share_links
from dlc.predict.resources import Resources
from dlc.predict.ways import Ways
from dlc.predict.workloads.traffic import PATTERNS

SHAPES = {
    8: ("star", "torus(dims = [2, 2, 2])", "fat_tree(down = [4, 2], up = [2])"),
    64: ("star", "torus(dims = [4, 4, 4])", "fat_tree(down = [8, 8], up = [4])"),
    256: ("star", "torus(dims = [8, 8, 4])", "fat_tree(down = [16, 16], up = [8])"),
}
SIZES = (1 << 20,)
LARGE = 70_000  # messages beyond which SimGrid is not asked, which takes minutes for so many

SMPI = {
    ("broadcast", "binomial"): "bcast:binomial_tree",
    ("all_gather", "ring"): "allgather:NTSLR",
    ("all_gather", "recursive doubling"): "allgather:rdb",
    ("all_gather", "Bruck"): "allgather:bruck",
    ("all_reduce", "recursive doubling"): "allreduce:rdb",
    ("all_reduce", "Rabenseifner"): "allreduce:rab_rdb",
    ("all_reduce", "ring"): "allreduce:lr",
    ("all_to_all", "pairwise"): "alltoall:ring",
    ("all_to_all", "Bruck"): "alltoall:bruck",
    ("all_to_all", "all at once"): "alltoall:basic_linear",
}
"""Algorithms that both have, and SMPI's names for them."""

CONFIG = ("network/model:CM02", "network/crosstraffic:0", "network/TCP-gamma:0")

FLOWS = """
import json, sys
from simgrid import Actor, Comm, Engine, this_actor
arguments = ["x", "--log=root.t:critical"] + ["--cfg=" + entry for entry in json.loads(sys.argv[3])]
engine = Engine(arguments)
engine.load_platform(sys.argv[1])
messages, size = json.loads(open(sys.argv[2]).read())
hosts = {int("".join(filter(str.isdigit, host.name))): host for host in engine.all_hosts}
def send():
    for comm in [Comm.sendto_async(hosts[a], hosts[b], size) for a, b in messages]:
        comm.wait()
    print(json.dumps(Engine.clock))
Actor.create("s", engine.all_hosts[0], send)
engine.run()
"""

COLLECTIVES = r"""
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank, size;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  long bytes = atol(argv[2]);
  int part = bytes / size;
  char *in = malloc(bytes + 8), *out = malloc(bytes + 8);
  double start = MPI_Wtime(), mine, last;  /* the same on all ranks, in simulated time */
  if (!strcmp(argv[1], "broadcast")) MPI_Bcast(in, bytes, MPI_BYTE, 0, MPI_COMM_WORLD);
  if (!strcmp(argv[1], "all_gather")) MPI_Allgather(in, part, MPI_BYTE, out, part, MPI_BYTE, MPI_COMM_WORLD);
  if (!strcmp(argv[1], "all_reduce")) MPI_Allreduce(in, out, bytes, MPI_BYTE, MPI_BOR, MPI_COMM_WORLD);
  if (!strcmp(argv[1], "all_to_all")) MPI_Alltoall(in, part, MPI_BYTE, out, part, MPI_BYTE, MPI_COMM_WORLD);
  mine = MPI_Wtime() - start;
  MPI_Reduce(&mine, &last, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  if (!rank) printf("SECONDS %.12g\n", last);
  MPI_Finalize();
  return 0;
}
"""


def machine(shape: str, hosts: int) -> hwspec.Machine:
    """Hosts of one core on a network of 12.5 GB/s wires, each of which adds half a microsecond.

    SimGrid knows no overheads, but without any, messages of a rank would be taken to begin a latency apart.
    """
    ends = 1 if shape.startswith("torus") else 2
    return hwspec.loads(f"""
        type interconnect wire {{
          bandwidth = 12.5 GB/s; duplex = full; latency = {ends / 2} us; overhead = 0.001 ns
        }}
        machine m {{
          node n[0..{hosts - 1}] {{
            cpu c {{ cores = 1; compute = {{ f64: 10 GFLOP/s }} }}
            memory ram {{ capacity = 64 GB; bandwidth = 1000 TB/s }}
            nic h : wire
          }}
          network net : {shape} {{ attach = n[*].h; via = wire; hop = 0.5 us }}
        }}""")


def python_with_simgrid() -> str | None:
    """An interpreter that has SimGrid's bindings."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import simgrid"], capture_output=True, check=False).returncode == 0:
            return python
    return None


class SimGrid:
    """Asks SimGrid about one machine."""

    def __init__(self, folder: Path, python: str, described: hwspec.Machine) -> None:
        self.folder, self.python = folder, python
        (self.platform,) = [
            self._write(name, text) for name, text in exporters.write(described, "simgrid").items()
        ]

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / f"{name.removesuffix('.xml')}.xml"
        path.write_text(text)
        return path

    def flows(self, pairs: list[tuple[int, int]], size: int) -> float:
        """The time until the last of the messages has arrived."""
        messages = self._write("messages", json.dumps([pairs, size]))
        command = [self.python, "-c", FLOWS, self.platform, messages, json.dumps(CONFIG)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return float(done.stdout.split()[-1])

    def collective(self, program: Path, operation: str, algorithm: str, hosts: int, size: int) -> float:
        """The time of an algorithm in SMPI."""
        # A send ends when its message has arrived: rounds follow one another, as in the algorithms' books.
        configuration = [*CONFIG, f"smpi/{algorithm}", "smpi/simulate-computation:no", "smpi/host-speed:1Gf"]
        configuration.append("smpi/send-is-detached-thresh:0")
        command = [
            "smpirun", "-np", str(hosts), "-platform", self.platform, "-hostfile", self._hostfile(hosts),
            *(f"--cfg={entry}" for entry in configuration), "--log=root.t:critical",
            program, operation, str(size),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        for line in done.stdout.splitlines():
            if line.startswith("SECONDS"):
                return float(line.split()[1])
        raise SystemExit(f"smpirun failed: {done.stderr[-500:]}")

    def _hostfile(self, hosts: int) -> Path:
        ask = "import sys, simgrid; e = simgrid.Engine(['x', '--log=root.t:critical']); "
        ask += "e.load_platform(sys.argv[1]); print(*[h.name for h in e.all_hosts], sep='\\n')"
        done = subprocess.run(
            [self.python, "-c", ask, self.platform], capture_output=True, text=True, check=True
        )
        names = [name for name in done.stdout.splitlines() if name.strip()]
        names.sort(key=lambda name: int("".join(filter(str.isdigit, name)) or 0))
        path = self.folder / "hosts"
        path.write_text("\n".join(names[:hosts]) + "\n")
        return path


def compare_flows(python: str, most: int) -> Iterator[tuple[str, float]]:
    """Relative differences over shapes, sizes and patterns."""
    print(f"{'machine':<40}{'pattern':<12}{'dlc, us':>12}{'SimGrid, us':>13}{'differs':>9}{'dlc took':>10}")
    for hosts, shapes in SHAPES.items():
        for shape in shapes if hosts <= most else ():
            described = machine(shape, hosts)
            with tempfile.TemporaryDirectory() as name:
                simgrid = SimGrid(Path(name), python, described)
                for pattern, make in PATTERNS.items():
                    pairs = list(make(hosts))
                    if len(pairs) > LARGE:
                        continue
                    start = time.perf_counter()
                    ways = Ways(described, "n[{}]", as_tcp=True)
                    flows = [ways.flow(a, b, SIZES[0]) for a, b in pairs]
                    own = share_links(flows, ways.capacity).seconds
                    took = time.perf_counter() - start
                    theirs = simgrid.flows(pairs, SIZES[0])
                    label = f"{shape} {hosts}"
                    print(
                        f"{label:<40}{pattern:<12}{own * 1e6:>12.2f}{theirs * 1e6:>13.2f}"
                        f"{own / theirs - 1:>9.2%}{took:>9.2f}s",
                        flush=True,
                    )
                    yield label, abs(own / theirs - 1)


def compare_collectives(python: str, most: int) -> Iterator[tuple[str, float]]:
    """Relative differences over shapes, algorithms and sizes, of what plans take and of flows."""
    head = f"{'dlc, us':>12}{'SMPI, us':>12}{'differs':>9}{'by flows':>10}"
    print(f"\n{'machine':<40}{'algorithm':<32}{'bytes':>10}{head}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "collectives.c").write_text(COLLECTIVES)
        program = folder / "collectives"
        subprocess.run(["smpicc", "-O1", folder / "collectives.c", "-o", program], check=True)
        for hosts, shapes in SHAPES.items():
            for shape in shapes if hosts <= most else ():
                described = machine(shape, hosts)
                simgrid, ways = SimGrid(folder, python, described), Ways(described, "n[{}]", as_tcp=True)
                network = Resources.of(described).place(hosts).network
                for size in (hosts * 64, hosts << 14):
                    for operation in dict.fromkeys(operation for operation, _ in SMPI):
                        for choice in choices(operation, hosts, size, network):
                            theirs_name = SMPI.get((operation, choice.algorithm))
                            if theirs_name is None:
                                continue
                            theirs = simgrid.collective(program, operation, theirs_name, hosts, size)
                            differences = [
                                own / theirs - 1
                                for own in (choice.seconds, ways.rounds(choice.rounds, hosts))
                            ]
                            label, what = f"{shape} {hosts}", f"{operation}, {choice.algorithm}"
                            print(
                                f"{label:<40}{what:<32}{size:>10}{choice.seconds * 1e6:>12.2f}"
                                f"{theirs * 1e6:>12.2f}{differences[0]:>9.1%}{differences[1]:>10.1%}",
                                flush=True,
                            )
                            yield what, abs(differences[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=256, help="the largest machines for the flow model")
    parser.add_argument("--ranks", type=int, default=256, help="the largest machines for the collectives")
    options = parser.parse_args()
    python = python_with_simgrid()
    if python is None:
        print("skipped: SimGrid is not installed (apt install python3-simgrid libsimgrid-dev)")
        return 0
    flows = [difference for _, difference in compare_flows(python, options.hosts)]
    print(f"flow model: {len(flows)} cases, median {median(flows):.3%}, worst {max(flows):.3%} (limit 1 %)")
    if shutil.which("smpicc") is None:
        print("skipped: smpicc is not installed (apt install libsimgrid-dev)")
        return int(max(flows) > 0.01)
    found = [difference for _, difference in compare_collectives(python, options.ranks)]
    print(f"collectives: {len(found)} cases, median {median(found):.1%}, worst {max(found):.1%} (limit 15 %)")
    return int(max(flows) > 0.01 or max(found) > 0.15)


if __name__ == "__main__":
    sys.exit(main())
