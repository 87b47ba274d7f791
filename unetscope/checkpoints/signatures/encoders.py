"""Encoders of texts and of images, as transformers, OpenCLIP and T5's authors name them.

Sources: huggingface/transformers, `models/clip`, `t5`, `llama`, `siglip`, `dinov2`;
mlfoundations/open_clip, `transformer.py`; Wan-Video/Wan2.1, `wan/modules/t5.py` and `clip.py`;
ggml-org/llama.cpp, `gguf-py/gguf/constants.py`; comfyanonymous/ComfyUI, `comfy/sd.py`
(detect_te_model).
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.signature import Pattern, Signature

TEXT, IMAGE = "text encoder", "image encoder"
_OF_TEXT = "text_model.embeddings.token_embedding.weight"
_OF_IMAGES = "vision_model.embeddings.patch_embedding.weight"
_CLASS = "vision_model.embeddings.class_embedding"
_POSITIONS = "text_model.embeddings.position_embedding.weight"
_CONV = "visual.conv1.weight"


def _clip(name: str, width: int, layers: int, least: int | None = None) -> tuple[Signature, ...]:
    """A text encoder of CLIP's in four spellings; of some, the last layer is left out."""
    last = (least or layers) - 1

    def transformers(root: str) -> tuple[dict[str, Pattern], tuple[str, ...]]:
        has: dict[str, Pattern] = {
            f"{root}embeddings.token_embedding.weight": (49408, width),
            f"{root}embeddings.position_embedding.weight": (77, width),
            f"{root}encoder.layers.{last}.mlp.fc1.weight": (4 * width, width),
        }
        return has, (f"{root}encoder.layers.{layers}.mlp.fc1.weight",)

    usual, beyond = transformers("text_model.")
    bare, bare_beyond = transformers("")
    openai: dict[str, Pattern] = {
        "token_embedding.weight": (49408, width),
        "positional_embedding": (77, width),
        f"transformer.resblocks.{last}.attn.in_proj_weight": (3 * width, width),
    }
    beyond_openai = (f"transformer.resblocks.{layers}.attn.in_proj_weight",)
    whole = f"{name} with its image encoder"
    return (
        Signature(TEXT, name, dict(usual), (*beyond, _OF_IMAGES)),
        Signature(TEXT, whole, {**usual, _OF_IMAGES: None}, beyond),
        Signature(TEXT, name, dict(bare), bare_beyond),
        Signature(TEXT, name, dict(openai), (*beyond_openai, _CONV)),
        Signature(TEXT, whole, {**openai, _CONV: None}, beyond_openai),
    )


_GATED = "encoder.block.{}.layer.1.DenseReluDense.wi_1.weight"
_OWN_PLACES = "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"
_WORDS, _WORDS_TOO = "shared.weight", "encoder.embed_tokens.weight"
_FLAN = "T5 v1.1's and Flan-T5's have the same names and shapes"


def _t5(
    name: str, words: int | None, width: int, inner: int, layers: int, own_positions: bool = False
) -> tuple[Signature, ...]:
    """A T5 of version 1.1, by either name of its words; UMT5 has positions in every layer."""
    found = []
    for key, absent in ((_WORDS, ()), (_WORDS_TOO, (_WORDS,))):
        has: dict[str, Pattern] = {
            _GATED.format(layers - 1): (inner, width),
            key: (words, width),
            **({_OWN_PLACES: None} if own_positions else {}),
        }
        lacks = (_GATED.format(layers), *absent, *(() if own_positions else (_OWN_PLACES,)))
        doubt = _FLAN if name.endswith("v1.1") else ""
        found.append(Signature(TEXT, name, has, lacks, doubt=doubt))
    return tuple(found)


_KEYS, _KEY_BIAS = "layers.0.self_attn.k_proj.weight", "layers.0.self_attn.k_proj.bias"
_KEY_NORM, _AFTER = "layers.0.self_attn.k_norm.weight", "layers.0.post_feedforward_layernorm.weight"


_LLAMA = "LLaMA 3's and 3.1's of 8B have the same names and shapes"
_SEEING = "Qwen2.5's and the text half of Qwen2.5-VL have the same names and shapes"


