"""The arguments of the original `UNetModel` and `ControlNet`, and which of them are covered.

Source: `guided_diffusion/unet.py` in openai/guided-diffusion,
`ldm/modules/diffusionmodules/openaimodel.py` in CompVis/latent-diffusion and
Stability-AI/stablediffusion, `sgm/modules/diffusionmodules/openaimodel.py` in
Stability-AI/generative-models, and `cldm/cldm.py` in lllyasviel/ControlNet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct, convert

from unetscope.config.dialects import VIDEO_UNETS
from unetscope.families.family import MOST, Count, Depth, Levels, Probability
from unetscope.findings import Path

UNETS = ("UNetModel", "ControlledUnetModel")
CONTROL_NETS = ("ControlNet",)
GUIDED = frozenset({"guided_diffusion", "improved_diffusion"})
"""OpenAI's packages, whose `num_heads` is 1 unless a file gives it."""

IGNORED = {
    "image_size": "any size passes; Stable Diffusion's files say 32 here, and 64 one level up",
    "merge_factor": "where training begins to mix frames",
    "legacy": "spells head widths in another way, to the same effect where heads divide channels",
    "offload_to_cpu": "where training keeps what it recomputes",
    "spatial_transformer_attn_type": "which kernel computes attention",
    "use_bf16": "element type",
    "use_checkpoint": "what training recomputes",
    "use_fairscale_checkpoint": "what training recomputes",
    "use_fp16": "element type",
    "use_new_attention_order": "which channels of one convolution are queries, keys and values",
}
"""Arguments that shape nothing, and what they do."""

REFUSED: dict[str, tuple[Any, str]] = {
    "conv_resample": (True, "resampling without convolutions"),
    "dims": (2, "anything but images"),
    "disable_middle_self_attn": (False, "a middle transformer without self-attention"),
    "disable_middle_transformer": (False, "a middle block with transformers in other blocks alone"),
    "n_embed": (None, "a network that ends twice, in noise and in codes; without it, in noise"),
}
"""Arguments of which one value alone is covered, and what any other would be."""

OF_TRANSFORMERS: dict[str, Any] = {
    "context_dim": None,
    "disable_self_attentions": None,
    "transformer_depth": 1,
    "transformer_depth_middle": None,
    "use_linear_in_transformer": False,
}
"""Arguments that mean something with transformers only, and their defaults."""

_Count = Annotated[int, Meta(ge=-1, le=65_536)]
_Factor = Annotated[float, Meta(gt=0, le=MOST)]


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
    transformer_depth_middle: int | None = None
    context_dim: Count | tuple[Count, ...] | None = None
    use_linear_in_transformer: bool = False
    disable_self_attentions: tuple[bool, ...] | None = None
    conv_resample: bool = True
    dims: int = 2
    disable_middle_self_attn: bool = False
    n_embed: int | None = None
    num_attention_blocks: tuple[int, ...] | None = None
    num_heads_upsample: int = -1
    resblock_updown: bool = False
    use_new_attention_order: Any = None
    use_scale_shift_norm: bool = False
    image_size: Any = None
    legacy: Any = None
    use_checkpoint: Any = None
    use_fp16: Any = None

    @property
    def channels(self) -> tuple[int, ...]:
        """Features at each level."""
        return tuple(int(mult * self.model_channels) for mult in self.channel_mult)

    @property
    def factors(self) -> tuple[int, ...]:
        """How many times smaller each level is than the sample."""
        return tuple(2**level for level in range(len(self.channel_mult)))

    @property
    def attending(self) -> tuple[bool, ...]:
        """Whether attention follows the ResNets of each level, those of the middle aside."""
        blocks = self.num_attention_blocks or (None,) * len(self.channel_mult)
        return tuple(
            factor in self.attention_resolutions and count != 0
            for factor, count in zip(self.factors, blocks, strict=True)
        )


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


class GuidedArguments(UNetArguments, frozen=True, kw_only=True):
    """What OpenAI's UNets are called with."""

    channel_mult: Annotated[tuple[_Factor, ...], Levels] = (1, 2, 4, 8)  # type: ignore[assignment]
    num_heads: _Count = 1


class VideoArguments(UNetArguments, frozen=True, kw_only=True):
    """What the UNet over frames is called with."""

    disable_temporal_crossattention: bool = False
    extra_ff_mix_layer: bool = False
    max_ddpm_temb_period: int = 10_000
    merge_factor: Any = None
    merge_strategy: str = "fixed"
    time_context_dim: int | None = None
    time_downup: bool = False
    use_spatial_context: bool = False
    video_kernel_size: int | tuple[int, ...] = 3


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
        if self.is_video:
            return VideoArguments
        if self.is_control_net:
            return ControlNetArguments
        return GuidedArguments if self.is_guided else UNetArguments

    @property
    def is_video(self) -> bool:
        """Whether it is a UNet over frames."""
        return self.class_name in VIDEO_UNETS

    @property
    def is_guided(self) -> bool:
        """Whether it is one of OpenAI's."""
        return not GUIDED.isdisjoint(self.target.split("."))

    @property
    def arguments(self) -> UNetArguments | ControlNetArguments:
        """What it is called with, defaults filled in."""
        return convert(self.params, self.section)

    @property
    def has_transformers(self) -> bool:
        """Whether its attentions are transformers; those of `sgm` and over frames always are."""
        if self.is_video:
            return True
        said = self.params.get("use_spatial_transformer")
        return "sgm" in self.target.split(".") if said is None else bool(said)

    def argument(self, *key: str | int) -> Path:
        """Where an argument stands."""
        return (*self.path, "params", *key)
