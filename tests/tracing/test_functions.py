"""The functions between the calls: names, arguments, what they take and make."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unetscope.ops import operation
from unetscope.record import Trace
from unetscope.tracing import trace

aten = torch.ops.aten


class Body(nn.Module):
    def __init__(self, body: Callable[..., Any]) -> None:
        super().__init__()
        self.body = body
        self.scale = nn.Parameter(torch.ones(4))
        self.register_buffer("table", torch.ones(4))

    def forward(self, *args: Any) -> Any:
        return self.body(self, *args)


def traced(body: Callable[..., Any], *shape: int) -> Trace:
    """The trace of a function of one tensor, the same on meta as on the CPU."""
    x = torch.zeros(shape or (2, 4))
    record = trace(Body(body), (x,))
    assert trace(Body(body).to("meta"), (x.to("meta"),)) == record
    return record


def shape(record: Trace, value: int) -> tuple[int, ...]:
    return record.values[value].spec.shape


@pytest.mark.parametrize(
    ("body", "name", "detail"),
    [
        (lambda n, x: x + 1, "+", "1"),
        (lambda n, x: 1 + x, "+", "1"),
        (lambda n, x: torch.add(x, x), "+", ""),
        (lambda n, x: 1 - x, "-", "1, …"),
        (lambda n, x: x / 2, "/", "2"),
        (lambda n, x: 2 / x, "/", "2, …"),
        (lambda n, x: x * x, "*", ""),
        (lambda n, x: x**2, "**", "2"),
        (lambda n, x: x.pow(2), "**", "2"),
        (lambda n, x: x @ x.view(4, 2), "@", ""),
        (lambda n, x: x > 0, ">", "0"),
        (lambda n, x: x == 0, "==", "0"),
        (lambda n, x: x[:, None], "[]", ":, None"),
        (lambda n, x: x[..., 1:3], "[]", ":, 1:3"),
        (lambda n, x: x.mT, "Tensor.mT", ""),
        (lambda n, x: torch.cat([x, x], dim=1), "torch.cat", "dim=1"),
        (lambda n, x: x.reshape(4, 2), "Tensor.reshape", "shape=(4, 2)"),
        (lambda n, x: x.permute(1, 0), "Tensor.permute", "dims=(1, 0)"),
        (lambda n, x: F.silu(x), "F.silu", ""),
        (lambda n, x: F.gelu(x), "F.gelu", ""),
        (lambda n, x: x[:, -1], "[]", ":, 3"),
        (lambda n, x: torch.cat([x, x], -1), "torch.cat", "dim=1"),
        (lambda n, x: torch.cat([x, x], axis=0), "torch.cat", ""),
        (lambda n, x: torch.var(x, 1, False), "torch.var", "dim=1, correction=0"),
        (lambda n, x: x.var(dim=-1, unbiased=True), "Tensor.var", "dim=1"),
        (lambda n, x: x.clamp(max=x), "Tensor.clamp", "max=…"),
        (lambda n, x: torch.where(x > 0, 1.0, x), "torch.where", "input=1"),
        (lambda n, x: torch.where(x > 0, x, 1.0), "torch.where", "other=1"),
        (lambda n, x: torch.full((2,), 1), "torch.full", "size=(2), fill_value=1"),
        (lambda n, x: torch.full((2,), 1.0), "torch.full", "size=(2), fill_value=1.0"),
        (lambda n, x: x.sub(x, alpha=2), "-", "alpha=2"),
        (lambda n, x: x.sub(x, alpha=1), "-", ""),
        (lambda n, x: x.expand(2, -1), "Tensor.expand", "size=(2, -1)"),
        (lambda n, x: F.interpolate(x[None], scale_factor=2.0), "F.interpolate", None),
        (lambda n, x: torch.fft.fftn(x, dim=(0,)), "torch.fft.fftn", "dim=0"),
        (lambda n, x: x.to(torch.float16), "Tensor.to", "dtype=float16"),
        (lambda n, x: x.to(x.device, torch.float16), "Tensor.to", "dtype=float16"),
        (lambda n, x: torch.zeros(3, device=x.device), "torch.zeros", "size=(3)"),
        (lambda n, x: torch.einsum("bc,dc->bd", x, x), "torch.einsum", "bc,dc->bd"),
    ],
)
def test_names_and_details(body: Callable[..., Any], name: str, detail: str | None) -> None:
    op = traced(body).ops[-1]
    assert op.name == name
    if detail is not None:
        assert op.detail == detail


@pytest.mark.parametrize(
    ("function", "operator"),
    [
        (lambda x: torch.cat([x, x], 1), lambda x: aten.cat([x, x], 1)),
        (lambda x: torch.cat([x, x], 1), lambda x: aten.cat.default([x, x], -1)),
        (lambda x: x + x, lambda x: aten.add.Tensor(x, x)),
        (lambda x: 1 - x, lambda x: aten.rsub.Scalar(x, 1)),
        (lambda x: x.clone().mul_(2), lambda x: aten.mul_(aten.clone(x), 2)),
        (lambda x: F.linear(x, x), lambda x: aten.linear.default(x, x)),
        (lambda x: x @ x.T, lambda x: aten.matmul(x, aten.numpy_T(x))),
        (
            lambda x: torch.slice_scatter(x, x[:1], 0, 0, 1),
            lambda x: aten.slice_scatter(x, x[:1], 0, 0, 1),
        ),
    ],
)
def test_an_operator_of_aten_is_what_the_function_is(
    function: Callable[[Tensor], Tensor], operator: Callable[[Tensor], Tensor]
) -> None:
    one, other = (traced(lambda _, x, of=of: of(x)) for of in (function, operator))
    told = [
        [(operation(op.name), op.detail, op.macs, op.inputs) for op in record.ops[-1:]]
        for record in (one, other)
    ]
    assert told[0] == told[1]
    assert operation(one.ops[-1].name).known
    assert one.total_macs == other.total_macs


def test_what_is_only_written_to_is_no_input() -> None:
    def body(_: Any, x: Tensor) -> Tensor:
        made = x.new_empty(2, 8)
        torch.cat([x, x], 1, out=made)
        return made

    record = traced(body)
    make, join = record.ops
    assert join.inputs == record.ops[0].inputs * 2
    assert join.detail == "dim=1"
    assert record.outputs == join.outputs
    made, joined = (record.values[op.outputs[0]] for op in (make, join))
    assert made.storage == joined.storage


def test_questions_are_no_functions() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        assert x.shape[0] == x.size(0) == len(x) == 2
        assert x.dim() == x.ndim == 2
        assert x.is_contiguous()
        assert x.numel() == 8
        assert x.dtype == torch.float32
        with torch.no_grad():
            return x

    assert traced(body).ops == ()


def test_sources() -> None:
    record = traced(lambda net, x: x * net.scale + net.table)
    multiply, add = record.ops
    assert record.values[multiply.inputs[1]].source == "scale"
    assert record.values[add.inputs[1]].source == "table"
    assert record.values[multiply.outputs[0]].source is None
    resident = {storage.resident for storage in record.storages[:3]}
    assert resident == {True, False}


def test_views_share_storage_and_copies_do_not() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        return x.view(4, 2).transpose(0, 1).reshape(8)

    record = traced(body)
    storages = [record.values[op.outputs[0]].storage for op in record.ops]
    given = record.values[record.inputs[0].value].storage
    assert storages[:2] == [given, given]
    assert storages[2] != given
    assert record.storages[storages[2]].nbytes == 32


def test_chunks_are_several_outputs() -> None:
    record = traced(lambda net, x: x.chunk(2, dim=1)[1])
    (op,) = record.ops
    assert [shape(record, value) for value in op.outputs] == [(2, 2), (2, 2)]
    assert record.outputs == op.outputs[1:]


def test_what_is_handed_through_is_no_new_value() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        return F.dropout(x.contiguous().to(torch.float32), 0.5, training=False) * 2

    record = traced(body)
    given = record.inputs[0].value
    assert [op.outputs for op in record.ops[:-1]] == [(given,)] * 3
    assert record.ops[-1].inputs == (given,)


def test_written_through_a_view() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        x = x * 1
        left = x[:, :1]
        right = x[:, 1:]
        left.mul_(2)
        return torch.cat([x, right], dim=1)

    record = traced(body)
    made, _, _, written, joined = record.ops
    whole, right = joined.inputs
    # What has elements of what was written keeps its shape and is newer than the write.
    assert shape(record, whole) == (2, 4)
    assert shape(record, right) == (2, 3)
    assert record.values[whole].op == 3
    assert record.values[right].op == 2
    assert whole > written.outputs[0] > right > made.outputs[0]
    assert len({record.values[value].storage for value in (whole, right)}) == 1


def test_written_through_an_index() -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        x = x * 1
        x[:, :1] = x[:, :1] * 2
        return x + 1

    record = traced(body)
    assert [op.name for op in record.ops] == ["*", "[]", "*", "[]=", "+"]
    assert record.ops[-1].inputs == record.ops[3].outputs
    assert shape(record, record.ops[3].outputs[0]) == (2, 4)


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.add_(1),
        lambda x: F.relu(x, inplace=True),
        lambda x: F.relu(x, True),
        lambda x: F.leaky_relu(x, 0.2, True),
        lambda x: F.silu(x, True),
        lambda x: torch.nn.functional.dropout(x, 0.5, False, True),
        lambda x: x.copy_(x * 2),
        lambda x: x.zero_(),
        lambda x: torch.mul(x, 2, out=x),
        lambda x: x.__imul__(2),
    ],
)
def test_functions_in_place(write: Callable[[Tensor], Tensor]) -> None:
    def body(net: Any, x: Tensor) -> Tensor:
        x = x * 1
        write(x)
        return x + 1

    record = traced(body)
    storages = {record.values[op.outputs[0]].storage for op in record.ops[:-1]}
    assert record.values[record.ops[-1].inputs[0]].storage == (
        record.values[record.ops[0].outputs[0]].storage
    )
    assert record.values[record.outputs[0]].storage not in storages


def test_tensors_made_from_nothing() -> None:
    record = traced(lambda net, x: x + torch.ones(4, device=x.device))
    ones, add = record.ops
    assert ones.inputs == ()
    assert add.inputs == (record.inputs[0].value, ones.outputs[0])


def test_a_constant_of_the_code_was_there_before() -> None:
    constant = torch.ones(4)
    record = trace(Body(lambda net, x: x + constant), (torch.zeros(2, 4),))
    value = record.values[record.ops[0].inputs[1]]
    assert (value.op, value.source) == (None, None)
    assert record.storages[value.storage].resident


FIRST_PASS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
import torch
from torch import nn
from unetscope.tracing import trace

def seen(x):
    x = x * 1
    x[:, :1].mul_(2)
    return torch.cat([torch.fft.fft(x).real, x[:, 1:]], dim=1)

def unseen(x):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.mul, x + 1, 2).result()

def beside(x):
    with torch._C.DisableTorchFunction():
        return (x + 1) * 2

class Net(nn.Module):
    def __init__(self, body):
        super().__init__()
        self._body = body

    def forward(self, x):
        return self._body(x) + 1

def first_pass(body):
    first = trace(Net(body), (torch.zeros(2, 4, device="meta"),))
    assert "sympy" in sys.modules
    assert first == trace(Net(body), (torch.zeros(2, 4),))

for body in (seen, unseen, beside):
    assert "sympy" not in sys.modules
    if not os.fork():
        first_pass(body)
        break
    assert os.wait()[1] == 0, body
"""


def test_the_first_pass_holds_nothing_while_torch_imports_its_meta_kernels() -> None:
    """Each of some bodies in a process whose first pass it is; they share the import of torch."""
    subprocess.run([sys.executable, "-c", FIRST_PASS], check=True)
