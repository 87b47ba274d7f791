"""What `--explain` says is true of the network shown, and said of no other."""

from __future__ import annotations

import json

import pytest

from unetscope.sources import Request, resolve
from unetscope.views.sections import choose, show
from unetscope.views.teaching import of_network, taught
from unetscope.views.view import View
from unetscope.words_lessons import Lessons

EN = Lessons("en")


def start(sentence: str) -> str:
    """A sentence up to the first number that is filled in."""
    return sentence.partition("{")[0]


def lessons(request, language="en"):
    view = View.of(resolve(request).trace(), language)
    tables, _ = show(view, choose(None))
    return {
        table.key: " ".join(table.data["lessons"])
        for table in taught(tables, of_network(view))
        if "lessons" in table.data
    }


@pytest.fixture(scope="module")
def sd15_lessons():
    return lessons(Request("sd15"))


def test_stable_diffusion(sd15_lessons):
    assert (
        "double at 2 of 3 such steps (64x64: 320, 32x32: 640, 16x16: 1280, 8x8: 1280)"
        in (sd15_lessons["encoder"])
    )
    assert "every one of the 22 ResNets" in sd15_lessons["encoder"]
    assert EN.cross_attention in sd15_lessons["encoder"]
    assert "77 vectors of 768 numbers" in sd15_lessons["io"]
    assert "it could see 201x201 of them, and there are 64x64" in sd15_lessons["middle"]
    assert "each of its 64 positions" in sd15_lessons["middle"]
    assert EN.one_resnet_more in sd15_lessons["decoder"]
    assert "2 from the layers of each of 4 blocks" in sd15_lessons["residuals"]
    assert EN.why_a_stack in sd15_lessons["ledger"]
    assert EN.cat_then_mix in sd15_lessons["steps"]


@pytest.mark.parametrize("name", ["ddpm_cifar10_32", "article_003", "ldm4_cin256_v2"])
def test_networks_without_a_text_are_taught_none(name):
    said = lessons(Request(name))
    assert "text" not in " ".join(said.values())
    assert start(EN.time_everywhere) in said["encoder"]


def test_attention_is_taught_where_the_middle_has_it():
    assert start(EN.attends_to_all) not in lessons(Request("article_003"))["middle"]
    with_attention = Request("article_003", overrides=("attention=bottleneck",))
    assert "each of its 256 positions" in lessons(with_attention)["middle"]


def test_what_the_middle_sees_depends_on_the_size():
    assert "sees 35x35 of the 64x64" in lessons(Request("article_003"))["middle"]
    small = lessons(Request("article_003", height=32, width=32))["middle"]
    assert "it could see 35x35 of them, and there are 32x32" in small


@pytest.mark.parametrize(
    ("channels", "sentence"),
    [
        ("[32, 32, 32]", EN.channels_stay),
        ("[32, 96, 96]", None),
        ("[32, 64, 64]", EN.channels_double),
    ],
)
def test_channels_that_do_not_double_are_not_said_to(channels, sentence):
    three = (
        f"block_out_channels={channels}",
        "down_block_types=[DownBlock2D, AttnDownBlock2D, DownBlock2D]",
        "up_block_types=[UpBlock2D, AttnUpBlock2D, UpBlock2D]",
    )
    said = lessons(Request("ddpm_cifar10_32", overrides=three))["encoder"]
    for other in (EN.channels_stay, EN.channels_double):
        assert (start(other) in said) == (other == sentence)


def test_code_without_a_time_is_taught_no_denoising():
    pytest.importorskip("segmentation_models_pytorch")
    request = Request(
        "segmentation_models_pytorch:Unet", kwargs="{encoder_weights: null}", inputs=("1,3,64,64",)
    )
    said = lessons(request)
    words = " ".join(said.values())
    for absent in ("noise", "noisy", "the time", "text", "self-attention"):
        assert absent not in words.lower()
    assert EN.what_skips_are_for in said["ledger"]


def test_a_controlnet_has_no_decoder_to_push_for():
    said = lessons(Request("controlnet_sd15"))
    assert "ledger" not in said
    assert "decoder" not in " ".join(said.values()).lower()


def test_the_same_is_said_in_chinese(sd15_lessons):
    chinese = lessons(Request("sd15"), "zh")
    assert chinese.keys() == sd15_lessons.keys()
    assert "3 次减半中有 2 次加倍" in chinese["encoder"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["skips", "article_003"], EN.what_skips_are_for),
        (["skips", "article_003", "--all-joins"], EN.residual_sums),
        (["params", "article_003"], start(EN.where_weights_are)),
        (["params", "article_003", "--lora-rank", "4"], "matrices of rank 4"),
        (["flops", "article_003", "--steps", "9", "--cfg"], EN.guided_twice),
        (["memory", "article_003"], start(EN.peak_at_largest)),
        (["timesteps", "article_003"], start(EN.near_is_alike)),
        (["sweep", "ddpm_cifar10_32", "--height", "16,32", "--width", "32"], "2 times as many"),
    ],
)
def test_commands(unetscope, command, said):
    plain, taught_too = unetscope(*command), unetscope(*command, "--explain")
    assert (taught_too.code, plain.code) == (0, 0)
    assert said in taught_too.out
    assert said not in plain.out


def test_data_changes_only_where_it_is_asked_for(unetscope):
    plain = json.loads(unetscope("skips", "article_003", "-f", "json").out)
    both = json.loads(unetscope("skips", "article_003", "-f", "json", "--explain").out)
    sentences = both["ledger"].pop("lessons")
    assert all(sentence.endswith(".") for sentence in sentences)
    assert both == plain
    csv = unetscope("skips", "article_003", "-f", "csv", "--explain")
    assert csv.out == unetscope("skips", "article_003", "-f", "csv").out
    assert "--explain" in csv.err


def test_paths_are_in_the_names_that_are_shown(unetscope):
    out = unetscope("flops", "sd15", "--names", "compvis", "--explain").out
    assert "does the most work" in out
