"""Message times of known LogGP parameters, with noise, from which the parameters must be found again."""

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlc.hwspec.calibration.fit import Fit, Segment, fit, segments_of, segments_text
from dlc.hwspec.calibration.messages import SIZES

NOISE = 0.02


@st.composite
def protocols(draw: st.DrawFn) -> tuple[Segment, ...]:
    """One to three protocols, each for at least six sizes; longer messages start slower and stream faster."""
    count = draw(st.integers(1, 3))
    steps = [draw(st.integers(8, 16)) for _ in range(count - 1)]
    breaks = [float(SIZES[sum(steps[: index + 1])]) for index in range(count - 1)]
    delay, bandwidth = draw(st.floats(0.5e-6, 5e-6)), draw(st.floats(0.5e9, 4e9))
    segments: list[Segment] = []
    for end in (*breaks, math.inf):
        segments.append(Segment(end, delay, 1 / bandwidth))
        delay *= draw(st.floats(1.8, 4))
        bandwidth *= draw(st.floats(1.5, 3))
    return tuple(segments)


def noisy(truth: Fit, seed: int) -> list[float]:
    random = Random(seed)
    return [truth.seconds(size) * random.gauss(1, NOISE) for size in SIZES]


@settings(max_examples=60, deadline=None)
@given(protocols(), st.integers(0, 1000))
def test_times_are_explained_at_every_size(protocol: tuple[Segment, ...], seed: int) -> None:
    truth = Fit(protocol, 1.0)
    found = fit(SIZES, noisy(truth, seed))
    assert found.r2 > 0.99
    # A break is found to within one size, so the two sizes around it may belong to either side.
    near = {SIZES[SIZES.index(int(s.upto)) + step] for s in protocol[:-1] for step in (-1, 0, 1)}
    for size in set(SIZES) - near:
        assert found.seconds(size) == pytest.approx(truth.seconds(size), rel=5 * NOISE)


@settings(max_examples=60, deadline=None)
@given(protocols(), st.integers(0, 1000))
def test_latency_and_bandwidth_are_recovered(protocol: tuple[Segment, ...], seed: int) -> None:
    found = fit(SIZES, noisy(Fit(protocol, 1.0), seed))
    # Sizes at 2 % noise tell the latency to about 1.5 %; no seed should be five times as far off.
    assert found.latency == pytest.approx(protocol[0].delay, rel=5 * NOISE)
    assert found.bandwidth == pytest.approx(protocol[-1].bandwidth, rel=8 * NOISE)
    assert len(found.segments) <= len(protocol) + 1


def test_a_change_of_protocol_that_shows_is_found_where_it_is() -> None:
    truth = Fit((Segment(8192, 1e-6, 1 / 2e9), Segment(math.inf, 12e-6, 1 / 10e9)), 1.0)
    fits = [fit(SIZES, noisy(truth, seed)) for seed in range(40)]
    assert all(8192 in [segment.upto for segment in found.segments] for found in fits)
    plain = [found for found in fits if len(found.segments) == 2]
    assert len(plain) >= 38  # noise may now and then look like one more protocol
    for found in plain:
        for piece, wanted in zip(found.segments, truth.segments, strict=True):
            assert piece.delay == pytest.approx(wanted.delay, rel=0.06)
            assert piece.bandwidth == pytest.approx(wanted.bandwidth, rel=0.1)


@given(st.lists(st.floats(1e-7, 1e-1), min_size=len(SIZES), max_size=len(SIZES)))
@settings(max_examples=50, deadline=None)
def test_whatever_was_measured_no_message_takes_less_than_nothing(times: list[float]) -> None:
    found = fit(SIZES, times)
    assert all(segment.delay >= 0 and segment.per_byte >= 0 for segment in found.segments)
    assert all(found.seconds(size) > 0 for size in SIZES)
    ends = [segment.upto for segment in found.segments]
    assert all(first < second for first, second in pairwise(ends))
    assert ends[-1] == math.inf


def test_one_line_needs_no_more_than_one_segment() -> None:
    truth = Fit((Segment(math.inf, 1e-6, 1e-10),), 1.0)
    assert [len(fit(SIZES, noisy(truth, seed)).segments) for seed in range(20)].count(1) >= 19
    exact = fit(SIZES, [truth.seconds(size) for size in SIZES])
    assert (exact.latency, exact.bandwidth, exact.r2) == (pytest.approx(1e-6), pytest.approx(1e10), 1.0)


def test_repeated_and_unsorted_sizes_are_one_sample_more() -> None:
    truth = Fit((Segment(math.inf, 2e-6, 1e-9),), 1.0)
    sizes = [*SIZES[::-1], *SIZES]
    assert fit(sizes, [truth.seconds(size) for size in sizes]).latency == pytest.approx(2e-6)


@pytest.mark.parametrize(
    ("sizes", "times"), [([8], [1e-6]), ([8, 8], [1e-6, 2e-6]), ([8, 16], [1e-6, 0.0]), ([], [])]
)
def test_too_little_is_no_fit(sizes: list[float], times: list[float]) -> None:
    with pytest.raises(ValueError, match="positive times of at least two sizes"):
        fit(sizes, times)


def test_a_few_sizes_make_one_line() -> None:
    assert fit([8, 1024], [1e-6, 2e-6]).segments == (
        Segment(math.inf, pytest.approx(1e-6 - 8e-6 / 1016), pytest.approx(1e-6 / 1016)),
    )


@given(protocols())
def test_segments_survive_as_text(protocol: tuple[Segment, ...]) -> None:
    again = segments_of(segments_text(protocol))
    for segment, wanted in zip(again, protocol, strict=True):
        assert segment.upto == pytest.approx(wanted.upto, rel=1e-4)
        assert segment.delay == pytest.approx(wanted.delay, rel=1e-3)
        assert segment.per_byte == pytest.approx(wanted.per_byte, rel=1e-3)


@pytest.mark.parametrize("text", ["", "1 s", "<= 8 B: x s + n * 1 s/B", "fast"])
def test_other_text_is_no_segments(text: str) -> None:
    with pytest.raises(ValueError):
        segments_of(text)
