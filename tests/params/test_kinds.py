"""The kinds of the articles, and merge blocks: in Stable Diffusion, and in other code."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DModel
from networks import NARROW

from unetscope.analysis.module_kinds import MODULE_KINDS, finest, module_kinds
from unetscope.analysis.network import Network
from unetscope.analysis.partition import merge_block_units, merge_blocks
from unetscope.sources import Request, resolve
from unetscope.tracing import trace

MERGE_BLOCKS = json.loads(
    (Path(__file__).parents[1] / "reference" / "merge_blocks.json").read_text()
)


def counted(found):
    return Counter(occurrence.kind for occurrence in module_kinds(Network(found)))


def test_stable_diffusion_has_the_article_s_modules(sd15, table):
    assert counted(sd15) == {
        "GSC": 45, "DownSample": 3, "UpSample": 3, "ResNetBlock": 22, "SelfAttention": 16,
        "CrossAttention": 16, "FeedForward": 16, "BasicTransformerBlock": 16,
        "SpatialTransformer": 16, "DownBlock": 1, "UpBlock_X": 1, "CrossAttnDownBlock_X": 3,
        "CrossAttnUpBlock_X": 3, "CrossAttnMidBlock": 1,
    }  # fmt: skip
    found = table(sd15, by="type")["parameters"]
    rows = {row["kind"]: row for row in found["rows"]}
    assert rows["ResNetBlock"]["parameters"] == 537_670_400
    assert rows["SpatialTransformer"]["parameters"] == 267_239_360
    assert rows["CrossAttnUpBlock_X"]["resnets_each"] == [3]
    assert rows["GSC"]["inside"] == ["ResNetBlock"]
    assert rows["DownSample"]["inside"] == ["CrossAttnDownBlock_X"]  # the last block has none
    assert rows["DownBlock"]["inside"] == []
    assert "total" not in found
    assert tuple(rows) == MODULE_KINDS[:14]


def test_kinds_are_as_large_as_diffusers_classes(sd15, table):
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        model = UNet2DConditionModel(cross_attention_dim=768)
    sizes = Counter()
    for name, module in model.named_modules():
        kind = type(module).__name__
        kind = f"{kind}.{name[-5:]}" if kind == "Attention" else kind
        sizes[kind] += sum(p.numel() for p in module.parameters())
    rows = {r["kind"]: r["parameters"] for r in table(sd15, by="type")["parameters"]["rows"]}
    same = {
        "SelfAttention": "Attention.attn1", "CrossAttention": "Attention.attn2",
        "FeedForward": "FeedForward", "BasicTransformerBlock": "BasicTransformerBlock",
        "DownSample": "Downsample2D", "UpSample": "Upsample2D", "DownBlock": "DownBlock2D",
        "UpBlock_X": "UpBlock2D", "CrossAttnDownBlock_X": "CrossAttnDownBlock2D",
        "CrossAttnUpBlock_X": "CrossAttnUpBlock2D",
        "CrossAttnMidBlock": "UNetMidBlock2DCrossAttn",
    }  # fmt: skip
    assert {kind: rows[kind] for kind in same} == {k: sizes[theirs] for k, theirs in same.items()}


def test_other_code_has_them_under_any_name(foreign):
    found = counted(foreign)
    assert found == {
        "GSC": 17, "DownSample": 1, "UpSample": 1, "ResNetBlock": 8, "SelfAttention": 7,
        "CrossAttention": 7, "FeedForward": 7, "BasicTransformerBlock": 7,
        "SpatialTransformer": 7, "CrossAttnDownBlock_X": 2, "CrossAttnUpBlock_X": 4,
        "CrossAttnMidBlock": 1,
    }  # fmt: skip
    which = {
        o.modules[0]: o.kind for o in module_kinds(Network(foreign)) if o.kind.endswith("Attention")
    }
    assert which["bottom.1.layer.looks"] == "SelfAttention"
    assert which["bottom.1.layer.hears"] == "CrossAttention"


def test_the_finest_division_names_the_smallest_kind_around(foreign):
    kind_of = finest(Network(foreign))
    assert kind_of["bottom.0.first.2"] == "ResNetBlock"
    assert kind_of["bottom.1.layer.looks.q"] == "SelfAttention"
    assert kind_of["bottom.1.layer.thinks.layers.0"] == "FeedForward"
    assert kind_of["bottom.1.norm"] == "SpatialTransformer"
    assert kind_of["descent.2.0.pool"] == "DownSample"
    assert kind_of["last.2"] == kind_of["clock.0"] == "other"


def test_without_text_attention_is_self_attention(narrow_trace):
    with torch.device("meta"):
        model = UNet2DModel(
            block_out_channels=(32, 64),
            layers_per_block=1,
            norm_num_groups=8,
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        )
        found = counted(trace(model, [torch.zeros(2, 3, 16, 16), 7]))
    assert found["SelfAttention"] == 4
    assert found["CrossAttention"] == found["SpatialTransformer"] == 0
    assert {"DownBlock", "AttnDownBlock_X", "AttnMidBlock", "AttnUpBlock_X", "UpBlock_X"} <= set(
        found
    )
    only = counted(narrow_trace({**NARROW, "only_cross_attention": True}))
    # The middle block's first attention reads the pixels all the same.
    assert (only["SelfAttention"], only["CrossAttention"]) == (1, 7)


# Merge blocks


@pytest.mark.parametrize("name", MERGE_BLOCKS)
def test_merge_blocks_are_those_of_the_merging_tools(name):
    network = Network(resolve(Request(name)).trace())
    counts, tensors = Counter(), Counter()
    for path, block in merge_blocks(network).items():
        counts[block] += network.modules[path].own_parameters
        tensors[block] += len(network.modules[path].parameters)
    expected, held = Counter(), Counter()
    last = [block for block in MERGE_BLOCKS[name] if block.startswith("OUT0") or "OUT1" in block][
        -1
    ]
    for block, facts in MERGE_BLOCKS[name].items():
        block = {"TIME_EMBED": "IN00", "LABEL_EMB": "IN00", "OUT_HEAD": last}.get(block, block)
        expected[block] += facts["params"]
        held[block] += facts["n_tensors"]
    assert {k: v for k, v in counts.items() if v} == expected
    assert {k: v for k, v in tensors.items() if v} == held


def test_base_is_shown_with_nothing_in_it(sd15, table):
    rows = table(sd15, by="mbw")["parameters"]["rows"]
    assert [row["merge_block"] for row in rows] == [
        "BASE", *(f"IN{i:02}" for i in range(12)), "M00", *(f"OUT{i:02}" for i in range(12)),
    ]  # fmt: skip
    assert (rows[0]["parameters"], rows[0]["modules"]) == (0, [])
    assert rows[-1]["modules"][-2:] == ["conv_norm_out", "conv_out"]


def test_merge_blocks_of_other_code_are_its_input_and_output_blocks(foreign):
    units = merge_block_units(Network(foreign))
    assert list(units) == [
        "IN00",
        "IN01",
        "IN02",
        "IN03",
        "M00",
        "OUT00",
        "OUT01",
        "OUT02",
        "OUT03",
    ]
    assert units["IN00"][-1].startswith("descent.0")
    for number in range(1, 4):
        assert {path[: len("descent.0")] for path in units[f"IN{number:02}"]} == {
            f"descent.{number}"
        }
    assert {path[:8] for path in units["OUT01"]} == {"ascent.1"}
    assert units["OUT03"][-1] == "last"


def test_levels_of_unequal_depth_are_numbered_through(narrow_trace):
    options = {**NARROW, "layers_per_block": [1, 2]}
    units = merge_block_units(Network(narrow_trace(options)))
    assert units["IN02"] == ("down_blocks.0.downsamplers.0",)
    assert units["IN04"] == ("down_blocks.1.resnets.1",)
    assert [n for n in units if n.startswith("OUT")] == [f"OUT{i:02}" for i in range(5)]
