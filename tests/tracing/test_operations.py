"""The table of operations: every spelling stands in one row, and names lead to the right one."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn

from unetscope.analysis.cost import Cost
from unetscope.analysis.network import Network
from unetscope.ops import (
    NO_MACS,
    OPERATIONS,
    Keeps,
    OpKind,
    in_place,
    opaque,
    operation,
    symbol,
)
from unetscope.tracing import trace


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
        ("torch.ops.aten.cat", "cat", OpKind.JOIN),
        ("torch.ops.aten.add_.Tensor", "add", OpKind.SUM),
        ("torch.ops.prims.cat", "ops.prims.cat", OpKind.UNKNOWN),
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


def test_what_torchs_own_operators_do_is_known() -> None:
    assert opaque("torch.ops.mine.cat")
    assert not opaque("torch.ops.aten.cat")


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


def test_a_function_that_is_not_in_the_table_is_reported() -> None:
    class Odd(nn.Module):
        def forward(self, x):
            return torch.special.erfcx(x) + 1

    recorded = trace(Odd(), (torch.zeros(3),))
    assert [operation(op.name).known for op in recorded.ops] == [False, True]
    assert Cost(Network(recorded)).unknown == {"torch.special.erfcx": 1}


# What the backward keeps, against autograd


def kept_by_autograd(function, count):
    """Which of `count` tensors a function saves: `input`, `other`, and whether its `output`."""
    leaves = [torch.rand(3, 3, requires_grad=True) + 0.1 for _ in range(count)]
    saved = set()

    def pack(tensor):
        saved.add(tensor.untyped_storage().data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = function(*leaves)
    names = zip(("input", "other"), leaves, strict=False)
    found = {name for name, tensor in names if tensor.untyped_storage().data_ptr() in saved}
    return found | ({"output"} if result.untyped_storage().data_ptr() in saved else set())


KEPT = {
    Keeps.NOTHING: set(),
    Keeps.INPUT: {"input"},
    Keeps.OUTPUT: {"output"},
    Keeps.ALL: {"input", "output"},
    Keeps.FACTORS: {"input", "other"},
}
OF_ONE = (OpKind.ACTIVATION, OpKind.POINTWISE, OpKind.REDUCTION)


def functions(*kinds: OpKind):
    """The functions of the rows of some kinds whose backward is known."""
    for row in OPERATIONS:
        found = getattr(torch, row.name, None) or getattr(torch.nn.functional, row.name, None)
        if row.kind in kinds and row.keeps in KEPT and found is not None:
            yield pytest.param(row, found, id=row.name)


@pytest.mark.parametrize(
    ("row", "function"), [p for p in functions(*OF_ONE) if p.id not in ("sub", "div")]
)
def test_what_functions_of_one_tensor_keep(row, function) -> None:
    assert kept_by_autograd(function, 1) == KEPT[row.keeps]


@pytest.mark.parametrize(
    ("row", "function"),
    [
        *functions(OpKind.SUM, OpKind.PRODUCT),
        *(p for p in functions(OpKind.MATRIX_PRODUCT) if p.id in ("matmul", "mm")),
        *(p for p in functions(OpKind.POINTWISE) if p.id == "sub"),
    ],
)
def test_what_functions_of_two_tensors_keep(row, function) -> None:
    assert kept_by_autograd(function, 2) == KEPT[row.keeps]
