"""A checkpoint comes back as it was written, and what is damaged is refused."""

import json
import os
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from dlc.diagnostics import DlcError
from dlc.runtime import checkpoint

TENSORS = {
    "w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "step": np.array(7, np.int32),
    "half": np.ones(2, ml_dtypes.bfloat16),
    "flags": np.array([True, False]),
    "count": np.array([1, 2], np.uint8),
    "none": np.zeros((0, 3)),
}


def write(place: Path, epoch: int = 3, **tensors: Any) -> None:
    checkpoint.write(str(place), tensors or TENSORS, epoch, "model", 1, None)


def read(place: Path) -> tuple[int, dict[str, Any]]:
    found = checkpoint.read(str(place), "model", None)
    assert found is not None
    tensors = checkpoint.unpack(found[1])
    assert tensors is not None
    return found[0], tensors


def refused(place: Path, model: str = "model") -> DlcError:
    with pytest.raises(DlcError) as caught:
        checkpoint.read(str(place), model, None)
    return caught.value


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "new" / "place")
    epoch, tensors = read(tmp_path / "new" / "place")
    assert epoch == 3
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert (tensors[name].dtype, tensors[name].shape) == (tensor.dtype, tensor.shape)
        assert np.array_equal(tensors[name], tensor)


def test_the_next_one_replaces_it(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, 4, w=np.ones(2))
    assert read(tmp_path)[0] == 4
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


def test_a_failure_before_the_manifest_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    replace = os.replace

    def failing(source: str, target: Path) -> None:
        if target.name == checkpoint.MANIFEST:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(DlcError) as caught:
        write(tmp_path, 4, w=np.ones(2))
    assert caught.value.code == "DLC605"
    assert read(tmp_path)[0] == 3


def test_none_is_no_error(tmp_path: Path) -> None:
    assert checkpoint.read(str(tmp_path), "model", None) is None
    assert checkpoint.read(str(tmp_path / "nowhere"), "model", None) is None


def test_another_model_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    assert refused(tmp_path, "another").code == "DLC613"


def test_every_damage_of_the_tensors_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    (path,) = tmp_path.glob("*.safetensors")
    data = path.read_bytes()
    for damaged in (b"", data[:-1], data + b"x", bytes([data[0] ^ 1]) + data[1:]):
        path.write_bytes(damaged)
        assert refused(tmp_path).code == "DLC614"
    path.unlink()
    assert refused(tmp_path).code == "DLC614"


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda text: text[:-3],
        lambda _: "[]",
        lambda _: "[" * 100_000,
        lambda text: text.replace('"epoch": 3', '"epoch": "three"'),
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: json.dumps({**json.loads(text), "file": "../epoch-1.safetensors"}),
        lambda text: json.dumps({**json.loads(text), "file": "/etc/passwd"}),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, change: Any) -> None:
    write(tmp_path)
    path = tmp_path / checkpoint.MANIFEST
    path.write_text(change(path.read_text()))
    assert refused(tmp_path).code == "DLC614"


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"\xff" * 8, (1 << 40).to_bytes(8, "little") + b"{}"])
def test_bytes_that_are_no_tensors(data: bytes) -> None:
    assert checkpoint.unpack(data) is None


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DlcError) as caught:
        write(tmp_path / "file" / "below")
    assert caught.value.code == "DLC605"
