"""Each warning where it is due, and nowhere else."""

from __future__ import annotations

import pytest

from unetscope.config import load, shipped
from unetscope.config.document import parse
from unetscope.config.loading import document_of
from unetscope.findings import Severity
from unetscope.rules.configs import check as check_document


def found(reference, *overrides, **flags):
    findings = check_document(document_of(reference, overrides, flags)).findings
    return [(finding.id, finding.message) for finding in findings]


def ids(reference, *overrides, **flags):
    return [name for name, _ in found(reference, *overrides, **flags)]


@pytest.mark.parametrize("name", shipped())
def test_shipped_configs_are_quiet(name):
    """One published network is odd: it really has one head of all its channels."""
    assert ids(name) == (["head-count"] if name == "ldm4_cin256_v2" else [])


@pytest.mark.parametrize(
    ("heads", "warns"),
    [("8", False), ("[5, 10, 20, 20]", False), ("64", True), ("[5, 10, 20, 160]", False),
     ("[5, 10, 160, 20]", True), ("1", True)],
)  # fmt: skip
def test_head_count(heads, warns):
    """The last level of Stable Diffusion 1 has attention in the middle block alone."""
    expected = ["head-count"] if warns or "160]" in heads else []
    assert ids("sd15", f"attention_head_dim={heads}") == expected


def test_head_count_says_how_wide_heads_are():
    [(_, message)] = found("sd15", "attention_head_dim=64")
    assert "64 is the number of heads" in message
    assert "5, 10 and 20 channels wide" in message


def test_head_count_is_of_transformers_alone():
    """In these blocks `attention_head_dim` is a width."""
    assert load("if_I_XL").unet.attention_head_dim == 64
    assert ids("adm_imagenet64", "attention_head_dim=192") == []


def test_decoder_that_does_not_mirror():
    types = "[UpBlock2D, UpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D]"
    [(name, message)] = found("sd15", f"up_block_types={types}")
    assert name == "not-mirrored"
    assert message == (
        "unet.up_block_types.1: UpBlock2D does not mirror CrossAttnDownBlock2D, the encoder's "
        "block at its resolution"
    )


@pytest.mark.parametrize(("width", "warns"), [(320, False), (324, True), (328, False)])
def test_width_for_tensor_cores(width, warns):
    overrides = [
        f"block_out_channels=[{width}, 640, 1280, 1280]", "norm_num_groups=4",
        "attention_head_dim=4", "up_block_types=[UpBlock2D, UpBlock2D, UpBlock2D, UpBlock2D]",
        "down_block_types=[DownBlock2D, DownBlock2D, DownBlock2D, DownBlock2D]",
        "mid_block_type=null",
    ]  # fmt: skip
    assert ids("sd15", *overrides) == (["width-not-8"] if warns else [])


def test_text_width():
    [(name, message)] = found("sd15", "cross_attention_dim=776")
    assert (name, "776 channels" in message) == ("text-width", True)
    assert ids("sd15", "cross_attention_dim=1024") == []
    assert ids("article_002", "d_context=512") == []
    assert ids("article_002", "d_context=520") == ["text-width"]


def test_an_odd_text_width_is_one_finding():
    assert ids("sd15", "cross_attention_dim=777") == ["text-width"]


def test_text_is_judged_as_it_is_given():
    """What DeepFloyd's encoder gives is projected to what its blocks read."""
    assert ids("if_I_XL", "encoder_hid_dim=3520") == ["text-width"]


@pytest.mark.parametrize(
    ("height", "expected"), [(64, []), (72, []), (68, ["odd-size"]), (63, ["odd-size"])]
)
def test_odd_maps(height, expected):
    """72 makes a map of 9 rows, which nothing halves any more."""
    assert ids("sd15", height=height) == expected


def test_a_size_that_cannot_be_halved_is_one_error():
    findings = check_document(document_of("adm_imagenet64", (), {"height": 63})).findings
    assert [(f.id, f.severity) for f in findings] == [("size", Severity.ERROR)]


def test_a_square_sample_size_warns_once():
    text = "unet:\n  cross_attention_dim: 768\n  sample_size: 65\n"
    [finding] = check_document(parse(text, "it.yaml")).findings
    assert (finding.id, str(finding.place)) == ("odd-size", "it.yaml:3:3")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["sample_size=96"], ["size-as-before"]),
        (["sample_size=64"], []),
        (["sample_size=[64, 96]"], ["size-as-before"]),
    ],
)
def test_another_sample_size_does_not_change_the_inputs(overrides, expected):
    assert ids("sd15", *overrides) == expected


def test_a_sample_size_beside_inputs_or_without_any_is_as_meant():
    given = "unet:\n  cross_attention_dim: 768\n  sample_size: 96\n"
    for text in (given, given + "inputs: {height: 64, width: 64}\n"):
        assert check_document(parse(text, "it.yaml")).findings == []
