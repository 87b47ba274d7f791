"""All tables of one network tell of the same blocks, pushes and pops."""

import json
import re
from itertools import pairwise

import pytest
from test_published import ALSO, FILES

from unetscope.config.files import read_index
from unetscope.render import render
from unetscope.sources import Request, resolve
from unetscope.views.sections import choose, show
from unetscope.views.view import View

# One that was changed on its way has another shape when it arrives.
RESIDUAL = re.compile(r"(from )?res\[(\d+)\]")
# NCSN++ hands a pyramid of images from block to block; Kandinsky 2.1's ControlNet is a hint that is
# joined to the sample; both were published with these block types.
NCSNPP = {
    "_class_name": "UNet2DModel",
    "sample_size": 64,
    "layers_per_block": 2,
    "block_out_channels": [32, 32, 64],
    "norm_num_groups": 8,
    "time_embedding_type": "fourier",
    "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"],
    "up_block_types": ["SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"],
}
KANDINSKY_WITH_A_HINT = {
    "_class_name": "UNet2DConditionModel",
    "addition_embed_type": "image_hint",
    "encoder_hid_dim": 32,
    "encoder_hid_dim_type": "image_proj",
    "cross_attention_dim": 16,
    "attention_head_dim": 8,
    "in_channels": 8,
    "out_channels": 8,
    "block_out_channels": [32, 64],
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "down_block_types": ["ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"],
    "up_block_types": ["SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"],
    "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "resnet_time_scale_shift": "scale_shift",
    "sample_size": 32,
}


def tables(trace):
    """The tables of a network as data, those that it has."""
    found, _ = show(View.of(trace), choose(None))
    return json.loads(render(found, "json"))


@pytest.fixture
def of_json(tmp_path):
    """The tables of a network in diffusers' form."""

    def of_json(options):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(options), encoding="utf-8")
        return tables(resolve(Request(str(path))).trace())

    return of_json


def check(found):
    """Hold everything that two tables tell."""
    parts = {row["part"]: row for row in found["parts"]["rows"] if row["output_shape"]}
    for before, after in pairwise(parts.values()):
        assert before["output_shape"] == after["input_shape"], (before, after)
    for side in ("encoder", "decoder"):
        blocks = found[side]["rows"]
        for before, after in pairwise(blocks):
            assert before["size_after"] == after["size_before"]
            assert before["channels_after"] == after["channels_before"]
    assert ("middle" in found) == ("middle" in parts)

    stack, ledger = found["residuals"], found["ledger"]
    rows, pops = stack["rows"], ledger["rows"]
    counted = stack["from_entry"], *stack["from_layers"], *stack["from_resamplers"]
    assert len(rows) == stack["total"] == sum(counted) + stack.get("from_later", 0)
    assert len(stack["from_layers"]) == len(found["encoder"]["rows"])
    pushes = {row.get("push", row["index"]): row for row in rows}
    for pop in pops:
        assert pushes[pop["push"]]["producer"] == pop["producer"]
        assert pushes[pop["push"]]["channels_and_size"] == pop["shape"][1:]
    assert {push for push in pushes if push is not None} == {pop["push"] for pop in pops}
    assert ledger["popped"] == len(pops)
    assert ledger["joins"]["skip"] + ledger["joins"]["long_skip"] <= len(pops)

    steps = [step for table in found["steps"] for step in table["rows"]]
    taken = [
        (int(number[2]), None if number[1] else shape)
        for step in steps
        for label, shape in zip(step["inputs"], step["input_shapes"], strict=True)
        if step["class"] is None and (number := RESIDUAL.fullmatch(label))
    ]
    indices = {row.get("push", row["index"]): row["index"] for row in rows}
    assert [index for index, _ in taken] == [indices[pop["push"]] for pop in pops]
    assert all(shape in (None, pop["shape"]) for (_, shape), pop in zip(taken, pops, strict=True))
    for table in found["steps"]:
        for before, after in pairwise(table["rows"]):
            given = dict(zip(after["inputs"], after["input_shapes"], strict=True))
            assert given.get("previous", before["output_shape"]) == before["output_shape"]
    later = check_pushes(found, rows)
    assert later == stack.get("from_later", 0)
    parts = found["parts"]
    assert sum(row["parameters"] for row in parts["rows"]) == parts["total"]["parameters"]
    assert sum(row["macs"] for row in parts["rows"]) == parts["total"]["macs"]
    decoder = [row["block"] for row in found["decoder"]["rows"]]
    numbers = {
        table["block"]: table["rows"][0]["step"].partition(".")[0] for table in found["steps"]
    }
    if set(numbers) <= set(decoder):
        first = {block: str(number) for number, block in enumerate(decoder, 1)}
        assert numbers == {block: first[block] for block in numbers}


def check_pushes(found, residuals):
    """Each residual is pushed once, in the stack's order; how many no encoder's table pushes."""
    steps = [step for table in found["encoder_steps"] for step in table["rows"]]
    pushes = [step for step in steps if step["operation"] == "push"]
    assert all(step["residual"] is None for step in steps if step not in pushes)
    known = {f"res[{row['index']}]": row for row in residuals}
    assert [push["residual"] for push in pushes] == list(known)[: len(pushes)]
    for push in pushes:
        row = known[push["residual"]]
        assert push["push"] == row.get("push", row["index"])
        assert push["output_shape"][1:] == row["channels_and_size"]
        assert push["input_shapes"] == [push["output_shape"]]
    return len(known) - len(pushes)


@pytest.mark.parametrize("name", sorted(read_index()))
def test_of_every_shipped_config_with_skips(name):
    found = tables(resolve(Request(name)).trace())
    if "ledger" in found:
        check(found)


@pytest.mark.parametrize(("kind", "options"), [*FILES.items(), *ALSO.values()], ids=[*FILES, *ALSO])
def test_of_every_published_class_with_skips(of_json, kind, options):
    found = of_json({"_class_name": kind, **options})
    if "ledger" in found:
        check(found)


def test_ncsnpp_leaves_what_it_joins(of_json):
    found = of_json(NCSNPP)
    check(found)
    assert found["residuals"]["total"] == found["ledger"]["pushed"] == 1 + 2 * 3 + 2
    assert found["ledger"]["joins"]["long_skip"] == 0
    assert [row["attentions"] for row in found["encoder"]["rows"]] == [0, 2, 0]
    assert [row["resnets"] for row in found["encoder"]["rows"]] == [2, 2, 2]


def test_kandinskys_hint_is_no_block_of_the_encoder(of_json):
    found = of_json(KANDINSKY_WITH_A_HINT)
    check(found)
    assert found["residuals"]["rows"][0]["producer"] == "conv_in"
    assert [row["block"] for row in found["encoder"]["rows"]] == ["down_blocks.0", "down_blocks.1"]
    assert [row["resnets"] for row in found["encoder"]["rows"]] == [1, 1]
    assert [row["main_inputs"] for row in found["encoder"]["rows"]] == [
        ["image", "time"],
        ["image", "time", "context"],
    ]


def test_what_works_on_the_text_alone_makes_an_attention_no_transformer(of_json):
    found = of_json({"_class_name": "WuerstchenDiffNeXt", **FILES["WuerstchenDiffNeXt"]})
    assert [row["transformers"] for row in found["encoder"]["rows"]] == [0] * 6
    assert [row["attentions"] for row in found["encoder"]["rows"]] == [0, 0, 0, 0, 0, 1]
