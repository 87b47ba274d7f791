"""What steers a UNet in anyone's code is found: ControlNets, adapters, and what only looks so."""

from __future__ import annotations

from collections import Counter

import diffusers
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import unetscope

LEVELS = {
    "block_out_channels": (8, 16),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
}


def unet() -> nn.Module:
    ups = ("UpBlock2D", "CrossAttnUpBlock2D")
    return diffusers.UNet2DConditionModel(sample_size=8, up_block_types=ups, **LEVELS)


def controlnet() -> nn.Module:
    return diffusers.ControlNetModel(conditioning_embedding_out_channels=(4, 8, 8, 12), **LEVELS)


class Steered(nn.Module):
    """Two ControlNets, their residuals scaled and summed, and a T2I-Adapter."""

    def __init__(self) -> None:
        super().__init__()
        self.unet, self.depth, self.canny = unet(), controlnet(), controlnet()
        self.t2i = diffusers.T2IAdapter(
            channels=[8, 16], num_res_blocks=1, downscale_factor=8, adapter_type="full_adapter"
        )

    def forward(self, sample: Tensor, t: Tensor, tokens: Tensor, hint: Tensor) -> Tensor:
        given = (sample, t, tokens)
        down, middle = self.depth(*given, hint, conditioning_scale=0.5, return_dict=False)
        also, too = self.canny(*given, hint, return_dict=False)
        (denoised,) = self.unet(
            *given,
            down_block_additional_residuals=[a + b for a, b in zip(down, also, strict=True)],
            mid_block_additional_residual=middle + too,
            down_intrablock_additional_residuals=[f.clone() for f in self.t2i(hint)],
            return_dict=False,
        )
        return denoised


class Around(nn.Module):
    """A hint encoder before the ControlNet, its convolutions after it, and layers that are none."""

    def __init__(self) -> None:
        super().__init__()
        self.unet, self.copy = unet(), controlnet()
        self.prepare = nn.Conv2d(3, 3, 3, padding=1)
        self.zero = nn.ModuleList(nn.Conv2d(c, c, 1) for c in (8, 8, 8, 16))
        self.first, self.last = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, sample: Tensor, t: Tensor, tokens: Tensor, hint: Tensor) -> Tensor:
        sample = self.first(sample)
        hint = self.prepare(hint)
        down, middle = self.copy(sample, t, tokens, hint, return_dict=False)
        added = [conv(each) for conv, each in zip(self.zero, down, strict=True)]
        (denoised,) = self.unet(
            *(sample, t, tokens),
            down_block_additional_residuals=added,
            mid_block_additional_residual=middle,
            return_dict=False,
        )
        return self.last(denoised) + sample


class Pyramid(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.fine, self.coarse = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, hint: Tensor) -> list[Tensor]:
        fine = self.fine(hint)
        return [fine * self.gain, self.coarse(F.avg_pool2d(fine, 2))]


class Own(nn.Module):
    """A U that calls what steers it in its own body."""

    def __init__(self, *, before: bool) -> None:
        super().__init__()
        self.before = before
        self.enter, self.down = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 8, 3, padding=1)
        self.up, self.leave = nn.Conv2d(16, 8, 3, padding=1), nn.Conv2d(16, 4, 3, padding=1)
        self.pyramid = Pyramid()

    def forward(self, sample: Tensor, hint: Tensor) -> Tensor:
        fine, coarse = self.pyramid(hint)
        a = self.enter(sample)
        a = a + fine if self.before else a
        b = self.down(F.avg_pool2d(a, 2))
        b = b + coarse if self.before else b
        c = self.middle(F.avg_pool2d(b, 2))
        b = b if self.before else b + coarse
        c = self.up(torch.cat([F.interpolate(c, scale_factor=2), b], dim=1))
        a = a if self.before else a + fine
        return self.leave(torch.cat([F.interpolate(c, scale_factor=2), a], dim=1))


def parameters(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def by_part(model: nn.Module, *inputs: Tensor) -> Counter[str]:
    record = unetscope.trace(model, *inputs)
    rows = unetscope.load(record).params(by="part")
    found = Counter({row["part"]: row["parameters"] for row in rows if row["part"] != "total"})
    assert found.total() == parameters(model)
    return found


LATENT = (torch.zeros(1, 4, 8, 8), torch.tensor([1]), torch.zeros(1, 3, 12))
HINT = torch.zeros(1, 3, 64, 64)


@pytest.fixture(scope="module")
def alone() -> Counter[str]:
    return by_part(unet(), *LATENT)


def test_controlnets_and_an_adapter(alone: Counter[str]) -> None:
    model = Steered()
    found = by_part(model, *LATENT, HINT)
    assert found.pop("controlnet") == parameters(model.depth) + parameters(model.canny)
    assert found.pop("adapter") == parameters(model.t2i)
    assert found == alone
    lock = unetscope.load(unetscope.trace(model, *LATENT, HINT)).lock()
    assert {path.partition(".")[0] for path in lock.skips[0].added} == {"depth", "canny"}


def test_what_is_called_for_a_controlnet_alone_belongs_to_it(alone: Counter[str]) -> None:
    model = Around()
    found = by_part(model, *LATENT, HINT)
    assert found["controlnet"] == sum(map(parameters, (model.copy, model.prepare, model.zero)))
    for part in ("time_embedding", "middle"):
        assert found[part] == alone[part]


@pytest.mark.parametrize(("before", "part"), [(False, "controlnet"), (True, "adapter")])
def test_one_that_runs_in_the_body_of_the_unet(before: bool, part: str) -> None:
    model = Own(before=before)
    found = by_part(model, torch.zeros(1, 4, 8, 8), torch.zeros(1, 3, 8, 8))
    assert found[part] == parameters(model.pyramid)
    rest = parameters(model.middle), parameters(model.up)
    assert (found["middle"], found["decoder"] - parameters(model.leave)) == rest
