"""Nested tensors: recorded by what holds their rows one after the other, in plain numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import unetscope
from unetscope.analysis.cost import Cost
from unetscope.analysis.network import Network
from unetscope.errors import ForwardError
from unetscope.files import locks, traces
from unetscope.record import Trace
from unetscope.tracing import trace
from unetscope.views.view import View

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's, of nested tensors

LAYOUTS = [torch.jagged, torch.strided]


class Packed(nn.Module):
    """Eight rows of two texts, three and five, go through layers as one nested tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.layer = nn.LayerNorm(4), nn.Linear(4, 6)

    def forward(self, rows: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        texts = torch.nested.nested_tensor_from_jagged(rows, offsets, min_seqlen=3, max_seqlen=5)
        made = self.layer(self.norm(texts)) * 2
        heads = made.unflatten(-1, (2, 3)).transpose(1, 2)
        return made.values(), heads


def packed(device: str) -> Trace:
    offsets = torch.tensor([0, 3, 8], device=device)
    return trace(Packed().to(device), (torch.ones(8, 4, device=device), offsets))


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_jagged_tensor_has_the_shape_of_its_rows(device: str) -> None:
    record = packed(device)
    by_name = {op.name: op for op in record.ops}
    make, layer = by_name["torch._nested_view_from_jagged"], by_name["F.linear"]
    assert record.values[make.outputs[0]].spec.shape == (8, 4)
    assert record.values[layer.outputs[0]].spec.shape == (8, 6)
    assert record.values[by_name["Tensor.transpose"].outputs[0]].spec.shape == (2, 8, 3)
    assert Cost(Network(record)).total == 8 * 4 * 6
    assert Cost(Network(record)).unknown == {}
    places = record.inputs[0].value, make.outputs[0], record.outputs[0]
    rows, nested, values = (record.values[place] for place in places)
    assert rows.storage == nested.storage
    assert values.storage == record.values[by_name["*"].outputs[0]].storage
    assert set(record.ragged) >= {*make.outputs, *layer.outputs, record.outputs[1]}
    assert not {record.inputs[0].value, record.outputs[0]} & {*record.ragged}


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_everything_can_be_asked_of_its_trace(device: str) -> None:
    record = packed(device)
    network = unetscope.load(record)
    assert traces.loads(network.to_json().encode()) == record
    assert locks.loads(locks.dumps(network.lock())) == network.lock()
    assert network.memory("peak")
    assert network.tables()["calls"][-1]["output_shapes"] == [(8, 6)]
    view = View.of(record)
    assert view.untold == [
        f"Nested tensors, shown with their rows one after the other: {len(record.ragged)}."
    ]


class Holds(nn.Module):
    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.register_buffer("table", table)

    def forward(self, given: Tensor) -> list[Tensor]:
        return [given, self.table, *(row + 1 for row in given.unbind())]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_inputs_and_buffers_that_are_nested(layout: torch.layout) -> None:
    nested = torch.nested.nested_tensor([torch.ones(3, 4), torch.ones(5, 4)], layout=layout)
    record = trace(Holds(nested), (nested * 2,))
    shape = (8, 4) if layout is torch.jagged else (32,)
    assert record.modules[0].buffers[0].spec.shape == shape
    assert [record.values[value].spec.shape for value in record.outputs] == [
        *(shape, shape, (3, 4), (5, 4))
    ]
    assert record.ragged == record.outputs[:2]
    assert traces.loads(traces.dumps(record)) == record


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nested_tensors_that_are_made_inside(layout: torch.layout) -> None:
    class Pads(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            rows = torch.nested.as_nested_tensor([x[0], x[1, :2]], layout=layout)
            return torch.nested.to_padded_tensor(rows, 0.0)

    record = trace(Pads(), (torch.ones(2, 3, 4),))
    assert record.ragged
    assert traces.loads(traces.dumps(record)) == record
    assert record.values[record.outputs[0]].spec.shape[-1] == 4


def test_a_pass_that_fails_on_one_has_a_whole_record() -> None:
    class Fails(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.nested.as_nested_tensor([x[0], x[1, :2]], layout=torch.jagged) @ x

    with pytest.raises(ForwardError) as caught:
        trace(Fails(), (torch.ones(2, 3, 4),))
    record = caught.value.trace
    assert record.failure
    assert [spec.shape for spec in record.failure.inputs] == [(2, 3, 4)]
    assert traces.loads(traces.dumps(record)) == record
