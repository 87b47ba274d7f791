"""Diffusion transformers (DiTs), in their authors' names and in diffusers'.

Sources: comfyanonymous/ComfyUI, `comfy/model_detection.py`; city96/ComfyUI-GGUF, `convert.py`;
huggingface/diffusers, `models/transformers`; black-forest-labs/flux; Stability-AI/sd3.5;
Wan-Video/Wan2.1; Tencent/HunyuanVideo; PixArt-alpha; cloneofsimo/lavenderflow.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.signature import Pattern, Signature

DIT = "transformer"


def _dit(name: str, has: dict[str, Pattern], *lacks: str, doubt: str = "") -> Signature:
    return Signature(DIT, name, has, lacks, doubt=doubt)


_IMG, _GUIDED, _CONTROL = (
    "img_in.weight",
    "guidance_in.in_layer.weight",
    "controlnet_blocks.0.weight",
)
_FLUX = "double_blocks.0.img_attn.qkv.weight"
_DISTILLED = "distilled_guidance_layer.in_proj.weight"
_SHARED = "double_stream_modulation_img.lin.weight"
_OF_FLUX = (_DISTILLED, _SHARED, _CONTROL, "txt_norm.weight")
_GUIDED_D = "time_text_embed.guidance_embedder.linear_1.weight"
_FLUX_D = "single_transformer_blocks.0.attn.to_q.weight"
_DOUBLE_D = "transformer_blocks.0.attn.add_q_proj.weight"
_X = "x_embedder.weight"
_CONTROL_X = "controlnet_x_embedder.weight"
_SHARED_D = "double_stream_modulation_img.linear.weight"


def _flux() -> tuple[Signature, ...]:
    """Flux.1, whose kinds differ in the channels that are read, and in whether it is guided."""
    kinds = (
        ("Flux.1 dev", 64, True),
        ("Flux.1 schnell", 64, False),
        ("Flux.1 Fill", 384, True),
        ("Flux.1 Canny or Depth", 128, True),
    )
    doubt = "Flux.1 dev, Kontext and Krea have the same names and shapes"
    found = []
    for name, channels, guided in kinds:
        more: dict[str, Pattern] = {_GUIDED: None} if guided else {}
        more_d: dict[str, Pattern] = {_GUIDED_D: None} if guided else {}
        said = doubt if name == "Flux.1 dev" else ""
        lacks = _OF_FLUX if guided else (_GUIDED, *_OF_FLUX)
        own: dict[str, Pattern] = {_FLUX: (9216, 3072), _IMG: (3072, channels)}
        found.append(_dit(name, {**own, **more}, *lacks, doubt=said))
        lacks = (_CONTROL_X, _DISTILLED, *(() if guided else (_GUIDED_D,)))
        own = {
            _FLUX_D: (3072, 3072),
            _DOUBLE_D: (3072, 3072),
            _X: (3072, channels),
            "time_text_embed.text_embedder.linear_1.weight": (3072, 768),
        }
        found.append(_dit(name, {**own, **more_d}, *lacks, doubt=said))
    nunchaku: dict[str, Pattern] = {
        "single_transformer_blocks.0.mlp_fc1.weight": (12288, 3072),
        "transformer_blocks.0.qkv_proj_context.weight": (9216, 3072),
    }
    return (*found, _dit("Flux.1 in nunchaku's names", nunchaku))


def _flux2() -> tuple[Signature, ...]:
    found = []
    for name, width, context in (
        ("Flux.2 dev", 6144, 15360),
        ("Flux.2 Klein 4B", 3072, 7680),
        ("Flux.2 Klein 9B", 4096, 12288),
    ):
        own: dict[str, Pattern] = {_SHARED: (6 * width, width), _IMG: (width, 128)}
        found.append(_dit(name, {**own, "txt_in.weight": (width, context)}))
        own = {_SHARED_D: (6 * width, width), _X: (width, 128)}
        found.append(_dit(name, {**own, "context_embedder.weight": (width, context)}))
    return tuple(found)


_JOINT, _PATCHES = "joint_blocks.0.context_block.attn.qkv.weight", "x_embedder.proj.weight"
_PATCHES_D = "pos_embed.proj.weight"
_SELF, _SELF_D = "joint_blocks.0.x_block.attn2.qkv.weight", "transformer_blocks.0.attn2.to_q.weight"
_NORMED, _NORMED_D = (
    "joint_blocks.0.x_block.attn.ln_q.weight",
    "transformer_blocks.0.attn.norm_q.weight",
)
_INPUT_D = "pos_embed_input.proj.weight"


def _sd3() -> tuple[Signature, ...]:
    """SD3 and 3.5, which has normed queries; the medium one of 3.5 has a second attention."""
    wide: dict[str, Pattern] = {_JOINT: (3 * 2432, 2432), _PATCHES: (2432, 16, 2, 2)}
    narrow: dict[str, Pattern] = {_JOINT: (3 * 1536, 1536), _PATCHES: (1536, 16, 2, 2)}
    usual: dict[str, Pattern] = {
        "transformer_blocks.0.ff_context.net.0.proj.weight": None,
        "time_text_embed.text_embedder.linear_1.weight": None,
    }
    wide_d: dict[str, Pattern] = {**usual, _PATCHES_D: (2432, 16, 2, 2)}
    narrow_d: dict[str, Pattern] = {**usual, _PATCHES_D: (1536, 16, 2, 2)}
    return (
        _dit("SD3 medium", narrow, _SELF, _NORMED),
        _dit("SD3.5 medium", {**narrow, _SELF: None, _NORMED: None}),
        _dit("SD3.5 large", wide),
        _dit("SD3 medium", narrow_d, _SELF_D, _NORMED_D, _INPUT_D),
        _dit("SD3.5 medium", {**narrow_d, _SELF_D: None, _NORMED_D: None}, _INPUT_D),
        _dit("SD3.5 large", wide_d, _INPUT_D),
    )


_PIXART, _ADALN = "t_block.1.weight", "adaln_single.emb.timestep_embedder.linear_1.weight"
_SIZED, _SIZED_D = (
    "csize_embedder.mlp.0.weight",
    "adaln_single.emb.resolution_embedder.linear_1.weight",
)
_TEXT_D = "patch_embed.text_proj.weight"
_LUMINA = "noise_refiner.0.attention.k_norm.weight"


def _kinds() -> tuple[Signature, ...]:
    """What has the parts of a diffusion transformer, but is none that is known by name."""

    def kind(name: str, *keys: str) -> Signature:
        return Signature(DIT, name, dict.fromkeys(keys), general=True)

    step = "timestep_embedder.linear_1.weight"
    joint, own = "transformer_blocks.0.attn.to_q.weight", "transformer_blocks.0.attn1.to_q.weight"
    name = "a diffusion transformer"
    return (
        kind("a transformer of Flux.1's kind", _FLUX, "time_in.in_layer.weight"),
        kind("a transformer of SD3's kind", _JOINT, _PATCHES),
        kind(name, f"time_text_embed.{step}", joint),
        kind(name, f"time_embed.{step}", joint),
        kind(name, step, joint),
        kind(name, f"time_guidance_embed.{step}", joint),
        kind(name, f"time_condition_embed.{step}", own),
        kind(name, f"adaln_single.emb.{step}", own),
        kind(name, f"time_embed.emb.{step}", own),
        kind(name, "t_embedder.mlp.0.weight", "blocks.0.attn.qkv.weight"),
        kind(name, "t_embedder.mlp.0.weight", "layers.0.attention.to_q.weight"),
    )


SIGNATURES = (
    *_flux(),
    *_flux2(),
    _dit("Chroma", {_DISTILLED: (5120, 64), _FLUX: (9216, 3072)}, "nerf_blocks.0.norm.scale"),
    _dit(
        "Chroma Radiance", {_DISTILLED: (5120, 64), _FLUX: None, "nerf_blocks.0.norm.scale": None}
    ),
    _dit("Chroma", {_DISTILLED: (5120, 64), _FLUX_D: (3072, 3072)}),
    *_sd3(),
    _dit(
        "Hunyuan-DiT", {"mlp_t5.0.weight": (8192, 2048), "x_embedder.proj.weight": (1408, 4, 2, 2)}
    ),
    _dit(
        "AuraFlow", {"double_layers.0.attn.w1q.weight": (3072, 3072), "positional_encoding": None}
    ),
    _dit(
        "AuraFlow",
        {
            "joint_transformer_blocks.0.attn.add_q_proj.weight": (3072, 3072),
            "register_tokens": None,
        },
    ),
    _dit("PixArt-alpha, 1024 pixels", {_PIXART: (6912, 1152), _SIZED: None}),
    _dit("PixArt-sigma or PixArt-alpha of 512 pixels", {_PIXART: (6912, 1152)}, _SIZED),
    _dit(
        "PixArt-alpha, 1024 pixels",
        {_ADALN: (1152, 256), _PATCHES_D: (1152, 4, 2, 2), _SIZED_D: None},
    ),
    _dit(
        "PixArt-sigma or PixArt-alpha of 512 pixels",
        {_ADALN: (1152, 256), _PATCHES_D: (1152, 4, 2, 2)},
        _SIZED_D,
    ),
    _dit(
        "DiT",
        {
            "proj_out_1.weight": None,
            "transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight": None,
        },
    ),
    _dit(
        "DiT",
        {
            "y_embedder.embedding_table.weight": None,
            "blocks.0.adaLN_modulation.1.weight": None,
            "t_embedder.mlp.0.weight": None,
        },
    ),
    _dit(
        "CogView 3 Plus or CogView 4",
        {_TEXT_D: (None, 4096), "time_condition_embed.condition_embedder.linear_1.weight": None},
    ),
    _dit("Lumina 2", {_LUMINA: None, "cap_embedder.1.weight": (2304, 2304)}),
    _dit("Z-Image", {_LUMINA: None, "cap_embedder.1.weight": (3840, 2560)}),
    _dit(
        "Lumina 2",
        {
            "time_caption_embed.caption_embedder.1.weight": (2304, None),
            "noise_refiner.0.attn.norm_q.weight": None,
        },
    ),
    _dit("Z-Image", {"all_x_embedder.2-1.weight": (3840, 64), "cap_pad_token": (1, 3840)}),
    _dit(
        "OmniGen2",
        {
            "time_caption_embed.caption_embedder.1.weight": (2520, None),
            "ref_image_refiner.0.attn.norm_q.weight": None,
        },
    ),
    _dit(
        "Sana",
        {
            "time_embed.emb.timestep_embedder.linear_1.weight": None,
            "caption_norm.weight": (None,),
            "patch_embed.proj.weight": (None, 32, 1, 1),
        },
    ),
    _dit(
        "Sana",
        {
            "attention_y_norm.weight": None,
            "y_embedder.y_proj.fc1.weight": (None, 2304),
            "x_embedder.proj.weight": (None, 32, 1, 1),
        },
    ),
    _dit(
        "Qwen-Image",
        {
            "txt_norm.weight": (3584,),
            _IMG: (3072, 64),
            "transformer_blocks.0.img_mod.1.weight": (18432, 3072),
        },
    ),
    _dit("Qwen-Image 2.1", {"txt_in.text_norm.weight": (4096,), _IMG: (4096, 64)}),
    _dit(
        "HiDream-I1",
        {
            "caption_projection.0.linear.weight": None,
            "double_stream_blocks.0.block.ff_i.shared_experts.w3.weight": None,
        },
    ),
    _dit(
        "Kandinsky 5",
        {
            "visual_transformer_blocks.0.cross_attention.key_norm.weight": None,
            "visual_embeddings.in_layer.weight": None,
        },
    ),
    _dit(
        "Stable Audio",
        {"transformer.rotary_pos_emb.inv_freq": None, "to_timestep_embed.0.weight": None},
    ),
    _dit(
        "prior of unCLIP", {"prd_embedding": (1, 1, None), "proj_to_clip_embeddings.weight": None}
    ),
    _dit("Hunyuan3D 2", {"latent_in.weight": None, "cond_in.weight": None}),
    *_kinds(),
)
