"""Traces of other people's models, and what a reader wants to know of their skips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unetscope.analysis.anatomy import anatomy
from unetscope.analysis.network import Network
from unetscope.analysis.producers import producer
from unetscope.ops import operation
from unetscope.record import Trace
from unetscope.tracing import devices, trace
from unetscope.views.sections import SECTIONS, show
from unetscope.views.tree import calls
from unetscope.views.view import View


@dataclass(frozen=True)
class Traced:
    """A trace and its skips in the words of a source file."""

    record: Trace
    network: Network

    @property
    def pushed(self) -> list[str]:
        """What made the tensor of each join, in the order of the joins."""
        return [str(producer(self.network, skip.value)) for skip in self.record.skips]

    @property
    def joined_in(self) -> list[str]:
        """The module in whose body each join stands."""
        bodies = [self.network.join(skip).step for skip in self.record.skips]
        return ["" if body is None else self.network.path(body) for body in bodies]

    @property
    def pushes(self) -> list[int]:
        """The number of each join's tensor among all that are ever joined."""
        return [skip.push for skip in self.record.skips]

    @property
    def edges(self) -> list[tuple[str, str]]:
        """What was pushed and where it is joined, sorted, since one join may pop several."""
        return sorted(zip(self.pushed, self.joined_in, strict=True))

    @property
    def parts(self) -> dict[str, list[str]]:
        """The blocks of each part."""
        found = vars(anatomy(self.network)).items()
        return {part: [self.network.path(block) for block in blocks] for part, blocks in found}

    def tables(self) -> dict[str, Any]:
        """Every table that can be made, by key; none may fail."""
        view = View.of(self.record)
        found, _ = show(view, list(SECTIONS))
        return {table.key: table for table in [*found, *calls(view)]}


def moved(value: Any, device: str) -> Any:
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, (tuple, list)):
        return type(value)(moved(item, device) for item in value)
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    return value


@pytest.fixture
def traced() -> Callable[..., Traced]:
    """A function that builds a model and traces it on meta, and for real if `real`."""

    def run(
        make: Callable[[], nn.Module],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        real: bool = False,
    ) -> Traced:
        def on(device: str) -> Trace:
            with torch.random.fork_rng():
                model = devices.build_as_written(make, device, "float32", lambda _: None)
            return trace(model, moved(tuple(args), device), moved(dict(kwargs or {}), device))

        record = on("meta")
        if real:
            assert on("cpu") == record
        assert all(operation(op.name).known for op in record.ops)
        found = Traced(record, Network(record))
        tables = found.tables()
        if record.skips:
            assert {"ledger", "steps", "parts", "decoder"} <= set(tables)
        return found

    return run