def _llm(
    name: str,
    words: int,
    width: int,
    keys: int,
    inner: int,
    layers: int,
    *has: str,
    doubt: str = "",
) -> Signature:
    """A language model as LLaMA's names have it, whose embeddings stand under `model.`."""
    traits = (_KEY_BIAS, _KEY_NORM, _AFTER)
    return Signature(
        TEXT,
        name,
        {
            f"model.{_KEYS}": (keys, width),
            "model.embed_tokens.weight": (words, width),
            "model.layers.0.mlp.gate_proj.weight": (inner, width),
            **{f"model.{key}": None for key in has},
        },
        tuple(f"model.{key}" for key in traits if key not in has),
        doubt=doubt,
        blocks={"model.layers.{}.input_layernorm.weight": layers},
    )


def _vision(name: str, width: int, patch: int, layers: int) -> tuple[Signature, ...]:
    """An image encoder of CLIP's, in transformers' and in OpenCLIP's names."""
    last = f"vision_model.encoder.layers.{layers - 1}.mlp.fc1.weight"
    return (
        Signature(
            IMAGE,
            name,
            {_OF_IMAGES: (width, 3, patch, patch), _CLASS: (width,), last: None},
            (f"vision_model.encoder.layers.{layers}.mlp.fc1.weight", _OF_TEXT, "concept_embeds"),
        ),
        Signature(
            IMAGE,
            name,
            {
                _CONV: (width, 3, patch, patch),
                f"visual.transformer.resblocks.{layers - 1}.attn.in_proj_weight": None,
            },
            ("token_embedding.weight",),
        ),
    )


