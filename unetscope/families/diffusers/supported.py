"""What the families here cover of the published options; anything else is refused by name.

A published option without an implementation must never be ignored: the network would be another
one than its config says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from unetscope.errors import nearest
from unetscope.families.article_002.options import DiffusionConfig
from unetscope.families.article_003.options import SimpleUNetConfig
from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UNCOVERED, UP_BLOCKS
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.findings import Finding
from unetscope.wording import found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgspec import Struct

    from unetscope.families.diffusers.blocks import BlockType

T = TypeVar("T")
Accepted = Mapping[str, tuple[Any, ...]]

ACTIVATIONS = ("silu", "swish", "gelu", "mish", "relu")
TIME_SCALE_SHIFT = ("default", "scale_shift")


def _names(blocks: Mapping[str, BlockType], *, fir: bool, text: bool) -> tuple[str, ...]:
    """The names of blocks, with those of NCSN++ or without, and with those that read text or not.

    Blocks of k-diffusion are taken for blocks that read text, since no others stand beside them.
    """
    return tuple(
        name
        for name, kind in blocks.items()
        if (fir or kind.resnet != "fir") and (text or not (kind.reads_text or kind.resnet == "k"))
    )


_UNET_2D_CONDITION: Accepted = {
    "down_block_types": _names(DOWN_BLOCKS, fir=False, text=True),
    "mid_block_type": (*MID_BLOCKS, None),
    "up_block_types": _names(UP_BLOCKS, fir=False, text=True),
    "act_fn": ACTIVATIONS,
    "encoder_hid_dim_type": ("text_proj", "text_image_proj", "image_proj", None),
    "num_attention_heads": (None,),
    "class_embed_type": ("timestep", "identity", "projection", "simple_projection", None),
    "addition_embed_type": ("text", "text_image", "text_time", "image", "image_hint", None),
    "resnet_time_scale_shift": TIME_SCALE_SHIFT,
    "time_embedding_type": ("positional", "fourier"),
    "time_embedding_act_fn": (*ACTIVATIONS, None),
    "timestep_post_act": (*ACTIVATIONS, None),
    "attention_type": ("default", "gated", "gated-text-image"),
    "cross_attention_norm": ("layer_norm", "group_norm", None),
}
_UNET_2D: Accepted = {
    "time_embedding_type": ("positional", "fourier", "learned"),
    "down_block_types": _names(DOWN_BLOCKS, fir=True, text=False),
    "mid_block_type": ("UNetMidBlock2D", None),
    "up_block_types": _names(UP_BLOCKS, fir=True, text=False),
    "downsample_type": ("conv", "resnet", None),
    "upsample_type": ("conv", "resnet", None),
    "act_fn": ACTIVATIONS,
    "resnet_time_scale_shift": TIME_SCALE_SHIFT,
    "class_embed_type": ("timestep", "identity", None),
}
_CONTROLNET: Accepted = {
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "mid_block_type": ("UNetMidBlock2DCrossAttn", "UNetMidBlock2D"),
    "act_fn": ACTIVATIONS,
    # The published forward pass projects no tokens, whatever these options say.
    "encoder_hid_dim": (None,),
    "encoder_hid_dim_type": (None,),
    "class_embed_type": ("identity", "projection", None),
    "addition_embed_type": ("text_time", None),
    "resnet_time_scale_shift": TIME_SCALE_SHIFT,
    "controlnet_conditioning_channel_order": ("rgb", "bgr"),
}
_SIMPLE_UNET: Accepted = {
    "up_res_channels": ("concatenated", "doubled"),
    "attention": ("bottleneck", None),
}

SUPPORTED: dict[type[Struct], Accepted] = {
    UNet2DConditionConfig: _UNET_2D_CONDITION,
    UNet2DConfig: _UNET_2D,
    ControlNetConfig: _CONTROLNET,
    DiffusionConfig: {},
    SimpleUNetConfig: _SIMPLE_UNET,
}
"""For each family, option -> the values covered; of options not listed, all the schema allows."""

REQUIRED: dict[tuple[str, str], tuple[str, ...]] = {
    ("class_embed_type", "projection"): ("projection_class_embeddings_input_dim",),
    ("class_embed_type", "simple_projection"): ("projection_class_embeddings_input_dim",),
    ("encoder_hid_dim_type", "text_proj"): ("encoder_hid_dim",),
    ("encoder_hid_dim_type", "text_image_proj"): ("encoder_hid_dim",),
    ("encoder_hid_dim_type", "image_proj"): ("encoder_hid_dim",),
    ("addition_embed_type", "image"): ("encoder_hid_dim",),
    ("addition_embed_type", "image_hint"): ("encoder_hid_dim",),
    ("addition_embed_type", "text_time"): (
        "addition_time_embed_dim",
        "projection_class_embeddings_input_dim",
    ),
    ("time_embedding_type", "learned"): ("num_train_timesteps",),
}
"""Option and value -> the options that must not be null with it."""

HINTS = {
    "num_attention_heads": "published configs give the number of heads as attention_head_dim",
}


def unsupported(config: Struct) -> Iterator[Finding]:
    """Every option of `config` that the families here do not cover."""
    for key, accepted in SUPPORTED[type(config)].items():
        value = getattr(config, key)
        entries = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for index, entry in entries:
            if entry not in accepted:
                path = (key,) if index is None else (key, index)
                message = f"expected {_any_of(accepted)}, found {found(entry)}"
                yield Finding("unsupported", path, message, _hint(key, accepted, entry))
    for (key, value), options in REQUIRED.items():
        if getattr(config, key, None) == value:
            for option in options:
                if getattr(config, option) is None:
                    message = f"expected a number since {key} is {value}, found null"
                    yield Finding("missing", (option,), message)
    if getattr(config, "class_embeddings_concat", False) and not embeds_classes(config):
        message = "expected class_embed_type or num_class_embeds beside it, found neither"
        yield Finding("missing", ("class_embeddings_concat",), message)


def refuse_unsupported(config: Struct) -> None:
    """Raise the first of what is not covered as a `ConfigError`."""
    for finding in unsupported(config):
        raise finding.error({})


def needed(value: T | None) -> T:
    """The value of an option that is null only in configs that were refused."""
    assert value is not None
    return value


def embeds_classes(config: Any) -> bool:
    """Whether the network takes class labels."""
    return config.class_embed_type is not None or config.num_class_embeds is not None


def _hint(key: str, accepted: tuple[Any, ...], entry: Any) -> str | None:
    if entry in UNCOVERED:
        return f"{entry} is a block of autoencoders, not of UNets"
    if entry in DOWN_BLOCKS or entry in UP_BLOCKS or entry in MID_BLOCKS:
        return f"{entry} is a published block type, but not one of this family's here"
    names = [name for name in accepted if isinstance(name, str)]
    close = nearest(entry, names) if isinstance(entry, str) else None
    return f"did you mean {close}?" if close else HINTS.get(key)


def _any_of(accepted: tuple[Any, ...]) -> str:
    *others, last = map(_spell, accepted)
    return f"{', '.join(others)} or {last}" if others else last


def _spell(accepted: Any) -> str:
    return accepted if isinstance(accepted, str) else found(accepted)
