"""Diffusion transformers (DiTs) of video, in their authors' names and in diffusers'.

Sources: comfyanonymous/ComfyUI, `comfy/model_detection.py`; huggingface/diffusers,
`models/transformers`; Wan-Video/Wan2.1 and Wan2.2; Tencent/HunyuanVideo; Lightricks/LTX-Video;
genmoai/mochi; THUDM/CogVideo; nvidia-cosmos.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.signature import Pattern, Signature

DIT = "transformer"
_REFINER = "txt_in.individual_token_refiner.blocks.0.norm1.weight"
_ADALN = "adaln_single.emb.timestep_embedder.linear_1.weight"
_TEXT_D = "patch_embed.text_proj.weight"


def _dit(name: str, has: dict[str, Pattern], *lacks: str, doubt: str = "") -> Signature:
    return Signature(DIT, name, has, lacks, doubt=doubt)


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
    for name, width, channels, sees in (
        ("Wan 2.1 1.3B, from text", 1536, 16, False),
        ("Wan 14B, from text", 5120, 16, False),
        ("Wan 2.1 14B, from an image", 5120, 36, True),
        ("Wan 2.2 14B, from an image", 5120, 36, False),
        ("Wan 2.2 5B", 3072, 48, False),
    ):
        cubes: Pattern = (width, channels, 1, 2, 2)
        for own, eyes in ((_WAN, _SEES), (_WAN_D, _SEES_D)):
            shape: Pattern = (1, 2, width) if own == _WAN else (6 * width, width)
            query = "blocks.0.self_attn.q.weight" if own == _WAN else "blocks.0.attn1.to_q.weight"
            has: dict[str, Pattern] = {own: shape, _CUBES: cubes, query: (width, width)}
            doubt = "Wan 2.1's and each of Wan 2.2's two have the same names and shapes"
            found.append(
                _dit(
                    name,
                    {**has, **({eyes: None} if sees else {})},
                    *(_MORE if sees else (eyes, *_MORE)),
                    doubt=doubt if name.startswith("Wan 14B") else "",
                )
            )
    return (
        *found,
        _dit("Wan VACE", {_WAN: None, _CUBES: None, _MORE[0]: None}),
        _dit("Wan VACE", {_WAN_D: None, _CUBES: None, _MORE[0]: None}),
        _dit("Wan Animate", {_WAN: None, _MORE[3]: None}),
        _dit("Wan Animate", {_WAN_D: None, _MORE[4]: None}),
        Signature(DIT, "a transformer of Wan's kind", {_WAN: None, _CUBES: None}, general=True),
        Signature(DIT, "a transformer of Wan's kind", {_WAN_D: None, _CUBES: None}, general=True),
    )


SIGNATURES = (
    *_wan(),
    _dit("HunyuanVideo", {_REFINER: (3072,), "img_in.proj.weight": (3072, 16, 1, 2, 2)}),
    _dit(
        "HunyuanVideo, from an image",
        {_REFINER: (3072,), "img_in.proj.weight": (3072, 33, 1, 2, 2)},
    ),
    _dit("HunyuanVideo 1.5", {_REFINER: (2048,), "img_in.proj.weight": (2048, 65, 1, 1, 1)}),
    _dit("HunyuanImage 2.1", {_REFINER: (3584,), "img_in.proj.weight": (3584, 64, 1, 1)}),
    _dit(
        "HunyuanVideo",
        {
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (3072,),
            "x_embedder.proj.weight": (3072, 16, 1, 2, 2),
        },
        "clean_x_embedder.proj.weight",
    ),
    _dit(
        "HunyuanVideo 1.5",
        {
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (2048,),
            "x_embedder.proj.weight": (2048, 65, 1, 1, 1),
        },
    ),
    _dit(
        "HunyuanImage 2.1",
        {
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (3584,),
            "x_embedder.proj.weight": (3584, 64, 1, 1),
        },
    ),
    _dit(
        "FramePack of HunyuanVideo",
        {
            "clean_x_embedder.proj.weight": None,
            "context_embedder.token_refiner.refiner_blocks.0.norm1.weight": (3072,),
        },
    ),
    _dit(
        "LTX-Video",
        {_ADALN: (None, 256), "patchify_proj.weight": (None, 128)},
        "audio_patchify_proj.weight",
    ),
    _dit(
        "LTX-2",
        {
            _ADALN: (4096, 256),
            "patchify_proj.weight": (4096, 128),
            "audio_patchify_proj.weight": None,
        },
    ),
    _dit(
        "LTX-Video",
        {
            "proj_in.weight": (None, 128),
            "time_embed.emb.timestep_embedder.linear_1.weight": (None, 256),
            "caption_projection.linear_1.weight": None,
        },
        "audio_proj_in.weight",
    ),
    _dit("LTX-2", {"audio_proj_in.weight": (2048, 128), "proj_in.weight": (4096, 128)}),
    _dit("CogVideoX 2B", {_TEXT_D: (1920, 4096), "patch_embed.proj.weight": (1920, 16, 2, 2)}),
    _dit("CogVideoX 5B", {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 16, 2, 2)}),
    _dit(
        "CogVideoX 5B, from an image",
        {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, 32, 2, 2)},
    ),
    _dit("CogVideoX 1.5 5B", {_TEXT_D: (3072, 4096), "patch_embed.proj.weight": (3072, None)}),
    _dit("Mochi", {"t5_yproj.weight": (1536, 4096), "x_embedder.proj.weight": (3072, 12, 2, 2)}),
    _dit(
        "Mochi",
        {
            "time_embed.pooler.to_kv.weight": (8192, 4096),
            "patch_embed.proj.weight": (3072, 12, 2, 2),
        },
    ),
    _dit("Cosmos 1", {"blocks.block0.blocks.0.block.attn.to_q.0.weight": None}),
    _dit(
        "Cosmos Predict2",
        {"blocks.0.mlp.layer1.weight": None, "x_embedder.proj.1.weight": None},
        "llm_adapter.blocks.0.cross_attn.q_proj.weight",
    ),
    _dit(
        "Anima",
        {"blocks.0.mlp.layer1.weight": None, "llm_adapter.blocks.0.cross_attn.q_proj.weight": None},
    ),
    _dit(
        "Cosmos",
        {
            "time_embed.t_embedder.linear_1.weight": None,
            "patch_embed.proj.weight": None,
            "norm_out.linear_2.weight": None,
        },
    ),
)
