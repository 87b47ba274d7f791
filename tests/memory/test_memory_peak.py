"""The peak of a pass: predicted without memory, against what the CPU's allocator handed out."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from allocations import allocated
from torch import nn

from unetscope import families
from unetscope.analysis.memory import CUDA_BLOCK, Memory, activation_peak
from unetscope.analysis.network import Network
from unetscope.config import load
from unetscope.record import Op, Storage, TensorSpec, Trace, Value
from unetscope.sources import Request, resolve
from unetscope.tracing import devices, trace

MIB = 2**20


def both(build, inputs):
    """The trace on meta of the module that `build` makes, and the allocator's account on cpu."""
    with torch.device("meta"):
        model = build().eval()
    given = {name: torch.empty_like(tensor, device="meta") for name, tensor in inputs.items()}
    recorded = trace(model, kwargs=given)
    return recorded, *allocated(model.to_empty(device="cpu"), inputs)


def of_config(request):
    spec = resolve(request).spec
    model = devices.build(lambda: families.build(spec.family, spec.unet), "cpu", request.dtype)
    return resolve(request).trace(), *allocated(
        model, devices.zeros(spec.tensors(), "cpu", request.dtype)
    )


def curve(recorded):
    held = Memory(Network(recorded)).held
    return [held[op.clock] for op in recorded.ops]


# Against the allocator


@pytest.mark.parametrize(
    "sizes", [{}, {"batch": 2, "height": 10, "width": 6, "tokens": 3}, {"dtype": "bfloat16"}]
)
def test_every_point_of_the_curve_is_what_the_allocator_held(narrow, sizes):
    recorded, at_ends, most = of_config(Request(str(narrow), **sizes))
    assert curve(recorded) == at_ends
    assert activation_peak(recorded).nbytes == max(at_ends) <= most


@pytest.mark.parametrize(
    "overrides",
    [
        ["layers_per_block=[1, 3]", "use_linear_projection=true"],
        ["mid_block_type=null", "transformer_layers_per_block=[2, 1]"],
        ["resnet_time_scale_shift=default", "only_cross_attention=[true, false]"],
    ],
)
def test_other_networks(narrow, overrides):
    recorded, at_ends, _ = of_config(Request(str(narrow), overrides))
    assert curve(recorded) == at_ends


def test_stable_diffusion_for_real():
    recorded, at_ends, _ = of_config(Request("sd15", height=16, width=16))
    assert curve(recorded) == at_ends


def test_diffusers_own_code(narrow):
    from diffusers import UNet2DConditionModel

    unet = load(str(narrow)).resolved["unet"]
    inputs = {
        "sample": torch.zeros(1, 4, 16, 24),
        "timestep": torch.zeros(1),
        "encoder_hidden_states": torch.zeros(1, 5, 16),
    }
    recorded, at_ends, most = both(lambda: UNet2DConditionModel(**unet), inputs)
    assert activation_peak(recorded).nbytes == max(at_ends) <= most


class Habits(nn.Module):
    """Ways of writing code that decide how long memory lives."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Linear(16, 64)
        self.narrow = nn.Linear(32, 16)

    def forward(self, x):
        first, second = self.wide(x).chunk(2, dim=-1)  # two views keep one storage
        second = second[:, :1].expand(-1, 7, -1).reshape(-1, 32)  # a copy of a view
        first += 1  # in place
        kept = [first, second, torch.cat([first.flatten(0, 1), second])]
        total = sum(part.sum(dim=-1).sum() for part in kept)
        kept.pop(0)
        del first
        for _ in range(3):
            x = self.narrow(F.silu(self.wide(x))[..., :32]).contiguous()
        return x * total + x.transpose(0, 1).contiguous().transpose(0, 1)


def test_habits_of_writing():
    recorded, at_ends, _ = both(Habits, {"x": torch.zeros(3, 7, 16)})
    assert curve(recorded) == at_ends


def test_a_list_that_keeps_tensors_raises_the_peak():
    class Keeps(nn.Module):
        def __init__(self, keeps):
            super().__init__()
            self.keeps = keeps

        def forward(self, x):
            kept = []
            for _ in range(4):
                x = x + 1
                kept += [x] if self.keeps else []
            return x

    size = 4 * 1000
    for keeps, tensors in ((False, 2), (True, 4)):
        recorded, at_ends, _ = both(lambda k=keeps: Keeps(k), {"x": torch.zeros(1000)})
        memory = Memory(Network(recorded))
        assert memory.peak.nbytes == max(at_ends) == tensors * size
        assert memory.peak_by_last_use.nbytes == 2 * size


# Known figures


@pytest.mark.parametrize(
    ("name", "peak", "by_last_use"), [("sd15", 130, 100), ("sdxl_base", 315, 255)]
)
def test_published_models_in_mebibytes(name, peak, by_last_use):
    """Ours hold their tensors as long as diffusers' code does."""
    from diffusers import UNet2DConditionModel

    spec = load(name)
    with torch.device("meta"):
        model = UNet2DConditionModel(**spec.resolved["unet"]).eval()
    their_trace = trace(model, kwargs=devices.zeros(spec.tensors(), "meta", "float32"))
    for recorded in (resolve(Request(name)).trace(), their_trace):
        memory = Memory(Network(recorded))
        assert memory.peak.nbytes // MIB == peak
        assert memory.peak_by_last_use.nbytes // MIB == by_last_use


