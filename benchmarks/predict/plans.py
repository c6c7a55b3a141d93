"""The plans whose predictions are held against runs: TPC-H queries, single operators, training."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE), str(HERE / "tpch")]

from data import generate  # noqa: E402
from train_models import write  # noqa: E402

QUERIES = ("q01", "q03", "q05", "q06", "q10", "q12", "q14", "q18")
OPERATORS = (
    "keep", "few_groups", "many_groups", "join", "order", "words", "amounts", "distinct", "matching",
    "floats", "written",
)  # fmt: skip
TRAININGS = (("mlp", 1), ("mlp", 4), ("cnn", 1), ("transformer", 1), ("transformer", 2))
"""Models of ``train_models.py`` and epochs."""


@dataclass(frozen=True)
class Case:
    """A compiled program. `kind` is queries, operators or training."""

    kind: str
    program: str
    size: str
    ranks: int
    plan: Path

    @property
    def label(self) -> str:
        return f"{self.program} {self.size}, {self.ranks}"


def cases(folder: Path, scales: Sequence[float], counts: Sequence[int]) -> list[Case]:
    """Every program at every size, compiled for every number of ranks into `folder`."""
    return [
        compiled(kind, name, size, source, environment, ranks, folder)
        for kind, name, size, source, environment in _programs(folder, scales)
        for ranks in counts
    ]


def _programs(folder: Path, scales: Sequence[float]) -> Iterator[tuple[str, str, str, str, dict[str, str]]]:
    for scale in scales:
        environment = {"TPCH_DATA": str(generate(scale)), "TPCH_OUT": str(folder)}
        for name in QUERIES:
            yield "queries", name, f"sf{scale:g}", str(HERE / "tpch" / f"{name}.py"), environment
        for name in OPERATORS:
            source = f"{HERE / 'predict' / 'operators.py'}:{name}"
            yield "operators", name, f"sf{scale:g}", source, environment
    for model, epochs in TRAININGS:
        data = write(model, HERE / "data" / "training")
        environment = {"TRAIN_MODEL": model, "TRAIN_EPOCHS": str(epochs), "TRAIN_DATA": str(data)}
        yield "training", model, f"{epochs}ep", str(HERE / "train_program.py"), environment


def compiled(
    kind: str, name: str, size: str, source: str, environment: dict[str, str], ranks: int, folder: Path
) -> Case:
    plan = folder / f"{name}-{size}-{ranks}.dlc"
    if not plan.exists():
        command = [sys.executable, "-m", "dlc", "compile", source, "-n", str(ranks), "-o", str(plan)]
        subprocess.run(command, check=True, env=os.environ | environment)
    return Case(kind, name, size, ranks, plan)
