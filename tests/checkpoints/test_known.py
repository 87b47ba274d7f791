"""The published networks by their tensors: the digests of the index, and what has one."""

from __future__ import annotations

import hashlib
import json

import pytest
import torch
from checkpoint_files import ROOT, write
from hypothesis import given
from hypothesis import strategies as st

import unetscope
from unetscope.checkpoints import known
from unetscope.config.files import read_index
from unetscope.files import locks
from unetscope.record import TensorSpec

ORIGINALS = json.loads((ROOT / "tests" / "reference" / "original_unets.json").read_text())


@pytest.fixture(scope="module")
def shipped_shapes():
    """The tensors of every shipped network."""
    found = {}
    for name in read_index():
        lock = locks.load(ROOT / "configs" / "locks" / f"{name}.lock")
        found[name] = {t.name: t.shape for t in lock.tensors if t.persistent}
    return found


def of(shapes):
    return {name: TensorSpec(shape, "float16") for name, shape in shapes.items()}


def test_networks_have_one_digest_if_and_only_if_no_tensor_differs(shipped_shapes):
    named = {name: known.find(of(shapes)).networks for name, shapes in shipped_shapes.items()}
    for name, networks in named.items():
        assert name in networks
        for other in named:
            alike = shipped_shapes[name] == shipped_shapes[other]
            assert alike == (other in networks), (name, other)


def test_under_the_names_of_the_original_code(shipped_shapes):
    counted = 0
    for name, shapes in shipped_shapes.items():
        original = known.in_original_names(shapes)
        if original is not None:
            found = known.find(of(original))
            assert (name in found.networks, found.names) == (True, known.ORIGINAL)
            assert sum(map(elements, original.values())) == sum(map(elements, shapes.values()))
            counted += 1
    assert counted >= 30


def elements(shape):
    return TensorSpec(shape, "float16").numel


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("adm_imagenet64", "adm_imagenet64"),
        ("adm_imagenet256", "adm_imagenet256"),
        ("ldm_celebahq_256", "ldm_celebahq"),
        ("sdxl_base", "sgm_sd_xl_base"),
        ("sd21_base", "sd_v2"),
        ("zero123", "zero123"),
    ],
)
def test_what_the_original_code_builds(shipped_shapes, name, original):
    """The reference leaves out trailing dimensions of 1."""
    lines = []
    for key, shape in known.in_original_names(shipped_shapes[name]).items():
        while len(shape) > 2 and shape[-1] == 1:
            shape = shape[:-1]
        lines.append(f"{key} {list(shape)}")
    digest = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:32]
    assert digest == ORIGINALS[original]["names_and_shapes"]


@given(st.data())
def test_any_other_name_or_shape_is_no_published_network(sd15_shapes, data):
    shapes = dict(sd15_shapes)
    name = data.draw(st.sampled_from(sorted(shapes)))
    match data.draw(st.sampled_from(["drop", "add", "rename", "reshape", "axis"])):
        case "drop":
            del shapes[name]
        case "add":
            shapes[f"{name}.more"] = (1,)
        case "rename":
            shapes[name + "_"] = shapes.pop(name)
        case "reshape":
            shapes[name] = (shapes[name][0] + 1, *shapes[name][1:])
        case "axis":
            shapes[name] = (*shapes[name], 1)
    assert known.find(of(shapes)) is None


def test_in_any_order(sd15_shapes):
    backwards = dict(reversed(sd15_shapes.items()))
    assert known.find(of(backwards)).networks == ("sd14", "sd15")


def test_what_a_program_asks(tmp_path, sd15_shapes, sd15_compvis):
    prefixed = {f"model.diffusion_model.{name}": shape for name, shape in sd15_compvis.items()}
    file = write(tmp_path / "v1.safetensors", prefixed, "F16")
    weights = {name: torch.empty(s, device="meta") for name, s in sd15_shapes.items()}
    for source in (weights, sd15_shapes, of(sd15_shapes), sd15_compvis, prefixed, file, str(file)):
        found = unetscope.identify(source)
        assert (found.certainty.value, found.label) == ("exact", "sd14, sd15")
        assert "all 686 names and shapes" in found.evidence[0]
        assert found.parts[0].parameters == 859_520_964


def test_what_the_tensors_do_not_tell(shipped_shapes):
    found = unetscope.identify(shipped_shapes["sd21"]).undecided
    assert "`sample_size`: 96 in `sd20`, `sd21`; 64 in `sd21_base`" in found
    assert "`upcast_attention`: false in `sd20`, `sd21_base`; true in `sd21`" in found
    assert not any("height" in sentence for sentence in found)
    (same, trained) = unetscope.identify(shipped_shapes["sd14"]).undecided
    assert same.startswith("which of `sd14`, `sd15`")
    assert "predicts" in trained
    assert unetscope.identify(shipped_shapes["sdxl_refiner"]).undecided == (trained,)
