"""A plan file comes back as it was written, or is refused with a coded error."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime import plan as plans
from dlc.runtime.plan import Gang, Plan
from tests.runtime.trees import col, fragment, project


def small_plan() -> Plan:
    run = {
        "op": "run",
        "ins": ["v0"],
        "outs": ["v1"],
        "fragment": fragment(project(a=col("a", "i64"))),
        "loc": 0,
    }
    return Plan(
        "main",
        2,
        [
            Gang(
                "main",
                [0, 1],
                [
                    {"op": "constant", "out": "v0", "name": "c0", "loc": -1},
                    run,
                    {"op": "result", "in": "v1", "name": "r", "loc": 0},
                    {"op": "free", "values": ["v0", "v1"], "loc": -1},
                ],
            )
        ],
        results=[{"name": "r", "schema": [["a", "i64"]]}],
        locations=[["prog.py", 3, 5, 9]],
        constants={"c0.arrow": b"arrow bytes"},
        text="builtin.module {}",
    )


def refused(data: bytes) -> str:
    with pytest.raises(DlcError) as caught:
        plans.from_bytes(data)
    return caught.value.code


def changed(change: Callable[[Plan], Any]) -> bytes:
    plan = small_plan()
    change(plan)
    return plans.to_bytes(plan)


def test_a_plan_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    plans.save(small_plan(), tmp_path / "p.dlc")
    assert plans.load(tmp_path / "p.dlc") == small_plan()
    assert [path.name for path in tmp_path.iterdir()] == ["p.dlc"]


def test_equal_plans_give_equal_bytes() -> None:
    assert plans.to_bytes(small_plan()) == plans.to_bytes(small_plan())


def test_locations_are_the_users_lines() -> None:
    assert small_plan().location(0) == SourceLoc("prog.py", 3, 5, 9)
    assert small_plan().location(-1) is None


def test_every_truncation_is_found() -> None:
    data = plans.to_bytes(small_plan())
    assert {refused(data[:length]) for length in range(len(data))} == {"DLC501"}


def test_every_flipped_bit_is_found() -> None:
    data = plans.to_bytes(small_plan())
    for position in range(len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << position % 8
        assert refused(bytes(flipped)) == "DLC501", position


@given(st.binary(max_size=200))
def test_other_files_are_no_plans(data: bytes) -> None:
    assert refused(data) == "DLC501"


def test_another_format_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "new.dlc"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"format": 3}))
    with pytest.raises(DlcError) as caught:
        plans.load(path)
    assert caught.value.code == "DLC502"
    assert "format 3" in caught.value.message


def test_a_missing_plan_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DlcError) as caught:
        plans.load(tmp_path / "none.dlc")
    assert caught.value.code == "DLC201"


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.gangs[0].instructions.append({"op": "explode", "loc": 0}),
        lambda p: p.gangs[0].instructions.append({"op": "result", "in": "v9", "name": "r", "loc": 0}),
        lambda p: p.gangs[0].instructions.append(
            {"op": "result", "in": "v1", "name": "r", "loc": 0}
        ),  # freed
        lambda p: p.gangs[0].instructions[0].update(name="c1"),
        lambda p: p.gangs[0].instructions[0].pop("out"),
        lambda p: p.gangs[0].instructions[0].update(loc="here"),
        lambda p: p.gangs[0].instructions[1]["fragment"].update(outputs=[7]),
        lambda p: p.gangs[0].instructions[1]["fragment"].update(inputs=2),
        lambda p: p.gangs[0].instructions[1]["fragment"]["ops"][0].update({"in": 1}),
        lambda p: p.gangs[0].ranks.append(2),
        lambda p: p.gangs[0].ranks.append(0),
        lambda p: p.locations.append("prog.py"),
    ],
)
def test_a_plan_that_does_not_hold_together_is_refused(change: Callable[[Plan], Any]) -> None:
    assert refused(changed(change)) == "DLC501"


@pytest.mark.parametrize("depth", [600, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    text = '{"f":"not","type":"bool","args":[' * depth + '{"f":"x","type":"i1"}' + "]}" * depth
    data = plans.to_bytes(small_plan())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        gang = archive.read("gangs/main.json")
    marker = b'{"f":"col","name":"a","type":"i64"}'
    assert marker in gang
    deep = gang.replace(marker, text.encode())
    assert refused(rebuilt(data, "gangs/main.json", deep)) == "DLC501"


def rebuilt(data: bytes, name: str, content: bytes) -> bytes:
    """The plan with one member replaced and all checksums right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        manifest["files"][name] = hashlib.sha256(content).hexdigest()
        for member in old.namelist():
            replaced = {"manifest.json": json.dumps(manifest).encode(), name: content}
            new.writestr(member, replaced.get(member, old.read(member)))
        new.comment = b" " * 71
    body = buffer.getvalue()[:-71]
    return body + b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def test_a_rebuilt_plan_is_a_plan() -> None:
    data = plans.to_bytes(small_plan())
    assert plans.from_bytes(rebuilt(data, "plan.mlir", b"module")).text == "module"


def test_loading_imports_no_kernels() -> None:
    script = (
        "import sys, dlc.runtime.plan; sys.exit(bool({'polars', 'numpy', 'mpi4py', 'xdsl'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
