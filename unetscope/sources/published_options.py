"""The options of a class that diffusers publishes, as a section of a config with bounds.

Their names, types and defaults are those of the class's constructor; the bounds are those of our
own configs' options of the same kind.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from unetscope.config.sections import Text
from unetscope.families.family import MOST, Count, Depth, HeightAndWidth, Kernel, Levels
from unetscope.families.sizes import MOST_POSITIONS

_Maybe = Annotated[int, Meta(ge=0, le=MOST)]
_Positions = Annotated[int, Meta(ge=1, le=MOST_POSITIONS)]
_BOUNDS = {
    "layers": Depth,
    "repeat": Depth,
    "blocks": Depth,
    "depth": Depth,
    "kernel": Kernel,
    "sample_": _Positions,
    "heads": _Maybe,  # StableCascadeUNet has none at levels without attention
    "nhead": Annotated[int, Meta(ge=-1, le=MOST)],  # WuerstchenDiffNeXt has -1 there
    "extra_": _Maybe,
    "freq_": _Maybe,
    "padding": _Maybe,
}
"""Part of an option's name -> what an int in it may be; of all others, a `Count`."""

_SCALARS = (bool, int, float, str, NoneType)

_ANNOTATIONS: Mapping[str, Mapping[str, Any]] = {
    "AudioLDM2UNet2DConditionModel": {
        "cross_attention_dim": int | tuple[int | tuple[int | None, ...], ...]
    },
    "UNetFlatConditionModel": {
        "in_channels": int | tuple[int, ...],
        "out_channels": int | tuple[int, ...],
    },
    "WuerstchenDiffNeXt": {"dropout": float | tuple[float, ...]},
}
"""What options of published files may be where the class's annotations tell less."""


@dataclass
class _Form:
    """What a value may be: scalars of these kinds, and lists of `items`."""

    scalars: set[type]
    items: _Form | None = None

    def add(self, annotation: Any) -> None:
        """Allow what an annotation allows; it tells no lengths, and what it leaves open is free."""
        origin = get_origin(annotation) or annotation
        if origin in (Union, UnionType):
            for member in get_args(annotation):
                self.add(member)
        elif origin in (tuple, list):
            self.items = self.items or _Form(set())
            for member in get_args(annotation) or _SCALARS:
                if member is not ...:
                    self.items.add(member)
        elif origin in _SCALARS:
            self.scalars.add(origin)

    def add_kind_of(self, value: Any) -> None:
        """Allow what is of the kind of a default."""
        if isinstance(value, (tuple, list)):
            self.items = self.items or _Form(set())
            for item in value:
                self.items.add_kind_of(item)
        else:
            self.add(type(value))

    def bounded(self, name: str) -> Any:
        """The type of the option of this name."""
        narrowed = {int: _of_int(name), str: Text}
        members = [narrowed.get(kind, kind) for kind in _SCALARS if kind in self.scalars]
        if name == "sample_size":
            members.append(HeightAndWidth)
        elif self.items is not None:
            most = Meta(max_length=Levels.max_length)
            listed = tuple[self.items.bounded(name), ...]  # type: ignore[misc, valid-type]
            members.append(Annotated[listed, most])
        return Union[tuple(members)]  # noqa: UP007


def _of_int(name: str) -> Any:
    """What an int in the option of this name may be."""
    return next((kind for part, kind in _BOUNDS.items() if part in name), Count)


def section(constructor: Any) -> type[Struct]:
    """The options that a constructor takes, each with its type, bounds and default."""
    taken = inspect.signature(constructor, eval_str=True).parameters.values()
    wider = _ANNOTATIONS.get(constructor.__name__, {})
    fields = [_field(parameter, wider.get(parameter.name)) for parameter in taken]
    return msgspec.defstruct("Options", fields, frozen=True, kw_only=True)


def _field(parameter: inspect.Parameter, wider: Any) -> tuple[str, Any, Any]:
    form = _Form(set())
    form.add(parameter.annotation if wider is None else wider)
    form.add_kind_of(parameter.default)
    default = parameter.default
    fixed = tuple(default) if isinstance(default, list) else default
    return parameter.name, form.bounded(parameter.name), fixed


_TORCH_SAYS: Mapping[str, tuple[str, ...]] = {
    "num_groups": ("norm_num_groups", "groups", "block_out_channels")
}
"""Words of torch's errors -> the options that they come from."""


def most_layers(options: Mapping[str, Any]) -> str | None:
    """The option that asks for the most layers, of those that the file writes."""
    counts = {key: _sum(value) for key, value in options.items() if _of_int(key) is Depth}
    return max(counts, key=lambda key: counts[key]) if counts else None


def _sum(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_sum, value))
    return value if isinstance(value, int) else 0


def suspect(said: str, options: Mapping[str, Any]) -> str | None:
    """The option that most likely led to an error of the class.

    The first that the error names, by itself or by its value; else heads that leave no channels to
    a head, if it is a division by zero, or the first list that has not one entry for each of
    `block_out_channels`, if it is of a list's end.

    Args:
        said: the kind of the error, and its message.
        options: those that the file writes.
    """
    words: list[str] = re.findall(r"\w+", said)
    for word in words:
        for key in (word, *_TORCH_SAYS.get(word, ())):
            if key in options:
                return key
        for key, value in options.items():
            if word.lower() in _strings(value):
                return key
    if said.startswith("ZeroDivisionError"):
        return next((key for key in options if "head" in key), None)
    levels = options.get("block_out_channels")
    if levels is not None and said.startswith(("IndexError", "ValueError: not enough values")):
        for key, value in options.items():
            if isinstance(value, list) and len(value) != len(levels):
                return key
    return None


def _strings(value: Any) -> list[str]:
    """The strings in a value, at any depth, in lower case."""
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value.lower()] if isinstance(value, str) else []
