"""Real runs: blocks at their boundaries, medians, and on a GPU the memory."""

from __future__ import annotations

from time import sleep

import pytest
import torch
from torch import nn

from unetscope import families
from unetscope.analysis.memory import CUDA_BLOCK, Memory
from unetscope.analysis.network import Network
from unetscope.errors import UnetscopeError
from unetscope.record import MeasuredMemory, Measurement
from unetscope.sources import Request, resolve
from unetscope.tracing import devices
from unetscope.tracing import measure as measuring
from unetscope.tracing.measure import WARM_UP, fill, measure, passes
from unetscope.views.memory import memory
from unetscope.views.view import View


class Sleeper(nn.Module):
    def __init__(self, *seconds):
        super().__init__()
        self.seconds = list(seconds)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        sleep(self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0])
        return x


class Net(nn.Module):
    def __init__(self, **blocks):
        super().__init__()
        self.blocks = nn.ModuleDict(blocks)

    def forward(self, x):
        for block in (*self.blocks.values(), self.blocks["a"]):
            x = block(x)
        return x


X = {"x": torch.zeros(1)}


def test_each_call_of_a_block_is_timed_by_itself():
    model = Net(a=Sleeper(0.001), b=Sleeper(0.02))
    found = measure(model, (), X, ["blocks.a", "blocks.b", "blocks.a"], runs=3)
    assert [0.001 < seconds < 0.02 for seconds in found.blocks] == [True, False, True]
    assert 0.02 <= found.blocks[1] < sum(found.blocks) <= found.seconds
    assert (found.warm_up, found.runs, found.memory) == (WARM_UP, 3, None)


def test_one_slow_run_does_not_move_the_median():
    warm = [0.03] * WARM_UP
    model = nn.Sequential(Sleeper(*warm, 0.001, 0.05, 0.001))
    found = measure(_Named(model), (), X, ["inner.0"], runs=3)
    assert found.blocks[0] < 0.02


class _Named(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def test_no_hooks_stay_and_every_pass_is_told():
    model = Net(a=Sleeper(0.0), b=Sleeper(0.0))
    told = []
    measure(model, (), X, ["blocks.a", "blocks.b", "blocks.a"], runs=2, done=lambda: told.append(1))
    assert len(told) == passes("cpu", 2) == WARM_UP + 2
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_other_blocks_than_expected():
    model = Net(a=Sleeper(0.0))
    with pytest.raises(UnetscopeError, match="calls other blocks"):
        measure(model, (), X, ["blocks.a"], runs=1)


def test_a_network_that_cannot_run():
    class Fails(Sleeper):
        def forward(self, x):
            raise RuntimeError("not enough memory\nand more")

    model = Net(a=Fails(0.0))
    with pytest.raises(UnetscopeError) as caught:
        measure(model, (), X, ["blocks.a", "blocks.a"], runs=1)
    assert str(caught.value) == "the network cannot run on cpu: not enough memory"
    assert not model.blocks["a"]._forward_hooks


def test_a_network_without_weights():
    found = measure(nn.Identity(), (torch.ones(2, dtype=torch.float64),), {}, [], runs=1)
    assert (found.dtype, found.blocks) == ("float64", ())


def test_filling_is_the_same_each_time_and_leaves_the_random_state():
    state = torch.get_rng_state()
    nets = [nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)) for _ in range(2)]
    inputs = {"x": torch.zeros(2, 8), "labels": torch.zeros(2, dtype=torch.int64)}
    before = torch.get_rng_state()
    for net in nets:
        fill(net, (), inputs)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(state, before)  # building draws
    for first, second in zip(*(net.parameters() for net in nets), strict=True):
        assert torch.equal(first, second)
        assert 0 < first.abs().max() <= 0.03
    assert inputs["labels"].tolist() == [0, 0]
    assert inputs["x"].abs().min() > 0


def test_readings_between_blocks():
    """The same bookkeeping serves seconds, CUDA events and peaks since the last reading."""
    numbers = iter(range(100))
    model = Net(a=Sleeper(0.0), b=Sleeper(0.0))
    blocks = ["blocks.a", "blocks.b", "blocks.a"]
    readings = measuring._Passes(model, (), X, blocks, lambda: None).run(lambda: next(numbers))
    assert readings.all == list(range(8))
    assert readings.blocks == [(1, 2), (3, 4), (5, 6)]
    between = readings.between(lambda begin, end: end - begin)
    assert (between.whole, between.blocks) == (7, (1, 1, 1))


def of_gpu(network):
    """What a GPU might have said: each block took a tenth more than predicted."""
    blocks = Memory(network, CUDA_BLOCK).blocks
    peaks = tuple(block.peak * 11 // 10 for block in blocks)
    taken = MeasuredMemory(held=1 << 30, workspace=1 << 20, peak=max(peaks), blocks=peaks)
    seconds = tuple(0.001 for _ in blocks)
    return Measurement("a GPU", "float16", 2, 5, sum(seconds), seconds, taken)


def test_the_error_is_a_share_of_what_was_measured(narrow):
    view = View.of(resolve(Request(str(narrow))).trace())
    (table,), _ = memory(view, "measured", measurement=of_gpu(view.network))
    records = [table.record(row) for row in (*table.rows, table.total)]
    assert all(record["error"] == pytest.approx(1 / 1.1 - 1, abs=0.01) for record in records[2:])
    assert all(record["predicted_peak_bytes"] % CUDA_BLOCK == 0 for record in records)
    assert [record["block"] for record in records][-2:] == ["conv_out", "total"]
    assert table.data["library_workspace_bytes"] == 1 << 20


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.cuda
@needs_gpu
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_prediction_on_a_gpu(dtype):
    request = Request("sd15", dtype=dtype)
    spec = resolve(request).spec
    network = Network(resolve(request).trace())
    model = devices.build(lambda: families.build(spec.family, spec.unet), "cuda", dtype)
    inputs = devices.zeros(spec.tensors(), "cuda", dtype)
    fill(model, (), inputs)
    blocks = [network.path(call) for call in network.blocks]
    told = []
    found = measure(model, (), inputs, blocks, runs=3, done=lambda: told.append(1))
    predicted = Memory(network, CUDA_BLOCK)
    assert len(told) == passes("cuda", 3)
    assert 0 < sum(found.blocks) <= 1.01 * found.seconds
    assert max(found.memory.blocks) == found.memory.peak
    # Never less than what Python held; workspaces come on top.
    assert predicted.peak.nbytes <= found.memory.peak
    assert found.memory.peak == pytest.approx(predicted.peak.nbytes, rel=0.25)
