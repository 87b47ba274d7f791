"""What the encoder pushes after which layer, under the index by which the decoder joins it."""

import itertools
import json

import pytest
import torch
from torch import nn

from unetscope.render import render
from unetscope.tracing import trace
from unetscope.views.sections import choose, show
from unetscope.views.view import View


def tables(trace):
    found, _ = show(View.of(trace), choose(None))
    return json.loads(render(found, "json"))


def rows(tables):
    return [row for table in tables for row in table["rows"]]


def test_sd15_pushes_after_the_layers_that_the_ledger_names(sd15):
    found = tables(sd15)
    assert [table["block"] for table in found["encoder_steps"]] == [
        "conv_in", *(f"down_blocks.{index}" for index in range(4))
    ]  # fmt: skip
    made = {row["index"]: row["producer"] for row in found["residuals"]["rows"]}
    steps = rows(found["encoder_steps"])
    assert steps[0]["step"] == "E0.1"
    for before, push in itertools.pairwise(steps):
        if push["operation"] != "push":
            continue
        producer = made[int(push["residual"][4:-1])]
        behind_a_transformer = producer.replace("attentions", "resnets")
        assert before["operation"] in (producer, behind_a_transformer)
        assert push["inputs"] == ["previous"]


def test_transformers_have_letters_in_the_encoder_too(unetscope):
    result = unetscope(
        "trace", "sd15", "--attentions", "-f", "json", "--sections", "encoder_steps,middle_steps"
    )
    found = json.loads(result.out)
    first = found["encoder_steps"][1]["rows"]
    assert [row["step"] for row in first] == [
        "E1.1", "E1.1a", "E1.2", "E1.3", "E1.3a", "E1.4", "E1.5", "E1.6",
    ]  # fmt: skip
    assert [row["step"] for row in rows(found["middle_steps"])] == ["M1.1", "M1.1a", "M1.2"]


@pytest.mark.parametrize("block", ["down_blocks.1", "conv_in"])
def test_of_one_block(unetscope, block):
    result = unetscope("trace", "sd15", "--block", block, "-f", "json")
    assert [t["block"] for t in json.loads(result.out)["encoder_steps"]] == [block]


def test_what_no_join_takes_is_pushed_too(unetscope):
    """The decoder of a pruned network leaves residuals: they have an index and no push."""
    result = unetscope(
        "trace", "sd15", "--set", "up_layers_per_block=[[0, 1], 3, 3, 3]", "-f", "json"
    )  # fmt: skip
    found = json.loads(result.out)
    pushes = [row for row in rows(found["encoder_steps"]) if row["residual"]]
    assert [row["residual"] for row in pushes] == [f"res[{index}]" for index in range(12)]
    left = [row["index"] for row in found["residuals"]["rows"] if row["push"] is None]
    assert [index for index, row in enumerate(pushes) if row["push"] is None] == left != []


class Swapped(nn.Module):
    """Joins the skip before what comes from below, pushes inside a call, and its own input."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.down = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.up = nn.Upsample(scale_factor=2)
        self.leave = nn.Conv2d(13, 3, 1)

    def forward(self, x):
        skip = self.enter(x)
        return self.leave(torch.cat([x, skip, self.up(self.down(skip))], 1))


def test_operands_stand_in_the_order_of_the_call(unetscope):
    with torch.device("meta"):
        found = tables(trace(Swapped(), [torch.zeros(1, 3, 8, 8)]))
    (join,) = [row for row in rows(found["steps"]) if row["operation"] == "torch.cat"]
    assert [shape[1] for shape in join["input_shapes"]] == [3, 4, 6]
    assert join["inputs"][:2] == ["res[0]", "res[1]"]
    pushes = [row for row in rows(found["encoder_steps"]) if row["operation"] == "push"]
    assert [row["inputs"] for row in pushes] == [["sample_in"], ["previous"]]


@pytest.mark.parametrize(
    ("name", "module", "order"),
    [
        ("sd15", "time_proj", ["cos", "sin"]),
        ("article_003", "time_embed", ["sin", "cos"]),
    ],
)
def test_sine_and_cosine_are_told_apart(unetscope, name, module, order):
    result = unetscope("trace", name, "--ops", module, "-f", "json")
    (cat,) = [row for row in rows(json.loads(result.out)["ops"]) if row["function"] == "torch.cat"]
    assert cat["operands"] == [f"torch.{each} in {module}" for each in order]
