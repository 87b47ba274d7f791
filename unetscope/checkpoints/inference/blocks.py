"""What the blocks of a network hold, read off names and shapes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from unetscope.checkpoints.inference.tree import NotInferredError, Tree
from unetscope.families.diffusers.blocks import AttentionKind, ResnetKind

Resampler = Literal["conv", "resnet", "fir"]


@dataclass(frozen=True)
class Seen:
    """What one block holds.

    Attributes:
        resnet: whose ResNets it holds; see `BlockType`.
        attention: what follows them.
        channels: of its feature maps.
        entering: channels that each of its ResNets takes.
        depths: transformer blocks behind each of them; None for no transformer.
        read: dimension of the text's tokens.
        only_cross: whether the pixels do not read each other; None if no shape tells.
        linear: whether its transformers project by linear layers; None if it has none.
        resampler: what halves or doubles, if it has tensors.
    """

    resnet: ResnetKind
    attention: AttentionKind | None
    channels: int
    entering: tuple[int, ...]
    depths: tuple[int | None, ...]
    read: int | None
    only_cross: bool | None
    linear: bool | None
    resampler: Resampler | None

    @property
    def layers(self) -> int:
        """Its ResNets."""
        return len(self.entering)


def encoder(tree: Tree) -> list[Seen]:
    """The blocks of the encoder, from the full resolution down."""
    return _of_side(tree, "down_blocks")


def decoder(tree: Tree) -> list[Seen]:
    """The blocks of the decoder, from the lowest resolution up."""
    return _of_side(tree, "up_blocks")


def middle(tree: Tree) -> Seen | None:
    """The block at the lowest resolution, if there is one."""
    return _seen(tree, "mid_block") if "mid_block" in tree else None


def _of_side(tree: Tree, side: str) -> list[Seen]:
    numbers = tree.numbers(side)
    if not numbers:
        raise NotInferredError(f"no `{side}`, which a UNet has")
    if numbers != list(range(len(numbers))):
        first = next(n for n in range(len(numbers)) if n not in numbers)
        raise NotInferredError(f"`{side}.{first}` is missing, and later ones are there")
    found: list[Seen] = []
    for number in numbers:
        block = _seen(tree, f"{side}.{number}")
        if block.resampler is None and found and block.attention in (None, "self"):
            # Nothing tells blocks without tensors that resample apart; the one before does.
            before = found[-1]
            if before.resampler == "fir" or (
                before.resampler == "resnet" and block.attention is None
            ):
                block = replace(block, resnet="fir" if before.resampler == "fir" else "guided")
        found.append(block)
    return found


def _seen(tree: Tree, path: str) -> Seen:
    block = tree.at(path)
    layers = block.numbers("resnets")
    if not layers:
        raise NotInferredError(f"`{path}` has no ResNets")
    is_k = "linear" in block.at("resnets.0.norm1")
    resampler = _resampler(block)
    attentions = block.numbers("attentions")
    first = block.at(f"attentions.{attentions[0]}") if attentions else Tree()
    attention = _attention(first, f"{path}.attentions")
    resnet: ResnetKind = "plain"
    # A decoder's block of NCSN++ has one attention, behind all of its ResNets.
    is_fir = attention == "self" and path.startswith("up") and attentions == [0] and len(layers) > 1
    if is_k:
        resnet = "k"
    elif resampler == "fir" or is_fir:
        resnet = "fir"
    elif attention == "added_kv" or (resampler == "resnet" and attention is None):
        resnet = "guided"
    depths: tuple[int | None, ...] = ()
    if attention == "transformer":
        inside = {n: block.at(f"attentions.{n}") for n in attentions}
        count = max(len(layers), attentions[-1] + 1) if path != "mid_block" else 1
        depths = tuple(_depth(inside[n]) if n in inside else None for n in range(count))
        first = max(inside.values(), key=lambda each: bool(_depth(each)))
    read, only_cross = _reading(first, attention)
    return Seen(
        resnet=resnet,
        attention=attention,
        channels=tree.dim(f"{path}.resnets.0.conv1.weight", 0),
        entering=tuple(tree.dim(f"{path}.resnets.{n}.conv1.weight", 1) for n in layers),
        depths=depths,
        read=read,
        only_cross=only_cross,
        linear=_is_linear(first) if attention == "transformer" else None,
        resampler=resampler,
    )


def _resampler(block: Tree) -> Resampler | None:
    for name in ("downsamplers", "upsamplers"):
        if inside := block.at(f"{name}.0"):
            return "resnet" if "conv1" in inside else "conv"
    return "fir" if "resnet_down" in block or "resnet_up" in block else None


def _attention(inside: Tree, path: str) -> AttentionKind | None:
    if not inside:
        return None
    if "proj_in" in inside or "transformers" in inside:
        return "transformer"
    if "add_k_proj" in inside:
        return "added_kv"
    if "attn2" in inside:
        return "k"
    if "to_q" in inside:
        return "self"
    raise NotInferredError(f"`{path}` are no attentions that a UNet of these families has")


def _depth(inside: Tree) -> int:
    return 1 if "transformers" in inside else len(inside.numbers("transformer_blocks"))


def _is_linear(inside: Tree) -> bool:
    inside = inside.at("transformers.0") or inside
    return len(inside.shape("proj_in.weight") or ()) == 2


def _reading(inside: Tree, kind: AttentionKind | None) -> tuple[int | None, bool | None]:
    """Dimension of what is read, and whether that is all that is read."""
    if kind == "added_kv":
        return inside.dim("add_k_proj.weight", 1), "to_k" not in inside
    if kind == "k":
        return inside.dim("attn2.to_k.weight", 1), None
    if kind == "transformer":
        inside = inside.at("transformers.0") or inside
        if not (block := inside.at("transformer_blocks.0")):
            return None, None
        read = block.dim("attn2.to_k.weight", 1)
        own, first = block.dim("attn1.to_q.weight", 1), block.dim("attn1.to_k.weight", 1)
        return read, None if read == own else first == read
    return None, None
