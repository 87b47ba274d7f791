"""Signatures: each is told from all others, and fits the networks that the references build."""

import re

import pytest
from named_networks import (
    clip_text,
    clip_vision,
    compvis_vae,
    header,
    linear,
    llm,
    open_clip,
    t5,
    under,
)

from unetscope.checkpoints.identified import Certainty
from unetscope.checkpoints.known import in_original_names
from unetscope.checkpoints.parts import parts
from unetscope.checkpoints.signatures import SIGNATURES
from unetscope.record import TensorSpec
from unetscope.sources.identifying import identify


def least(signature):
    """The fewest tensors that bear a signature."""
    last = [form.format(count - 1) for form, count in signature.blocks.items()]
    found = {
        name: TensorSpec(tuple(7 if n is None else n for n in pattern or (7,)), "float16")
        for name, pattern in (dict.fromkeys(last) | dict(signature.has)).items()
    }
    if signature.elements:
        more = signature.elements - sum(spec.numel for spec in found.values())
        found["all.else"] = TensorSpec((more,), "float16")
    return found


@pytest.mark.parametrize("number", range(len(SIGNATURES)))
def test_what_bears_a_signature_bears_no_other(number):
    signature = SIGNATURES[number]
    tensors = least(signature)
    fit = [other for other in SIGNATURES if other.fits(tensors, "", frozenset())]
    exact = [other for other in fit if not other.general]
    assert signature in fit
    assert exact == ([] if signature.general else [signature])
    found = parts(header(under("net.", tensors)))
    assert [(part.kind, part.name) for part in found] == [(signature.kind, signature.name)]
    assert found[0].prefix == "net." or found[0].prefix.startswith("net.")
    assert any("`" in sentence for sentence in found[0].evidence)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        # LongCat-Image reads the text of another encoder, Ovis-Image norms it.
        ("Flux.1 schnell", {"txt_in.weight": (3072, 3584), "vector_in.in_layer.weight": None}),
        ("Flux.1 schnell", {"txt_norm.scale": (2048,)}),
        # Chroma Radiance reads pixels, NewBie the text of CLIP too.
        ("Chroma", {"img_in.weight": None, "img_in_patch.weight": (3072, 3, 16, 16)}),
        ("Lumina 2", {"clip_text_pooled_proj.0.weight": (1024,)}),
        ("Z-Image", {"siglip_embedder.0.weight": (1152,)}),
        ("Qwen-Image", {"time_text_embed.addition_t_embedding.weight": (2, 3072)}),
        ("Stable Cascade, stage B", {"effnet_mapper.0.weight": None}),
    ],
)
def test_relatives_do_not_bear_the_name(name, changed):
    signature = next(s for s in SIGNATURES if s.name == name)
    tensors = least(signature)
    (found,) = parts(header(tensors))
    assert found.name == name
    for key, shape in changed.items():
        tensors.pop(key, None)
        tensors |= {key: TensorSpec(shape, "float16")} if shape else {}
    (found,) = parts(header(tensors))
    assert found.name != name


