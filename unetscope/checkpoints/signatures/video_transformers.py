"""Diffusion transformers (DiTs) of video, in their authors' names and in diffusers'.

Sources: comfyanonymous/ComfyUI, `comfy/model_detection.py`; huggingface/diffusers,
`models/transformers`; Wan-Video/Wan2.1 and Wan2.2; Tencent/HunyuanVideo; Lightricks/LTX-Video;
genmoai/mochi; THUDM/CogVideo; nvidia-cosmos.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.dit import DIT, dit
from unetscope.checkpoints.signatures.signature import Pattern, Signature

_REFINER = "txt_in.individual_token_refiner.blocks.0.norm1.weight"
_REFINER_D = "context_embedder.token_refiner.refiner_blocks.0.norm1.weight"
_CLEAN = "clean_x_embedder.proj.weight"
_ADALN = "adaln_single.emb.timestep_embedder.linear_1.weight"
_TEXT_D = "patch_embed.text_proj.weight"
_COG_2B = {"transformer_blocks.{}.attn1.to_q.weight": 30}
_COG_5B = {"transformer_blocks.{}.attn1.to_q.weight": 42}
_FACES = "perceiver_cross_attention.0.to_q.weight"
"""What ConsisID adds to CogVideoX."""

_WAN, _WAN_D = "head.modulation", "condition_embedder.time_proj.weight"
_CUBES = "patch_embedding.weight"
_SEES, _SEES_D = "img_emb.proj.0.bias", "condition_embedder.image_embedder.norm1.weight"
_MORE = (
    *("vace_patch_embedding.weight", "control_adapter.conv.weight", "patch_embedding_pose.weight"),
    *("face_adapter.fuser_blocks.0.k_norm.weight", "face_adapter.0.norm_q.weight"),
    *("casual_audio_encoder.encoder.final_linear.weight", "patch_short.weight"),
    *("far_patch_embedding.weight", "condition_embedder.delta_embedder.linear_1.weight"),
    *("audio_proj.audio_proj_glob_1.layer.bias", "fps_embedding.weight", "ref_conv.weight"),
    *("patch_embedding_mask.weight", "patch_embedding_global.weight"),
)
"""What networks that were made of Wan add to it."""
_FRAMES, _FRAMES_D = "img_emb.emb_pos", "condition_embedder.image_embedder.pos_embed"


def _wan() -> tuple[Signature, ...]:
    found = []
    three = "Wan 2.1's and each of Wan 2.2's two have the same names and shapes"
    made = "ChronoEdit's and SkyReels V2's have the same names and shapes"
    seen, last = "Wan 2.1 14B, from an image", "Wan 2.1 14B, from the first and the last frame"
    for name, width, channels, count, doubt in (
        ("Wan 2.1 1.3B, from text", 1536, 16, 30, ""),
        ("Wan 14B, from text", 5120, 16, 40, three),
        (seen, 5120, 36, 40, made),
        (last, 5120, 36, 40, ""),
        ("Wan 2.2 14B, from an image", 5120, 36, 40, ""),
        ("Wan 2.2 5B", 3072, 48, 30, ""),
    ):
        cubes: Pattern = (width, channels, 1, 2, 2)
        for own, eyes, frames in (
            (_WAN, _SEES, _FRAMES),
            (_WAN_D, _SEES_D, _FRAMES_D),
        ):
            shape: Pattern = (1, 2, width) if own == _WAN else (6 * width, width)
            query = "blocks.{}.self_attn.q.weight" if own == _WAN else "blocks.{}.attn1.to_q.weight"
            has: dict[str, Pattern] = {own: shape, _CUBES: cubes, query.format(0): (width, width)}
            lacks: tuple[str, ...] = (eyes, *_MORE)
            if name in (seen, last):
                has[eyes] = None
                lacks = (frames, *_MORE) if name == seen else _MORE
                if name == last:
                    has[frames] = None
            found.append(dit(name, has, *lacks, doubt=doubt, blocks={query: count}))
    return (
        *found,
        dit("Wan VACE", {_WAN: None, _CUBES: None, _MORE[0]: None}),
        dit("Wan VACE", {_WAN_D: None, _CUBES: None, _MORE[0]: None}),
        dit("Wan Animate", {_WAN: None, _MORE[3]: None}),
        dit("Wan Animate", {_WAN_D: None, _MORE[4]: None}),
        Signature(DIT, "a transformer of Wan's kind", {_WAN: None, _CUBES: None}, general=True),
        Signature(DIT, "a transformer of Wan's kind", {_WAN_D: None, _CUBES: None}, general=True),
    )


def _hunyuan() -> tuple[Signature, ...]:
    found = []
    for name, cubes, double, single in (
        ("HunyuanVideo", (3072, 16, 1, 2, 2), 20, 40),
        ("HunyuanVideo, from an image", (3072, 33, 1, 2, 2), 20, 40),
        ("HunyuanVideo 1.5", (2048, 65, 1, 1, 1), 54, 0),
        ("HunyuanImage 2.1", (3584, 64, 1, 1), 20, 40),
    ):
        both_d = "transformer_blocks.{}.attn.to_q.weight"
        one = {"single_blocks.{}.linear1.weight": single} if single else {}
        one_d = {"single_transformer_blocks.{}.attn.to_q.weight": single} if single else {}
        width = cubes[:1]
        found += [
            dit(name, {_REFINER: width, "img_in.proj.weight": cubes}, blocks=one),
            dit(
                name,
                {_REFINER_D: width, "x_embedder.proj.weight": cubes},
                _CLEAN,
                blocks={both_d: double, **one_d},
            ),
        ]
    kind = "a transformer of HunyuanVideo's kind"
    step = "context_embedder.time_text_embed.timestep_embedder.linear_1.weight"
    return (
        *found,
        dit("FramePack of HunyuanVideo", {_CLEAN: None, _REFINER_D: (3072,)}),
        Signature(DIT, kind, {_REFINER: None, "img_in.proj.weight": None}, general=True),
        Signature(DIT, kind, {_REFINER_D: None, step: None}, general=True),
    )


SIGNATURES = (
    *_wan(),
    *_hunyuan(),
    dit(
        "LTX-Video",
        {_ADALN: (None, 256), "patchify_proj.weight": (None, 128)},
        "audio_patchify_proj.weight",
    ),
    dit(
        "LTX-2",
        {
            _ADALN: (4096, 256),
            "patchify_proj.weight": (4096, 128),
            "audio_patchify_proj.weight": None,
        },
    ),
    dit(
        "LTX-Video",
        {
            "proj_in.weight": (None, 128),
            "time_embed.emb.timestep_embedder.linear_1.weight": (None, 256),
            "caption_projection.linear_1.weight": None,
        },
        "audio_proj_in.weight",
    ),
    dit("LTX-2", {"audio_proj_in.weight": (2048, 128), "proj_in.weight": (4096, 128)}),
    dit(
        "CogVideoX 2B",
        {_TEXT_D: (1920, 4096), "patch_embed.proj.weight": (1920, 16, 2, 2)},
        _FACES,
        blocks=_COG_2B,
    ),
    dit(
        "CogVideoX 5B",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 16, 2, 2)},
        _FACES,
        blocks=_COG_5B,
    ),
    dit(
        "CogVideoX 5B, from an image",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 32, 2, 2)},
        _FACES,
        blocks=_COG_5B,
    ),
    dit(
        "ConsisID of CogVideoX 5B",
        {
            _FACES: None,
            _TEXT_D: (3072, 4096),
            "patch_embed.proj.weight": (3072, 32, 2, 2),
        },
    ),
    dit(
        "CogVideoX 1.5 5B",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 128)},
        blocks=_COG_5B,
    ),
    dit(
        "CogVideoX 1.5 5B, from an image",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 256)},
        blocks=_COG_5B,
    ),
    Signature(
        DIT,
        "a transformer of CogVideoX's kind",
        {_TEXT_D: None, "norm_final.weight": None, "patch_embed.proj.weight": None},
        general=True,
    ),
    dit("Mochi", {"t5_yproj.weight": (1536, 4096), "x_embedder.proj.weight": (3072, 12, 2, 2)}),
    dit(
        "Mochi",
        {
            "time_embed.pooler.to_kv.weight": (8192, 4096),
            "patch_embed.proj.weight": (3072, 12, 2, 2),
        },
    ),
    dit("Cosmos 1", {"blocks.block0.blocks.0.block.attn.to_q.0.weight": None}),
    dit(
        "Cosmos Predict2",
        {"blocks.0.mlp.layer1.weight": None, "x_embedder.proj.1.weight": None},
        "llm_adapter.blocks.0.cross_attn.q_proj.weight",
    ),
    dit(
        "Anima",
        {"blocks.0.mlp.layer1.weight": None, "llm_adapter.blocks.0.cross_attn.q_proj.weight": None},
    ),
    dit(
        "Cosmos",
        {
            "time_embed.t_embedder.linear_1.weight": None,
            "patch_embed.proj.weight": None,
            "norm_out.linear_2.weight": None,
        },
    ),
)
