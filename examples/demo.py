"""``make demo``: the flight example from its data to a checked answer, one dlc command after the other.

Exit code 0 only when the tables equal an independent computation and are the same bytes on 1, 2 and 4 ranks.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
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


def digests() -> dict[str, str]:
    """The SHA-256 of each table written."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(OUT.glob("*.parquet"))}


def main() -> int:
    OUT.mkdir(exist_ok=True)
    step("The data: 336,776 flights, the weather, the planes and the airlines", "python flight_data.py")
    step("Describe this machine", "dlc hw detect -o out/host.hw")
    step("Compile for it, on two ranks", f"dlc compile flight_delays.py --machine out/host.hw -n 2 -o {PLAN}")
    step("What will happen", f"dlc explain {PLAN}")
    step("Run the plan on two MPI processes", f"dlc run -n 2 {PLAN}")
    step("Compare the tables on disk with DuckDB's answer from the same files", "python flight_check.py out")

    two = digests()
    for ranks in (1, 4):
        step(f"The same program with -n {ranks}", f"dlc run -n {ranks} flight_delays.py", show=False)
        if digests() != two:
            print(f"the tables written by {ranks} and by 2 ranks are NOT the same bytes", file=sys.stderr)
            return 1
    print(f"\n1, 2 and 4 ranks wrote the same bytes: {', '.join(two)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