def test_halves_take_half(sd15):
    """But for the sinusoids, which are float32."""
    half = activation_peak(resolve(Request("sd15", dtype="float16")).trace())
    whole = activation_peak(sd15)
    assert half.clock == whole.clock
    assert abs(half.nbytes - whole.nbytes / 2) < 4096


def test_images_add_up():
    one, two, three = (
        activation_peak(resolve(Request("sd15", batch=batch)).trace()).nbytes for batch in (1, 2, 3)
    )
    assert one < two
    assert three - two == two - one


# What is alive


def test_what_is_alive_adds_up_to_what_is_held(sd15):
    memory = Memory(Network(sd15))
    for clock in (memory.peak.clock, len(memory.held) // 2, len(memory.held) - 1):
        alive = memory.alive(clock)
        assert sum(storage.nbytes for _, storage in alive) == memory.held[clock]
        assert all(sd15.storages[sd15.values[value].storage] is storage for value, storage in alive)


def test_the_peak_lies_where_the_widest_tensors_are_made(sd15):
    memory = Memory(Network(sd15))
    op = memory.op_at(memory.peak.clock)
    assert op.name == "*"  # of the gate by what it gates
    assert sd15.steps[op.step].module.endswith("ff.net.0")
    largest, _ = memory.alive(memory.peak.clock)[0]
    assert sd15.values[largest].spec.shape == (1, 64 * 64, 2 * 4 * 320)


def test_blocks_of_an_allocator():
    storages = (Storage(1, 1, None), Storage(513, 1, 1), Storage(9999, 0, None, resident=True))
    values = tuple(Value(TensorSpec((s.nbytes,), "uint8"), i) for i, s in enumerate(storages))
    made = Op("f", None, 1, (), (0, 1))
    tiny = Trace("t", (), (), (made,), values, storages, (), (), ())
    assert activation_peak(tiny).nbytes == 514
    assert Memory(Network(tiny), CUDA_BLOCK).peak.nbytes == 3 * 512


# Attention's matrices


class Attends(nn.Module):
    """Attention of 3 heads to the first tokens, fused or written out."""

    def __init__(self, fused, tokens):
        super().__init__()
        self.fused, self.tokens = fused, tokens
        self.to_q, self.to_kv = nn.Linear(24, 24), nn.Linear(24, 48)

    def forward(self, x):
        query = self.to_q(x).unflatten(-1, (3, 8)).transpose(1, 2)
        key, value = self.to_kv(x[:, : self.tokens]).unflatten(-1, (2, 3, 8)).permute(2, 0, 3, 1, 4)
        if self.fused:
            return F.scaled_dot_product_attention(query, key, value)
        return torch.softmax(query @ key.mT, dim=-1) @ value


@pytest.mark.parametrize("tokens", [50, 8, 6, 2])
def test_matrices_as_if_attention_were_written_out(tokens):
    """By 8 tokens a matrix is as large as the output, by fewer it is smaller."""
    given = {"x": torch.zeros(2, 50, 24)}
    fused, _, _ = both(lambda: Attends(True, tokens), given)
    written, at_ends, _ = both(lambda: Attends(False, tokens), given)
    predicted = Memory(Network(fused)).peak_with_matrices.nbytes
    assert predicted == Memory(Network(written)).peak.nbytes == max(at_ends)
    matrix, output = 2 * 3 * 50 * tokens, 2 * 50 * 24
    projected = output + 2 * 2 * tokens * 24
    assert predicted == 4 * (projected + max(2 * matrix, matrix + output))


def test_matrices_of_stable_diffusion(sd15):
    memory = Memory(Network(sd15))
    highest = memory.peak_with_matrices
    op = memory.op_at(highest.clock)
    assert op.name == "F.scaled_dot_product_attention"
    before = memory.held[op.clock] - 4 * 4096 * 320  # without its output
    assert highest.nbytes == before + 2 * 4 * 8 * 4096 * 4096
    assert memory.unseen_matrices == 0


def test_attention_of_unknown_memory_is_counted():
    model = nn.MultiheadAttention(8, 2).eval()
    given = torch.zeros(5, 1, 8)
    recorded = trace(model, (given, copy.copy(given), given))
    assert Memory(Network(recorded)).unseen_matrices == 1
