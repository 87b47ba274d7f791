"""Shipped configs with few channels, and every option of theirs changed to another legal value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import torch
from mutation_judge import SCALES, Subject

from unetscope.config import Spec, load
from unetscope.errors import UnetscopeError
from unetscope.families import find
from unetscope.record import TensorSpec

_LEVELS = ["block_out_channels=[8,16,16,16]", "norm_num_groups=4", "layers_per_block=1"]
SMALL: dict[str, list[str]] = {
    "sd15": [*_LEVELS, "attention_head_dim=2", "cross_attention_dim=6"],
    "sdxl_base": [
        "block_out_channels=[8,16,16]", "norm_num_groups=4", "layers_per_block=1",
        "transformer_layers_per_block=[1,1,2]", "attention_head_dim=[1,2,4]",
        "cross_attention_dim=6", "addition_time_embed_dim=4",
        "projection_class_embeddings_input_dim=1304",
    ],
    "sd_x4_upscaler": [
        *_LEVELS, "attention_head_dim=2", "cross_attention_dim=6", "num_class_embeds=9",
    ],
    "sd21_unclip_h": [
        *_LEVELS, "attention_head_dim=2", "cross_attention_dim=6",
        "projection_class_embeddings_input_dim=10",
    ],
    "sd_x2_latent_upscaler": [
        "block_out_channels=[32,32,64,64]", "layers_per_block=1", "attention_head_dim=8",
        "cross_attention_dim=6", "time_cond_proj_dim=5",
    ],
    "if_I_XL": [
        *_LEVELS, "attention_head_dim=4", "cross_attention_dim=32", "encoder_hid_dim=10",
        "addition_embed_type_num_heads=2",
    ],
    "kandinsky22_decoder": [
        *_LEVELS, "attention_head_dim=4", "cross_attention_dim=8", "encoder_hid_dim=10",
    ],
    "ddpm_cifar10_32": [*_LEVELS],
    "adm_imagenet64": [
        *_LEVELS, "attention_head_dim=4", "attn_norm_num_groups=4", "num_class_embeds=9",
    ],
    "controlnet_sd15": [
        *_LEVELS, "attention_head_dim=2", "cross_attention_dim=6",
        "conditioning_embedding_out_channels=[4,6,8,10]",
    ],
    "article_002": ["channels=32", "n_head=2", "d_context=6"],
    "article_003": ["base_channels=8", "norm_groups=4"],
}  # fmt: skip
"""Shipped config -> overrides that leave few channels, so that it runs in milliseconds."""

_SIZES = {"batch": 2, "height": 16, "width": 32, "tokens": 3}


def small(name: str, *overrides: str) -> Spec:
    """A shipped config with few channels, on a small sample of two images.

    Raises:
        ConfigError: the overrides describe no network.
    """
    return load(name, overrides=[*SMALL[name], *overrides], **_SIZES)


def cases(name: str) -> Iterator[tuple[str, Spec]]:
    """Each single change of a small config's options that describes a network, and that."""
    spec = small(name)
    covered = find(spec.family).covered.values
    for key in spec.unet.__struct_fields__:
        value = getattr(spec.unet, key)
        tried = set()
        for other in _others(value, covered.get(key)):
            text = f"{key}={json.dumps(other)}"
            if text in tried or (other == value and type(other) is type(value)):
                continue
            tried.add(text)
            try:
                changed = small(name, text)
            except UnetscopeError:  # it describes no network
                continue
            yield f"{json.dumps(value)} → {text}", changed


def _others(value: Any, covered: tuple[Any, ...] | None) -> Iterator[Any]:
    """Other values that an option may have, and some that it may not."""
    if isinstance(value, tuple):
        yield from _lists(list(value), covered)
    elif covered is not None:
        yield from covered
    elif isinstance(value, bool):
        yield not value
        yield from ([value] * 4, [not value] * 4, [value, not value, value, value], None)
    elif isinstance(value, (int, float)):
        yield from _numbers(value)
        yield from ([value] * 3, [value] * 4, [2 * value, value, value, value])
    elif value is None:
        yield from (True, 2, 4, 8, 9, 10, [2, 2], [1, 2, 1, 1], [1, 2, 1])


def _numbers(value: float) -> Iterator[float]:
    yield from (value + 1, value - 1, 2 * value, 3 * value)
    yield value // 2 if isinstance(value, int) else value / 2
    if isinstance(value, float):
        yield from (10 * value, value + 0.25)


def _lists(values: list[Any], covered: tuple[Any, ...] | None) -> Iterator[Any]:
    for index, value in enumerate(values):
        for other in _others(value, covered):
            if not isinstance(other, list):
                yield [*values[:index], other, *values[index + 1 :]]
    yield values[::-1]
    yield values[0]
    yield [*values, values[-1]]


def subject(spec: Spec) -> Subject:
    """The network of a config with inputs that depend on their names and shapes alone.

    Raises:
        Exception: whatever building or running it raises.
    """
    inputs = tuple(_filled(spec.tensors(), scale) for scale in SCALES)
    return Subject(spec.build, inputs, spec.name)


def _filled(tensors: dict[str, Any], scale: float) -> dict[str, Any]:
    """Random numbers for floats; 1, 2, 3 … for integers, which any table has."""
    found: dict[str, Any] = {}
    for name, held in tensors.items():
        if not isinstance(held, TensorSpec):
            found[name] = _filled(held, scale)
        elif held.dtype == "float32":
            generator = torch.Generator().manual_seed(crc32(name.encode()))
            values = torch.randn(held.shape, generator=generator, dtype=torch.float64)
            found[name] = scale * values
        else:
            dtype = getattr(torch, held.dtype)
            count = torch.Size(held.shape).numel()
            found[name] = (1 + torch.arange(count) % 2).reshape(held.shape).to(dtype)
    return found
