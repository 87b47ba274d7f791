"""Transformers of joint streams of image and text: Flux, Chroma and SD3, in both spellings.

Sources: black-forest-labs/flux and flux2; lodestone-rock/flow (Chroma); Stability-AI/sd3.5;
nunchaku-tech/nunchaku; comfyanonymous/ComfyUI, `comfy/model_detection.py`; huggingface/diffusers,
`transformer_flux.py` and `transformer_sd3.py`.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.dit import DIT, dit
from unetscope.checkpoints.signatures.signature import Pattern, Signature

_IMG, _GUIDED, _CONTROL = (
    "img_in.weight",
    "guidance_in.in_layer.weight",
    "controlnet_blocks.0.weight",
)
_FLUX = "double_blocks.0.img_attn.qkv.weight"
_DISTILLED = "distilled_guidance_layer.in_proj.weight"
_SHARED = "double_stream_modulation_img.lin.weight"
_OF_FLUX = (_DISTILLED, _SHARED, _CONTROL, "txt_norm.weight", "txt_norm.scale")
_POOLED, _TEXT = "vector_in.in_layer.weight", "txt_in.weight"
"""Flux.1 reads what CLIP pools and the text of T5-XXL; LongCat-Image does neither."""
_PIXELS = "img_in_patch.weight"
"""Where Chroma Radiance reads pixels, and nothing reads latents."""
_GUIDED_D = "time_text_embed.guidance_embedder.linear_1.weight"
_FLUX_D = "single_transformer_blocks.0.attn.to_q.weight"
_DOUBLE_D = "transformer_blocks.0.attn.add_q_proj.weight"
_X = "x_embedder.weight"
_CONTROL_X = "controlnet_x_embedder.weight"
_SHARED_D = "double_stream_modulation_img.linear.weight"


def _numbers(double: int, single: int) -> dict[str, int]:
    return {
        "double_blocks.{}.img_attn.qkv.weight": double,
        "single_blocks.{}.linear1.weight": single,
    }


def _numbers_d(double: int, single: int) -> dict[str, int]:
    return {
        "transformer_blocks.{}.attn.to_q.weight": double,
        "single_transformer_blocks.{}.attn.to_q.weight": single,
    }


def _flux() -> tuple[Signature, ...]:
    """Flux.1, whose kinds differ in the channels that are read, and in whether it is guided."""
    kinds = (
        ("Flux.1 dev", 64, True),
        ("Flux.1 schnell", 64, False),
        ("Flux.1 Fill", 384, True),
        ("Flux.1 Canny or Depth", 128, True),
    )
    doubts = {
        "Flux.1 dev": "Flux.1 dev, Kontext and Krea have the same names and shapes",
        "Flux.1 Canny or Depth": "Flux.1's with any second image have the same names and shapes",
    }
    found = []
    for name, channels, guided in kinds:
        more: dict[str, Pattern] = {_GUIDED: None} if guided else {}
        more_d: dict[str, Pattern] = {_GUIDED_D: None} if guided else {}
        said = doubts.get(name, "")
        lacks = _OF_FLUX if guided else (_GUIDED, *_OF_FLUX)
        own: dict[str, Pattern] = {_FLUX: (9216, 3072), _IMG: (3072, channels)}
        own |= {_TEXT: (3072, 4096), _POOLED: (3072, 768)}
        found.append(dit(name, {**own, **more}, *lacks, doubt=said, blocks=_numbers(19, 38)))
        lacks = (_CONTROL_X, _DISTILLED, *(() if guided else (_GUIDED_D,)))
        own = {
            _FLUX_D: (3072, 3072),
            _DOUBLE_D: (3072, 3072),
            _X: (3072, channels),
            "time_text_embed.text_embedder.linear_1.weight": (3072, 768),
            "context_embedder.weight": (3072, 4096),
        }
        found.append(dit(name, {**own, **more_d}, *lacks, doubt=said, blocks=_numbers_d(19, 38)))
    nunchaku: dict[str, Pattern] = {
        "single_transformer_blocks.0.mlp_fc1.weight": (12288, 3072),
        "transformer_blocks.0.qkv_proj_context.weight": (9216, 3072),
    }
    stacks = {"transformer_blocks.{}.qkv_proj.weight": 19}
    stacks |= {"single_transformer_blocks.{}.mlp_fc1.weight": 38}
    return (*found, dit("Flux.1 in nunchaku's names", nunchaku, blocks=stacks))


def _flux2() -> tuple[Signature, ...]:
    found = []
    for name, width, context, double, single in (
        ("Flux.2 dev", 6144, 15360, 8, 48),
        ("Flux.2 Klein 4B", 3072, 7680, 5, 20),
        ("Flux.2 Klein 9B", 4096, 12288, 8, 24),
    ):
        own: dict[str, Pattern] = {_SHARED: (6 * width, width), _IMG: (width, 128)}
        own |= {_TEXT: (width, context)}
        found.append(dit(name, own, blocks=_numbers(double, single)))
        own = {_SHARED_D: (6 * width, width), _X: (width, 128)}
        own |= {"context_embedder.weight": (width, context)}
        joint = {"transformer_blocks.{}.attn.to_q.weight": double}
        joint |= {"single_transformer_blocks.{}.attn.to_out.weight": single}
        found.append(dit(name, own, blocks=joint))
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
    twice: dict[str, Pattern] = {_SELF: None, _NORMED: None}
    twice_d: dict[str, Pattern] = {_SELF_D: None, _NORMED_D: None}
    own, theirs = (
        "joint_blocks.{}.x_block.attn.qkv.weight",
        "transformer_blocks.{}.attn.to_q.weight",
    )
    few, many, few_d, many_d = {own: 24}, {own: 38}, {theirs: 24}, {theirs: 38}
    return (
        dit("SD3 medium", narrow, _SELF, _NORMED, blocks=few),
        dit("SD3.5 medium", narrow | twice, blocks=few),
        dit("SD3.5 large", wide | {_NORMED: None}, blocks=many),
        dit("SD3 medium", narrow_d, _SELF_D, _NORMED_D, _INPUT_D, blocks=few_d),
        dit("SD3.5 medium", narrow_d | twice_d, _INPUT_D, blocks=few_d),
        dit("SD3.5 large", wide_d | {_NORMED_D: None}, _INPUT_D, blocks=many_d),
    )


SIGNATURES = (
    *_flux(),
    *_flux2(),
    dit(
        "Chroma",
        {_DISTILLED: (5120, 64), _FLUX: (9216, 3072), _IMG: (3072, 64)},
        _PIXELS,
        blocks=_numbers(19, 38),
    ),
    dit("Chroma Radiance", {_DISTILLED: (5120, 64), _FLUX: (9216, 3072), _PIXELS: None}),
    dit("Chroma", {_DISTILLED: (5120, 64), _FLUX_D: (3072, 3072)}, blocks=_numbers_d(19, 38)),
    *_sd3(),
    Signature(
        DIT,
        "a transformer of Flux.1's kind",
        dict.fromkeys((_FLUX, "time_in.in_layer.weight", _IMG)),
        general=True,
    ),
    Signature(DIT, "a transformer of SD3's kind", dict.fromkeys((_JOINT, _PATCHES)), general=True),
    Signature(
        DIT,
        "a transformer of Chroma's kind",
        dict.fromkeys((_DISTILLED, "context_embedder.weight")),
        general=True,
    ),
)
