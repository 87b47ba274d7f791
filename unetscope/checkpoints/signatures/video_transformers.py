"""Diffusion transformers (DiTs) of video, in their authors' names and in diffusers'.

Sources: comfyanonymous/ComfyUI, `comfy/model_detection.py`; huggingface/diffusers,
`models/transformers`; Wan-Video/Wan2.1 and Wan2.2; Tencent/HunyuanVideo; Lightricks/LTX-Video;
genmoai/mochi; THUDM/CogVideo; nvidia-cosmos.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.dit import DIT, dit
from unetscope.checkpoints.signatures.signature import Pattern, Signature

_REFINER = "txt_in.individual_token_refiner.blocks.0.norm1.weight"
_ADALN = "adaln_single.emb.timestep_embedder.linear_1.weight"
_TEXT_D = "patch_embed.text_proj.weight"
_COG_2B = {"transformer_blocks.{}.attn1.to_q.weight": 30}
_COG_5B = {"transformer_blocks.{}.attn1.to_q.weight": 42}

_WAN, _WAN_D = "head.modulation", "condition_embedder.time_proj.weight"
_CUBES = "patch_embedding.weight"
_SEES, _SEES_D = "img_emb.proj.0.bias", "condition_embedder.image_embedder.norm1.weight"
_MORE = (
    *("vace_patch_embedding.weight", "control_adapter.conv.weight", "patch_embedding_pose.weight"),
    *("face_adapter.fuser_blocks.0.k_norm.weight", "face_adapter.0.norm_q.weight"),
    *("casual_audio_encoder.encoder.final_linear.weight", "patch_short.weight"),
    *("far_patch_embedding.weight", "condition_embedder.delta_embedder.linear_1.weight"),
)


def _wan() -> tuple[Signature, ...]:
    found = []
    for name, width, channels, sees, count in (
        ("Wan 2.1 1.3B, from text", 1536, 16, False, 30),
        ("Wan 14B, from text", 5120, 16, False, 40),
        ("Wan 2.1 14B, from an image", 5120, 36, True, 40),
        ("Wan 2.2 14B, from an image", 5120, 36, False, 40),
        ("Wan 2.2 5B", 3072, 48, False, 30),
    ):
        cubes: Pattern = (width, channels, 1, 2, 2)
        for own, eyes in ((_WAN, _SEES), (_WAN_D, _SEES_D)):
            shape: Pattern = (1, 2, width) if own == _WAN else (6 * width, width)
            query = "blocks.{}.self_attn.q.weight" if own == _WAN else "blocks.{}.attn1.to_q.weight"
            has: dict[str, Pattern] = {own: shape, _CUBES: cubes, query.format(0): (width, width)}
            doubt = "Wan 2.1's and each of Wan 2.2's two have the same names and shapes"
            found.append(
                dit(
                    name,
                    {**has, **({eyes: None} if sees else {})},
                    *(_MORE if sees else (eyes, *_MORE)),
                    doubt=doubt if name.startswith("Wan 14B") else "",
                    blocks={query: count},
                )
            )
    return (
        *found,
        dit("Wan VACE", {_WAN: None, _CUBES: None, _MORE[0]: None}),
        dit("Wan VACE", {_WAN_D: None, _CUBES: None, _MORE[0]: None}),
        dit("Wan Animate", {_WAN: None, _MORE[3]: None}),
        dit("Wan Animate", {_WAN_D: None, _MORE[4]: None}),
        Signature(DIT, "a transformer of Wan's kind", {_WAN: None, _CUBES: None}, general=True),
        Signature(DIT, "a transformer of Wan's kind", {_WAN_D: None, _CUBES: None}, general=True),
    )


SIGNATURES = (
    *_wan(),
    dit("HunyuanVideo", {_REFINER: (3072,), "img_in.proj.weight": (3072, 16, 1, 2, 2)}),
    dit(
        "HunyuanVideo, from an image",
        {_REFINER: (3072,), "img_in.proj.weight": (3072, 33, 1, 2, 2)},
    ),
    dit("HunyuanVideo 1.5", {_REFINER: (2048,), "img_in.proj.weight": (2048, 65, 1, 1, 1)}),
    dit("HunyuanImage 2.1", {_REFINER: (3584,), "img_in.proj.weight": (3584, 64, 1, 1)}),
    dit(
        "HunyuanVideo",
        {
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (3072,),
            "x_embedder.proj.weight": (3072, 16, 1, 2, 2),
        },
        "clean_x_embedder.proj.weight",
    ),
    dit(
        "HunyuanVideo 1.5",
        {
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (2048,),
            "x_embedder.proj.weight": (2048, 65, 1, 1, 1),
        },
    ),
    dit(
        "HunyuanImage 2.1",
        {
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (3584,),
            "x_embedder.proj.weight": (3584, 64, 1, 1),
        },
    ),
    dit(
        "FramePack of HunyuanVideo",
        {
            "clean_x_embedder.proj.weight": None,
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (3072,),
        },
    ),
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
        blocks=_COG_2B,
    ),
    dit(
        "CogVideoX 5B",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 16, 2, 2)},
        blocks=_COG_5B,
    ),
    dit(
        "CogVideoX 5B, from an image",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 32, 2, 2)},
        blocks=_COG_5B,
    ),
    dit(
        "CogVideoX 1.5 5B",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, None)},
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
