"""What is added to a network: ControlNets, adapters, motion modules, embeddings.

Sources: lllyasviel/ControlNet, `cldm/cldm.py`; TencentARC/T2I-Adapter, `adapter.py`;
tencent-ailab/IP-Adapter; guoyww/AnimateDiff, `motion_module.py`; kohya-ss/sd-scripts,
`networks/control_net_lllite.py`; XLabs-AI/x-flux; huggingface/diffusers, `models/controlnets`,
`adapter.py` and `unet_motion_model.py`; AUTOMATIC1111/stable-diffusion-webui, `hypernetwork.py`.
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.signature import Pattern, Signature

CONTROL, T2I, IP = "controlnet", "t2i adapter", "ip adapter"
MOTION, EMBEDDING, OTHER = "motion module", "embedding", "other"

_BASES = (("SD1", 768), ("SD2", 1024))
_HINT, _HINT_D = "input_hint_block.0.weight", "controlnet_cond_embedding.conv_in.weight"
_ZERO, _ZERO_D = "zero_convs.0.0.weight", "controlnet_down_blocks.0.weight"
_FIRST = "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
_FIRST_D = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
_LATER = "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
_LATER_D = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"
_LLLITE = "lllite_unet_input_blocks_4_1_transformer_blocks_{}_attn1_to_q"
"""SD1 has one block there, SDXL two."""
_MOVES = "down_blocks.0.motion_modules.0.temporal_transformer.norm.weight"
_MOVES_D = "down_blocks.0.motion_modules.0.norm.weight"
_CONTROL_X = "controlnet_x_embedder.weight"
_UNION, _UNION_D = "task_embedding", "control_add_embedding.linear_1.weight"
_LORA = "lora_controlnet"
_XLABS = "double_blocks.0.img_attn.qkv.weight"


def _controlnets() -> tuple[Signature, ...]:
    found = []
    for base, width in _BASES:
        name = f"ControlNet for {base}"
        has: dict[str, Pattern] = {_HINT: None, _ZERO: (320, 320, 1, 1), _FIRST: (320, width)}
        found.append(Signature(CONTROL, name, has, (_LORA,)))
        has = {_HINT_D: None, _ZERO_D: (320, 320, 1, 1), _FIRST_D: (320, width)}
        found.append(Signature(CONTROL, name, has, (_MOVES, _MOVES_D)))
    xl: dict[str, Pattern] = {_HINT: None, _ZERO: (320, 320, 1, 1), _LATER: (640, 2048)}
    xl_d: dict[str, Pattern] = {_HINT_D: None, _ZERO_D: (320, 320, 1, 1), _LATER_D: (640, 2048)}
    general: dict[str, Pattern] = {_HINT: None, _ZERO: None}
    general_d: dict[str, Pattern] = {_HINT_D: None, _ZERO_D: None}
    return (
        *found,
        Signature(CONTROL, "ControlNet for SDXL", xl, (_LORA, _FIRST, _UNION)),
        Signature(CONTROL, "ControlNet for SDXL", xl_d, (_FIRST_D, _UNION, _UNION_D)),
        Signature(CONTROL, "ControlNet union for SDXL", {**xl, _UNION: None}, (_LORA,)),
        Signature(CONTROL, "ControlNet union for SDXL", {**xl_d, _UNION: None}),
        Signature(CONTROL, "ControlNet union", {**general, _UNION: None}, (_LORA,), general=True),
        Signature(CONTROL, "ControlNet union", {**general_d, _UNION: None}, general=True),
        Signature(CONTROL, "ControlNet", general, (_LORA,), general=True),
        Signature(CONTROL, "ControlNet", general_d, general=True),
    )


_IMAGES, _TO_KEYS = "image_proj.proj.weight", "ip_adapter.1.to_k_ip.weight"
_LATENTS, _IN = "image_proj.latents", "image_proj.proj_in.weight"
_MLP, _TOKENS = "image_proj.proj.0.weight", "image_proj.proj.2.weight"
_RESAMPLED = "image_proj.perceiver_resampler.proj_in.weight"


def _ip_adapters() -> tuple[Signature, ...]:
    found = []
    for base, keys, context, width in (("SD1", 320, 768, 768), ("SDXL", 640, 2048, 1280)):
        read: dict[str, Pattern] = {_TO_KEYS: (keys, context)}
        name, face = f"IP-Adapter for {base}", {_MLP: (1024, 512)}
        plus: dict[str, Pattern] = {_LATENTS: (1, 16, width), _IN: (width, 1280)}
        found += [
            Signature(IP, name, {_IMAGES: (4 * context, None), **read}),
            Signature(IP, f"{name}, plus", {**plus, **read}),
            Signature(
                IP, f"{name}, FaceID", {**face, _TOKENS: (4 * context, 1024), **read}, (_RESAMPLED,)
            ),
            Signature(
                IP, f"{name}, FaceID portrait", {**face, _TOKENS: (16 * context, 1024), **read}
            ),
            Signature(
                IP,
                f"{name}, FaceID plus",
                {_RESAMPLED: (context, 1280), **read},
                doubt="FaceID plus and its second version have the same names and shapes",
            ),
        ]
    full: dict[str, Pattern] = {_MLP: (1280, 1280), _TOKENS: (768, 1280), _TO_KEYS: (320, 768)}
    unnormed = "InstantID's and the unnormed FaceID portrait's have the same names and shapes"
    identity: dict[str, Pattern] = {_LATENTS: (1, 16, 1280), _IN: (1280, 512)}
    return (
        *found,
        Signature(IP, "IP-Adapter for SD1, full face", full),
        Signature(IP, "InstantID for SDXL", {**identity, _TO_KEYS: (640, 2048)}, doubt=unnormed),
    )


_TEMPORAL = "down_blocks.0.motion_modules.0.temporal_transformer."
_PLACES = f"{_TEMPORAL}transformer_blocks.0.attention_blocks.0.pos_encoder.pe"
_PLACES_D = "down_blocks.0.motion_modules.0.transformer_blocks.0.pos_embed.pe"
_MIDDLE = "mid_block.motion_modules.0.temporal_transformer.norm.weight"
_MIDDLE_D = "mid_block.motion_modules.0.norm.weight"
_FOURTH = "down_blocks.3.motion_modules.0.temporal_transformer.norm.weight"
_FOURTH_D = "down_blocks.3.motion_modules.0.norm.weight"


def _motion_modules() -> tuple[Signature, ...]:
    found = []
    for places, middle, fourth in (
        (_PLACES, _MIDDLE, _FOURTH),
        (_PLACES_D, _MIDDLE_D, _FOURTH_D),
    ):
        short: dict[str, Pattern] = {places: (1, 24, 320), fourth: None}
        long: dict[str, Pattern] = {places: (1, 32, 320)}
        base = "conv_in.weight"
        found += [
            Signature(MOTION, "AnimateDiff v1 for SD1", short, (middle, base)),
            Signature(
                MOTION, "AnimateDiff v2 for SD1", {**long, fourth: None, middle: None}, (base,)
            ),
            Signature(MOTION, "AnimateDiff v3 for SD1", {**long, fourth: None}, (middle, base)),
            Signature(MOTION, "AnimateDiff for SDXL", long, (fourth, base)),
            Signature(MOTION, "motion module", {places: None}, (base,), general=True),
        ]
    return tuple(found)


def _t2i_adapters() -> tuple[Signature, ...]:
    """T2I-Adapters, which read pictures of three channels or one, folded into cells."""
    found = []
    for first, light in (
        ("body.0.block1.weight", "body.0.body.0.block1.weight"),
        ("body.0.resnets.0.block1.weight", "body.0.resnets.0.block1.weight"),
    ):
        for base, side in (("SD1", 8), ("SDXL", 16)):
            for channels in (1, 3):
                has: dict[str, Pattern] = {
                    first: (320, 320, 3, 3),
                    "conv_in.weight": (320, channels * side**2, 3, 3),
                }
                found.append(Signature(T2I, f"T2I-Adapter for {base}", has))
        narrow: dict[str, Pattern] = {"body.0.in_conv.weight": None, light: None}
        found.append(Signature(T2I, "T2I-Adapter, light", narrow, ("conv_in.weight",)))
    return tuple(found)


def _embeddings() -> tuple[Signature, ...]:
    """Textual inversions, whose width is that of the encoder whose words they extend."""
    found = []
    for key in ("emb_params", "*", "string_to_param.*"):
        for base, width in (*_BASES, ("OpenCLIP ViT-bigG/14", 1280)):
            name = f"textual inversion for {base}"
            found.append(Signature(EMBEDDING, name, {key: (None, width)}))
    both: dict[str, Pattern] = {"clip_l": (None, 768), "clip_g": (None, 1280)}
    return (*found, Signature(EMBEDDING, "textual inversion for SDXL", both))


SIGNATURES = (
    *_controlnets(),
    Signature(CONTROL, "ControlNet as a LoRA (Control-LoRA)", {_LORA: None, _HINT: None}),
    Signature(
        CONTROL,
        "ControlNet-LLLite for SDXL",
        {f"{_LLLITE.format(1)}.conditioning1.0.weight": None},
    ),
    Signature(
        CONTROL,
        "ControlNet-LLLite",
        {f"{_LLLITE.format(0)}.conditioning1.0.weight": None},
        general=True,
    ),
    Signature(CONTROL, "ControlNet-XS", {"control_to_base_for_conv_in.weight": None}),
    Signature(
        CONTROL,
        "SparseCtrl",
        {"controlnet_cond_embedding.weight": None, "controlnet_mid_block.weight": None},
    ),
    Signature(CONTROL, "SparseCtrl", {_HINT_D: None, _MOVES: None}),
    Signature(CONTROL, "SparseCtrl", {_HINT_D: None, _MOVES_D: None}),
    Signature(
        CONTROL,
        "ControlNet for Flux.1",
        {
            _CONTROL_X: (3072, None),
            "controlnet_blocks.0.weight": (3072, 3072),
            "context_embedder.weight": (3072, 4096),
        },
    ),
    Signature(
        CONTROL,
        "ControlNet for Qwen-Image",
        {_CONTROL_X: (3072, None), "txt_norm.weight": (3584,), "img_in.weight": (3072, 64)},
    ),
    Signature(
        CONTROL,
        "ControlNet for Sana",
        {"controlnet_blocks.0.weight": None, "caption_norm.weight": None},
    ),
    Signature(
        CONTROL,
        "ControlNet for Flux.1",
        {"controlnet_blocks.0.weight": (3072, 3072), _XLABS: (9216, 3072)},
    ),
    Signature(
        CONTROL,
        "ControlNet for SD3",
        {"pos_embed_input.proj.weight": None, "controlnet_blocks.0.weight": None},
    ),
    Signature(
        CONTROL,
        "ControlNet for a transformer",
        {_CONTROL_X: None, "controlnet_blocks.0.weight": None},
        general=True,
    ),
    *_t2i_adapters(),
    Signature(
        T2I,
        "style adapter of T2I-Adapter",
        {"style_embedding": (1, 8, 1024), "transformer_layes.0.attn.in_proj_weight": None},
    ),
    *_ip_adapters(),
    Signature(
        IP,
        "IP-Adapter for Flux.1",
        {
            "ip_adapter_proj_model.proj.weight": None,
            "double_blocks.0.processor.ip_adapter_double_stream_k_proj.weight": (3072, 4096),
        },
    ),
    Signature(
        IP,
        "Redux for Flux.1",
        {"redux_down.weight": (4096, 12288), "redux_up.weight": (12288, 1152)},
    ),
    Signature(IP, "IP-Adapter", {_TO_KEYS: None}, general=True),
    *_motion_modules(),
    *_embeddings(),
    Signature(OTHER, "hypernetwork for SD1", {"768.0.linear.0.weight": None}),
    Signature(OTHER, "hypernetwork for SD1", {"768.0.linear1.weight": None}),
)
