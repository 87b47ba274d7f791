"""The tensors that a network's modules hold, and the size of a LoRA on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import prod

from unetscope.record import ModuleRecord, TensorSpec, Trace

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "int8": 1}
"""Bytes of a parameter at each element type; for int8, without the scales stored beside it."""

_INDEX = re.compile(r"(?<=[A-Za-z])\[(\d+)\]")
_INNER_INDEX = re.compile(_INDEX.pattern + r"(?=\.)")


@dataclass(frozen=True)
class Held:
    """A parameter or buffer under the first of its names.

    Attributes:
        name: its full name: `conv_in.weight`.
        module: the path of the module that holds it.
        spec: shape and element type.
        also: the other names of the same tensor.
        persistent: whether a `state_dict` holds it, under whichever of its names.
    """

    name: str
    module: str
    spec: TensorSpec
    also: tuple[str, ...] = ()
    persistent: bool = True


def parameters(trace: Trace) -> tuple[Held, ...]:
    """Every parameter once, in the order of the modules that hold them."""
    return _held(trace, "parameters")


def buffers(trace: Trace) -> tuple[Held, ...]:
    """Every buffer once, in the order of the modules that hold them."""
    return _held(trace, "buffers")


def _held(trace: Trace, what: str) -> tuple[Held, ...]:
    first: dict[str, tuple[str, TensorSpec]] = {}
    also: dict[str, list[str]] = {}
    saved: set[str] = set()
    for module in trace.modules:
        for tensor in getattr(module, what):
            name = f"{module.path}.{tensor.name}" if module.path else tensor.name
            saved.update([tensor.tied_to or name] if tensor.persistent else ())
            if tensor.tied_to is None:
                first[name] = module.path, tensor.spec
            else:
                also.setdefault(tensor.tied_to, []).append(name)
    return tuple(
        Held(name, path, spec, tuple(also.get(name, ())), name in saved)
        for name, (path, spec) in first.items()
    )


def numel(held: Iterable[Held]) -> int:
    """The number of elements of tensors in all."""
    return sum(tensor.spec.numel for tensor in held)


def selected(held: Sequence[Held], glob: str) -> tuple[Held, ...]:
    """The tensors that a glob selects, by name or by a module around them.

    `*` stands for any characters, dots too. Where nothing matches, `resnets[0]` is read as
    `resnets.0`.
    """
    for pattern in spellings(glob):
        found = tuple(t for t in held if any(_selects(pattern, n) for n in (t.name, *t.also)))
        if found:
            return found
    return ()


def spellings(glob: str) -> tuple[str, ...]:
    """A glob as it stands, then with indices in brackets spelled with dots.

    `[1]` may be an index or a set of characters: first no bracket is taken for an index, then those
    that end a level (`resnets[1].conv[12]`), then all that follow a letter.
    """
    inner = _INNER_INDEX.sub(r".\1", glob)
    return tuple(dict.fromkeys((glob, inner, _INDEX.sub(r".\1", glob))))


def _selects(glob: str, name: str) -> bool:
    while name:
        if fnmatchcase(name, glob):
            return True
        name = name.rpartition(".")[0]
    return False


def lora_size(module: ModuleRecord, rank: int) -> int | None:
    """Parameters of a LoRA on a module's weight; None if it is no layer that takes one.

    A layer from `in` to `out` gets `rank * (in + out)`: a layer to `rank` channels with the same
    kernel, and one from there to `out` with none ("LoRA", 2021; LyCORIS and PEFT for convolutions).
    """
    settings = module.attributes
    for given, made in (("in_features", "out_features"), ("in_channels", "out_channels")):
        narrow, wide = settings.get(given), settings.get(made)
        if isinstance(narrow, int) and isinstance(wide, int):
            kernel = settings.get("kernel_size", ())
            sizes = kernel if isinstance(kernel, tuple) else (kernel,)
            return rank * (narrow * prod(int(size or 1) for size in sizes) + wide)
    return None
