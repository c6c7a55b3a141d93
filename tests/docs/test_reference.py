"""The reference pages say what the definitions say."""

import subprocess
import sys
from pathlib import Path

import pytest

from dlc.dialects import NAMES, load

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_pages_are_up_to_date() -> None:
    result = subprocess.run(
        [sys.executable, DOCS / "generate_reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_says_what_it_does(name: str) -> None:
    assert not [op.name for op in load(name).operations if not (op.__doc__ or "").strip()]


def test_what_is_beyond_irdl_is_told() -> None:
    from xdsl.traits import IsTerminator

    from dlc.dialects.irdl import is_described

    text = (DOCS / "reference" / "irdl.md").read_text(encoding="utf-8")
    for dialect in map(load, NAMES):
        for op in dialect.operations:
            if not is_described(op) and not op.has_trait(IsTerminator):
                assert f"`{op.name}`" in text
