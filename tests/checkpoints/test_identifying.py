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
from unetscope.errors import UnetscopeError
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
    label = "like sd14, sd15 but for 1 of 686 tensors"
    if data.draw(st.booleans()):
        del shapes[name]
        label = "685 of the 686 tensors of sd14, sd15"
    else:
        shapes[name] = (*shapes[name], 2)
    found = unetscope.identify(shapes)
    assert (found.certainty, found.networks) == (Certainty.NEAR, ("sd14", "sd15"))
    assert found.label == label
    assert f"`{name}`" in " ".join(found.differences)


@pytest.mark.parametrize("part", [slice(100), slice(343), slice(343, None), slice(600, None)])
def test_one_file_of_several_is_a_part_of_its_network(sd15_shapes, part):
    """A smaller network that has half of them is not nearer, nor one that nobody extends."""
    shapes = dict([*sd15_shapes.items()][part])
    found = unetscope.identify(shapes)
    assert (found.certainty, found.networks) == (Certainty.NEAR, ("sd14", "sd15"))
    assert found.label == f"{len(shapes)} of the 686 tensors of sd14, sd15"
    assert found.differences[0].startswith(f"missing, {686 - len(shapes)} in all: ")


def test_more_tensors_than_a_network_has(sd15_shapes):
    found = unetscope.identify({**sd15_shapes, "one.weight": (3,), "two.weight": (3,)})
    assert found.certainty is Certainty.NEAR
    assert found.label == "like sd14, sd15 with more tensors: 2"
    assert found.differences == ("left over, 2 in all: `one.weight`, `two.weight`",)


def test_a_file_that_was_half_converted(sd15_shapes, sd15_compvis):
    encoder = {n: s for n, s in sd15_shapes.items() if n.startswith(("conv_in", "down_blocks"))}
    decoder = {n: s for n, s in sd15_compvis.items() if "output_blocks" in n}
    found = unetscope.identify(encoder | decoder)
    assert found.certainty is Certainty.UNKNOWN
    assert found.evidence[0].startswith("names of two kinds: `down_blocks.")
    assert "output_blocks." in found.evidence[0]


def test_options_are_spelled_as_configs_spell_them(sd15_shapes):
    left_out = "up_blocks.3.attentions.1."
    found = unetscope.identify(
        {n: shape for n, shape in sd15_shapes.items() if not n.startswith(left_out)}
    )
    assert found.certainty is Certainty.BUILT
    assert "reverse_transformer_layers_per_block [1, 1, 1, [1, null, 1]]" in found.label


def test_why_a_controlnet_is_none_that_can_be_built():
    shapes = shapes_of("controlnet_sd15", "block_out_channels=[32, 64, 64, 96]")
    found = unetscope.identify({n: s for n, s in shapes.items() if "down_blocks.1." not in n})
    assert (found.certainty, found.label) == (Certainty.COMPONENT, "ControlNet")
    assert found.evidence[-1] == "`down_blocks.1` is missing, and later ones are there"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"a": "3"}, "`a`: expected a shape, found '3'"),
        ({"a": (2, -1)}, "`a`: expected a shape, found '(2, -1)'"),
        ({"a": (1.5,)}, "`a`: expected a shape, found '(1.5,)'"),
        ({"a": None}, "`a`: expected a shape, found 'None'"),
        ({"a": b"12"}, "`a`: expected a shape"),
        ({"state_dict": {"a": (1,)}}, "`state_dict`: expected a shape"),
        ({1: (1,)}, "not a name of a tensor: '1'"),
        ({"a\nb": (1,)}, r"not a name of a tensor: 'a\nb'"),
    ],
)
def test_what_a_program_gives_is_checked(tensors, message):
    with pytest.raises(UnetscopeError) as raised:
        unetscope.identify(tensors)
    assert str(raised.value).startswith(message)


def test_a_folder_of_several_files_is_none(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / f"{name}.safetensors", {"x": (1,)})
    with pytest.raises(UnetscopeError, match="cannot be read: a folder"):
        unetscope.identify(tmp_path)


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
