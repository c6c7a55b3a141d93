"""Kernels and samples under a clock that the test turns itself."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.hwspec.calibration import kernels
from dlc.hwspec.calibration.fit import Fit, Segment
from dlc.hwspec.calibration.record import Collective, Messages, Record
from dlc.hwspec.calibration.samples import Figure, repeat, rounded, until


def ticking(step: float = 0.5) -> Callable[[], float]:
    """A clock that is `step` seconds later whenever it is read."""
    ticks = count()
    return lambda: next(ticks) * step


def test_rates_are_what_was_moved_or_computed_in_the_time() -> None:
    size = 1 << 20
    assert kernels.triad(size, ticking())() == 3 * size / 0.5  # two arrays read, one written
    assert kernels.copy(size, ticking())() == size / 0.5
    assert kernels.gemm("float32", ticking(), order=16)() == 2 * 16**3 / 0.5


def test_a_file_is_measured_and_goes(tmp_path: Path) -> None:
    most = 32 << 20
    writes, reads = kernels.disk(tmp_path, most, 8.0, ticking())
    assert writes == [most / 0.5] * len(writes)
    assert reads == [most / 0.5] * len(reads)
    assert len(writes) == len(reads) >= 3
    assert not list(tmp_path.iterdir())


def test_a_slow_disk_gets_a_small_file(tmp_path: Path) -> None:
    # 16 MB take 100 s; nobody would wait for the 64 times as long of the largest file.
    writes, _ = kernels.disk(tmp_path, 1 << 30, 8.0, ticking(100.0))
    assert writes[0] * 100 < 8 << 20


def test_measuring_ends_with_the_time_but_not_before_three_samples() -> None:
    assert len(list(until(0.0, ticking()))) == 3
    # One reading at the start, and one before each further sample: the fourth reading says 2 s.
    assert len(list(until(2.0, ticking()))) == 6
    assert len(list(until(1e9, ticking()))) == 40


def test_the_first_call_does_not_count() -> None:
    values = iter([100.0, 1.0, 1.0, 1.0])
    assert repeat(lambda: next(values), 0.0, ticking()) == [1.0, 1.0, 1.0]


@given(st.lists(st.floats(0.5, 2), min_size=3, max_size=40), st.floats(1e-6, 1e12))
def test_a_figure_scales_with_its_values(values: list[float], scale: float) -> None:
    plain, scaled = Figure.of(values), Figure.of([value * scale for value in values])
    assert scaled.value == pytest.approx(plain.value * scale)
    assert scaled.spread == pytest.approx(plain.spread, abs=1e-9)
    assert min(values) <= plain.value <= max(values)


def test_an_interruption_does_not_move_a_figure() -> None:
    assert Figure.of([1.0, 1.0, 1.0, 1.0, 50.0]) == Figure(1.0, 0.0, 5)
    assert Figure.of([9.0, 10.0, 11.0]) == Figure(10.0, 0.05, 3)
    assert Figure.of([7.0]) == Figure(7.0, 0.0, 1)


@pytest.mark.parametrize(
    ("value", "wanted"), [(123456.0, 123500.0), (0.0, 0.0), (9.99999e-7, 1e-6), (float("inf"), float("inf"))]
)
def test_measured_numbers_have_four_digits(value: float, wanted: float) -> None:
    assert rounded(value) == wanted


def test_a_record_survives_as_json() -> None:
    figure = Figure(2.0, 0.1, 5)
    messages = Messages(
        Fit((Segment(8.0, 1e-6, 0.0), Segment(float("inf"), 2e-6, 1e-10)), 0.99), 0.02, figure
    )
    record = Record(
        node_ranks=2,
        core_stream=figure,
        node_stream=figure,
        core_copy=figure,
        core_gemm={"f64": figure},
        node_gemm={"f64": figure, "f32": figure},
        write=figure,
        local=messages,
        collectives=(Collective("barrier", 2, 0, figure),),
    )
    assert Record.from_json(record.to_json()) == record
