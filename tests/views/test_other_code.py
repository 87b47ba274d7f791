"""The tables of networks that this repository did not write."""

import json

import pytest
import torch
from diffusers import UNet2DConditionModel, UNet2DModel
from torch import nn

from unetscope import load as loaded
from unetscope.config import load
from unetscope.render import render
from unetscope.sources import Request, resolve
from unetscope.tracing import trace
from unetscope.views.sections import choose, show
from unetscope.views.view import View

NARROW = """\
unet:
  block_out_channels: [32, 64, 64]
  down_block_types: [CrossAttnDownBlock2D, CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D]
  layers_per_block: [1, 2, 1]
  norm_num_groups: 8
  attention_head_dim: 4
  cross_attention_dim: 16
inputs: {height: 16, width: 24, tokens: 5}
"""


def tables(trace):
    found, _ = show(View.of(trace), choose(None))
    data = json.loads(render(found, "json"))
    del data["model"]
    return data


def test_diffusers_own_model_gives_the_tables_of_ours(tmp_path):
    path = tmp_path / "narrow.yaml"
    path.write_text(NARROW)
    spec = load(str(path))
    with torch.device("meta"):
        theirs = UNet2DConditionModel(**spec.resolved["unet"])
        inputs = {
            "sample": torch.zeros(1, 4, 16, 24),
            "timestep": torch.zeros(1, dtype=torch.int64),
            "encoder_hidden_states": torch.zeros(1, 5, 16),
        }
    ours, published = tables(loaded(spec).trace()), tables(trace(theirs, kwargs=inputs))
    for ledger in (ours["ledger"], published["ledger"]):
        for row in ledger["rows"]:
            del row["calls_between"]  # theirs are wrapped once more here and there
    # Theirs concatenate sine and cosine of the time, then once more in the other order.
    for key in ("ledger", "verdict"):
        theirs_joined, ours_joined = (found[key]["joins"] for found in (published, ours))
        assert theirs_joined.pop("embedding") == ours_joined.pop("embedding") + 1
    assert published == ours


def test_attention_without_text():
    with torch.device("meta"):
        model = UNet2DModel(
            block_out_channels=(32, 64),
            layers_per_block=1,
            norm_num_groups=8,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        )
        found = tables(trace(model, [torch.zeros(2, 3, 16, 16), 7]))
    assert [b["transformers"] for b in found["encoder"]["rows"]] == [0, 0]
    assert [b["attentions"] for b in found["encoder"]["rows"]] == [0, 1]
    assert [b["main_inputs"] for b in found["decoder"]["rows"]] == [["image", "time", "skip"]] * 2
    assert [row["producer"] for row in found["ledger"]["rows"]] == [
        "down_blocks.1.attentions.0",
        "down_blocks.0.downsamplers.0",
        "down_blocks.0.resnets.0",
        "conv_in",
    ]
    assert found["residuals"]["total"] == 4


class Joined(nn.Module):
    """A UNet whose root joins the skips, as in CompVis' code, around one that says nothing."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.shrink = nn.ModuleList(nn.Conv2d(8, 8, 3, stride=2, padding=1) for _ in range(2))
        self.bottom = nn.Conv2d(8, 8, 3, padding=1)
        self.grow = nn.ModuleList(
            nn.Sequential(nn.Conv2d(16, 8, 3, padding=1), nn.Upsample(scale_factor=2))
            for _ in range(2)
        )
        self.last = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        stack = []
        x = self.first(x)
        for layer in self.shrink:
            x = layer(x)
            stack.append(x)
        x = self.bottom(x)
        for layer in self.grow:
            x = layer(torch.cat([x, stack.pop()], 1))
        return self.last(x)


@pytest.fixture(scope="module")
def joined():
    with torch.device("meta"):
        return tables(trace(Joined(), [torch.zeros(1, 3, 32, 32)]))


def test_parts_are_found_without_names(joined):
    assert {row["part"]: row["modules"] for row in joined["parts"]["rows"]} == {
        "entry": ["first"],
        "encoder": ["shrink.0", "shrink.1"],
        "middle": ["bottom"],
        "decoder": ["grow.0", "grow.1"],
        "exit": ["last"],
    }
    assert [row["size_doubled"] for row in joined["decoder"]["rows"]] == [True, True]


def test_the_root_has_a_step_table_if_it_joins(joined):
    (table,) = joined["steps"]
    assert (table["block"], table["sample_in_producer"]) == ("Joined", "bottom")
    assert [row["operation"] for row in table["rows"]] == [
        "torch.cat", "grow.0", "torch.cat", "grow.1", "last",
    ]  # fmt: skip


def test_a_network_without_skips_has_the_tables_that_make_sense():
    with torch.device("meta"):
        plain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 3, 3))
        found, missing = show(View.of(trace(plain, [torch.zeros(1, 3, 8, 8)])), choose(None))
    assert [table.key for table in found] == ["model", "io", "verdict"]
    assert missing == ["parts", "encoder", "middle", "decoder"]


def test_a_network_that_is_no_image_model():
    with torch.device("meta"):
        found, _ = show(View.of(trace(nn.Linear(4, 2), [torch.zeros(3, 4)])), choose(None))
    assert [table.key for table in found] == ["model", "io", "verdict"]


def test_without_a_middle_block_the_deepest_tensor_is_popped_onto_itself():
    """BK-SDM-Small has none: its first `torch.cat` joins the last residual to itself."""
    small = resolve(Request("bk_sdm_small")).trace()
    first = small.skips[0]
    assert (first.push, first.operand, first.onto) == (7, 1, first.value)
    assert [skip.push for skip in small.skips] == [7, 6, 5, 4, 3, 2, 1, 0]
    found = tables(small)
    assert found["residuals"]["total"] == found["ledger"]["popped"] == 8
    assert found["steps"][0]["sample_in_producer"] == "down_blocks.3.resnets.0"
