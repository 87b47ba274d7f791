"""Every parameter is counted, once, in one row: against torch and diffusers."""

import pytest
import torch
from diffusers import UNet2DConditionModel
from networks import CONFIGS, NARROW, Foreign, Shared

from unetscope.analysis.parameters import lora_size, parameters, selected
from unetscope.record import ModuleRecord

PARTITIONS = ("block", "part", "stage-kind", "mbw", "module", "tensor")


def theirs(options):
    with torch.device("meta"):
        return UNet2DConditionModel(**options)


@pytest.mark.parametrize("options", CONFIGS.values(), ids=CONFIGS)
def test_the_tensors_are_those_of_diffusers(narrow_trace, options):
    ours = [(held.name, held.spec.shape) for held in parameters(narrow_trace(options))]
    assert ours == [(name, tuple(p.shape)) for name, p in theirs(options).named_parameters()]


@pytest.mark.parametrize("options", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize("by", PARTITIONS)
def test_rows_add_up_to_what_diffusers_has(narrow_trace, table, options, by):
    found = table(narrow_trace(options), by=by)["parameters"]
    key = "total" if by == "stage-kind" else "parameters"
    expected = theirs(options).num_parameters()
    assert sum(row[key] for row in found["rows"]) == found["total"][key] == expected
    if by == "stage-kind":
        for row in [*found["rows"], found["total"]]:
            assert sum(row[k] for k in row if k not in ("stage", "total")) == row["total"]
    else:
        tensors = len(list(theirs(options).parameters()))
        assert sum(row["tensors"] for row in found["rows"]) == tensors
        assert sum(row["share"] for row in found["rows"]) == pytest.approx(1)


@pytest.mark.parametrize("by", PARTITIONS)
def test_rows_of_other_code_add_up_too(foreign, table, by):
    found = table(foreign, by=by)["parameters"]
    key = "total" if by == "stage-kind" else "parameters"
    expected = sum(p.numel() for p in Foreign().parameters())
    assert sum(row[key] for row in found["rows"]) == found["total"][key] == expected


def test_blocks_are_as_large_as_diffusers_modules(sd15, table):
    with torch.device("meta"):
        model = UNet2DConditionModel(cross_attention_dim=768)
    rows = table(sd15, by="block")["parameters"]["rows"]
    counted = {row["block"]: (row["parameters"], row["class"]) for row in rows}
    for path, (count, kind) in counted.items():
        module = model.get_submodule(path)
        assert (sum(p.numel() for p in module.parameters()), type(module).__name__) == (count, kind)
    assert list(counted)[:3] == ["time_embedding", "conv_in", "down_blocks.0"]
    assert len(counted) == 13


def test_depth_cuts_paths_at_levels(narrow_trace, table):
    trace = narrow_trace(NARROW)
    top = table(trace, by="module", depth=1)["parameters"]["rows"]
    assert [row["path"] for row in top] == [
        "time_embedding", "conv_in", "down_blocks.0", "down_blocks.1", "mid_block",
        "up_blocks.0", "up_blocks.1", "conv_norm_out", "conv_out",
    ]  # fmt: skip
    whole = table(trace, by="module")["parameters"]["rows"]
    holding = {held.module for held in parameters(trace)}
    assert {row["path"] for row in whole} == holding


@pytest.mark.parametrize("by", ["block", "tensor", "mbw"])
def test_top_keeps_the_largest_and_sums_up_the_rest(sd15, table, by):
    whole = table(sd15, by=by)["parameters"]
    found = table(sd15, by=by, top=3)["parameters"]
    counts = sorted((row["parameters"] for row in whole["rows"]), reverse=True)
    assert [row["parameters"] for row in found["rows"][:3]] == counts[:3]
    assert found["rows"][3]["parameters"] == sum(counts[3:])
    assert found["total"] == whole["total"]


def test_a_shared_tensor_counts_once_and_names_its_other_owners(shared, table):
    found = table(shared, by="tensor")["parameters"]
    assert found["total"]["parameters"] == sum(p.numel() for p in Shared().parameters())
    assert {row["name"]: row["also"] for row in found["rows"] if row["also"]} == {
        "one.weight": ["two.weight"]
    }
    by_module = table(shared, by="module")["parameters"]["rows"]
    assert {row["path"]: row["parameters"] for row in by_module} == {
        "other": 3, "one": 12, "two": 3, "norm": 6,
    }  # fmt: skip


def test_buffers_are_listed_apart(shared, table):
    rows = table(shared)["buffers"]["rows"]
    with torch.device("meta"):
        expected = {n: (b.numel(), b.nbytes) for n, b in Shared().named_buffers()}
    assert {row["name"]: (row["elements"], row["bytes"]) for row in rows} == expected
    assert "buffers" not in table(shared, match="*.weight")


def test_sizes_are_bytes(sd15, table):
    total = table(sd15, dtypes=("fp32", "fp16", "bf16", "int8"))["parameters"]["total"]
    assert [total[f"{d}_bytes"] for d in ("fp32", "fp16", "bf16", "int8")] == [
        4 * 859_520_964, 2 * 859_520_964, 2 * 859_520_964, 859_520_964,
    ]  # fmt: skip


# Globs


def test_a_glob_selects_by_name_or_by_module(sd15):
    held = parameters(sd15)
    modules = selected(held, "*.attn2.to_[qkv]")
    assert len(modules) == 48
    assert {t.name.split(".")[-2] for t in modules} == {"to_q", "to_k", "to_v"}
    assert selected(held, "*.attn2.to_[qkv].weight") == modules
    inside = [t for t in held if ".attn2." in t.name]
    assert list(selected(held, "*.attn2")) == inside
    assert selected(held, "attn2") == ()


def test_brackets_are_indices_only_where_nothing_else_fits(sd15):
    held = parameters(sd15)
    assert selected(held, "down_blocks[0].resnets[1]") == selected(held, "down_blocks.0.resnets.1")
    assert {t.module.split(".")[-1] for t in selected(held, "mid_block.resnets.0.conv[12]")} == {
        "conv1", "conv2",
    }  # fmt: skip


def test_a_selection_is_summed_a_block_at_a_time(sd15, table):
    found = table(sd15, match="*.attn2.to_[qkv]")["parameters"]
    # To keys and values 768 channels lead, to queries as many as the level has.
    widths = {"down_blocks.0": [320] * 2, "mid_block": [1280], "up_blocks.1": [1280] * 3}
    counted = {row["block"]: row["parameters"] for row in found["rows"]}
    assert list(counted) == [f"down_blocks.{i}" for i in range(3)] + ["mid_block"] + [
        f"up_blocks.{i}" for i in (1, 2, 3)
    ]
    for block, found_widths in widths.items():
        assert counted[block] == sum(w * w + 2 * 768 * w for w in found_widths)
    assert found["total"]["share"] == pytest.approx(sum(counted.values()) / 859_520_964)


# LoRA


def layer(kind, **attributes):
    return ModuleRecord("layer", kind, attributes)


def lora_of(module, rank):
    """The two layers of a LoRA on a layer, built by torch."""
    if isinstance(module, torch.nn.Linear):
        down = torch.nn.Linear(module.in_features, rank, bias=False)
        up = torch.nn.Linear(rank, module.out_features, bias=False)
    else:
        down = torch.nn.Conv2d(module.in_channels, rank, module.kernel_size, bias=False)
        up = torch.nn.Conv2d(rank, module.out_channels, 1, bias=False)
    return sum(p.numel() for m in (down, up) for p in m.parameters())


@pytest.mark.parametrize("rank", [1, 4, 16])
def test_a_lora_is_as_large_as_its_two_layers(narrow_trace, table, rank):
    model = theirs(NARROW)
    adapted = [m for m in model.modules() if isinstance(m, torch.nn.Linear | torch.nn.Conv2d)]
    found = table(narrow_trace(NARROW), by="tensor", lora_rank=rank)["parameters"]
    assert found["total"]["lora_parameters"] == sum(lora_of(m, rank) for m in adapted)
    none = [row["name"] for row in found["rows"] if not row["lora_parameters"]]
    assert len(none) == len(found["rows"]) - len(adapted)
    assert "conv_norm_out.weight" in none


def test_the_formula_for_linear_layers_and_pixels():
    assert lora_size(layer("Linear", in_features=768, out_features=320), 16) == 16 * (768 + 320)
    pixels = layer("Conv2d", in_channels=320, out_channels=640, kernel_size=(1, 1))
    assert lora_size(pixels, 8) == 8 * (320 + 640)
    assert lora_size(layer("GroupNorm", num_groups=32, num_channels=320), 8) is None
