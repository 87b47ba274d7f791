"""The estimate for training, against what autograd and Adam really keep."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unetscope import families
from unetscope.analysis.training import Training, state
from unetscope.config import load
from unetscope.sources import Request, resolve
from unetscope.tracing import devices, trace
from unetscope.tracing.contents import leaves


def kept_for_real(model, kwargs):
    """Bytes of the storages that autograd saves in a forward pass, weights and inputs apart."""
    there = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *leaves(kwargs))}
    saved = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model.train()(**kwargs)
    del output
    return sum(saved.values())


@pytest.mark.parametrize(
    "overrides",
    [[], ["use_linear_projection=true"], ["act_fn=gelu", "transformer_layers_per_block=2"]],
)
def test_kept_activations_of_our_family(narrow, overrides):
    request = Request(str(narrow), overrides, height=32, width=32)
    spec = resolve(request).spec
    estimate = Training(resolve(request).trace())
    model = devices.build(lambda: families.build(spec.family, spec.unet), "cpu", "float32")
    real = kept_for_real(model, devices.zeros(spec.tensors(), "cpu", "float32"))
    assert estimate.guessed == {}
    assert estimate.kept == pytest.approx(real, rel=0.02)


def test_kept_activations_of_diffusers_code(narrow):
    from diffusers import UNet2DConditionModel

    spec = load(str(narrow), height=32, width=32)
    model = UNet2DConditionModel(**spec.resolved["unet"])
    inputs = devices.zeros(spec.tensors(), "cpu", "float32")
    estimate = Training(trace(model, kwargs=inputs))
    assert estimate.guessed == {}
    assert estimate.kept == pytest.approx(kept_for_real(model, inputs), rel=0.02)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 1,
        lambda x: x * x,
        lambda x: x * 2.0,
        lambda x: x / 3.0,
        lambda x: x / (x * x),
        lambda x: x.exp().sqrt(),
        lambda x: F.softmax(x, dim=-1) @ x.transpose(0, 1),
        lambda x: F.silu(x.transpose(0, 1).reshape(-1, 4)),
        lambda x: torch.cat([x, F.relu(x)]).chunk(2)[1].sigmoid(),
        lambda x: F.gelu(torch.stack([x, x])).permute(2, 0, 1).contiguous(),
        lambda x: F.interpolate(x[None, None], scale_factor=2.0) - 1,
        lambda x: x * torch.full((1000, 4), 2.0).cos(),
    ],
)
def test_what_a_function_keeps(function):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return function(self.layer(x))

    model, given = Net(), torch.zeros(1000, 4)
    real = kept_for_real(model, {"x": given})
    # A number beside a tensor is kept as a tensor of one element.
    assert real - Training(trace(model, (given,))).kept in range(17)


def test_frozen_computation_keeps_nothing():
    class Frozen(nn.Module):
        def forward(self, x):
            return F.silu(x) * x

    training = Training(trace(Frozen(), (torch.zeros(10),)))
    assert training.kept == 0


def test_an_unknown_function_keeps_all_and_is_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return torch.special.erfcx(self.layer(x))

    training = Training(trace(Odd(), (torch.zeros(10, 4),)))
    assert training.guessed == {"torch.special.erfcx": 1}
    assert training.kept == 2 * 4 * 10 * 4


def test_adam_keeps_two_numbers_a_parameter(narrow):
    spec = load(str(narrow))
    model = families.build(spec.family, spec.unet)
    optimiser = torch.optim.Adam(model.parameters())
    inputs = devices.zeros(spec.tensors(), "cpu", "float32")
    model(**inputs).sum().backward()
    optimiser.step()
    moments = [
        kept[name].nbytes for kept in optimiser.state.values() for name in ("exp_avg", "exp_avg_sq")
    ]
    estimate = state(resolve(Request(str(narrow))).trace())
    assert estimate.weights == sum(p.nbytes for p in model.parameters())
    assert estimate.gradients == sum(p.grad.nbytes for p in model.parameters())
    assert estimate.moments == sum(moments)
    assert estimate.master == 0


def test_mixed_precision_takes_as_much_state_as_float32():
    """2 + 2 + 4 + 8 bytes a parameter, and 4 + 4 + 8."""
    whole, half = (
        state(resolve(Request("sd15", dtype=d)).trace()) for d in ("float32", "bfloat16")
    )
    assert whole.total == half.total == 16 * 859_520_964
    assert half.master == 2 * half.weights == whole.weights