NETWORKS = {
    "CLIP ViT-L/14": clip_text(768, 12),
    "Long-CLIP ViT-L/14": clip_text(768, 12, positions=248),
    "OpenCLIP ViT-H/14": clip_text(1024, 23),
    "OpenCLIP ViT-bigG/14": clip_text(1280, 32) | linear("text_projection", 1280, 1280, False),
    "CLIP ViT-L/14 with its image encoder": clip_text(768, 12) | clip_vision(1024, 24),
    "CLIP ViT-L/14, images": clip_vision(1024, 24),
    "OpenCLIP ViT-H/14, images": clip_vision(1280, 32),
    "OpenCLIP ViT-bigG/14, images": clip_vision(1664, 48),
    "T5-XXL v1.1": t5(4096, 10240, 24),
    "T5-XL v1.1": t5(2048, 5120, 24, heads=32),
    "T5-base v1.1": t5(768, 2048, 12, heads=12),
    "UMT5-XXL": t5(4096, 10240, 24, 256384, own_positions=True),
    "ByT5-small": t5(1472, 3584, 12, 384, heads=6),
    "mT5-XL": t5(2048, 5120, 24, 250112, heads=32),
    "Pile-T5-XL": t5(2048, 5120, 24, heads=32, own_positions=True),
    "LLaMA 3 8B": llm(4096, 128256, 32, 1024, 14336),
    "Qwen2.5 7B": llm(3584, 152064, 28, 512, 18944, "bias"),
    "Qwen3 4B": llm(2560, 151936, 36, 1024, 9728, "norm"),
    "Gemma 2 2B": llm(2304, 256000, 26, 1024, 9216, "after"),
    "Mistral Small 3 24B": llm(5120, 131072, 40, 1024, 32768),
    "a language model in LLaMA's names": llm(5120, 131072, 40, 1024, 14336),
    "KL autoencoder of SD1, SD2 and SDXL": compvis_vae(),
    "KL autoencoder of Flux.1 or SD3, 16 channels": compvis_vae(16, 32, quant=False),
    "KL autoencoder of the x4 upscaler": compvis_vae(levels=(128, 256, 512)),
    "an autoencoder of CompVis' kind": compvis_vae(3, 6, (128, 256, 256)),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("prefix", ["", "text_encoders.x.transformer.", "module._orig_mod."])
def test_networks_written_out_from_their_code(name, prefix):
    shapes = NETWORKS[name]
    found = parts(header(under(prefix, shapes)))
    assert [part.name for part in found] == [name]
    bare = prefix.replace("_orig_mod.", "")
    assert found[0].prefix == bare
    assert {n: spec.shape for n, spec in found[0].tensors.items()} == shapes
    assert found[0].nbytes == 2 * found[0].parameters


@pytest.mark.parametrize(
    ("name", "width", "layers"),
    [("OpenCLIP ViT-H/14", 1024, 24), ("OpenCLIP ViT-bigG/14", 1280, 32)],
)
def test_text_encoders_in_openclip_s_names(name, width, layers):
    found = parts(header(under("conditioner.embedders.1.model.", open_clip(width, layers))))
    assert [(p.kind, p.name) for p in found] == [("text encoder", name)]


KL = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}
SDXL = {
    "block_out_channels": (320, 640, 1280),
    "cross_attention_dim": 2048,
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
MOVING = {"cross_attention_dim": 768, "use_motion_mid_block": False}
STAGE_C = {
    "clip_text_in_channels": 1280,
    "clip_image_in_channels": 768,
    "switch_level": (False,),
}
STAGE_B = {
    "in_channels": 4,
    "out_channels": 4,
    "patch_size": 2,
    "conditioning_dim": 1280,
    "down_blocks_repeat_mappers": (1, 1, 1, 1),
    "up_blocks_repeat_mappers": (3, 3, 2, 2),
    "effnet_in_channels": 16,
    "pixel_mapper_in_channels": 3,
    "timestep_conditioning_type": ("sca",),
    "dropout": (0, 0, 0.1, 0.1),
}
BLOCK = ("SDCascadeResBlock", "SDCascadeTimestepBlock")
READS = (*BLOCK, "SDCascadeAttnBlock")
UNETS = {
    "Stable Video Diffusion": ("UNetSpatioTemporalConditionModel", {}),
    "ModelScope, text to video": ("UNet3DConditionModel", {}),
    "I2VGen-XL": ("I2VGenXLUNet", {}),
    "SD1, AnimateDiff v1": ("UNetMotionModel", MOVING | {"motion_max_seq_length": 24}),
    "SD1, AnimateDiff v2": ("UNetMotionModel", {"cross_attention_dim": 768}),
    "SD1, AnimateDiff v3": ("UNetMotionModel", MOVING),
    "SDXL, AnimateDiff": (
        "UNetMotionModel",
        SDXL
        | {
            "down_block_types": ("DownBlockMotion", *["CrossAttnDownBlockMotion"] * 2),
            "up_block_types": (*["CrossAttnUpBlockMotion"] * 2, "UpBlockMotion"),
            "num_attention_heads": (5, 10, 20),
            "temporal_transformer_layers_per_block": (1, 1, 1),
            "use_motion_mid_block": False,
        },
    ),
    "Kandinsky 3": ("Kandinsky3UNet", {}),
    "Stable Cascade, stage C": ("StableCascadeUNet", STAGE_C),
    "Stable Cascade, stage C (lite)": (
        "StableCascadeUNet",
        STAGE_C
        | {
            "block_out_channels": (1536, 1536),
            "num_attention_heads": (24, 24),
            "conditioning_dim": 1536,
            "down_num_layers_per_block": (4, 12),
            "up_num_layers_per_block": (12, 4),
        },
    ),
    "Stable Cascade, stage B": (
        "StableCascadeUNet",
        STAGE_B
        | {
            "block_out_channels": (320, 640, 1280, 1280),
            "num_attention_heads": (0, 0, 20, 20),
            "down_num_layers_per_block": (2, 6, 28, 6),
            "up_num_layers_per_block": (6, 28, 6, 2),
            "block_types_per_layer": (BLOCK, BLOCK, READS, READS),
        },
    ),
    "Stable Cascade, stage B (lite)": (
        "StableCascadeUNet",
        STAGE_B
        | {
            "block_out_channels": (320, 576, 1152, 1152),
            "num_attention_heads": (0, 9, 18, 18),
            "down_num_layers_per_block": (2, 4, 14, 4),
            "up_num_layers_per_block": (4, 14, 4, 2),
            "block_types_per_layer": (BLOCK, READS, READS, READS),
        },
    ),
}
CONTROLNETS = {
    "SparseCtrl": ("SparseControlNetModel", {"cross_attention_dim": 768}),
    "ControlNet union for SDXL": (
        "ControlNetUnionModel",
        SDXL | {"down_block_types": ("DownBlock2D", *["CrossAttnDownBlock2D"] * 2)},
    ),
}
BUILT = {
    "KL autoencoder of SD1, SD2 and SDXL": ("AutoencoderKL", KL),
    "KL autoencoder of Flux.1 or SD3, 16 channels": (
        "AutoencoderKL",
        KL | {"latent_channels": 16, "use_quant_conv": False, "use_post_quant_conv": False},
    ),
    "KL autoencoder of Stable Video Diffusion": (
        "AutoencoderKLTemporalDecoder",
        {k: v for k, v in KL.items() if k != "up_block_types"},
    ),
    "KL autoencoder of Flux.2, 32 channels": ("AutoencoderKLFlux2", {}),
    "asymmetric KL autoencoder": ("AsymmetricAutoencoderKL", {}),
    "VQ autoencoder": ("VQModel", {}),
    "autoencoder of Wan 2.1 or Qwen-Image": ("AutoencoderKLWan", {}),
    "autoencoder of HunyuanVideo": ("AutoencoderKLHunyuanVideo", {}),
    "autoencoder of CogVideoX": (
        "AutoencoderKLCogVideoX",
        {},
    ),
    "autoencoder of LTX-Video or LTX-2": ("AutoencoderKLLTXVideo", {}),
    "TAESD of SD1, SD2 or SDXL": ("AutoencoderTiny", {}),
    "Flux.1 dev": (
        "FluxTransformer2DModel",
        {"num_layers": 1, "num_single_layers": 1, "guidance_embeds": True},
    ),
    "Flux.1 schnell": ("FluxTransformer2DModel", {"num_layers": 1, "num_single_layers": 1}),
    "Flux.1 Fill": (
        "FluxTransformer2DModel",
        {
            "num_layers": 1,
            "num_single_layers": 1,
            "guidance_embeds": True,
            "in_channels": 384,
            "out_channels": 64,
        },
    ),
    "Flux.2 dev": ("Flux2Transformer2DModel", {"num_layers": 1, "num_single_layers": 1}),
    "Chroma": ("ChromaTransformer2DModel", {"num_layers": 1, "num_single_layers": 1}),
    "SD3 medium": (
        "SD3Transformer2DModel",
        {"num_layers": 2, "num_attention_heads": 24, "caption_projection_dim": 1536},
    ),
    "SD3.5 large": (
        "SD3Transformer2DModel",
        {
            "num_layers": 2,
            "num_attention_heads": 38,
            "caption_projection_dim": 2432,
            "qk_norm": "rms_norm",
        },
    ),
    "SD3.5 medium": (
        "SD3Transformer2DModel",
        {
            "num_layers": 2,
            "num_attention_heads": 24,
            "caption_projection_dim": 1536,
            "qk_norm": "rms_norm",
            "dual_attention_layers": (0,),
        },
    ),
    "Wan 14B, from text": ("WanTransformer3DModel", {"num_layers": 1}),
    "Wan 2.1 14B, from an image": (
        "WanTransformer3DModel",
        {"num_layers": 1, "in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120},
    ),
    "HunyuanVideo": (
        "HunyuanVideoTransformer3DModel",
        {"num_layers": 1, "num_single_layers": 1, "num_refiner_layers": 1},
    ),
    "LTX-Video": ("LTXVideoTransformer3DModel", {"num_layers": 1}),
    "PixArt-alpha, 1024 pixels": ("PixArtTransformer2DModel", {"num_layers": 1}),
    "CogVideoX 2B": ("CogVideoXTransformer3DModel", {"num_layers": 1}),
    "Qwen-Image": ("QwenImageTransformer2DModel", {"num_layers": 1}),
    "Qwen-Image-Layered": (
        "QwenImageTransformer2DModel",
        {"num_layers": 1, "use_additional_t_cond": True},
    ),
    "Flux.2 Klein 4B": (
        "Flux2Transformer2DModel",
        {
            "num_layers": 1,
            "num_single_layers": 1,
            "num_attention_heads": 24,
            "joint_attention_dim": 7680,
        },
    ),
    "Mochi": ("MochiTransformer3DModel", {"num_layers": 1}),
    "Sana": ("SanaTransformer2DModel", {"num_layers": 1}),
    "AuraFlow": ("AuraFlowTransformer2DModel", {"num_mmdit_layers": 1, "num_single_dit_layers": 1}),
    "a transformer of Wan's kind": ("WanTransformer3DModel", {"num_layers": 1, "in_channels": 5}),
    "AnimateDiff v2 for SD1": ("MotionAdapter", {}),
    "ControlNet for Flux.1": ("FluxControlNetModel", {"num_layers": 1, "num_single_layers": 1}),
    "ControlNet for SD3": ("SD3ControlNetModel", {"num_layers": 1}),
    "ControlNet for SD1": ("ControlNetModel", {"cross_attention_dim": 768}),
    "ControlNet for SD2": ("ControlNetModel", {"cross_attention_dim": 1024}),
}


DEPTHS = {
    "Flux.1 dev": {"transformer_blocks": 19, "single_transformer_blocks": 38},
    "Flux.1 schnell": {"transformer_blocks": 19, "single_transformer_blocks": 38},
    "Flux.1 Fill": {"transformer_blocks": 19, "single_transformer_blocks": 38},
    "Chroma": {"transformer_blocks": 19, "single_transformer_blocks": 38},
    "Flux.2 dev": {"transformer_blocks": 8, "single_transformer_blocks": 48},
    "SD3 medium": {"transformer_blocks": 24},
    "SD3.5 medium": {"transformer_blocks": 24},
    "SD3.5 large": {"transformer_blocks": 38},
    "Wan 14B, from text": {"blocks": 40},
    "Wan 2.1 14B, from an image": {"blocks": 40},
    "Qwen-Image": {"transformer_blocks": 60},
    "Qwen-Image-Layered": {"transformer_blocks": 60},
    "Flux.2 Klein 4B": {"transformer_blocks": 5, "single_transformer_blocks": 20},
    "PixArt-alpha, 1024 pixels": {"transformer_blocks": 28},
    "CogVideoX 2B": {"transformer_blocks": 30},
    "HunyuanVideo": {"transformer_blocks": 20, "single_transformer_blocks": 40},
}
"""How many blocks the published ones have; the first is built and repeated."""


def repeated(shapes, depths):
    for path, count in depths.items():
        first = {n: s for n, s in shapes.items() if n.startswith(f"{path}.0.")}
        for number in range(1, count):
            shapes |= {n.replace(".0.", f".{number}.", 1): s for n, s in first.items()}
    return shapes


@pytest.fixture(scope="module")
def diffusers():
    return pytest.importorskip("diffusers")


def built(diffusers, kind, options):
    """The shapes of a network of diffusers."""
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        network = getattr(diffusers, kind)(**options)
    return {n: tuple(tensor.shape) for n, tensor in network.state_dict().items()}


@pytest.mark.parametrize("name", BUILT)
def test_networks_of_diffusers(diffusers, name):
    shapes = built(diffusers, *BUILT[name])
    if name in DEPTHS:
        (found,) = parts(header(shapes))
        assert found.kind == "transformer"
        assert found.name.startswith("a ")
        shapes = repeated(shapes, DEPTHS[name])
    (found,) = parts(header(shapes))
    assert found.name == name
    assert {n: spec.shape for n, spec in found.tensors.items()} == shapes


@pytest.mark.parametrize("name", UNETS)
def test_unets_that_no_config_describes(diffusers, name):
    shapes = built(diffusers, *UNETS[name])
    found = identify(shapes)
    assert (found.certainty, found.label) == (Certainty.COMPONENT, name)
    assert [(part.kind, part.name) for part in found.parts] == [("unet", name)]
    assert any("elements in all" in sentence for sentence in found.evidence)


@pytest.mark.parametrize("name", UNETS)
def test_those_with_less_or_more_do_not_bear_the_name(diffusers, name):
    shapes = built(diffusers, *UNETS[name])
    inside = [n for n in shapes if re.match(r"(up|down)_blocks\.1\.", n)]
    pruned = {n: shape for n, shape in shapes.items() if n != inside[-1]}
    wider = shapes | {inside[0]: (1 + shapes[inside[0]][0], *shapes[inside[0]][1:])}
    for changed in (pruned, wider):
        assert identify(changed).label != name
        assert [part.kind for part in parts(header(changed))] == ["unet"]


def test_stable_video_diffusion_in_its_own_names(diffusers):
    shapes = built(diffusers, "UNetSpatioTemporalConditionModel", {})
    theirs = under("model.diffusion_model.", in_original_names(shapes))
    found = identify(theirs | {"conditioner.embedders.3.x.weight": (3,)})
    assert (found.certainty, found.label) == (Certainty.COMPONENT, "Stable Video Diffusion")
    first = next(iter(theirs))
    less = {n: shape for n, shape in theirs.items() if n != first}
    assert identify(less).label == "unknown UNet"


@pytest.mark.parametrize("name", CONTROLNETS)
def test_controlnets_that_no_config_describes(diffusers, name):
    found = identify(built(diffusers, *CONTROLNETS[name]))
    assert (found.certainty, found.label) == (Certainty.COMPONENT, name)
    assert any(told.startswith("it looks like a") for told in found.evidence)


def test_a_unet_that_nobody_knows_beside_a_component():
    unet = {"conv_in.weight": (8, 4, 3, 3), "conv_out.weight": (4, 8, 3, 3)}
    unet |= {f"{side}_blocks.0.resnets.0.conv1.weight": (8, 8, 3, 3) for side in ("down", "up")}
    beside = under("cond_stage_model.transformer.", clip_text(768, 12))
    found = identify(under("model.diffusion_model.", unet) | beside)
    assert (found.certainty, found.label) == (Certainty.UNKNOWN, "unknown UNet")
    assert {part.name for part in found.parts} == {"", "CLIP ViT-L/14"}
    assert found.evidence
    assert not any("text_model" in sentence for sentence in found.evidence)
