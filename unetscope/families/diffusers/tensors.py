"""Names and shapes of the tensors of diffusers' UNets, from their options alone, without torch.

`networks` builds the same: a test compares both over all that options can say.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS, BlockType
from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.levels import Level, TextLevel, mid_depth, unet_levels
from unetscope.families.diffusers.listed import Listed, Shape
from unetscope.families.diffusers.tensors_of_conditions import add_conditions, add_gates
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

_IMAGE = 3
"""Channels of the image that blocks of NCSN++ carry along."""


def tensors_of(config: UNet2DConditionConfig | UNet2DConfig | ControlNetConfig) -> dict[str, Shape]:
    """The shape of each of a network's tensors, by its name.

    Args:
        config: options that no rule objects to.
    """
    return _Network(config).tensors


class _Network:
    """A network of which the tensors are listed."""

    def __init__(self, config: UNet2DConditionConfig | UNet2DConfig | ControlNetConfig) -> None:
        self.config = config.unet() if isinstance(config, ControlNetConfig) else config
        self.levels = unet_levels(self.config)
        self.tensors = Listed()
        unet, add = self.config, self.tensors
        self.temb = unet.time_embed_dim if isinstance(unet, UNet2DConfig) else unet.temb_channels
        self.shifts = unet.resnet_time_scale_shift == "scale_shift"
        kernels = [3, 3] if isinstance(unet, UNet2DConfig) else None
        first, last = kernels or [unet.conv_in_kernel, unet.conv_out_kernel]  # type: ignore[union-attr]
        channels = self.levels[0].channels
        is_controlnet = isinstance(config, ControlNetConfig)
        add.conv("conv_in", unet.in_channels, channels, 3 if is_controlnet else first)
        add_conditions(add, unet)
        self._down()
        self._middle()
        if isinstance(config, ControlNetConfig):
            self._control(config)
            return
        self._up()
        if unet.norm_num_groups is not None or isinstance(unet, UNet2DConfig):
            add.norm("conv_norm_out", channels)
        add.conv("conv_out", channels, unet.out_channels, last)
        if isinstance(unet, UNet2DConditionConfig) and unet.attention_type != "default":
            dim, both = unet_levels(unet)[0], unet.attention_type == "gated-text-image"
            assert isinstance(dim, TextLevel)
            add_gates(add, dim.context_dim, with_images=both)

    def _down(self) -> None:
        before = self.levels[0].channels
        for index, (level, name) in enumerate(
            zip(self.levels, self.config.down_block_types, strict=True)
        ):
            kind, path, channels = DOWN_BLOCKS[name], f"down_blocks.{index}", level.channels
            for layer in range(level.layers):
                entering = channels if layer else before
                self._resnet(kind, f"{path}.resnets.{layer}", entering, channels, channels)
                self._attention(kind, f"{path}.attentions.{layer}", level, channels, layer)
            if level is not self.levels[-1]:
                self._resampler(kind, path, channels, "down")
            before = channels

    def _up(self) -> None:
        before = self.levels[-1].channels
        upwards = [*reversed(self.levels), self.levels[0]]
        for index, ((level, above), name) in enumerate(
            zip(pairwise(upwards), self.config.up_block_types, strict=True)
        ):
            kind, path, channels = UP_BLOCKS[name], f"up_blocks.{index}", level.channels
            for layer, (entering, inner, leaving) in enumerate(
                self._decoding(kind, level, before, above.channels)
            ):
                self._resnet(kind, f"{path}.resnets.{layer}", entering, inner, leaving)
                if kind.resnet != "fir" or not layer:
                    at = f"{path}.attentions.{layer}"
                    self._attention(kind, at, level, leaving, layer, decoder=True)
            if level is not self.levels[0]:
                self._resampler(kind, path, channels, "up")
            before = above.channels if kind.resnet == "k" else channels

    def _decoding(
        self, kind: BlockType, level: Level, before: int, above: int
    ) -> Iterator[tuple[int, int, int]]:
        """Channels of each ResNet of an up block: on entering, in between and on leaving."""
        channels = level.channels
        if kind.resnet == "k":
            # The published code knows the lowest resolution by equal channels.
            is_lowest = kind.reads_text and above == channels == self.temb
            entering = before if is_lowest else before + channels
            for layer in range(level.layers):
                leaving = above if layer == level.layers - 1 else channels
                yield entering, channels if kind.reads_text else leaving, leaving
                entering = channels
            return
        pushed = [channels] * level.layers + [above]
        for layer, joined in enumerate(level.joins):
            entering = channels if layer else before
            yield entering + (0 if joined is None else pushed[joined]), channels, channels

    def _middle(self) -> None:
        name, level = self.config.mid_block_type, self.levels[-1]
        if name is None:
            return
        kind, channels, unet = MID_BLOCKS[name], level.channels, self.config
        of_pixels = isinstance(unet, UNet2DConfig)
        for layer in range(2 if of_pixels or kind.attention else 1):
            self._resnet(BlockType(), f"mid_block.resnets.{layer}", channels, channels, channels)
        path = "mid_block.attentions.0"
        if isinstance(unet, UNet2DConfig):
            if unet.add_attention:
                self._self_attention(path, channels, level.down_head_dim)
                if unet.middle_attention_groups is not None:
                    self.tensors.norm(f"{path}.group_norm", channels)
        elif kind.attention == "transformer":
            assert isinstance(level, TextLevel)
            # In a transformer of the middle the pixels read each other, whatever the option says.
            self._transformer(path, level, channels, mid_depth(unet), only_cross=False)
        elif kind.attention == "added_kv":
            only_cross = unet.only_cross_attention_in_middle
            self._added_kv(path, level, channels, level.down_head_dim, only_cross=only_cross)

    def _resnet(self, kind: BlockType, path: str, entering: int, inner: int, leaving: int) -> None:
        add = self.tensors
        if kind.resnet != "k":
            add.resnet(path, entering, leaving, self.temb, shifts=self.shifts)
            return
        add.linear(f"{path}.norm1.linear", self.temb, 2 * entering)
        add.conv(f"{path}.conv1", entering, inner)
        add.linear(f"{path}.norm2.linear", self.temb, 2 * inner)
        add.conv(f"{path}.conv2", inner, leaving)
        if entering != leaving:
            add[f"{path}.conv_shortcut.weight"] = (leaving, entering, 1, 1)

    def _resampler(self, kind: BlockType, path: str, channels: int, way: str) -> None:
        add = self.tensors
        if kind.resnet == "fir":
            at = f"{path}.resnet_{way}"
            add.resnet(at, channels, channels, self.temb, shifts=self.shifts, shortcut=True)
            if way == "down":
                add.conv(f"{path}.skip_conv", _IMAGE, channels, 1)
            else:
                add.conv(f"{path}.skip_conv", channels, _IMAGE)
                add.norm(f"{path}.skip_norm", channels)
            return
        by_resnet = kind.resnet == "guided"
        if isinstance(self.config, UNet2DConfig) and kind == BlockType(attention="self"):
            by_resnet = getattr(self.config, f"{way}sample_type") == "resnet"
        if by_resnet:
            at = f"{path}.{way}samplers.0"
            add.resnet(at, channels, channels, self.temb, shifts=self.shifts)
        elif kind.resnet != "k":  # whose filters are fixed
            add.conv(f"{path}.{way}samplers.0.conv", channels, channels)

    def _attention(
        self,
        kind: BlockType,
        path: str,
        level: Level,
        channels: int,
        layer: int,
        *,
        decoder: bool = False,
    ) -> None:
        head_dim = level.up_head_dim if decoder else level.down_head_dim
        if kind.attention == "self":
            self._self_attention(path, channels, head_dim)
            self.tensors.norm(f"{path}.group_norm", channels)
        elif kind.attention is not None:
            assert isinstance(level, TextLevel)
            only_cross = level.only_cross_attention
            if kind.attention == "added_kv":
                self._added_kv(path, level, channels, head_dim, only_cross=only_cross)
            elif kind.attention == "k":
                self._k_attention(path, level, channels, head_dim)
            else:
                depth = (level.up_depths if decoder else level.down_depths)[layer]
                self._transformer(path, level, channels, depth, only_cross=only_cross)

    def _self_attention(self, path: str, channels: int, head_dim: int) -> None:
        inner = channels // head_dim * head_dim
        self.tensors.attention(path, channels, channels, inner, bias=True)

    def _added_kv(
        self, path: str, level: Level, channels: int, head_dim: int, *, only_cross: bool
    ) -> None:
        unet, add, inner = self.config, self.tensors, channels // head_dim * head_dim
        assert isinstance(unet, UNet2DConditionConfig)
        assert isinstance(level, TextLevel)
        add.norm(f"{path}.group_norm", channels)
        if unet.cross_attention_norm is not None:
            is_layer = unet.cross_attention_norm == "layer_norm"
            add.norm(f"{path}.norm_cross", channels if is_layer else level.context_dim)
        for part in ("to_q",) if only_cross else ("to_q", "to_k", "to_v"):
            add.linear(f"{path}.{part}", channels, inner)
        for part in ("add_k_proj", "add_v_proj"):
            add.linear(f"{path}.{part}", level.context_dim, inner)
        add.linear(f"{path}.to_out.0", inner, channels)

    def _k_attention(self, path: str, level: TextLevel, channels: int, head_dim: int) -> None:
        add, inner = self.tensors, channels // head_dim * head_dim
        if level is self.levels[-1]:
            add.linear(f"{path}.norm1.linear", self.temb, 2 * channels)
            add.attention(f"{path}.attn1", channels, channels, inner, bias=True)
        add.linear(f"{path}.norm2.linear", self.temb, 2 * channels)
        add.norm(f"{path}.attn2.norm_cross", level.context_dim)
        add.attention(f"{path}.attn2", channels, level.context_dim, inner, bias=True)

    def _transformer(
        self, path: str, level: TextLevel, channels: int, depth: int | None, *, only_cross: bool
    ) -> None:
        unet = self.config
        assert isinstance(unet, UNet2DConditionConfig)
        if depth is None:
            return
        inner, read = channels // level.heads * level.heads, level.context_dim
        if unet.dual_cross_attention:
            for each in range(2):
                at = f"{path}.transformers.{each}"
                self.tensors.transformer(at, channels, inner, read, 1)
            return
        self.tensors.transformer(
            path,
            channels,
            inner,
            read,
            depth,
            linear=unet.use_linear_projection,
            only_cross=only_cross,
            gated=unet.attention_type != "default",
        )

    def _control(self, config: ControlNetConfig) -> None:
        add, first = self.tensors, config.block_out_channels[0]
        path, widths = "controlnet_cond_embedding", config.conditioning_embedding_out_channels
        add.conv(f"{path}.conv_in", config.conditioning_channels, widths[0])
        for index, (narrow, wide) in enumerate(pairwise(widths)):
            add.conv(f"{path}.blocks.{2 * index}", narrow, narrow)
            add.conv(f"{path}.blocks.{2 * index + 1}", narrow, wide)
        add.conv(f"{path}.conv_out", widths[-1], first)
        residuals = [first]
        for level in self.levels:
            residuals += [level.channels] * (level.layers + (level is not self.levels[-1]))
        for index, channels in enumerate(residuals):
            add.conv(f"controlnet_down_blocks.{index}", channels, channels, 1)
        add.conv("controlnet_mid_block", residuals[-1], residuals[-1], 1)
