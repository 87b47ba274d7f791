from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unetscope.table import Kind
from unetscope.units import nbytes, scaled, shape, size, spell


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0, "0 MACs"),
        (999, "999 MACs"),
        (1000, "1.0 kMACs"),
        (999_949, "999.9 kMACs"),
        (999_950, "1.0 MMACs"),
        (401_636_720_640, "401.6 GMACs"),
        (999_950_000_000, "1.0 TMACs"),
        (-1500, "-1.5 kMACs"),
        (12 * 10**18, "12000.0 PMACs"),
    ],
)
def test_counts_are_scaled_after_rounding(number: int, spelled: str) -> None:
    assert spell(number, Kind.MACS) == spelled


def test_a_scaled_count_needs_no_unit() -> None:
    assert scaled(5, "") == "5"
    assert scaled(5000, "") == "5.0 k"


@pytest.mark.parametrize(
    ("number", "spelled"),
    [
        (0, "0 B"),
        (640, "640 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (int(1023.94 * 1024), "1023.9 KiB"),
        (int(1023.96 * 1024), "1.0 MiB"),
        (5 * 2**20, "5.0 MiB"),
        (2**50, "1024.0 TiB"),
    ],
)
def test_bytes_are_scaled_after_rounding(number: int, spelled: str) -> None:
    assert nbytes(number) == spelled


@given(st.integers(0, 2**49))
def test_bytes_never_read_1024(number: int) -> None:
    digits, unit = nbytes(number).split()
    factor = 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit)
    assert float(digits) < 1024
    assert abs(float(digits) * factor - number) <= 0.0501 * factor


@given(st.integers(0, 10**17))
def test_counts_never_read_1000(number: int) -> None:
    digits, unit = scaled(number, "X").split()
    factor = 1000 ** ["X", "kX", "MX", "GX", "TX", "PX"].index(unit)
    assert float(digits) < 1000
    assert abs(float(digits) * factor - number) <= 0.0501 * factor


@pytest.mark.parametrize(
    ("value", "kind", "spelled"),
    [
        (("B", 1280, 8, 8), Kind.SHAPE, "[B, 1280, 8, 8]"),
        ((), Kind.SHAPE, "[]"),
        ((1, 1280, 8, 8), Kind.TUPLE, "(1, 1280, 8, 8)"),
        ((7,), Kind.TUPLE, "(7,)"),
        ((64, 48), Kind.SIZE, "64x48"),
        (("H/8", "W/8"), Kind.SIZE, "H/8xW/8"),
        ((320, 64, 64), Kind.CHANNELS_AND_SIZE, "(320, 64x64)"),
        (859_520_964, Kind.COUNT, "859,520,964"),
        (0.1234, Kind.SHARE, "12.3 %"),
        (1, Kind.SHARE, "100.0 %"),
        ("as it is", Kind.TEXT, "as it is"),
        (0, Kind.TEXT, "0"),
    ],
)
def test_each_kind_has_its_spelling(value: object, kind: Kind, spelled: str) -> None:
    assert spell(value, kind) == spelled


@pytest.mark.parametrize("kind", Kind)
def test_what_is_not_known_is_a_dash_in_every_kind(kind: Kind) -> None:
    assert spell(None, kind) == "-"


def test_a_point_has_size_one() -> None:
    assert size(()) == "1"
    assert shape([1]) == "[1]"
