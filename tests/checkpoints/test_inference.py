"""A config inferred from tensors builds exactly these tensors, or none is returned."""

from __future__ import annotations

from functools import cache
from math import gcd

import msgspec
import pytest
import torch
from any_options import conditional_options, controlnet_options, plain_options
from checkpoint_files import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unetscope.analysis.names import compvis_names
from unetscope.checkpoints.inference import NotInferredError, infer, to_yaml
from unetscope.config import load
from unetscope.config.loading import document_of, findings
from unetscope.families import build, find
from unetscope.families.diffusers.tensors import tensors_of
from unetscope.files import locks
from unetscope.record import TensorSpec

LOCKS = ROOT / "configs" / "locks"
SHIPPED = sorted(path.stem for path in LOCKS.glob("*.lock") if "article" not in path.stem)
FAST = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}
OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def in_diffusers_names(shapes):
    return shapes


def in_original_names(shapes):
    """The same network in CompVis' and guided-diffusion's names, as their code has its tensors."""
    names = compvis_names(shapes)
    found = {}
    for ours, shape in shapes.items():
        theirs = names.get(ours, ours)
        of_pixels = ".attentions." in ours and ".transformer_blocks." not in ours
        if of_pixels and ".to_" in ours and theirs != ours:
            rows = 3 * shape[0] if ".qkv." in theirs else shape[0]
            shape = (rows, *shape[1:], 1) if ours.endswith("weight") else (rows,)
        found[theirs] = shape
    return found


def in_old_names(shapes):
    """As diffusers called attentions to pixels before it had one class for all of them."""
    found = {}
    for name, shape in shapes.items():
        unit, _, last = name.rpartition(".")
        for new, old in OLD.items():
            if unit.endswith(f".{new}") and ".attentions." in unit and ".attn" not in unit:
                name = f"{unit.removesuffix(new)}{old}.{last}"
        found[name] = shape
    return found


DIALECTS = [in_diffusers_names, in_original_names, in_old_names]


def specs(shapes):
    return {name: TensorSpec(tuple(shape), "float16") for name, shape in shapes.items()}


def inferred_shapes(shapes):
    """The tensors of the network whose config is inferred."""
    found = infer(specs(shapes))
    assert set(found.names.values()) == set(shapes)
    known = find(found.config["family"])
    return tensors_of(msgspec.convert(found.config["unet"], known.options))


@cache
def _of_lock(name):
    """A published network's tensors but for fixed filters, which no checkpoint holds."""
    tensors = locks.load(LOCKS / f"{name}.lock").tensors
    return {t.name: tuple(t.shape) for t in tensors if not t.name.endswith(".kernel")}


def of_lock(name):
    return dict(_of_lock(name))


def read(text, folder):
    file = folder / "x.yaml"
    file.write_text(text)
    return load(str(file))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", SHIPPED)
def test_every_published_network(name, dialect):
    shapes = of_lock(name)
    assert inferred_shapes(dialect(shapes)) == shapes


@pytest.mark.parametrize("name", SHIPPED)
def test_what_shapes_tell_of_a_published_network(name):
    """All options are the published ones but for those that no shape tells."""
    spec = load(name)
    config = infer(specs(of_lock(name))).config
    assert config["family"] == spec.family
    found = msgspec.convert(config["unet"], type(spec.unet))
    other = {
        key
        for key in type(spec.unet).__struct_fields__
        if getattr(found, key) != getattr(spec.unet, key)
    }
    allowed = {"sample_size", "upcast_attention", "attention_head_dim"}
    if name in ("ssd_1b", "segmind_vega"):  # they write as lists what may be one number
        allowed |= {"transformer_layers_per_block", "reverse_transformer_layers_per_block"}
    assert other <= allowed


def test_conventions_are_told():
    told = " ".join(infer(specs(of_lock("sd15"))).conventions)
    assert "attention_head_dim: 8 heads" in told
    assert "norm_num_groups: 32" in told


@pytest.mark.parametrize("name", SHIPPED)
def test_the_config_is_read_and_built(name, tmp_path):
    """A narrow twin: the file that is written builds on meta what was given."""
    spec = load(name)
    factor = gcd(*spec.unet.block_out_channels) // 32
    narrow = [f"block_out_channels={[n // factor for n in spec.unet.block_out_channels]}"]
    document = document_of(name, narrow)
    if list(findings(document)):
        narrow.append("attention_head_dim=4")
    unet = load(name, overrides=narrow).unet
    shapes = tensors_of(unet)
    config = read(to_yaml(infer(specs(in_original_names(shapes)))), tmp_path)
    with torch.device("meta"):
        network = build(config.family, config.unet)
    assert {key: tuple(t.shape) for key, t in network.state_dict().items()} == shapes


FAMILIES = {
    "UNet2DConditionModel": conditional_options,
    "UNet2DModel": plain_options,
    "ControlNetModel": controlnet_options,
}


def sound(family, options):
    """The options, if no rule objects to them."""
    known = find(family)
    try:
        found = msgspec.convert(options, known.options)
    except msgspec.ValidationError:
        return None
    return None if any(True for _ in known.findings(found, {})) else found


@pytest.mark.parametrize("family", FAMILIES)
def test_any_network(family):
    @settings(max_examples=60, **FAST)
    @given(FAMILIES[family]())
    def check(options):
        if (unet := sound(family, options)) is not None:
            shapes = tensors_of(unet)
            assert inferred_shapes(shapes) == shapes

    check()


