"""The examples of docs/frontend.md are programs that trace."""

import ast
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import dlc
from dlc.frontends.load import load
from dlc.frontends.program import trace
from tests.frontends.specs import operations

PAGE = (Path(__file__).parents[2] / "docs" / "frontend.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?s)```python\n(.*?)```", PAGE)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pl.DataFrame(
        {
            "id": [1],
            "customer": ["ada"],
            "amount": [10],
            "price": [Decimal("1.25")],
            "day": [date(2024, 1, 1)],
            "time": [datetime(2024, 1, 1, 12)],
        }
    ).write_parquet("orders.parquet")
    Path("customers.csv").write_text("customer,city\nada,Oslo\n", encoding="utf-8")


def test_the_program() -> None:
    Path("prog.py").write_text(BLOCKS[0], encoding="utf-8")
    assert trace(load("prog.py")).ops


@pytest.mark.parametrize("block", BLOCKS[1:], ids=range(1, len(BLOCKS)))
def test_the_examples(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlc.frontends.recording.runner", lambda _: None)
    body = "\n".join(f"    frames.append({ast.unparse(line)})" for line in ast.parse(block).body)
    Path("examples.py").write_text(
        "import dlc\nfrom dlc import col\n\ndef examples(orders, customers):\n    frames = []\n"
        f"{body}\n    return frames\n@dlc.program\ndef p(): ...\n",
        encoding="utf-8",
    )
    orders, customers = dlc.scan_parquet("orders.parquet"), dlc.scan_csv("customers.csv")
    frames = load("examples.py").function.__globals__["examples"](orders, customers)
    assert frames
    for frame in frames:
        assert not isinstance(frame, dlc.Frame) or list(operations(frame))
