"""The options of each family that names and shapes tell."""

from __future__ import annotations

from typing import Any

from unetscope.checkpoints.inference.blocks import Seen, decoder, encoder, middle
from unetscope.checkpoints.inference.conditions import (
    addition_options,
    class_options,
    gate_options,
    time_options,
    token_options,
)
from unetscope.checkpoints.inference.depths import depth_options, join_options
from unetscope.checkpoints.inference.tree import NotInferredError, Tree
from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS, BlockType

_NAMES = {
    side: {kind: name for name, kind in known.items()}
    for side, known in (("down", DOWN_BLOCKS), ("mid", MID_BLOCKS), ("up", UP_BLOCKS))
}


class Network:
    """What is seen of a network.

    Attributes:
        tree: its tensors.
        down: the encoder's blocks, from the full resolution down.
        mid: the block at the lowest resolution, if there is one.
        up: the decoder's blocks, from the lowest resolution up; none in a ControlNet.
        is_controlnet: whether it is one.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.is_controlnet = "controlnet_cond_embedding" in tree or "controlnet_mid_block" in tree
        tree.dim("conv_in.weight", 3)
        self.down = encoder(tree)
        self.mid = middle(tree)
        self.up = [] if self.is_controlnet else decoder(tree)
        if self.up and len(self.up) != len(self.down):
            raise NotInferredError(
                f"{len(self.down)} blocks in the encoder and {len(self.up)} in the decoder, which "
                "mirrors it in a UNet"
            )

    @property
    def blocks(self) -> list[Seen]:
        """All blocks."""
        return [*self.down, *([self.mid] if self.mid else []), *self.up]

    @property
    def families(self) -> tuple[str, ...]:
        """The families that may build it, the likeliest first."""
        if self.is_controlnet:
            return ("ControlNetModel",)
        condition = any(block.resnet == "k" or block.read is not None for block in self.blocks)
        condition = condition or any(block.attention == "transformer" for block in self.blocks)
        others = ("encoder_hid_proj", "add_embedding", "position_net")
        if condition or any(name in self.tree for name in others):
            return ("UNet2DConditionModel",)
        return ("UNet2DModel", "UNet2DConditionModel")

    def level_of(self, block: Seen) -> int:
        """The level of a block, 0 for the full resolution."""
        for index, each in enumerate(self.down):
            if each is block:
                return index
        for index, each in enumerate(self.up):
            if each is block:
                return len(self.down) - 1 - index
        return len(self.down) - 1

    @property
    def shifts(self) -> bool:
        """Whether the time scales and shifts norms."""
        path = "down_blocks.0.resnets.0"
        if self.down[0].resnet == "k":
            return True
        time = self.tree.dim(f"{path}.time_emb_proj.weight", 0)
        return time == 2 * self.tree.dim(f"{path}.conv2.weight", 0)

    def options(self, family: str) -> tuple[dict[str, Any], list[str]]:
        """The options of a family that names and shapes tell, and what one of several ways is."""
        found: dict[str, Any] = {"in_channels": self.tree.dim("conv_in.weight", 1)}
        if not self.is_controlnet:
            found["out_channels"] = self.tree.dim("conv_out.weight", 0)
        found["down_block_types"] = [_name("down", block) for block in self.down]
        found["mid_block_type"] = self._middle(family)
        if self.up:
            found["up_block_types"] = [_name("up", block) for block in self.up]
        found["block_out_channels"] = [block.channels for block in self.down]
        layers = [block.layers for block in self.down]
        found["layers_per_block"] = layers[0] if len(set(layers)) == 1 else layers
        told: list[str] = []
        if self.up and self.down[0].resnet != "k":
            joins, is_one_way = join_options(self.down, self.up, self.mid)
            found |= joins
            if is_one_way:
                told.append(
                    "up_layers_per_block: which residuals a pruned decoder joins is told by their "
                    "widths alone; of those of one width the newest that are left are taken"
                )
        plain = family == "UNet2DModel"
        found |= time_options(self.tree, plain=plain)
        found |= class_options(self.tree)
        if self.shifts:
            found["resnet_time_scale_shift"] = "scale_shift"
        found |= self._pixels() if plain else self._conditions(told)
        return found, told

    def _middle(self, family: str) -> str | None:
        if self.mid is None:
            return None
        if family == "UNet2DModel":
            return "UNetMidBlock2D"
        kind = self.mid.attention
        return _NAMES["mid"].get(BlockType("guided" if kind == "added_kv" else "plain", kind))

    def _pixels(self) -> dict[str, Any]:
        """Options that `UNet2DModel` alone has."""
        found: dict[str, Any] = {}
        for side, blocks in (("down", self.down), ("up", self.up)):
            own = [b for b in blocks if b.attention == "self" and b.resnet == "plain"]
            if any(block.resampler == "resnet" for block in own):
                found[f"{side}sample_type"] = "resnet"
        if self.mid is not None and self.mid.attention is None:
            found["add_attention"] = False
        return found

    def _conditions(self, told: list[str]) -> dict[str, Any]:
        """Options of networks that may read a text."""
        found: dict[str, Any] = {}
        if not self.is_controlnet:
            for key in ("conv_in", "conv_out"):
                if (kernel := self.tree.dim(f"{key}.weight", 2)) != 3:
                    found[f"{key}_kernel"] = kernel
        found |= self._control()
        found |= token_options(self.tree)
        found |= addition_options(self.tree)
        found |= gate_options(self.tree)
        found |= depth_options(self.down, self.up[::-1], self.mid)
        found |= self._reading(found)
        found |= self._only_cross(told)
        if any(block.linear for block in self.blocks):
            found["use_linear_projection"] = True
        if any("transformers" in each for each in self._attentions()):
            found["dual_cross_attention"] = True
        time = self.tree.dim("time_embedding.linear_2.weight", 0)
        inside = "norm1.linear" if self.down[0].resnet == "k" else "time_emb_proj"
        if self.tree.dim(f"down_blocks.0.resnets.0.{inside}.weight", 1) == 2 * time:
            found["class_embeddings_concat"] = True
            if "class_embedding" not in self.tree:
                found["class_embed_type"] = "identity"
        found |= self._cross_norm()
        return found

    def _control(self) -> dict[str, Any]:
        path = "controlnet_cond_embedding"
        if not self.is_controlnet:
            return {}
        widths = [self.tree.dim(f"{path}.conv_in.weight", 0)]
        for index in self.tree.numbers(f"{path}.blocks")[1::2]:
            widths.append(self.tree.dim(f"{path}.blocks.{index}.weight", 0))
        return {
            "conditioning_channels": self.tree.dim(f"{path}.conv_in.weight", 1),
            "conditioning_embedding_out_channels": widths,
        }

    def _reading(self, known: dict[str, Any]) -> dict[str, Any]:
        dims: dict[int, int] = {}
        for block in self.blocks:
            if block.read is not None:
                dims.setdefault(self.level_of(block), block.read)
        values = set(dims.values())
        if len(values) <= 1:
            return {"cross_attention_dim": values.pop()} if values else {}
        if isinstance(known.get("cross_attention_dim"), int) and "encoder_hid_dim_type" in known:
            return {}
        every = [dims.get(level, block.channels) for level, block in enumerate(self.down)]
        return {"cross_attention_dim": every}

    def _only_cross(self, told: list[str]) -> dict[str, Any]:
        levels: dict[int, bool | None] = {}
        for block in (*self.down, *self.up):
            if block.read is not None and block.attention in ("transformer", "added_kv"):
                level = self.level_of(block)
                levels[level] = levels.get(level) or block.only_cross
        known = [value for value in levels.values() if value is not None]
        if any(value is None for value in levels.values()):
            told.append(
                "only_cross_attention: false where the text is as wide as the pixels, so that no "
                "shape tells which of them the first attention reads"
            )
        found: dict[str, Any] = {}
        if True in known:
            each = [levels.get(level, True) or False for level in range(len(self.down))]
            found["only_cross_attention"] = True if all(each) else each
        if self.mid is not None and self.mid.attention == "added_kv":
            alone = found.get("only_cross_attention") is True
            if bool(self.mid.only_cross) != alone:
                found["mid_block_only_cross_attention"] = bool(self.mid.only_cross)
        return found

    def _cross_norm(self) -> dict[str, Any]:
        for inside in self._attentions():
            if "add_k_proj" in inside and "norm_cross" in inside:
                of_layer = inside.dim("norm_cross.weight", 0) != inside.dim("add_k_proj.weight", 1)
                return {"cross_attention_norm": "layer_norm" if of_layer else "group_norm"}
        return {}

    def _attentions(self) -> list[Tree]:
        sides = [
            f"{side}.{n}" for side in ("down_blocks", "up_blocks") for n in self.tree.numbers(side)
        ]
        return [
            self.tree.at(f"{path}.attentions.{number}")
            for path in (*sides, "mid_block")
            for number in self.tree.numbers(f"{path}.attentions")
        ]


def _name(side: str, block: Seen) -> str:
    """The published name of a block type."""
    resnet = block.resnet
    if block.attention in ("self", "transformer") and resnet == "guided":
        resnet = "plain"
    attention = block.attention
    if attention == "transformer" and all(depth is None for depth in block.depths):
        attention = None
    found = _NAMES[side].get(BlockType(resnet, attention))
    if found is None:
        raise NotInferredError(
            f"no block of these families has ResNets and attentions as one of {side}_blocks has"
        )
    return found