def maybe(*depths):
    return st.sampled_from(depths)


@st.composite
def of_the_wild(draw):
    """Networks of Stable Diffusion's kinds, whole and pruned, of any width and depth."""
    levels = draw(st.integers(1, 5))
    layers = [draw(st.integers(1, 4)) for _ in range(levels)]
    kept = [sorted(draw(st.sets(st.integers(0, n), min_size=1))) for n in reversed(layers)]
    joins = [
        each if draw(st.booleans()) else count + 1
        for each, count in zip(kept, reversed(layers), strict=True)
    ]
    ups = [len(each) if isinstance(each, list) else each for each in joins]
    depth = maybe(None, 0, 1, 2, 3)
    crosses = [draw(st.booleans()) for _ in range(levels)]
    return {
        "in_channels": draw(st.integers(1, 12)),
        "out_channels": draw(st.integers(1, 8)),
        "block_out_channels": [32 * draw(st.integers(1, 6)) for _ in range(levels)],
        "layers_per_block": layers,
        "up_layers_per_block": joins,
        "down_block_types": ["CrossAttnDownBlock2D" if c else "DownBlock2D" for c in crosses],
        "up_block_types": [
            "CrossAttnUpBlock2D" if draw(st.booleans()) else "UpBlock2D" for _ in crosses
        ],
        "mid_block_type": draw(maybe("UNetMidBlock2DCrossAttn", "UNetMidBlock2D", None)),
        "transformer_layers_per_block": [[draw(depth) for _ in range(n)] for n in layers],
        "reverse_transformer_layers_per_block": [[draw(depth) for _ in range(n)] for n in ups],
        "transformer_layers_per_mid_block": draw(st.integers(0, 4)),
        "cross_attention_dim": draw(maybe(5, 64, 768)),
        "attention_head_dim": 8,
        "use_linear_projection": draw(st.booleans()),
        "num_class_embeds": draw(maybe(None, 7)),
    }


@pytest.mark.parametrize("dialect", DIALECTS)
def test_any_pruned_network(dialect):
    @settings(max_examples=60, **FAST)
    @given(of_the_wild())
    def check(options):
        if (unet := sound("UNet2DConditionModel", options)) is not None:
            shapes = tensors_of(unet)
            assert inferred_shapes(dialect(shapes)) == shapes

    check()


@st.composite
def damaged(draw):
    """A network's tensors of which one is changed, lacks, or has a stranger beside it."""
    name = draw(st.sampled_from(["sd15", "adm_imagenet64", "if_II_L", "sd_x2_latent_upscaler"]))
    shapes = draw(st.sampled_from(DIALECTS))(of_lock(name))
    victim = draw(st.sampled_from(sorted(shapes)))
    shape = shapes.pop(victim)
    lengths = st.sampled_from([0, 1, 2, 3, 8, 64, 320, 1280, 65_537, 2**62])
    match draw(st.integers(0, 3)):
        case 0:
            shapes[victim] = tuple(draw(st.lists(lengths, max_size=5)))
        case 1:
            axis = draw(st.integers(0, len(shape) - 1))
            shapes[victim] = (*shape[:axis], draw(lengths), *shape[axis + 1 :])
        case 2:
            parts = victim.split(".")
            at = draw(st.integers(0, len(parts) - 1))
            parts[at] = draw(st.sampled_from(["", "0", "7", "00", "9999", "x", parts[0]]))
            shapes[".".join(parts)] = shape
    return shapes


@settings(max_examples=40, **FAST)
@given(damaged())
def test_never_a_wrong_config(shapes):
    try:
        found = infer(specs(shapes))
    except NotInferredError:
        return
    built = inferred_shapes(shapes)
    assert set(found.names) == set(built)
    for ours, theirs in found.names.items():
        assert built[ours] == shapes[theirs] or ".attentions." in ours


def test_one_tensor_less_and_one_more_are_named():
    shapes = of_lock("sd15")
    del shapes["up_blocks.2.resnets.1.norm2.bias"]
    shapes["mid_block.stranger.weight"] = (3,)
    with pytest.raises(NotInferredError) as caught:
        infer(specs(shapes))
    over, lacking = caught.value.reasons
    assert "mid_block.stranger.weight" in over
    assert "up_blocks.2.resnets.1.norm2.bias" in lacking


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["double_blocks.0.img_attn.qkv.weight", "img_in.weight"], "transformer"),
        (["encoder.conv_in.weight", "decoder.conv_in.weight"], "autoencoder"),
        (["conv_in.weight", "down_blocks.0.temp_convs.0.conv1.0.weight"], "videos"),
        (["lora_unet_mid_block_attentions_0_proj_in.lora_down.weight"], "LoRA"),
        (["fc.weight"], "no first convolution"),
        ([], "no first convolution"),
    ],
)
def test_what_is_no_such_network_is_told(names, told):
    with pytest.raises(NotInferredError, match=told):
        infer(specs(dict.fromkeys(names, (4, 4))))


def test_a_published_network_is_extended_where_one_option_differs(tmp_path):
    unet = load("sd15", overrides=["in_channels=7"]).unet
    text = to_yaml(infer(specs(tensors_of(unet))))
    assert "extends: sd15\n" in text
    assert "in_channels: 7" in text
    assert tensors_of(read(text, tmp_path).unet) == tensors_of(unet)
