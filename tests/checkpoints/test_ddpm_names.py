"""Networks in the names of DDPM's own code are those of diffusers."""

import json
import re

import pytest
from checkpoint_files import write

from unetscope.checkpoints.identified import Certainty
from unetscope.sources import Request, resolve
from unetscope.sources.identifying import identify

IN_DDPM = (
    (r"time_embedding\.linear_(\d)", lambda found: f"temb.dense.{int(found[1]) - 1}"),
    (r"conv_norm_out", "norm_out"),
    (r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"_blocks\.(\d)\.resnets", r".\1.block"),
    (r"_blocks\.(\d)\.attentions", r".\1.attn"),
    (r"_blocks\.(\d)\.(down|up)samplers\.0", r".\1.\2sample"),
    (r"group_norm", "norm"),
    (r"to_out\.0", "proj_out"),
    (r"to_([qkv])", r"\1"),
    (r"time_emb_proj", "temb_proj"),
    (r"conv_shortcut", "nin_shortcut"),
)


def shapes_of(name, *overrides):
    lock = resolve(Request(name, overrides=overrides)).lock()
    return {tensor.name: tensor.shape for tensor in lock.tensors if tensor.persistent}


def in_ddpm_names(shapes, levels):
    """A network as hojonathanho/diffusion and ermongroup/ddim name it."""
    found = {}
    for name, shape in shapes.items():
        if ".to_" in name and name.endswith(".weight"):
            shape = (*shape, 1, 1)
        name = re.sub(r"up_blocks\.(\d)", lambda at: f"up_blocks.{levels - 1 - int(at[1])}", name)
        for ours, theirs in IN_DDPM:
            name = re.sub(ours, theirs, name)
        found[name] = shape
    return found


@pytest.mark.parametrize(("name", "levels"), [("ddpm_cifar10_32", 4), ("ddpm_celebahq_256", 6)])
def test_the_names_of_ddpm_s_own_code(tmp_path, name, levels, unetscope):
    theirs = in_ddpm_names(shapes_of(name), levels)
    assert theirs["up.0.block.2.conv1.weight"] == (128, 256, 3, 3)
    found = identify(theirs)
    assert (found.certainty, found.networks) == (Certainty.RENAMED, (name,))
    assert found.inferred.dialect == "DDPM"
    path = write(tmp_path / "m.safetensors", theirs)
    assert (
        unetscope("params", str(path)).out.splitlines()[2:]
        == (unetscope("params", name).out.splitlines()[2:])
    )


def test_a_network_in_ddpm_s_names_that_is_no_published_one():
    options = "block_out_channels=[32, 64, 64, 96]", "layers_per_block=1"
    ours = shapes_of("ddpm_cifar10_32", *options)
    found = identify(in_ddpm_names(ours, 4))
    assert found.certainty is Certainty.BUILT
    assert found.inferred.config["unet"]["block_out_channels"] == [32, 64, 64, 96]
    assert found.inferred.config["unet"]["freq_shift"] == 1
    wrong = in_ddpm_names(ours, 4) | {"down.0.block.0.other.weight": (3,)}
    assert "left over, 1 in all: `down.0.block.0.other.weight`" in " ".join(
        identify(wrong).evidence
    )


def test_diff_compares_ddpm_s_names_under_those_of_diffusers(tmp_path, diff):
    theirs = in_ddpm_names(shapes_of("ddpm_cifar10_32"), 4)
    path = write(tmp_path / "m.safetensors", theirs)
    code, out, err = diff("ddpm_cifar10_32", path, "-f", "json")
    found = json.loads(out)
    assert code == 0
    assert [(c["id"], c["old"], c["new"]) for c in found["changes"]] == [
        ("module-renamed", "diffusers", "DDPM")
    ]
    names = {row["old"]: row["new"] for row in found["names"]}
    assert set(names.values()) | {"conv_in.weight", "conv_in.bias", "conv_out.weight"} == (
        theirs.keys() - {"conv_out.bias"}
    )
    assert names["mid_block.attentions.0.to_out.0.bias"] == "mid.attn_1.proj_out.bias"
    assert names["up_blocks.0.resnets.2.norm1.bias"] == "up.3.block.2.norm1.bias"
    assert "has names of DDPM; they are read as diffusers'" in err
    assert "24 tensors of" in err
    assert "`down.1.attn.0.k.weight`: [256, 256, 1, 1], there [256, 256]" in err


def test_diff_of_two_in_ddpm_s_names_keeps_them(tmp_path, diff):
    theirs = in_ddpm_names(shapes_of("ddpm_cifar10_32"), 4)
    first = write(tmp_path / "first.safetensors", theirs)
    wider = theirs | {"temb.dense.0.weight": (512, 256)}
    second = write(tmp_path / "second.safetensors", wider)
    _, out, err = diff(first, second, "-f", "json")
    changes = [(c["id"], c["now"]) for c in json.loads(out)["changes"]]
    assert changes == [("param-reshaped", "temb.dense.0.weight"), ("params", "")]
    assert "diffusers" not in err


def test_diff_of_what_is_no_published_network_is_in_diffusers_names_too(tmp_path, diff):
    theirs = in_ddpm_names(shapes_of("ddpm_cifar10_32"), 4)
    theirs |= {"extra.weight": (3,), "down.1.downsample.conv.weight": (256, 256, 1, 1)}
    path = write(tmp_path / "m.safetensors", theirs)
    changes = json.loads(diff(path, "ddpm_cifar10_32", "-f", "json")[1])["changes"]
    assert {(c["id"], c["was"], c["now"]) for c in changes} == {
        ("param-removed", "extra.weight", None),
        ("param-reshaped", *(2 * ["down_blocks.1.downsamplers.0.conv.weight"])),
        ("module-renamed", "", ""),
        ("params", "", ""),
    }
