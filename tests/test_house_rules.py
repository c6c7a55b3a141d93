"""Rules on the shape of the source tree that no linter knows."""

import re
from pathlib import Path

import pytest

from dlc.cli.app import COMMANDS
from dlc.passes import registry

ROOT = Path(__file__).parent.parent
MAX_LINES = 500
LINKS = ("dialects", "passes", "runtime", "hwspec", "frontends")


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize(
    "path", sources("dlc", "tests", "examples", "benchmarks"), ids=lambda p: str(p.relative_to(ROOT))
)
def test_no_file_is_longer_than_a_person_can_keep_in_mind(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", LINKS)
def test_each_part_stands_at_the_top_level_too(name: str) -> None:
    link = ROOT / name
    assert link.is_symlink()
    assert link.resolve() == ROOT / "dlc" / name


def test_nothing_that_is_loaded_can_run_code() -> None:
    forbidden = re.compile(r"\b(import (pickle|cloudpickle|marshal|dill)|(?<![.\w])(eval|exec)\()")
    guilty = [path for path in sources("dlc") if forbidden.search(path.read_text(encoding="utf-8"))]
    assert not guilty


def test_every_command_in_the_documents_exists() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        mentioned = set(re.findall(r"(?m)(?:^\$? ?|`)dlc ([a-z]+)\b", text))
        assert mentioned <= set(COMMANDS), document
        targets = set(re.findall(r"(?m)(?:^\$? ?|`)make ([a-z]+)\b", text))
        defined = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
        assert targets <= defined, document


def passes_defined() -> set[str]:
    sources_of_passes = (ROOT / "dlc" / "passes").glob("*/*.py")
    defining = [path for path in sources_of_passes if "(ModulePass):" in path.read_text(encoding="utf-8")]
    return {path.stem.replace("_", "-") for path in defining}


@pytest.mark.parametrize("name", registry.PASSES)
def test_a_pass_has_a_module_and_a_filecheck_test_of_its_name(name: str) -> None:
    assert registry.load(name).name == name
    assert list((ROOT / "lit" / "passes").rglob(f"{name}.mlir")), f"lit/passes has no {name}.mlir"


def test_every_pass_is_registered() -> None:
    assert passes_defined() == set(registry.PASSES)
