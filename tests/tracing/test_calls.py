"""Which module was called when, with what, and what it produced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unetscope.record import Trace
from unetscope.tracing import trace


def calls(record: Trace) -> list[str]:
    return [step.module for step in record.steps]


def producer(record: Trace, value: int) -> str | None:
    call = record.values[value].call
    return None if call is None else record.steps[call].module


def test_calls_form_one_tree_on_one_clock() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 1)))
    record = trace(net, (torch.zeros(5, 2),))
    assert [(s.module, s.parent, s.start, s.end) for s in record.steps] == [
        ("", None, 1, 13),
        ("0", 0, 2, 4),
        ("1", 0, 5, 12),
        ("1.0", 2, 6, 8),
        ("1.1", 2, 9, 11),
    ]
    ticks = [s.start for s in record.steps] + [s.end for s in record.steps]
    ticks += [op.clock for op in record.ops]
    assert sorted(ticks) == list(range(1, len(ticks) + 1))
    assert [record.steps[op.step].module for op in record.ops] == ["0", "1.0", "1.1"]


def test_a_module_called_twice_and_one_never() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(self.used(x))

    record = trace(Twice(), (torch.zeros(1, 2),))
    assert calls(record) == ["", "used", "used"]
    assert [module.path for module in record.modules] == ["", "used", "unused"]
    assert record.total_params == 12


def test_a_shared_module_has_its_first_name() -> None:
    layer = nn.Linear(2, 2)
    record = trace(nn.Sequential(layer, nn.ReLU(), layer), (torch.zeros(1, 2),))
    assert calls(record) == ["", "0", "1", "0"]
    assert [module.path for module in record.modules] == ["", "0", "1"]
    assert record.total_params == 6


def test_tied_parameters_count_once() -> None:
    net = nn.Sequential(nn.Embedding(5, 2), nn.Linear(2, 5, bias=False))
    net[1].weight = net[0].weight
    record = trace(net, (torch.zeros(1, 3, dtype=torch.int64),))
    (tied,) = record.modules[2].parameters
    assert tied.tied_to == "0.weight"
    assert record.total_params == 10 == sum(p.numel() for p in net.parameters())


def test_own_parameters_and_buffers() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    record = trace(net, (torch.zeros(1, 3, 5, 5),))
    root, conv, norm = record.modules
    assert root.own_parameters == 0
    assert [(p.name, p.spec.shape) for p in conv.parameters] == [
        ("weight", (4, 3, 3, 3)),
        ("bias", (4,)),
    ]
    assert conv.attributes["kernel_size"] == (3, 3)
    assert [(b.name, b.spec.dtype) for b in norm.buffers] == [
        ("running_mean", "float32"),
        ("running_var", "float32"),
        ("num_batches_tracked", "int64"),
    ]
    assert record.total_params == 3 * 4 * 9 + 4 + 4 + 4


def test_arguments_have_the_names_that_forward_gives_them() -> None:
    class Inner(nn.Module):
        def forward(self, sample: Tensor, more: Any, *rest: Tensor, extra: Any = None) -> Tensor:
            return sample + more["a"] + more["b"][0] + rest[0] + extra

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()

        def forward(self, x: Tensor, conditions: dict[str, Any]) -> Tensor:
            return self.inner(x, {"a": x, "b": (x, 3)}, x, extra=conditions["c"])

    record = trace(Outer(), (torch.zeros(2),), {"conditions": {"c": torch.zeros(2), "d": None}})
    outer, inner = record.steps
    assert [a.name for a in outer.inputs] == ["x", "conditions.c"]
    assert [a.name for a in inner.inputs] == ["sample", "more.a", "more.b.0", "args.2", "extra"]
    assert record.inputs == outer.inputs
    assert all(record.values[argument.value].op is None for argument in record.inputs)


@dataclass
class Output:
    sample: Tensor
    others: tuple[Tensor, ...]


@pytest.mark.parametrize(
    ("wrap", "count"),
    [
        (lambda x: x, 1),
        (lambda x: (x,), 1),
        (lambda x: {"sample": x}, 1),
        (lambda x: [x, {"b": x + 1}], 2),
        (lambda x: Output(x, (x + 1, x + 2)), 3),
        (lambda x: None, 0),
    ],
)
def test_outputs_of_any_kind(wrap: Any, count: int) -> None:
    class Wrapping(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return wrap(x * 2)

    record = trace(Wrapping(), (torch.zeros(2),))
    assert len(record.outputs) == len(record.steps[0].outputs) == count
    assert record.steps[0].end is not None
    # Whole output of the call, or one of several.
    assert all((producer(record, value) == "") == (count == 1) for value in record.outputs)


def test_the_producer_is_the_outermost_call_whose_whole_output_it_is() -> None:
    class Downsampler(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.resnet = nn.Linear(2, 2)
            self.downsampler = Downsampler()

        def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
            x = self.resnet(x)
            low = self.downsampler(x)
            return low, (x, low)

    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = Block()

        def forward(self, x: Tensor) -> Tensor:
            low, residuals = self.block(x)
            return torch.cat([low, *residuals])

    record = trace(Root(), (torch.zeros(1, 2),))
    (join,) = (op for op in record.ops if op.name == "torch.cat")
    assert [producer(record, value) for value in join.inputs] == [
        "block.downsampler",
        "block.resnet",
        "block.downsampler",
    ]
    assert producer(record, record.outputs[0]) == ""


def test_what_hands_its_input_through_produces_nothing() -> None:
    layers = [nn.Linear(2, 2), nn.Identity(), nn.Dropout(0.5), nn.Dropout1d(0.5)]
    record = trace(nn.Sequential(*layers, nn.Sequential(nn.Identity())), (torch.zeros(3, 2, 2),))
    assert {step.module: step.outputs for step in record.steps}["4.0"] == record.outputs
    assert producer(record, record.outputs[0]) == ""
    produced = {producer(record, value) for value in range(len(record.values))}
    assert produced == {None, ""}

    class Kept(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(2, 2), nn.Dropout(0.5), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.b(self.a(x))) * 2

    record = trace(Kept(), (torch.zeros(3, 2),))
    assert producer(record, record.ops[-1].inputs[0]) == "a"


def test_an_activation_in_place_produces_a_new_value_in_the_same_storage() -> None:
    record = trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True)), (torch.zeros(1, 2),))
    before, after = record.ops[0].outputs[0], record.ops[1].outputs[0]
    assert before != after
    assert record.values[before].storage == record.values[after].storage
    assert producer(record, before) == "0"
    assert producer(record, after) == ""
    assert record.outputs == (after,)


def test_a_module_that_writes_its_input_produces_it() -> None:
    class Writing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu_(x)

    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.writing = Writing()

        def forward(self, x: Tensor) -> Tensor:
            y = x * 2
            self.writing(y)
            return y + 1

    record = trace(Root(), (torch.zeros(1, 2),))
    assert producer(record, record.ops[-1].inputs[0]) == "writing"


def test_a_module_without_tensors() -> None:
    class Numbers(nn.Module):
        def forward(self, x: int) -> int:
            return x + 1

    record = trace(Numbers(), (1,))
    assert record.steps[0].inputs == record.steps[0].outputs == record.ops == ()
