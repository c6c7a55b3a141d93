"""Tensor fragments run through XLA over any number of rows, from any thread, compiled once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dlc.diagnostics import DlcError
from dlc.runtime.kernels import compile_fragment
from dlc.runtime.kernels.xla_cache import Cache, kept
from dlc.runtime.kernels.xla_device import Device, device
from dlc.runtime.tensors import aligned
from tests.runtime.training_programs import I32, f32, lowered

CHUNK = 16


def whole(rows: Any, x: Any, w: Any) -> tuple[Any, ...]:
    y = x @ w
    return y, jnp.sum(y) / rows, jnp.max(y), jnp.sum(w)


def masked(rows: Any, x: Any, w: Any, valid: Any) -> tuple[Any, ...]:
    kept = jnp.arange(CHUNK) < valid
    y = x @ w
    return y, jnp.sum(jnp.where(kept, y, 0)) / rows, jnp.max(jnp.where(kept, y, -jnp.inf)), jnp.sum(w)


def chunked() -> Any:
    shapes = (f32(), f32(CHUNK, 3), f32(3))
    modules = {"whole": lowered(whole, *shapes), "masked": lowered(masked, *shapes, I32)}
    rows = {"chunk": CHUNK, "split": [1], "outputs": ["rows", "sum", "max", "same"], "masked": "masked"}
    tree = {"kind": "xla", "version": 1, "inputs": 3, "outputs": 4, "module": "whole", "rows": rows}
    return compile_fragment(tree, lambda _: None, modules)


@pytest.mark.parametrize("rows", [0, 1, 15, 16, 17, 32, 100])
def test_any_number_of_rows(rows: int) -> None:
    random = np.random.default_rng(rows)
    x, w = random.normal(size=(rows, 3)).astype(np.float32), np.array([1, -2, 0.5], np.float32)
    y, mean, most, same = (np.asarray(value) for value in chunked()([np.float32(rows), x, w], {}))
    assert y.shape == (rows,)
    np.testing.assert_allclose(y, x @ w, rtol=1e-5, atol=1e-6)
    assert same == -0.5
    if rows:
        np.testing.assert_allclose([mean, most], [np.mean(x @ w), np.max(x @ w)], rtol=1e-4, atol=1e-6)
    else:  # the values that change nothing when ranks combine them
        assert (mean, most) == (0, -np.inf)


@pytest.mark.parametrize("dtype", ["float64", "int64", "int32", "uint8", "bool", "float16", "bfloat16"])
def test_every_type_goes_in_and_out_as_it_is(dtype: str) -> None:
    with jax.enable_x64(True):
        text = lowered(lambda x: (x, jnp.ones((2,), dtype)), jax.ShapeDtypeStruct((3,), jnp.dtype(dtype)))
    values = np.array([0, 1, 1]).astype(jnp.dtype(dtype))
    same, ones = (np.asarray(found) for found in device().compile(text)([values]))
    assert (same.dtype, ones.dtype) == (values.dtype, values.dtype)
    assert same.tolist() == values.tolist()


def test_aligned_arrays_are_taken_as_they_are_and_results_go_on_without_a_copy() -> None:
    values = aligned((64,), np.dtype(np.float32))
    values[:] = 0
    held = device().put(values)
    assert np.shares_memory(np.asarray(held), values)
    module = device().compile(lowered(lambda x: x + 1, f32(64)))
    (once,) = module([held])
    (twice,) = module([once])
    assert np.asarray(twice).tolist() == [2.0] * 64


def test_a_scalar_stays_a_scalar() -> None:
    for value in (7, np.int32(7), np.array(7, np.int32)):
        assert np.asarray(device().put(value)).shape == ()


def test_a_module_with_another_shape_is_refused_when_it_runs() -> None:
    module = device().compile(lowered(lambda x: x + 1, f32(64)))
    with pytest.raises(jax.errors.JaxRuntimeError):
        module([np.zeros(32, np.float32)])


@pytest.mark.parametrize("text", ["", "garbage", "func.func public @other() { return }"])
def test_text_that_is_no_module(text: str) -> None:
    with pytest.raises(DlcError) as caught:
        device().compile(text)
    assert caught.value.code == "DLC501"


def test_a_module_that_gives_too_little() -> None:
    tree = {"kind": "xla", "version": 1, "inputs": 1, "outputs": 2, "module": "m", "rows": None}
    with pytest.raises(DlcError) as caught:
        compile_fragment(tree, lambda _: None, {"m": lowered(lambda x: x + 1, f32(4))})
    assert caught.value.code == "DLC501"


def test_threads_share_one_compilation() -> None:
    text = lowered(lambda x: jnp.tanh(x) @ x.T, f32(8, 8))
    x = np.eye(8, dtype=np.float32)
    with ThreadPoolExecutor(8) as pool:
        modules = list(pool.map(lambda _: device().compile(text), range(32)))
        results = list(pool.map(lambda module: np.asarray(module([x])[0]).tobytes(), modules * 20))
    assert len({id(module) for module in modules}) == 1
    assert len(set(results)) == 1


def test_a_later_process_finds_what_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = lowered(lambda x: x * 3, f32(4))
    Device().compile(text)
    (entry,) = (tmp_path / "dlc" / "xla").iterdir()
    assert (tmp_path / "dlc" / "xla").stat().st_mode & 0o77 == 0
    compiled = entry.read_bytes()
    fresh = Device()
    monkeypatch.setattr(fresh, "_client", _Deaf(fresh._client))
    (found,) = fresh.compile(text)([np.ones(4, np.float32)])
    assert np.asarray(found).tolist() == [3.0] * 4
    assert entry.read_bytes() == compiled


class _Deaf:
    """A client that cannot compile."""

    def __init__(self, client: Any) -> None:
        self.deserialize_executable = client.deserialize_executable


@pytest.mark.parametrize("damage", [lambda _: b"", lambda data: data[:-1], lambda data: b"\0" + data[1:]])
def test_a_damaged_entry_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = lowered(lambda x: x * 5, f32(4))
    Device().compile(text)
    (entry,) = (tmp_path / "dlc" / "xla").iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    (found,) = Device().compile(text)([np.ones(4, np.float32)])
    assert np.asarray(found).tolist() == [5.0] * 4
    assert len(entry.read_bytes()) == len(whole)


def test_an_entry_of_a_foreign_format_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = lowered(lambda x: x * 7, f32(4))
    monkeypatch.setattr(Cache, "get", lambda *_: b"no executable")
    (found,) = Device().compile(text)([np.ones(4, np.float32)])
    assert np.asarray(found).tolist() == [7.0] * 4


def test_a_place_that_others_may_write_to_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = Cache("owner")
    cache.put("text", b"code")
    assert cache.get("text") == b"code"
    (tmp_path / "dlc" / "xla").chmod(0o777)
    assert cache.get("text") is None


def test_predictions_can_tell_what_was_compiled_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    modules = {"old": "one text", "new": "another text"}
    assert kept(modules) == frozenset()
    Cache("owner").put("one text", b"code")
    assert kept(modules) == {"old"}


def test_without_a_place_for_the_cache_everything_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (found,) = Device().compile(lowered(lambda x: x * 9, f32(4)))([np.ones(4, np.float32)])
    assert np.asarray(found).tolist() == [9.0] * 4


def test_jax_is_imported_for_tensors_alone() -> None:
    script = "import sys, dlc.runtime.executor; sys.exit('jax' in sys.modules or 'jaxlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_missing_jax_is_named(tmp_path: Path) -> None:
    (tmp_path / "jax.py").write_text("raise ImportError('No module named jax')")
    script = "from dlc.runtime.kernels.xla_device import device; device()"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert "DLC702" in done.stderr
    assert "pip install jax" in done.stderr


def test_one_thread_computes_whatever_jax_is_set_up_to_do() -> None:
    """The bits of a matrix product would differ with threads, and ranks would take each other's cores."""
    script = (
        "import time, jax, jax.numpy as jnp, numpy as np;"
        "jax.jit(lambda x: x @ x)(jnp.ones((64, 64)));"
        "from dlc.runtime.kernels.xla_device import device;"
        "x = np.ones((1500, 1500), np.float32);"
        "text = jax.jit(lambda x: x @ x @ x).lower(x).as_text();"
        "module = device().compile(text); held = device().put(x); module([held]);"
        "wall, busy = time.perf_counter(), time.process_time();"
        "[module([held]) for _ in range(4)];"
        "print((time.process_time() - busy) / (time.perf_counter() - wall))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.2