SIGNATURES = (
    *_clip("CLIP ViT-L/14", 768, 12),
    *_clip("OpenCLIP ViT-H/14", 1024, 24, 23),
    *_clip("OpenCLIP ViT-bigG/14", 1280, 32),
    Signature(
        TEXT,
        "Long-CLIP ViT-L/14",
        {_OF_TEXT: (49408, 768), _POSITIONS: (248, 768)},
        (_OF_IMAGES,),
    ),
    *_t5("T5-XXL v1.1", 32128, 4096, 10240, 24),
    *_t5("T5-XL v1.1", 32128, 2048, 5120, 24),
    *_t5("T5-large v1.1", 32128, 1024, 2816, 24),
    *_t5("T5-base v1.1", 32128, 768, 2048, 12),
    *_t5("T5-small v1.1", 32128, 512, 1024, 8),
    *_t5("mT5-XL", 250112, 2048, 5120, 24),
    *_t5("mT5-XXL", 250112, 4096, 10240, 24),
    *_t5("ByT5-small", None, 1472, 3584, 12),
    *_t5("UMT5-XXL", 256384, 4096, 10240, 24, own_positions=True),
    *_t5("UMT5-base", 256384, 768, 2048, 12, own_positions=True),
    *_t5("Pile-T5-XL", 32128, 2048, 5120, 24, own_positions=True),
    Signature(
        TEXT,
        "T5-11B (the first version)",
        {"encoder.block.23.layer.1.DenseReluDense.wi.weight": (65536, 1024)},
    ),
    Signature(
        TEXT,
        "T5-base (the first version)",
        {"encoder.block.11.layer.1.DenseReluDense.wi.weight": (3072, 768)},
        ("encoder.block.12.layer.1.DenseReluDense.wi.weight",),
    ),
    Signature(
        TEXT,
        "UMT5-XXL",
        {"blocks.23.ffn.gate.0.weight": (10240, 4096), "token_embedding.weight": (256384, 4096)},
    ),
    Signature(
        TEXT,
        "T5 in llama.cpp's names",
        {"enc.blk.0.attn_q.weight": None, "token_embd.weight": None},
    ),
    Signature(
        TEXT,
        "a language model in llama.cpp's names",
        {"blk.0.attn_q.weight": None, "token_embd.weight": None},
    ),
    _llm("LLaMA 3 8B", 128256, 4096, 1024, 14336, 32, doubt=_LLAMA),
    _llm("LLaMA 3 8B of LLaVA, which HunyuanVideo reads", 128320, 4096, 1024, 14336, 32),
    _llm("Qwen2.5 3B", 151936, 2048, 256, 11008, 36, _KEY_BIAS, doubt=_SEEING),
    _llm("Qwen2.5 7B", 152064, 3584, 512, 18944, 28, _KEY_BIAS, doubt=_SEEING),
    _llm("Qwen3 0.6B", 151936, 1024, 1024, 3072, 28, _KEY_NORM),
    _llm("Qwen3 1.7B", 151936, 2048, 1024, 6144, 28, _KEY_NORM),
    _llm("Qwen3 4B", 151936, 2560, 1024, 9728, 36, _KEY_NORM),
    _llm("Qwen3 8B", 151936, 4096, 1024, 12288, 36, _KEY_NORM),
    _llm("Gemma 2 2B", 256000, 2304, 1024, 9216, 26, _AFTER),
    _llm("Gemma 3 4B", 262208, 2560, 1024, 10240, 34, _AFTER, _KEY_NORM),
    _llm("Gemma 3 12B", 262208, 3840, 2048, 15360, 48, _AFTER, _KEY_NORM),
    _llm("Mistral Small 3 24B", 131072, 5120, 1024, 32768, 40),
    Signature(
        TEXT,
        "ChatGLM3 6B",
        {
            "embedding.word_embeddings.weight": (65024, 4096),
            "encoder.layers.0.self_attention.query_key_value.weight": (4608, 4096),
        },
        doubt="ChatGLM2's and ChatGLM3's have the same names and shapes",
        blocks={"encoder.layers.{}.self_attention.query_key_value.weight": 28},
    ),
    Signature(
        TEXT,
        "a text encoder of BERT's kind",
        {
            "embeddings.word_embeddings.weight": None,
            "encoder.layer.0.attention.self.query.weight": None,
        },
    ),
    Signature(
        TEXT,
        "a language model in LLaMA's names",
        {f"model.{_KEYS}": None, "model.embed_tokens.weight": None},
        general=True,
    ),
    Signature(
        TEXT,
        "a text encoder of T5's kind",
        {"encoder.block.0.layer.0.SelfAttention.q.weight": None},
        general=True,
    ),
    Signature(
        TEXT,
        "a text encoder of CLIP's kind",
        {_OF_TEXT: None, "text_model.encoder.layers.0.mlp.fc1.weight": None},
        general=True,
    ),
    Signature(
        TEXT,
        "a text encoder of CLIP's kind",
        {
            "token_embedding.weight": None,
            "transformer.resblocks.0.attn.in_proj_weight": None,
        },
        general=True,
    ),
    *_vision("CLIP ViT-L/14, images", 1024, 14, 24),
    *_vision("OpenCLIP ViT-H/14, images", 1280, 14, 32),
    *_vision("OpenCLIP ViT-bigG/14, images", 1664, 14, 48),
    Signature(
        IMAGE,
        "SigLIP so400m",
        {
            _OF_IMAGES: (1152, 3, None, None),
            "vision_model.embeddings.patch_embedding.bias": (1152,),
        },
        (_CLASS, _OF_TEXT),
        doubt="SigLIP's and SigLIP 2's have the same names and shapes",
        blocks={"vision_model.encoder.layers.{}.mlp.fc1.weight": 27},
    ),
    Signature(
        IMAGE,
        "XLM-RoBERTa CLIP ViT-H/14 of Wan",
        {"visual.patch_embedding.weight": (1280, 3, 14, 14), "visual.cls_embedding": None},
    ),
    Signature(
        IMAGE,
        "DINOv2",
        {
            "embeddings.patch_embeddings.projection.weight": None,
            "encoder.layer.0.attention.attention.query.weight": None,
            "encoder.layer.0.layer_scale1.lambda1": None,
        },
    ),
    Signature(
        IMAGE,
        "the eyes of Qwen2.5-VL",
        {
            "visual.patch_embed.proj.weight": (1280, 3, 2, 14, 14),
            "visual.merger.mlp.0.weight": None,
            "visual.blocks.0.mlp.gate_proj.weight": None,
        },
        ("model.layers.0.self_attn.k_proj.weight",),
    ),
    Signature(
        IMAGE,
        "an image encoder of CLIP's kind",
        {_OF_IMAGES: None, "vision_model.encoder.layers.0.mlp.fc1.weight": None},
        (_OF_TEXT,),
        general=True,
    ),
)
