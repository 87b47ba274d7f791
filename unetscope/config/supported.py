"""What the families here cover of the published options; anything else is refused by name.

A published option without an implementation must never be ignored: the network would be another
one than its config says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from unetscope.config.blocks import DOWN_BLOCKS, MID_BLOCKS, UNCOVERED, UP_BLOCKS
from unetscope.config.findings import Finding
from unetscope.config.wording import found
from unetscope.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unetscope.config.unet2d_condition import UNet2DConditionConfig

T = TypeVar("T")

ACTIVATIONS = ("silu", "swish", "gelu", "mish", "relu")

SUPPORTED: dict[str, tuple[Any, ...]] = {
    "down_block_types": tuple(DOWN_BLOCKS),
    "mid_block_type": (*MID_BLOCKS, None),
    "up_block_types": tuple(UP_BLOCKS),
    "act_fn": ACTIVATIONS,
    "encoder_hid_dim": (None,),
    "encoder_hid_dim_type": (None,),
    "num_attention_heads": (None,),
    "dual_cross_attention": (False,),
    "class_embed_type": ("timestep", "identity", "projection", "simple_projection", None),
    "addition_embed_type": ("text_time", None),
    "resnet_time_scale_shift": ("default",),
    "resnet_skip_time_act": (False,),
    "time_embedding_type": ("positional",),
    "time_embedding_act_fn": (*ACTIVATIONS, None),
    "timestep_post_act": (*ACTIVATIONS, None),
    "attention_type": ("default",),
    "mid_block_only_cross_attention": (False, None),
    "cross_attention_norm": (None,),
}
"""Option -> the values that are covered; of options not listed, all that the schema allows."""

REQUIRED: dict[tuple[str, str], tuple[str, ...]] = {
    ("class_embed_type", "projection"): ("projection_class_embeddings_input_dim",),
    ("class_embed_type", "simple_projection"): ("projection_class_embeddings_input_dim",),
    ("addition_embed_type", "text_time"): (
        "addition_time_embed_dim",
        "projection_class_embeddings_input_dim",
    ),
}
"""Option and value -> the options that must not be null with it."""

HINTS = {
    "num_attention_heads": "published configs give the number of heads as attention_head_dim",
}


def unsupported(config: UNet2DConditionConfig) -> Iterator[Finding]:
    """Every option of `config` that the families here do not cover."""
    for key, accepted in SUPPORTED.items():
        value = getattr(config, key)
        entries = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for index, entry in entries:
            if entry not in accepted:
                path = (key,) if index is None else (key, index)
                message = f"expected {' or '.join(map(_spell, accepted))}, found {found(entry)}"
                yield Finding("unsupported", path, message, _hint(key, accepted, entry))
    for (key, value), options in REQUIRED.items():
        if getattr(config, key) == value:
            for option in options:
                if getattr(config, option) is None:
                    message = f"expected a number since {key} is {value}, found null"
                    yield Finding("missing", (option,), message)
    if config.class_embeddings_concat and not embeds_classes(config):
        message = "expected class_embed_type or num_class_embeds beside it, found neither"
        yield Finding("missing", ("class_embeddings_concat",), message)


def refuse_unsupported(config: UNet2DConditionConfig) -> None:
    """Raise the first of what is not covered as a `ConfigError`."""
    for finding in unsupported(config):
        raise finding.error({})


def needed(value: T | None) -> T:
    """The value of an option that is null only in configs that were refused."""
    assert value is not None
    return value


def embeds_classes(config: UNet2DConditionConfig) -> bool:
    """Whether the network takes class labels."""
    return config.class_embed_type is not None or config.num_class_embeds is not None


def _hint(key: str, accepted: tuple[Any, ...], entry: Any) -> str | None:
    if entry in UNCOVERED:
        return f"{entry} is a published block type that is not implemented here"
    names = [name for name in accepted if isinstance(name, str)]
    close = nearest(entry, names) if isinstance(entry, str) else None
    return f"did you mean {close}?" if close else HINTS.get(key)


def _spell(accepted: Any) -> str:
    return accepted if isinstance(accepted, str) else found(accepted)
