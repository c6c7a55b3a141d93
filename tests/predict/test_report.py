"""What people are told of a prediction: tables, curves and pictures."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from dlc.predict import Coefficients, Prediction, simulate
from dlc.predict.advice import advise
from dlc.predict.plot import scaling_plot
from dlc.predict.report import curve, energy, seconds, size, text
from dlc.predict.resources import Resources
from tests.predict.machines import cluster, totals


def prediction(ranks: int = 64) -> Prediction:
    return advise(totals(4), cluster(4), ranks=ranks)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 s"), (5.28582e-3, "5.29 ms"), (0.9999, "1 s"), (119, "119 s"), (7199, "2 h"),
        (9e5, "10.4 days"), (1e12, "11,574,074 days"),
    ],
)  # fmt: skip
def test_durations_have_the_unit_that_suits_them(value: float, shown: str) -> None:
    assert seconds(value) == shown


def test_sizes_and_energies_too() -> None:
    assert [size(n) for n in (1, 999.9, 2.5e9, 1e20)] == ["1 B", "1 kB", "2.5 GB", "1e+05 PB"]
    assert [energy(joules) for joules in (3600, 7.2e6)] == ["1 Wh", "2 kWh"]


def test_each_step_has_its_interval_its_bytes_by_link_and_its_flop() -> None:
    found = prediction()
    lines = text(found).splitlines()
    head = next(line for line in lines if line.split()[:3] == ["time", "from", "to"])
    assert all(name in head for name in found.traffic), "a column for each class of links"
    step = next(step for step in found.steps if step.traffic)
    (line,) = (line for line in lines if step.label in line and seconds(step.seconds.value) in line)
    for figure in (seconds(step.seconds.low), seconds(step.seconds.high), *map(size, step.traffic.values())):
        assert figure in line


def test_steps_share_price_and_energy_by_their_time() -> None:
    found = simulate(totals(4), cluster(4), ranks=64)
    assert found.price == pytest.approx(2 / 3600 * found.nodes * found.seconds.value)
    assert found.energy == pytest.approx(500 * found.nodes * found.seconds.value)
    longest = max(found.steps, key=lambda step: step.seconds.value)
    share = longest.seconds.value / found.seconds.value
    lines = text(found).splitlines()
    head = next(line for line in lines if line.split()[:3] == ["time", "from", "to"])
    assert "energy" in head and "price" in head
    assert any(f"{share * found.price:.3g} USD" in line and longest.label in line for line in lines)


def test_the_bottleneck_and_the_longest_step_are_named() -> None:
    found = prediction()
    lines = text(found).splitlines()
    assert any(line.startswith(f"bottleneck: {found.bottleneck} (") for line in lines)
    longest = max(found.steps, key=lambda step: step.seconds.value)
    assert any(line.startswith(f"longest step: {longest.label}, ") for line in lines)


def test_where_nothing_would_help_it_says_so() -> None:
    assert "nothing of twice the speed" in text(replace(prediction(), advice=()))


def test_memory_that_does_not_fit_is_said_loudly() -> None:
    found = prediction()
    small = replace(found, capacity={"host": 1e6})
    assert "DOES NOT FIT" in text(small) and "DOES NOT FIT" in curve([small])
    assert "DOES NOT FIT" not in text(found) + curve([found])


def test_faster_processors_help_where_processors_bound_the_run() -> None:
    """Whether clocks are known or not: coefficients that were never measured have none."""
    for clock in (0.0, 3e9):
        for coefficients in (Coefficients(), Coefficients(clock=2e9)):
            resources = replace(Resources.of(cluster(1)), clock=clock)
            found = advise(totals(1), resources, coefficients, ranks=1)
            gains = {entry.change: entry.seconds for entry in found.advice}
            assert gains["processors of twice the speed"] < 0.7 * found.seconds.value


def test_fewer_ranks_are_advised_where_they_are_faster() -> None:
    found = advise(totals(1, rows=10), cluster(4), ranks=2)
    assert any(entry.change == "half the ranks" for entry in found.advice)


def test_a_curve_compares_with_its_first_line() -> None:
    found = [simulate(totals(4), cluster(4), ranks=ranks) for ranks in (4, 16)]
    head, first, second = curve(found).splitlines()[2:]
    assert head.split()[:2] == ["ranks", "nodes"]
    assert "1.00" in first and "100.0%" in first
    assert f"{found[0].seconds.value / found[1].seconds.value:.2f}" in second


def test_a_picture_shows_each_number_of_ranks_and_stays_in_its_frame() -> None:
    found = [simulate(totals(4), cluster(4), ranks=ranks) for ranks in (64, 4, 16)]
    root = ET.fromstring(scaling_plot(found))
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.findall("{*}circle")]
    assert len(dots) == 3 and dots == sorted(dots)
    texts = [entry.text for entry in root.findall("{*}text")]
    for words in ("4", "16", "64", "ranks", "time", "share of the time", found[0].bottleneck):
        assert words in texts
    for shape in root.iter():
        pairs = [pair.split(",") for pair in shape.attrib.get("points", "").split()]
        assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in pairs)
