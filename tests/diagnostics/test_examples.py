"""The examples on the pages do what the pages say."""

import re
import runpy
from pathlib import Path

import polars as pl
import pytest

import dlc
from dlc import hwspec
from dlc.diagnostics import DlcError, page


def example(code: str, language: str) -> str:
    found = re.search(rf"## Example\n\n```{language}\n(.*?)```", page(code), re.DOTALL)
    assert found, f"{code} has no example in {language}"
    return found[1]


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The names that the examples take for granted, over files in the working directory."""
    monkeypatch.chdir(tmp_path)
    orders = {"customer": ["ada", "bob"], "amount": [12, 7], "pieces": [3, 0], "amount_text": ["12", "n/a"]}
    pl.DataFrame(orders).write_parquet("orders.parquet")
    pl.DataFrame({"customer": ["ada"], "code": [1]}).write_parquet("customers.parquet")
    pl.DataFrame({"customer": ["ada"], "amount": [1], "new": [1]}).write_parquet("orders_2024.parquet")
    pl.DataFrame({"user": [1], "time": [1], "tags": [["a"]]}).write_parquet("events.parquet")
    Path("tx").mkdir()
    pl.DataFrame({"amount": [1]}).write_parquet("tx/1.parquet")
    pl.DataFrame({"amount": [1.5]}).write_parquet("tx/2.parquet")
    frame = dlc.scan_parquet("orders.parquet")
    return {
        "dlc": dlc,
        "orders": frame,
        "report": frame,
        "customers": dlc.scan_parquet("customers.parquet"),
        "orders_2023": frame.select("customer", "amount"),
        "orders_2024": dlc.scan_parquet("orders_2024.parquet"),
    }


@pytest.mark.parametrize(
    "code",
    [
        *("DLC101", "DLC102", "DLC103", "DLC104", "DLC105", "DLC106", "DLC107", "DLC108", "DLC111"),
        *("DLC201", "DLC204", "DLC605"),
    ],
)
def test_python_examples_are_wrong_when_traced(code: str, tables: dict[str, object]) -> None:
    Path("example.py").write_text(example(code, "python"), encoding="utf-8")
    with pytest.raises(DlcError) as caught:
        runpy.run_path("example.py", init_globals=tables)
    assert caught.value.code == code
    assert caught.value.loc is None or Path(caught.value.loc.file).name == "example.py"


@pytest.mark.parametrize("code", ["DLC601", "DLC602", "DLC607"])
def test_python_examples_are_wrong_when_run(code: str, tables: dict[str, object]) -> None:
    Path("example.py").write_text(f"frame = {example(code, 'python')}", encoding="utf-8")
    frame = runpy.run_path("example.py", init_globals=tables)["frame"]
    with pytest.raises(DlcError) as caught:
        frame.collect()
    assert caught.value.code == code
    assert caught.value.loc
    assert Path(caught.value.loc.file).name == "example.py"


@pytest.mark.parametrize("code", ["DLC401", "DLC402", "DLC403", "DLC404", "DLC405"])
def test_machine_examples_are_refused(code: str) -> None:
    with pytest.raises(DlcError) as caught:
        hwspec.loads(example(code, "text"))
    assert caught.value.code == code
