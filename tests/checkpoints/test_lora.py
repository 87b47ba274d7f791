"""Low-rank additions: their base is told from all of their targets, in every spelling."""

from functools import cache, partial
from math import prod

import pytest
from checkpoint_files import ROOT
from named_networks import header, under

from unetscope.analysis.names import compvis_names
from unetscope.checkpoints.claims import contradictions
from unetscope.checkpoints.lora.bases import bases
from unetscope.checkpoints.parts import parts
from unetscope.files import locks

BASES = {base.name: base for base in bases()}
PUBLISHED = {
    "sd15": "SD1",
    "sd21": "SD2",
    "sdxl_base": "SDXL",
    "sdxl_refiner": "the refiner of SDXL",
    "ssd_1b": "SSD-1B",
    "segmind_vega": "Segmind Vega",
}


@cache
def weights(config):
    """Module -> its weight's shape, of all linear layers and convolutions of a shipped network."""
    lock = locks.load(ROOT / "configs" / "locks" / f"{config}.lock")
    return {
        tensor.name.removesuffix(".weight"): tensor.shape
        for tensor in lock.tensors
        if tensor.name.endswith(".weight") and len(tensor.shape) > 1
    }


@pytest.mark.parametrize("config", PUBLISHED)
@pytest.mark.parametrize("dialect", ["diffusers", "CompVis"])
def test_the_bases_are_the_published_networks(config, dialect):
    modules = weights(config)
    if dialect == "CompVis":
        modules = {theirs: modules[ours] for ours, theirs in compvis_names(modules).items()}
    known = BASES[PUBLISHED[config]].modules
    for name, shape in modules.items():
        layer = known[name.replace(".", "_")]
        assert (layer.outputs, layer.inputs) == shape[:2]
        assert layer.convolves == (len(shape) == 4)
    assert len(known) == len({*weights(config)} | {*compvis_names(weights(config)).values()})


