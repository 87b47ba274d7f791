"""The networks that people train low-rank additions for, and which of them some targets are of.

Of a UNet all modules follow from its options; of a transformer they are one stack or two of equal
blocks. A new network is one more entry of `unets.OPTIONS`, or of `transformers`.

Source: the configs of the published models.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from unetscope.checkpoints.lora.layers import Layer
from unetscope.checkpoints.lora.transformers import transformers
from unetscope.checkpoints.lora.unets import OPTIONS, motion, unet

_CLIPS = {768: "CLIP ViT-L/14", 1024: "OpenCLIP ViT-H/14", 1280: "OpenCLIP ViT-bigG/14"}
_ENCODERS = {"encoder_layers_": _CLIPS, "encoder_block_": {4096: "T5-XXL"}}
"""Text encoders by what the names of their blocks have in them, and by the channels they read."""
_AREA = 9
"""Cells of the kernels of the convolutions, by which some forms multiply the channels."""
_TWINS = (
    ("Flux.1", "_attn_to_", "Bria 3.2 and FIBO"),
    ("HunyuanVideo", "_attn_to_", "Motif-Video"),
    ("Wan 14B", "_attn", "ChronoEdit, Helios and others that were made of Wan"),
)
"""Base, what targets have in them, and who may have the same modules; of some no depth is known."""
_NUMBERS = re.compile(r"(?<=_)\d+(?=_)")
"""Those of blocks; `linear1` and `mlp_2` are other layers than `linear2` and `mlp_0`."""


class Told(NamedTuple):
    """What is told of a target; None where nothing is."""

    inputs: int | None
    outputs: int | None
    convolves: bool | None = None
    either: int | None = None


@dataclass(frozen=True)
class Base:
    """A network that is added to.

    Attributes:
        name: what people call it.
        modules: name, with `_` for every dot and in every dialect -> its channels.
    """

    name: str
    modules: Mapping[str, Layer] = field(repr=False)

    def holds(self, name: str, told: Told) -> bool:
        """Whether a target is a module of it."""
        layer = self.modules.get(name)
        if layer is None:
            return False
        if told.convolves is not None and told.convolves != layer.convolves:
            return False
        if told.either not in (None, layer.inputs, layer.outputs):
            return False
        inputs = (layer.inputs, layer.inputs * _AREA if layer.convolves else layer.inputs)
        return told.inputs in (None, *inputs) and told.outputs in (None, layer.outputs)

    @cached_property
    def roles(self) -> Mapping[str, int]:
        """How many modules have each role, that is each name without its numbers."""
        return Counter(map(_role, self.modules))

    def is_covered_by(self, targets: Iterable[str]) -> bool:
        """Whether the targets are all of its modules of their roles, in every block."""
        found = Counter(_role(name) for name in targets if name in self.modules)
        return all(count == self.roles[role] for role, count in found.items())


def _role(name: str) -> str:
    return _NUMBERS.sub("#", name)


def matches(targets: Mapping[str, Told]) -> tuple[list[Base], list[str]]:
    """The networks that hold the most of the targets, and the targets that the first lacks.

    Of several, those of which the targets are all modules of the same roles: who adds to the
    attention of every block adds to all blocks. None, if no network holds more than three quarters:
    two thirds of Mochi's are modules of CogVideoX.
    """
    best: list[Base] = []
    most = len(targets) * 3 // 4
    for base in bases():
        common = targets.keys() & base.modules.keys()
        if len(common) < most:
            continue
        held = sum(base.holds(name, targets[name]) for name in common)
        if held > most:
            best, most = [base], held
        elif held == most and best:
            best.append(base)
    if len(best) > 1:
        whole = [base for base in best if base.is_covered_by(targets)]
        best = whole or best
    unmatched = [n for n, told in targets.items() if best and not best[0].holds(n, told)]
    return best, unmatched


def twins(base: Base, targets: Iterable[str]) -> str:
    """Who else may have these modules of a base; empty if nobody is known to."""
    names = [*targets]
    found = (
        who for name, mark, who in _TWINS if name == base.name and any(mark in n for n in names)
    )
    return next(found, "")


def encoder_of(widths: Mapping[str, int | None]) -> str:
    """The text encoder whose modules, by name, read so many channels; empty if it is not known."""
    narrowest = min((width for width in widths.values() if width), default=0)
    for mark, encoders in _ENCODERS.items():
        if all(mark in name for name in widths):
            return encoders.get(narrowest, "")
    return ""


@cache
def bases() -> tuple[Base, ...]:
    """All networks that are known as bases."""
    return (
        *(Base(name, _both(unet(options))) for name, options in OPTIONS.items()),
        Base("AnimateDiff's motion module", _spelled(motion((320, 640, 1280, 1280)))),
        *(Base(name, _spelled(dict(modules))) for name, modules in transformers()),
    )


def _spelled(modules: Mapping[str, Layer]) -> dict[str, Layer]:
    return {name.replace(".", "_"): layer for name, layer in modules.items()}


def _both(modules: Mapping[str, Layer]) -> dict[str, Layer]:
    """A UNet's modules in diffusers' names and in CompVis'."""
    from unetscope.analysis.names import compvis_names

    theirs = {name: modules[ours] for ours, name in compvis_names(modules).items()}
    return _spelled(theirs) | _spelled(modules)
