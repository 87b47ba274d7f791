"""The table of operations: every spelling stands in one row, and names lead to the right one."""

from __future__ import annotations

from collections import Counter

import pytest

from unetscope.ops import NO_MACS, OPERATIONS, OpKind, in_place, operation, symbol


def test_each_spelling_stands_in_one_row() -> None:
    times = Counter(spelling for row in OPERATIONS for spelling in row.spellings)
    assert [spelling for spelling, count in times.items() if count > 1] == []


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)
def test_every_spelling_leads_to_its_row(row) -> None:
    for spelling in row.spellings:
        assert operation(spelling) is row
    for name in (row.name, *row.aliases.split()):
        for owner in ("torch", "Tensor", "F"):
            assert operation(f"{owner}.{name}") is row
        assert operation(f"Tensor.{name}_") is row


@pytest.mark.parametrize(
    ("name", "row", "kind"),
    [
        ("torch.concat", "cat", OpKind.JOIN),
        ("+=", "add", OpKind.SUM),
        ("torch.add", "add", OpKind.SUM),
        ("Tensor.__radd__", "add", OpKind.SUM),
        ("Tensor.lerp_", "lerp", OpKind.SUM),
        ("F.conv2d", "conv", OpKind.CONVOLUTION),
        ("F.softmax", "softmax", OpKind.SOFTMAX),
        ("Tensor.softmax", "softmax", OpKind.SOFTMAX),
        ("torch.fft.ifftn", "fft.ifftn", OpKind.FOURIER),
        ("torch.add.Tensor", "add", OpKind.SUM),
        ("[]", "getitem", OpKind.VIEW),
        ("torch.special.erfcx", "special.erfcx", OpKind.UNKNOWN),
        ("_", "_", OpKind.UNKNOWN),
    ],
)
def test_spellings(name: str, row: str, kind: OpKind) -> None:
    found = operation(name)
    assert (found.name, found.kind) == (row, kind)
    assert found.known is (kind is not OpKind.UNKNOWN)


def test_of_an_unknown_operation_nothing_is_known() -> None:
    found = operation("torch.special.erfcx")
    assert (found.formula, found.keeps) == (None, None)
    assert operation("torch.zeros").formula == NO_MACS


def test_symbols() -> None:
    assert symbol("__rsub__") == "-"
    assert symbol("add_") == "+="
    assert symbol("multiply") is None


@pytest.mark.parametrize(
    ("name", "writes"),
    [
        ("+=", True),
        ("Tensor.relu_", True),
        ("[]=", True),
        ("==", False),
        (">=", False),
        ("Tensor.__invert__", False),
        ("F.relu", False),
    ],
)
def test_in_place(name: str, writes: bool) -> None:
    assert in_place(name) is writes
