"""Text takes SI, IEC and bits; the model holds base units alone."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlc.hwspec.units import BASE_UNITS, UNITS, advice, scale, text


def read(written: str) -> tuple[float, str]:
    number, _, symbol = written.partition(" ")
    return (
        (float(Fraction(number)), "1")
        if not symbol
        else (scale(Fraction(number), UNITS[symbol]), UNITS[symbol].base)
    )


@pytest.mark.parametrize(
    ("written", "value", "base"),
    [
        ("100 Gbit/s", 12.5e9, "B/s"),
        ("16 GB", 16e9, "B"),
        ("48 KiB", 49152, "B"),
        ("1 Gibit", 2**30 / 8, "B"),
        ("0.5 us", 5e-7, "s"),
        ("0.5 µs", 5e-7, "s"),
        ("7.8 TFLOP/s", 7.8e12, "FLOP/s"),
        ("275 TOP/s", 275e12, "FLOP/s"),
        ("2.4 GHz", 2.4e9, "Hz"),
        ("700 W", 700, "W"),
        ("5500 IO/s", 5500, "IO/s"),
        ("3 %", 0.03, "1"),
        ("36", 36, "1"),
    ],
)
def test_every_unit_is_read_into_its_base_unit(written: str, value: float, base: str) -> None:
    assert read(written) == (value, base)


@pytest.mark.parametrize(
    ("value", "base", "written"),
    [
        (12.5e9, "B/s", "12.5 GB/s"),
        (49152, "B", "48 KiB"),
        (25276514304, "B", "25276514304 B"),
        (5e-7, "s", "500 ns"),
        (0.0, "s", "0 s"),
        (2.1e9, "Hz", "2.1 GHz"),
        (20.0, "1", "20"),
        (0.03, "1", "0.03"),
    ],
)
def test_a_value_is_written_as_a_person_would(value: float, base: str, written: str) -> None:
    assert text(value, base) == written


@given(st.floats(min_value=1e-12, max_value=1e20), st.sampled_from(BASE_UNITS))
def test_what_is_written_reads_back_to_the_bit(value: float, base: str) -> None:
    assert read(text(value, base)) == (value, base)


@given(st.integers(min_value=0, max_value=2**53), st.sampled_from(sorted(UNITS)))
def test_scaling_rounds_once(number: int, symbol: str) -> None:
    assert scale(Fraction(number), UNITS[symbol]) == float(Fraction(number) * UNITS[symbol].factor)


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ("Gbps", "write `Gbit/s`"),
        ("Gb", "write `Gbit` for bits or `GB` for bytes"),
        ("GFLOPS", "write `GFLOP/s`"),
        ("TOPS", "write `TOP/s`"),
        ("KB", "write `kB` for powers of ten or `KiB` for powers of two"),
        ("gb/s", "did you mean `GB/s`?"),
        ("parsec", "units are B, bit, B/s, bit/s, FLOP/s, Hz, W, IO/s, s and %"),
    ],
)
def test_a_wrong_unit_comes_with_a_fix(wrong: str, fix: str) -> None:
    assert wrong not in UNITS
    assert advice(wrong) == fix
