"""The arguments of the original `UNetModel` and `ControlNet`, and which of them are covered.

Source: `ldm/modules/diffusionmodules/openaimodel.py` in CompVis/latent-diffusion and
Stability-AI/stablediffusion, `sgm/modules/diffusionmodules/openaimodel.py` in
Stability-AI/generative-models, and `cldm/cldm.py` in lllyasviel/ControlNet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct

from unetscope.families.family import Count, Depth, Levels, Probability
from unetscope.findings import Path

UNETS = ("UNetModel", "ControlledUnetModel")
CONTROL_NETS = ("ControlNet",)

IGNORED = {
    "image_size": "any size passes; Stable Diffusion's files say 32 here, and 64 one level up",
    "legacy": "spells head widths in another way, to the same effect where heads divide channels",
    "offload_to_cpu": "where training keeps what it recomputes",
    "spatial_transformer_attn_type": "which kernel computes attention",
    "use_bf16": "element type",
    "use_checkpoint": "what training recomputes",
    "use_fairscale_checkpoint": "what training recomputes",
    "use_fp16": "element type",
}
"""Arguments that shape nothing, and what they do."""

REFUSED: dict[str, tuple[Any, str]] = {
    "conv_resample": (True, "resampling without convolutions"),
    "dims": (2, "anything but images"),
    "disable_middle_self_attn": (False, "a middle transformer without self-attention"),
    "disable_middle_transformer": (False, "a middle block with transformers in other blocks alone"),
    "n_embed": (None, "a network that predicts codes"),
    "num_attention_blocks": (None, "attention after some ResNets of a level alone"),
    "num_heads_upsample": (-1, "a decoder with heads of its own"),
    "resblock_updown": (False, "ResNets that halve and double, in this form"),
    "use_new_attention_order": (False, "heads cut before queries, keys and values"),
    "use_scale_shift_norm": (False, "a time that scales the norms, in this form"),
}
"""Arguments of which one value alone is covered, and what any other would be."""

OF_TRANSFORMERS: dict[str, Any] = {
    "context_dim": None,
    "disable_self_attentions": None,
    "transformer_depth": 1,
    "use_linear_in_transformer": False,
}
"""Arguments that mean something with transformers only, and their defaults."""

_Count = Annotated[int, Meta(ge=-1, le=65_536)]


class Arguments(Struct, frozen=True, kw_only=True):
    """What all the original networks are called with; -1 is their way to say none."""

    in_channels: Count
    model_channels: Count
    num_res_blocks: Depth | tuple[Depth, ...]
    attention_resolutions: tuple[Count, ...]
    channel_mult: Annotated[tuple[Count, ...], Levels] = (1, 2, 4, 8)
    dropout: Probability = 0.0
    num_heads: _Count = -1
    num_head_channels: _Count = -1
    use_spatial_transformer: bool | None = None
    transformer_depth: int | tuple[int, ...] = 1
    context_dim: Count | tuple[Count, ...] | None = None
    use_linear_in_transformer: bool = False
    disable_self_attentions: tuple[bool, ...] | None = None
    conv_resample: bool = True
    dims: int = 2
    disable_middle_self_attn: bool = False
    n_embed: int | None = None
    num_attention_blocks: int | tuple[int, ...] | None = None
    num_heads_upsample: int = -1
    resblock_updown: bool = False
    use_new_attention_order: bool = False
    use_scale_shift_norm: bool = False
    image_size: Any = None
    legacy: Any = None
    use_checkpoint: Any = None
    use_fp16: Any = None


class UNetArguments(Arguments, frozen=True, kw_only=True):
    """What the original UNets are called with."""

    out_channels: Count
    num_classes: Count | str | None = None
    adm_in_channels: Count | None = None
    disable_middle_transformer: bool = False
    offload_to_cpu: Any = None
    spatial_transformer_attn_type: Any = None
    use_bf16: Any = None
    use_fairscale_checkpoint: Any = None


class ControlNetArguments(Arguments, frozen=True, kw_only=True):
    """What the original ControlNet is called with."""

    hint_channels: Count


@dataclass(frozen=True)
class OriginalNetwork:
    """A network in an original file.

    Attributes:
        path: where its mapping stands.
        target: its class.
        params: its arguments.
    """

    path: Path
    target: str
    params: dict[str, Any]

    @property
    def class_name(self) -> str:
        """The last part of its target."""
        return self.target.rpartition(".")[2]

    @property
    def is_control_net(self) -> bool:
        """Whether it is an encoder that reads a picture, not a UNet."""
        return self.class_name in CONTROL_NETS

    @property
    def section(self) -> type[UNetArguments | ControlNetArguments]:
        """What it is called with."""
        return ControlNetArguments if self.is_control_net else UNetArguments

    @property
    def has_transformers(self) -> bool:
        """Whether its attentions are transformers; those of `sgm` always are."""
        said = self.params.get("use_spatial_transformer")
        return "sgm" in self.target.split(".") if said is None else bool(said)

    def argument(self, *key: str | int) -> Path:
        """Where an argument stands."""
        return (*self.path, "params", *key)
