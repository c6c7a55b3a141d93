"""What needs a GPU, in one command: plans that train on the CPU train there too, and give the same losses.

``python benchmarks/gpu.py``: each model of ``train_models.py`` on one rank, first on the CPU, then on the
accelerator that JAX finds. Prints the kind of device, steps a second and the largest relative difference
of the losses; exit code 1 when it is above the tolerance. Where there is no GPU it says why.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from train_models import MODELS, STEPS, write

HERE = Path(__file__).resolve().parent
TOLERANCE = 1e-2  # products of f32 on tensor cores carry 10 bits, and errors grow with the steps
FIRST_STEPS = 16
MORE = 4  # epochs that are timed


def skipped() -> str | None:
    """Why nothing can run here; None on a machine with a GPU that JAX can use."""
    found = subprocess.run(
        [sys.executable, "-c", "import jax; print(jax.default_backend())"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        return f"JAX does not start: {found.stderr.strip().splitlines()[-1]}"
    if (backend := found.stdout.split()[-1]) in ("gpu", "cuda", "rocm"):
        return None
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/kfd").exists():
        return f"this machine has no GPU; JAX runs on its {backend}"
    return f"JAX runs on the {backend} only; for a GPU of NVIDIA: pip install 'jax[cuda12]'"


def compile_plan(model: str, epochs: int, folder: Path, data: Path) -> Path:
    """The plan of a training on one rank."""
    target = folder / f"{model}-{epochs}.dlc"
    settings = {"TRAIN_MODEL": model, "TRAIN_EPOCHS": str(epochs), "TRAIN_DATA": str(data)}
    subprocess.run(
        [sys.executable, "-m", "dlc", "compile", HERE / "train_program.py", "-n", "1", "-o", target],
        env=os.environ | settings,
        check=True,
    )
    return target


def run(plans: list[Path], platform: str) -> dict[str, object]:
    """The losses and the seconds of a step on a platform, from a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "JAX_PLATFORMS"}
    if platform == "cpu":
        environment["JAX_PLATFORMS"] = "cpu"
    done = subprocess.run(
        [sys.executable, __file__, "--plans", *plans],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(few: Path, many: Path) -> None:
    """Print the device, the losses and the seconds of a step; the first run compiles the kernels."""
    from dlc.runtime.executor import execute
    from dlc.runtime.job import connect
    from dlc.runtime.kernels.xla_device import device
    from dlc.runtime.plan import load

    transport, seconds, losses = connect(), list[float](), list[float]()
    for plan in map(load, (few, few, many)):
        start = time.perf_counter()
        results = execute(plan, transport)
        seconds.append(time.perf_counter() - start)
        assert results is not None
        losses = results["history"]["value"].to_list()
    kind = device().put(np.zeros(1, np.float32)).devices().pop()
    step = (seconds[2] - seconds[1]) / (MORE * STEPS)
    print(json.dumps({"device": f"{kind.platform}: {kind.device_kind}", "losses": losses, "seconds": step}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["mlp", "cnn"], choices=list(MODELS))
    parser.add_argument("--plans", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cpu", action="store_true", help="compare the CPU with itself, to test this script")
    options = parser.parse_args()
    if options.plans:
        measure(*options.plans)
        return 0
    if not options.cpu and (reason := skipped()):
        print(f"skipped: {reason}")
        return 0
    failures = 0
    print("| model | device | steps/s | CPU, steps/s | largest difference of the losses |")
    print("|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        for model in options.models:
            data = write(model, HERE / "data" / "training")
            plans = [compile_plan(model, epochs, Path(name), data) for epochs in (1, 1 + MORE)]
            cpu, gpu = run(plans, "cpu"), run(plans, "cpu" if options.cpu else "gpu")
            differences = np.abs(np.array(gpu["losses"]) / np.array(cpu["losses"]) - 1)
            difference = float(differences[:FIRST_STEPS].max())
            right = difference <= TOLERANCE and (options.cpu or not str(gpu["device"]).startswith("cpu"))
            failures += not right
            rates = f"{1 / gpu['seconds']:.1f} | {1 / cpu['seconds']:.1f}"
            print(f"| {model} | {gpu['device']} | {rates} | {difference:.1e}{'' if right else ' FAILED'} |")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
