"""Tensors are found in whatever modules take and return, or it is said that nobody looked."""

from __future__ import annotations

from collections import OrderedDict, UserDict, UserList, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import unetscope
from unetscope.files import traces
from unetscope.record import Closed, Trace
from unetscope.tracing import trace
from unetscope.tracing.contents import contents
from unetscope.views.sections import choose, show
from unetscope.views.view import View


class Plain:
    """An object with tensors, one in a container, and a property that nobody may ask."""

    def __init__(self, first: Tensor, second: Tensor) -> None:
        self.first = first
        self.rest = {"second": [second, 3]}
        self.itself = self
        self.kind = Plain

    @property
    def third(self) -> Tensor:
        raise AssertionError("code of the object ran")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"`{name}` was asked for")


class Slotted:
    __slots__ = ("first", "never_set", "second")

    def __init__(self, first: Tensor, second: Tensor) -> None:
        self.first, self.second = first, second


class Inherited(Slotted):
    """It has a dict beside the slots."""


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


@dataclass
class Data:
    first: Tensor
    second: Tensor
    more: list[int] = field(default_factory=list)


def resolved(first: Tensor, second: Tensor) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result((first, second))
    return future


HOLDERS: list[Callable[[Tensor, Tensor], Any]] = [
    Plain,
    Slotted,
    Inherited,
    Pair,
    Data,
    resolved,
    lambda a, b: SimpleNamespace(first=a, second=SimpleNamespace(inner=[b])),
    lambda a, b: {b, a},
    lambda a, b: frozenset({("b", b), ("a", a)}),
    lambda a, b: OrderedDict(first=a, second=b).values(),
    lambda a, b: UserDict(first=a, second=b),
    lambda a, b: UserList([a, b]),
    lambda a, b: deque([a, b]),
    lambda a, b: partial(torch.add, a, other=b),
    lambda a, b: [{"deep": (Plain(a, b),)}],
]


class Holds(nn.Module):
    """Two layers, whose results `hold` puts together for a third module, which returns them too."""

    def __init__(self, hold: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(2, 3), nn.Linear(3, 4), Passes()
        self.hold = hold

    def forward(self, x: Tensor) -> Any:
        first = self.first(x)
        return self.last(self.hold(first, self.second(first)))


class Passes(nn.Module):
    def forward(self, held: Any) -> Any:
        return held


def traced(hold: Callable[[Tensor, Tensor], Any], device: str = "meta") -> Trace:
    return trace(Holds(hold).to(device), (torch.zeros(1, 2, device=device),))


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("hold", HOLDERS)
def test_tensors_are_found(hold: Callable[[Tensor, Tensor], Any], device: str) -> None:
    record = traced(hold, device)
    root, _, _, last = record.steps
    made = tuple(op.outputs[0] for op in record.ops)
    assert record.outputs == root.outputs == last.outputs == made
    assert tuple(argument.value for argument in last.inputs) == made
    assert not any(step.closed for step in record.steps)


def test_names_say_where_they_were() -> None:
    a, b = torch.zeros(1), torch.zeros(2)
    found = contents([Plain(a, b), Slotted(a, b), {b, a}], "x", lambda x: int(x is a))
    assert [name for name, _ in found.tensors] == [
        *("x.0.first", "x.0.rest.second.0", "x.1.first", "x.1.second", "x.2.0", "x.2.1")
    ]
    assert found.tensors[4][1] is b


def test_inputs_are_found() -> None:
    class Root(nn.Module):
        def forward(self, given: Any, *, more: Any) -> Tensor:
            return given.first + given.rest["second"][0] + next(iter(more))

    x = torch.zeros(2, device="meta")
    record = trace(Root(), (Plain(x, torch.zeros(2, device="meta")),), {"more": {x}})
    assert [argument.name for argument in record.inputs] == [
        *("given.first", "given.rest.second.0", "more.0")
    ]
    assert [record.values[a.value].source for a in record.inputs] == [
        *("given.first", "given.rest.second.0", "given.first")
    ]
    assert record.provenance
    assert record.provenance.device == "meta"


def test_what_is_in_the_code_or_of_use_to_it_is_passed_over() -> None:
    import logging
    import threading

    held = SimpleNamespace(
        log=logging.getLogger(),
        lock=threading.Lock(),
        layer=nn.Linear(2, 2),
        act=torch.relu,
        kind=Tensor,
        dtype=torch.float32,
        none=object(),
        size=torch.Size([2]),
    )
    assert contents(held, "x") == ([], [])


def yielding(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    yield a * 2
    yield b * 2


@pytest.mark.parametrize(
    ("hold", "closed"),
    [
        (yielding, [("return", "generator")]),
        (lambda a, b: iter([a, b]), [("return", "list_iterator")]),
        (lambda a, b: {"frames": map(torch.relu, [a, b])}, [("return.frames", "map")]),
        (lambda a, b: SimpleNamespace(a=a, of=[yielding(a, b)]), [("return.of.0", "generator")]),
        (lambda a, b: (a, np.zeros(3)), [("return.1", "ndarray")]),
    ],
)
def test_what_cannot_be_looked_into_is_said(hold: Any, closed: list[tuple[str, str]]) -> None:
    record = traced(hold)
    root, *_, last = record.steps
    expected = tuple(Closed(*each) for each in closed)
    assert root.closed == expected
    taken = tuple(Closed(each.name.replace("return", "held"), each.kind) for each in expected)
    assert last.closed == (*taken, *expected)
    assert traces.loads(traces.dumps(record)) == record
    view = View.of(record)
    tables, _ = show(view, choose("model,io"))
    told = view.told(tables)[-1]
    name, kind = closed[0]
    assert f"Holds: {name} ({kind})" in str(told.after)
    assert f"last: {name} ({kind})" in told.data["closed"]


def test_a_generator_goes_on_where_it_was() -> None:
    """It is neither advanced nor replaced, and what the network takes from it is recorded."""

    class Root(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Passes()

        def forward(self, x: Tensor) -> Tensor:
            first, second = self.inner(yielding(x, x + 1))
            return first + second

    record = trace(Root(), (torch.zeros(2),))
    assert [op.name for op in record.ops] == ["+", "*", "*", "+"]
    assert [step.closed for step in record.steps] == [
        (),
        (Closed("held", "generator"), Closed("return", "generator")),
    ]


def test_what_never_ends_is_left() -> None:
    deep: Any = torch.zeros(1)
    for _ in range(5_000):
        deep = SimpleNamespace(inner=deep)
    wide = [SimpleNamespace() for _ in range(20_000)]
    for held in (deep, wide):
        tensors, closed = contents(held, "x")
        assert not tensors
        assert len(closed) == 1
        assert "more than" in closed[0][1]


def test_the_ledger_says_what_it_did_not_see() -> None:
    rows = unetscope.load(traced(yielding)).tables()
    assert "ledger" not in rows
    assert View.of(traced(yielding)).untold
    assert not View.of(traced(Pair)).untold
