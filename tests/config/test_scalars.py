"""Plain scalars are YAML 1.2's, not 1.1's."""

from __future__ import annotations

import math

import pytest

from unetscope.config.document import LONGEST_NUMBER, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E+5", 1e5),
        ("-1.5e3", -1500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        # Booleans, numbers and dates of YAML 1.1 only.
        ("on", "on"),
        ("No", "No"),
        ("yes", "yes"),
        ("y", "y"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1:30", "1:30"),
        ("2001-12-14", "2001-12-14"),
        ("-0x1F", "-0x1F"),
        ("TrUe", "TrUe"),
        ("nan", "nan"),
        ("+.nan", "+.nan"),
        (".", "."),
        ("-", "-"),
        ("1e", "1e"),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
    ],
)
def test_core_schema(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number():
    assert math.isnan(resolve(".NaN"))


def test_numbers_have_a_longest():
    assert resolve("9" * LONGEST_NUMBER) == int("9" * LONGEST_NUMBER)
    with pytest.raises(ValueError, match=r"^a number of 65 characters; the bound is 64$"):
        resolve("9" * (LONGEST_NUMBER + 1))
    assert resolve("x" * 100) == "x" * 100
