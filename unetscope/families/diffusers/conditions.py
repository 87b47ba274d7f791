"""What conditional networks are told besides the time: the facts that both rooms need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

HINT_SCALE = 8
"""Pixels of a hint for each pixel of the sample: three convolutions halve it (Kandinsky 2.2)."""
HINT_CHANNELS = 4
"""Channels of the sample that a hint becomes."""
DUAL_TOKENS = (77, 257)
"""Tokens of a text and of an image that are read side by side (Versatile Diffusion)."""
MOST_OBJECTS = 30
"""Objects in one image, as GLIGEN's pipeline pads them."""


def image_widths(unet: UNet2DConditionConfig) -> list[int]:
    """Widths that an image's vector must have, for each that reads it; the first adds it."""
    read, given = unet.cross_attention_dim, unet.encoder_hid_dim
    by_reader = {"text_image": read, "image": given, "image_hint": given}
    by_projection = {"text_image_proj": read, "image_proj": given}
    widths = [
        by_reader.get(unet.addition_embed_type or ""),
        by_projection.get(unet.token_projection or ""),
    ]
    return [width for width in widths if isinstance(width, int)]
