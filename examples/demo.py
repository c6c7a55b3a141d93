"""``make demo``: the flight example from its data to checked answers, one dlc command after the other.

Exit code 0 only when the tables equal an independent computation, the model of delays foretells better than a
linear one, and every number of ranks writes the same bytes.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUT = HERE / "out"
PLAN = "out/flight_delays.dlc"

# The shell would find the same programs with the virtual environment activated.
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def step(title: str, command: str, *, show: bool = True) -> None:
    """Print `command` and run it in this directory; ends the demo when it fails."""
    print(f"\n# {title}\n$ {command}", flush=True)
    start = time.perf_counter()
    stdout = None if show else subprocess.DEVNULL
    arguments = shlex.split(command)
    code = subprocess.run(arguments, cwd=HERE, env=ENVIRONMENT, stdout=stdout, check=False).returncode
    if code:
        print(f"the demo stops here: exit code {code}", file=sys.stderr)
        sys.exit(code)
    print(f"({time.perf_counter() - start:.1f} s)", flush=True)


def digests(names: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of each table written."""
    return {name: sha256((OUT / f"{name}.parquet").read_bytes()).hexdigest() for name in names}


def same_bytes(program: str, names: Sequence[str], ranks: Sequence[int]) -> bool:
    """Whether the program writes on each number of ranks what two ranks have written."""
    two = digests(names)
    for number in ranks:
        forget_training()
        step(f"The same program with -n {number}", f"dlc run -n {number} {program}", show=False)
        if digests(names) != two:
            print(f"what {number} and 2 ranks wrote are NOT the same bytes", file=sys.stderr)
            return False
    listed = ", ".join(map(str, sorted((2, *ranks))))
    print(f"\n{listed} ranks wrote the same bytes: {', '.join(names)}")
    return True


def forget_training() -> None:
    """Remove the checkpoint, from which a training would go on."""
    shutil.rmtree(OUT / "checkpoint", ignore_errors=True)


def tables() -> bool:
    """From the data to tables of delays."""
    step("The data: 336,776 flights, the weather, the planes and the airlines", "python flight_data.py")
    step("Describe this machine", "dlc hw detect -o out/host.hw")
    step("Compile for it, on two ranks", f"dlc compile flight_delays.py --machine out/host.hw -n 2 -o {PLAN}")
    step("What will happen", f"dlc explain {PLAN}")
    step("Run the plan on two MPI processes", f"dlc run -n 2 {PLAN}")
    step("Compare the tables on disk with DuckDB's answer from the same files", "python flight_check.py out")
    return same_bytes("flight_delays.py", ("carriers", "hours", "routes"), (1, 4))


def model() -> bool:
    """From the data to the probability that a flight is late."""
    forget_training()
    step(
        "Learn from four days of five which flights will be late, on two MPI processes",
        "dlc run -n 2 flight_model.py --record out/training.json",
    )
    step("Compare with scikit-learn on the other days, and draw the loss", "python flight_model_check.py out")
    return same_bytes("flight_model.py", ("predictions", "history"), (1, 3, 4))


def main() -> int:
    OUT.mkdir(exist_ok=True)
    return 0 if tables() and model() else 1


if __name__ == "__main__":
    sys.exit(main())