TRANSFORMERS = {
    "Flux.1": ("FluxTransformer2DModel", {"num_layers": 1, "num_single_layers": 1}),
    "Flux.2 dev": ("Flux2Transformer2DModel", {"num_layers": 1, "num_single_layers": 1}),
    "SD3 medium": (
        "SD3Transformer2DModel",
        {"num_layers": 2, "num_attention_heads": 24, "caption_projection_dim": 1536},
    ),
    "Wan 14B": ("WanTransformer3DModel", {"num_layers": 1, "added_kv_proj_dim": 5120}),
    "HunyuanVideo": ("HunyuanVideoTransformer3DModel", {"num_layers": 1, "num_single_layers": 1}),
    "Qwen-Image": ("QwenImageTransformer2DModel", {"num_layers": 1}),
    "LTX-Video": ("LTXVideoTransformer3DModel", {"num_layers": 1}),
    "LongCat-Image": (
        "LongCatImageTransformer2DModel",
        {"num_layers": 1, "num_single_layers": 1},
    ),
    "Ovis-Image": ("OvisImageTransformer2DModel", {"num_layers": 1, "num_single_layers": 1}),
    "DiT-XL": ("DiTTransformer2DModel", {"num_layers": 1}),
    "PixArt": ("PixArtTransformer2DModel", {"num_layers": 1}),
    "CogVideoX 2B": ("CogVideoXTransformer3DModel", {"num_layers": 1}),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_the_blocks_of_transformers_are_diffusers(name):
    diffusers = pytest.importorskip("diffusers")
    torch = pytest.importorskip("torch")
    kind, options = TRANSFORMERS[name]
    with torch.device("meta"):
        network = getattr(diffusers, kind)(**options)
    checked = 0
    for path, module in network.named_modules():
        layer = BASES[name].modules.get(path.replace(".", "_"))
        # The last of its blocks hands nothing on, and here that is another one.
        if layer is not None and "_context" not in path:
            assert (layer.inputs, layer.outputs) == (module.in_features, module.out_features)
            checked += 1
    attention = [
        path
        for path, module in network.named_modules()
        if ".0." in path
        and "blocks" in path.partition(".")[0]
        and isinstance(module, torch.nn.Linear)
        and ".to_" in path
    ]
    assert attention
    assert all(path.replace(".", "_") in BASES[name].modules for path in attention)
    assert checked >= len(attention)


def kohya(modules, rank=4, prefix="lora_unet_"):
    found = {}
    for name, shape in modules.items():
        path = prefix + name.replace(".", "_")
        kernel = shape[2:]
        found[f"{path}.lora_down.weight"] = (rank, shape[1], *kernel)
        found[f"{path}.lora_up.weight"] = (shape[0], rank, *(1 for _ in kernel))
        found[f"{path}.alpha"] = ()
    return found


def peft(modules, rank=4, prefix="unet."):
    found = {}
    for name, shape in modules.items():
        found[f"{prefix}{name}.lora_A.weight"] = (rank, *shape[1:])
        found[f"{prefix}{name}.lora_B.weight"] = (shape[0], rank, *(1 for _ in shape[2:]))
    return found


def old(modules, rank=4, prefix="unet."):
    found = {}
    for name, shape in modules.items():
        attention, _, end = name.removesuffix(".0").rpartition(".")
        path = f"{prefix}{attention}.processor.{end}_lora"
        found[f"{path}.down.weight"] = (rank, shape[1])
        found[f"{path}.up.weight"] = (shape[0], rank)
    return found


def loha(modules, rank=4, prefix="lora_unet_"):
    found = {}
    for name, (outputs, *inputs) in modules.items():
        path = prefix + name.replace(".", "_")
        flat = inputs[0] * (9 if inputs[1:] == [3, 3] else 1)
        for number in "12":
            found[f"{path}.hada_w{number}_a"] = (outputs, rank)
            found[f"{path}.hada_w{number}_b"] = (rank, flat)
        found[f"{path}.alpha"] = ()
    return found


def lokr(modules, rank=4, prefix="lora_unet_"):
    found = {}
    for name, (outputs, inputs, *_) in modules.items():
        path = prefix + name.replace(".", "_")
        found[f"{path}.lokr_w1"] = (4, 4)
        found[f"{path}.lokr_w2_a"] = (outputs // 4, rank)
        found[f"{path}.lokr_w2_b"] = (rank, inputs // 4)
    return found


def glora(modules, rank=4, prefix="lora_unet_"):
    found = {}
    for name, (outputs, inputs, *_) in modules.items():
        path = prefix + name.replace(".", "_")
        found[f"{path}.a1.weight"] = (inputs, rank)
        found[f"{path}.a2.weight"] = (rank, inputs)
        found[f"{path}.b1.weight"] = (outputs, rank)
        found[f"{path}.b2.weight"] = (rank, inputs)
    return found


def full(modules, prefix="lora_unet_", **_):
    return {f"{prefix}{name.replace('.', '_')}.diff": shape for name, shape in modules.items()}


def ia3(modules, prefix="lora_unet_", **_):
    """LyCORIS' scales, of what is written but for the second layer of each network forward."""
    found = {}
    for name, (outputs, inputs, *kernel) in modules.items():
        path = prefix + name.replace(".", "_")
        size = inputs if name.endswith("ff.net.2") else outputs
        found[f"{path}.weight"] = (1, size, *(1 for _ in kernel)) if kernel else (size,)
        found[f"{path}.on_input"] = ()
    return found


def ia3_of_peft(modules, **_):
    found = {}
    for name, (outputs, inputs, *_) in modules.items():
        shape = (1, inputs) if ".ff." in name else (outputs, 1)
        found[f"base_model.model.{name}.ia3_l"] = shape
    return found


def oft(modules, blocks=4, prefix="oft_unet_", piece="oft_blocks"):
    """sd-scripts' rotations of what is written; LyCORIS' first name of them was `oft_diag`."""
    found = {}
    for name, (outputs, *_) in modules.items():
        path = prefix + name.replace(".", "_")
        found[f"{path}.{piece}"] = (blocks, outputs // blocks, outputs // blocks)
        found[f"{path}.alpha"] = ()
    return found


def boft(modules, blocks=4, **_):
    found = oft(modules, blocks, prefix="lora_unet_")
    return {name: (3, *shape) if shape else shape for name, shape in found.items()}


def oft_of_peft(modules, blocks=4, **_):
    """PEFT's rotations of what is read, which keep half of a skew-symmetric matrix."""
    found = {}
    for name, (_, inputs, *kernel) in modules.items():
        side = inputs * prod(kernel) // blocks
        found[f"base_model.model.{name}.oft_R.weight"] = (blocks, side * (side - 1) // 2)
    return found


def boft_of_peft(modules, blocks=4, **_):
    found = {}
    for name, (outputs, inputs, *_) in modules.items():
        path, side = f"base_model.model.{name}", inputs // blocks
        found |= {f"{path}.boft_R": (2, blocks, side, side), f"{path}.boft_s": (outputs, 1)}
    return found


def forward(config):
    """The attentions with the networks behind them, whose layers read and write other widths."""
    return attentions(config) | {n: s for n, s in weights(config).items() if ".ff." in n}


def attentions(config):
    return {
        name: shape
        for name, shape in weights(config).items()
        if ".attn" in name and "time" not in name
    }


FORMS = {
    "LoRA": kohya,
    "LoRA of PEFT": peft,
    "LoRA of old diffusers": old,
    "LoHa": loha,
    "LoKr": lokr,
    "GLoRA": glora,
    "full difference": full,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("config", ["sd15", "sd21", "sdxl_base", "ssd_1b"])
def test_the_base_is_told_from_the_targets(form, config):
    modules = attentions(config)
    (found,) = parts(header(FORMS[form](modules)))
    name = form.partition(" of ")[0]
    assert found.kind == "lora"
    assert found.name == f"{name} for {PUBLISHED[config]}"
    assert not found.doubts
    assert f"{len(modules)} of {len(modules)} targets" in " ".join(found.evidence)
    if form not in ("full difference",):
        assert "its rank is 4" in found.evidence
    assert "it adds to no text encoder" in found.evidence


ROTATED = {
    "OFT": oft,
    "OFT of LyCORIS": partial(oft, prefix="lora_unet_"),
    "OFT of old LyCORIS": partial(oft, prefix="lora_unet_", piece="oft_diag"),
    "OFT of PEFT": oft_of_peft,
    "BOFT": boft,
    "BOFT of PEFT": boft_of_peft,
    "IA3": ia3,
    "IA3 of PEFT": ia3_of_peft,
}


@pytest.mark.parametrize("form", ROTATED)
@pytest.mark.parametrize("config", ["sd15", "sdxl_base", "sdxl_refiner"])
def test_rotations_and_scales_tell_one_side_of_their_modules(form, config):
    modules = forward(config)
    (found,) = parts(header(ROTATED[form](modules)))
    name = form.partition(" of ")[0]
    # Only what reads the text differs between SD1 and SD2, and no form but PEFT's looks at that.
    tells = config != "sd15" or form in ("OFT of PEFT", "BOFT of PEFT")
    assert found.name == f"{name} for " + (PUBLISHED[config] if tells else "SD1 or SD2")
    assert f"{len(modules)} of {len(modules)} targets" in " ".join(found.evidence)
    assert "its rank is" not in " ".join(found.evidence)
    narrow = {n: (s[0] // 2, s[1] // 2, *s[2:]) for n, s in modules.items()}
    (found,) = parts(header(ROTATED[form](narrow)))
    assert found.name == name
    assert "no network that is known has its targets" in found.doubts


def test_convolutions_are_rotated_and_scaled_too():
    modules = {n: s for n, s in weights("sd15").items() if "resnets" in n}
    for form in (oft, oft_of_peft, ia3):
        (found,) = parts(header(form(modules)))
        assert found.name.endswith(" for SD1 or SD2")
        assert f"{len(modules)} of {len(modules)} targets" in " ".join(found.evidence)


def test_one_block_that_all_may_share_tells_no_channels():
    shared = {f"{name}.oft_R.weight": (1, 28) for name in forward("sdxl_base")}
    (found,) = parts(header(under("base_model.model.", shared)))
    assert found.name == "OFT for SDXL"


@pytest.mark.parametrize("shape", [(), (0,), (1, 1), (4, 5), (0, 0, 0), (1, 1, 1, 1, 1)])
@pytest.mark.parametrize(
    "piece", ["oft_R.weight", "oft_r", "oft_s", "oft_blocks", "oft_blocks.0", "boft_R", "ia3_l"]
)
def test_pieces_of_any_shape_are_told_by_name(piece, shape):
    (found,) = parts(header({f"base_model.model.mid_block.x.{piece}": shape}))
    assert found.kind == "lora"
    assert found.name in ("OFT", "BOFT", "IA3")


def test_oft_of_flux_rotates_each_of_what_is_fused():
    found = {}
    for name, layer in BASES["Flux.1"].modules.items():
        if name.endswith(("img_attn_qkv", "txt_attn_qkv", "_linear1")) and name.startswith(
            ("double_", "single_")
        ):
            splits = [3072] * 3 + ([12288] if name.endswith("linear1") else [])
            assert sum(splits) == layer.outputs
            for number, size in enumerate(splits):
                found[f"oft_unet_{name}.oft_blocks.{number}"] = (4, size // 4, size // 4)
    (part,) = parts(header(found))
    assert part.name == "OFT for Flux.1 or Chroma"


def test_modules_named_as_those_of_glora_are_no_addition():
    branches = {f"Mixed_5b.{end}.weight": (64, 192) for end in ("b1", "b2")}
    (found,) = parts(header(branches))
    assert found.kind == "other"


def test_norms_that_are_trained_too_raise_no_doubt():
    modules = attentions("sd15")
    norms = {
        f"{n.partition('.attn')[0]}.norm1": (s[1],) for n, s in modules.items() if "attn1" in n
    }
    trained = {f"lora_unet_{n.replace('.', '_')}.w_norm": s for n, s in norms.items()}
    (found,) = parts(header(loha(modules) | trained))
    assert (found.name, found.doubts) == ("LoHa for SD1", ())
    (found,) = parts(header(trained))
    assert found.name == "difference of norms"


def test_an_encoder_is_told_by_the_names_of_its_blocks_as_well():
    names = (
        "lora_te_layers_{}_self_attn_q_proj",
        "lora_te3_encoder_block_{}_layer_0_SelfAttention_q",
    )
    for name, width, encoder in ((names[0], 1024, ""), (names[1], 4096, " for T5-XXL")):
        modules = {name.format(n): (width, width) for n in range(2)}
        (found,) = parts(header(kohya(modules, prefix="")))
        assert found.name == f"LoRA{encoder}"


def test_kohya_spells_sdxl_in_compvis_names():
    modules = weights("sdxl_base")
    theirs = {name: modules[ours] for ours, name in compvis_names(modules).items()}
    (found,) = parts(header(kohya(theirs)))
    assert found.name == "LoRA for SDXL"


def test_without_cross_attention_a_projection_may_tell():
    """Attention to the text is what differs between SD1 and SD2, but for the layers around it."""
    for config, other in (("sd15", "sd21"), ("sd21", "sd15")):
        own = {name: s for name, s in attentions(config).items() if ".attn1." in name}
        (found,) = parts(header(kohya(own)))
        assert found.name == "LoRA for SD1 or SD2"
        assert "in SD1 and in SD2 alike" in found.doubts[0]
        entered = {name: s for name, s in weights(config).items() if name.endswith("proj_in")}
        (found,) = parts(header(kohya(own | entered)))
        assert found.name == f"LoRA for {PUBLISHED[config]}", other


def test_parts_that_are_added_to_and_ranks():
    network = kohya(attentions("sdxl_base"), 8)
    encoder = "lora_te{}_text_model_encoder_layers_0_self_attn_q_proj"
    one = kohya({encoder.format(1): (768, 768)}, prefix="")
    two = kohya({encoder.format(2): (1280, 1280)}, prefix="")
    (found,) = parts(header(network | one | two))
    said = " ".join(found.evidence)
    assert "`te1`, CLIP ViT-L/14: 1" in said
    assert "`te2`, OpenCLIP ViT-bigG/14: 1" in said
    assert "its ranks are 4 to 8, most of them 8" in said
    assert "no text encoder" not in said
    (found,) = parts(header(one))
    assert found.name == "LoRA for CLIP ViT-L/14"


def test_targets_that_the_base_has_not():
    modules = attentions("sd15")
    strange = {
        "somewhere.else.to_q": (320, 320),
        "mid_block.attentions.0.proj_out": (99, 1280, 1, 1),
    }
    (found,) = parts(header(kohya(modules | strange)))
    assert found.name == "LoRA for SD1"
    assert f"2 of {len(modules) + 2} targets are not in SD1" in found.doubts[0]
    assert "`lora_unet_somewhere_else_to_q`" in found.doubts[0]
    (found,) = parts(header(kohya(strange)))
    assert found.name == "LoRA"
    assert found.doubts == ("no network that is known has its targets",)


@pytest.mark.parametrize("prefix", ["transformer.", "diffusion_model.", "", "lora_unet_"])
def test_flux_in_every_spelling(prefix):
    flux = {
        name: (layer.outputs, layer.inputs)
        for name, layer in BASES["Flux.1"].modules.items()
        if name.startswith(("double_blocks", "single_blocks"))
    }
    (found,) = parts(header((kohya if "_" in prefix[-1:] else peft)(flux, prefix=prefix)))
    assert found.name == "LoRA for Flux.1"
    attention = {name: shape for name, shape in flux.items() if "attn" in name}
    (found,) = parts(header(peft(attention, prefix=prefix)))
    assert found.name == "LoRA for Flux.1 or Chroma"


@pytest.mark.parametrize("name", ["LongCat-Image", "Ovis-Image", "Flux.1", "Wan 14B"])
def test_relatives_of_known_networks_are_named_or_doubted(name):
    modules = {
        module: (layer.outputs, layer.inputs)
        for module, layer in BASES[name].modules.items()
        if "_attn_to_" in module or "_attn1_to_" in module
    }
    (found,) = parts(header(kohya(modules)))
    said = " ".join(found.doubts)
    assert found.name == f"LoRA for {name}" + (" or Chroma" if name == "Flux.1" else "")
    assert ("Bria" in said) == (name == "Flux.1")
    assert ("made of Wan may have the same modules" in said) == (name == "Wan 14B")


def test_two_thirds_of_its_targets_are_not_enough_for_a_base():
    modules = attentions("sd15")
    strange = {f"somewhere.{number}.to_q": (320, 320) for number in range(len(modules) // 2)}
    (found,) = parts(header(kohya(modules | strange)))
    assert found.name == "LoRA"


def test_dora_says_so():
    modules = attentions("sd15")
    scales = {f"lora_unet_{n.replace('.', '_')}.dora_scale": (1, s[1]) for n, s in modules.items()}
    (found,) = parts(header(kohya(modules) | scales))
    assert found.name == "DoRA for SD1"


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "that is SDXL"),
        ({"ss_network_dim": "128"}, "`ss_network_dim` is `128`"),
        ({"ss_network_dim": "9" * 5000}, None),
        ({"ss_network_args": '{"algo": "lokr"}'}, "`lokr`"),
        ({"ss_network_args": "["}, None),
        ({"ss_network_args": '{"algo": "locon"}', "ss_network_module": "lycoris.kohya"}, None),
        ({"ss_network_args": '{"algo": "diag-oft"}'}, "`diag-oft`"),
        ({"ss_network_module": "networks.oft"}, "`networks.oft`"),
        ({"ss_network_module": "networks.lora_flux"}, None),
        ({"ss_v2": "True"}, "that is SD2"),
        ({"ss_base_model_version": "sd_v1", "ss_network_dim": "4"}, None),
    ],
)
def test_what_trainers_wrote(metadata, said):
    file = header(kohya(attentions("sd15")), metadata=metadata)
    found = contradictions(file, parts(file))
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_what_trainers_wrote_of_other_forms():
    modules = attentions("sd21")
    for tensors, metadata, said in (
        (oft(modules), {"ss_network_module": "networks.oft"}, []),
        (oft(modules), {"ss_network_module": "networks.lora"}, ["form of the tensors is OFT"]),
        (full(modules), {"ss_network_args": '{"algo": "full"}'}, []),
        (full(modules) | loha(modules, prefix="x_"), {"ss_network_args": '{"algo": "full"}'}, []),
        (kohya(modules), {"ss_v2": "False"}, ["`ss_v2` is `False`"]),
        (kohya(modules, rank=12), {"ss_network_dim": "4"}, []),
        (kohya(modules, rank=8), {"ss_network_dim": "4"}, ["`ss_network_dim` is `4`"]),
    ):
        file = header(tensors, metadata=metadata)
        found = contradictions(file, parts(file))
        assert len(found) == len(said)
        assert all(part in text for part, text in zip(said, found, strict=True))


def test_a_network_beside_its_addition(sd15_shapes):
    both = header(sd15_shapes | peft(attentions("sd15"), prefix=""))
    assert {part.kind for part in parts(both)} == {"unet", "lora"}


def test_an_adapter_keeps_its_own_low_rank_tensors():
    adapter = {
        "image_proj.proj.0.weight": (1024, 512),
        "image_proj.proj.2.weight": (3072, 1024),
        "ip_adapter.1.to_k_ip.weight": (320, 768),
        "ip_adapter.0.to_q_lora.down.weight": (128, 320),
        "ip_adapter.0.to_q_lora.up.weight": (320, 128),
    }
    (found,) = parts(header(adapter))
    assert (found.kind, found.name) == ("ip adapter", "IP-Adapter for SD1, FaceID")
    assert found.tensors.keys() == adapter.keys()


def test_a_few_blocks_fit_several_bases():
    few = {name: s for name, s in attentions("sd15").items() if "down_blocks.1" in name}
    (found,) = parts(header(kohya(few)))
    assert found.name == "LoRA for SD1"
    few = {n: s for n, s in attentions("sdxl_base").items() if "down_blocks.1.attentions.0" in n}
    one = {name: s for name, s in few.items() if "transformer_blocks.0" in name}
    (found,) = parts(header(kohya(one)))
    assert found.name == "LoRA for SDXL or SSD-1B or Segmind Vega"
