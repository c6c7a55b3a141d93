"""Frames become tensors without a silent loss, and tensors become columns."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.diagnostics import DlcError, SourceLoc
from dlc.runtime.tensors import ALIGNMENT, aligned, dtype_of, from_frame, rows_as_count, to_frame

LINE = SourceLoc("prog.py", 7)
INTEGERS = {
    "i8": pl.Int8,
    "i32": pl.Int32,
    "i64": pl.Int64,
    "ui8": pl.UInt8,
    "ui32": pl.UInt32,
    "ui64": pl.UInt64,
}


def vector(values: Any, dtype: str, kind: Any = None) -> np.ndarray[Any, Any]:
    return from_frame(pl.DataFrame({"c": pl.Series(values, dtype=kind)}), ["c"], [dtype], LINE)[0]


def refused(values: Any, dtype: str, kind: Any = None) -> DlcError:
    with pytest.raises(DlcError) as caught:
        vector(values, dtype, kind)
    assert caught.value.loc == LINE
    assert "'c'" in caught.value.message
    return caught.value


def test_columns_become_rows_of_a_matrix_and_vectors() -> None:
    frame = pl.DataFrame({"a": [1.5, 2.5, 3.5], "b": [1, 2, 3], "c": [True, False, True]})
    matrix, vector, flags = from_frame(frame, [["a", "b", "c"], "b", "c"], ["f32", "i64", "i1"], None)
    assert matrix.tolist() == [[1.5, 1, 1], [2.5, 2, 0], [3.5, 3, 1]]
    assert matrix.flags.c_contiguous
    assert (matrix.dtype, vector.dtype, flags.dtype) == (np.float32, np.int64, np.bool_)
    assert vector.tolist() == [1, 2, 3]


def test_a_vector_of_the_columns_type_shares_its_memory() -> None:
    series = pl.Series("c", np.arange(1000.0))
    (found,) = from_frame(series.to_frame(), ["c"], ["f64"], None)
    assert np.shares_memory(found, series.to_numpy())


def test_no_rows() -> None:
    matrix, vector = from_frame(pl.DataFrame({"a": [], "b": []}), [["a", "b"], "a"], ["f32", "f64"], None)
    assert (matrix.shape, vector.shape) == ((0, 2), (0,))


def test_a_null_is_refused() -> None:
    assert refused([1.0, None], "f32").code == "DLC611"
    assert refused([None, 3], "i64").code == "DLC611"


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([1.0, 1e39], "f32"), ([1e5], "f16"), ([-1e39], "bf16"), ([1.5], "i32"), ([float("nan")], "i64"),
     ([2.0**31], "i32"), ([-1.0], "ui8"), ([2], "i1"), ([70000], "f16"), ([2.0**63], "i64")],
)  # fmt: skip
def test_what_a_type_cannot_hold_is_refused(values: list[Any], dtype: str) -> None:
    assert refused([1, *values][1:], dtype).code == "DLC612"


def test_infinities_and_rounding_are_no_loss() -> None:
    found = vector([float("inf"), float("nan"), 0.1, 2**53 + 1.0], "f32")
    assert np.isinf(found[0])
    assert np.isnan(found[1])
    assert found[2] == np.float32(0.1)
    assert vector([2**40 + 1], "f32")[0] == np.float32(2**40)


@given(st.data(), st.sampled_from(sorted(INTEGERS)), st.sampled_from(sorted(INTEGERS)))
def test_integers_arrive_as_they_are_or_not_at_all(data: st.DataObject, source: str, target: str) -> None:
    limits, room = np.iinfo(dtype_of(source)), np.iinfo(dtype_of(target))
    values = data.draw(st.lists(st.integers(int(limits.min), int(limits.max)), min_size=1, max_size=5))
    if all(room.min <= value <= room.max for value in values):
        assert vector(values, target, INTEGERS[source]).tolist() == values
    else:
        assert refused(values, target, INTEGERS[source]).code == "DLC612"


@given(st.floats(allow_nan=True), st.sampled_from(["i8", "i64", "ui64"]))
def test_floats_become_integers_exactly_or_not_at_all(value: float, target: str) -> None:
    room = np.iinfo(dtype_of(target))
    if np.isfinite(value) and value == int(value) and room.min <= int(value) <= room.max:
        assert vector([value], target).tolist() == [int(value)]
    else:
        assert refused([value], target).code == "DLC612"


def test_vectors_become_columns() -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    found = to_frame(frame, {"p": np.array([0.5, 1.5], np.float32), "half": np.ones(2, dtype_of("bf16"))})
    assert found.to_dict(as_series=False) == {"a": [1, 2], "p": [0.5, 1.5], "half": [1.0, 1.0]}
    assert found.schema["p"] == pl.Float32
    with pytest.raises(ValueError, match="shape"):
        to_frame(frame, {"p": np.ones(3)})


@given(st.integers(0, 300), st.sampled_from(["f32", "f64", "i8", "bf16"]))
def test_arrays_start_where_xla_takes_them(rows: int, dtype: str) -> None:
    array = aligned((rows, 3), dtype_of(dtype))
    assert array.shape == (rows, 3)
    assert array.ctypes.data % ALIGNMENT == 0 or not rows


def test_rows_are_counted_in_32_bits() -> None:
    assert rows_as_count(7, None).dtype == np.int32
    with pytest.raises(DlcError) as caught:
        rows_as_count(1 << 31, LINE)
    assert caught.value.code == "DLC612"


def test_an_unknown_type_of_a_plan() -> None:
    with pytest.raises(DlcError) as caught:
        dtype_of("f8")
    assert caught.value.code == "DLC501"
