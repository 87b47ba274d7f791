"""What is known of networks that are no published ones, from the surest to the least."""

from __future__ import annotations

import subprocess
import sys

import pytest
from checkpoint_files import write
from hypothesis import given, settings
from hypothesis import strategies as st

import unetscope
from unetscope.checkpoints.identified import Certainty
from unetscope.checkpoints.known import in_original_names
from unetscope.config.loading import loads
from unetscope.sources import Request, resolve

NARROW = "block_out_channels=[32, 64]", "down_block_types=[DownBlock2D, CrossAttnDownBlock2D]"
NARROW = (*NARROW, "up_block_types=[CrossAttnUpBlock2D, UpBlock2D]", "cross_attention_dim=16")


def shapes_of(name, *overrides):
    lock = resolve(Request(name, overrides=overrides)).lock()
    return {tensor.name: tensor.shape for tensor in lock.tensors if tensor.persistent}


@pytest.fixture(scope="module")
def narrow():
    return shapes_of("sd15", *NARROW)


def test_built(narrow):
    for shapes in (narrow, in_original_names(narrow)):
        found = unetscope.identify(shapes)
        assert found.certainty is Certainty.BUILT
        assert f"all {len(shapes)} names and shapes are equal" in found.evidence[0]
        assert found.inferred.config["unet"]["block_out_channels"] == [32, 64]
        assert any("attention_head_dim" in told for told in found.inferred.conventions)


@pytest.mark.parametrize(
    ("changed", "label", "difference"),
    [
        (
            "in_channels=12",
            "like sd14, sd15 but with 12 input channels",
            "`in_channels`: 12, not 4",
        ),
        (
            "cross_attention_dim=1536",
            "like sd14, sd15 but with a text of 1536 channels",
            "`cross_attention_dim`: 1536, not 768",
        ),
    ],
)
def test_how_it_differs_in_words_of_options(changed, label, difference):
    found = unetscope.identify(shapes_of("sd15", changed))
    assert (found.certainty, found.label) == (Certainty.BUILT, label)
    assert found.networks == ("sd14", "sd15")
    assert found.differences == (difference,)


def test_exact_up_to_names():
    """Older releases of diffusers named the layers of an attention otherwise."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    shapes = {}
    for name, shape in shapes_of("ddpm_cifar10_32").items():
        for ours, theirs in old.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
        shapes[name] = shape
    found = unetscope.identify(shapes)
    assert (found.certainty, found.networks) == (Certainty.RENAMED, ("ddpm_cifar10_32",))
    assert ".query.weight` is `" in found.evidence[0]


@settings(max_examples=20)
@given(st.data())
def test_one_tensor_that_is_wrong_is_near_and_named(sd15_shapes, data):
    shapes = dict(sd15_shapes)
    name = data.draw(st.sampled_from(sorted(shapes)))
    if data.draw(st.booleans()):
        del shapes[name]
    else:
        shapes[name] = (*shapes[name], 2)
    found = unetscope.identify(shapes)
    assert (found.certainty, found.networks) == (Certainty.NEAR, ("sd14", "sd15"))
    assert found.label == "like sd14, sd15 but for 1 of 686 tensors"
    assert f"`{name}`" in " ".join(found.differences)


def test_unknown():
    for shapes in ({}, {"a": (1,)}, {"conv_in.weight": (8, 4, 3, 3)}):
        found = unetscope.identify(shapes)
        assert (found.certainty, found.networks) == (Certainty.UNKNOWN, ())
        assert found.evidence


def test_a_built_network_in_every_command(tmp_path, narrow, unetscope):
    file = write(tmp_path / "mine.safetensors", narrow)
    shown = unetscope("params", file, "--by", "part", "--set", "in_channels=6")
    assert shown.code == 0
    assert "which builds exactly its tensors" in shown.err
    assert "attention_head_dim" in shown.err
    assert len(shown.err.splitlines()) == 1
    text = unetscope("identify", file, "--yaml").out
    (tmp_path / "mine.yaml").write_text(text)
    assert shapes_of(str(tmp_path / "mine.yaml")) == narrow
    broken = dict(narrow)
    del broken["conv_in.bias"]
    refused = unetscope("trace", write(tmp_path / "no.safetensors", broken))
    assert (refused.code, refused.out) == (2, "")


def test_a_controlnet_that_is_a_checkpoint(tmp_path, unetscope):
    file = write(tmp_path / "control.safetensors", shapes_of("controlnet_sd15"), "F16")
    steered = unetscope("params", "sd15", "--controlnet", file, "--by", "part", "-f", "csv")
    assert steered.code == 0, steered.err
    named = unetscope(
        "params", "sd15", "--controlnet", "controlnet_sd15", "--by", "part", "-f", "csv"
    )
    assert steered.out == named.out


def test_torch_comes_with_what_is_built_alone(tmp_path, sd15_shapes, narrow):
    files = {
        "exact": write(tmp_path / "exact.safetensors", sd15_shapes, "F16"),
        "near": write(tmp_path / "near.safetensors", {**sd15_shapes, "more": (1,)}, "F16"),
        "built": write(tmp_path / "built.safetensors", narrow, "F16"),
    }
    program = (
        "import sys, unetscope\n"
        "for file in sys.argv[1:]:\n"
        "    print(unetscope.identify(file).certainty.value, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, files.values())],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["exact False", "near False", "built True"]


def test_a_config_from_text():
    text = "family: UNet2DConditionModel\nunet:\n  in_channels: 5\n"
    spec = loads(text, "mine", overrides=["out_channels=6"], sizes={"height": 32})
    assert (spec.unet.in_channels, spec.unet.out_channels, spec.inputs.height) == (5, 6, 32)
