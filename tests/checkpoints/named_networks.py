"""Names and shapes of published networks, written out from their code."""

from __future__ import annotations

from unetscope.checkpoints.header import Header
from unetscope.record import TensorSpec


def header(shapes, dtype="float16", **more):
    """A header with these tensors."""
    tensors = {
        name: shape if isinstance(shape, TensorSpec) else TensorSpec(tuple(shape), dtype)
        for name, shape in shapes.items()
    }
    return Header("safetensors", tensors, **more)


def under(prefix, shapes):
    return {prefix + name: shape for name, shape in shapes.items()}


def layer_norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def linear(name, inputs, outputs, bias=True):
    return {f"{name}.weight": (outputs, inputs), **({f"{name}.bias": (outputs,)} if bias else {})}


def clip_text(width, layers, inner=None, positions=77):
    """transformers' CLIPTextModel."""
    found = {
        "text_model.embeddings.token_embedding.weight": (49408, width),
        "text_model.embeddings.position_embedding.weight": (positions, width),
        "text_model.embeddings.position_ids": (1, positions),
    }
    for n in range(layers):
        path = f"text_model.encoder.layers.{n}"
        for end in "qkv":
            found |= linear(f"{path}.self_attn.{end}_proj", width, width)
        found |= linear(f"{path}.self_attn.out_proj", width, width)
        found |= linear(f"{path}.mlp.fc1", width, inner or 4 * width)
        found |= linear(f"{path}.mlp.fc2", inner or 4 * width, width)
        found |= layer_norm(f"{path}.layer_norm1", width) | layer_norm(f"{path}.layer_norm2", width)
    return found | layer_norm("text_model.final_layer_norm", width)


def clip_vision(width, layers, patch=14, image=224):
    """transformers' CLIPVisionModelWithProjection."""
    found = {
        "vision_model.embeddings.class_embedding": (width,),
        "vision_model.embeddings.patch_embedding.weight": (width, 3, patch, patch),
        "vision_model.embeddings.position_embedding.weight": ((image // patch) ** 2 + 1, width),
        "visual_projection.weight": (768, width),
    }
    for n in range(layers):
        path = f"vision_model.encoder.layers.{n}"
        for end in ("q", "k", "v", "out"):
            found |= linear(f"{path}.self_attn.{end}_proj", width, width)
        found |= linear(f"{path}.mlp.fc1", width, 4 * width)
        found |= linear(f"{path}.mlp.fc2", 4 * width, width)
    return found | layer_norm("vision_model.post_layernorm", width)


def open_clip(width, layers):
    """The text half of OpenCLIP's CLIP."""
    found = {
        "positional_embedding": (77, width),
        "text_projection": (width, width),
        "logit_scale": (),
        "token_embedding.weight": (49408, width),
    }
    for n in range(layers):
        path = f"transformer.resblocks.{n}"
        found |= {f"{path}.attn.in_proj_weight": (3 * width, width)}
        found |= {f"{path}.attn.in_proj_bias": (3 * width,)}
        found |= linear(f"{path}.attn.out_proj", width, width)
        found |= linear(f"{path}.mlp.c_fc", width, 4 * width)
        found |= linear(f"{path}.mlp.c_proj", 4 * width, width)
        found |= layer_norm(f"{path}.ln_1", width) | layer_norm(f"{path}.ln_2", width)
    return found | layer_norm("ln_final", width)


def t5(width, inner, layers, words=32128, heads=64, own_positions=False):
    """transformers' T5EncoderModel."""
    found = {"shared.weight": (words, width), "encoder.final_layer_norm.weight": (width,)}
    for n in range(layers):
        path = f"encoder.block.{n}.layer"
        for end in "qkvo":
            found |= linear(f"{path}.0.SelfAttention.{end}", width, width, bias=False)
        if not n or own_positions:
            name = f"{path}.0.SelfAttention.relative_attention_bias.weight"
            found[name] = (32, heads)
        for end in ("wi_0", "wi_1"):
            found |= linear(f"{path}.1.DenseReluDense.{end}", width, inner, bias=False)
        found |= linear(f"{path}.1.DenseReluDense.wo", inner, width, bias=False)
    return found


def llm(width, words, layers, keys, inner, *traits):
    """A language model in LLaMA's names."""
    found = {"model.embed_tokens.weight": (words, width), "model.norm.weight": (width,)}
    for n in range(layers):
        path = f"model.layers.{n}"
        found |= {f"{path}.input_layernorm.weight": (width,)}
        found |= {f"{path}.post_attention_layernorm.weight": (width,)}
        found |= linear(f"{path}.self_attn.q_proj", width, width, "bias" in traits)
        found |= linear(f"{path}.self_attn.k_proj", width, keys, "bias" in traits)
        found |= linear(f"{path}.mlp.gate_proj", width, inner, bias=False)
        if "norm" in traits:
            found |= {f"{path}.self_attn.q_norm.weight": (128,)}
            found |= {f"{path}.self_attn.k_norm.weight": (128,)}
        if "after" in traits:
            found |= {f"{path}.post_feedforward_layernorm.weight": (width,)}
    return found


def compvis_vae(channels=4, moments=8, levels=(128, 256, 512, 512), quant=True):
    """CompVis' AutoencoderKL: its ResNets, and what stands at its ends."""
    last = levels[-1]
    found = {
        "encoder.conv_in.weight": (levels[0], 3, 3, 3),
        "encoder.conv_out.weight": (moments, last, 3, 3),
        "decoder.conv_in.weight": (last, channels, 3, 3),
        "decoder.conv_out.weight": (3, levels[0], 3, 3),
    }
    if quant:
        found |= {"quant_conv.weight": (moments, moments, 1, 1)}
        found |= {"post_quant_conv.weight": (channels, channels, 1, 1)}
    width = levels[0]
    for n, level in enumerate(levels):
        for block in range(2):
            found[f"encoder.down.{n}.block.{block}.conv1.weight"] = (level, width, 3, 3)
            width = level
        found[f"decoder.up.{n}.block.0.conv1.weight"] = (level, last, 3, 3)
    for side in ("encoder", "decoder"):
        for end in "qkv":
            found[f"{side}.mid.attn_1.{end}.weight"] = (last, last, 1, 1)
    return found
