"""The keys of a config file, and what they may hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from unetscope.config.code import code_of
from unetscope.config.types import mismatches
from unetscope.errors import nearest
from unetscope.families import FAMILIES, find
from unetscope.families.family import MOST
from unetscope.findings import (
    EMPTY,
    MISSING_KEY,
    UNKNOWN_FAMILY,
    UNKNOWN_KEY,
    WRONG_TYPE,
    WRONG_VALUE,
    Finding,
    Path,
)
from unetscope.wording import found, quoted

Text = Annotated[str, Meta(min_length=1, max_length=1_000)]
DEFAULT_FAMILY = "UNet2DConditionModel"

InputSize = Annotated[int, Meta(ge=1, le=MOST)]


class InputsSection(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tensors that the network is given.

    Attributes:
        batch: images at once.
        height: rows of the sample; by default `sample_size`.
        width: columns of the sample; by default `sample_size`.
        tokens: tokens of the text; by default 77, as CLIP gives.
        scale: pixels of the image for each row of the sample, for `--symbolic`; 8 for latents of
            Stable Diffusion whose H and W shall mean the image's.
    """

    batch: InputSize = 1
    height: InputSize | None = None
    width: InputSize | None = None
    tokens: InputSize | None = None
    scale: Annotated[int, Meta(ge=1, le=1_024)] = 1


class UnetSection(Struct, frozen=True):
    """The options of the network, which its family defines."""


class ConfigFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A unetscope config: a diffusion UNet as a table of options.

    Attributes:
        extends: a config that says whatever this one does not: a path, relative to this file, or
            the name of a shipped one. Mappings are merged, lists replaced as a whole; `name` and
            `source` are not inherited.
        name: what people call the network.
        family: the published class that reads the options.
        source: where the values come from.
        unet: the options, under diffusers' own key names.
        inputs: the tensors that the network is given.
    """

    extends: Text | None = None
    name: Text | None = None
    family: Text = DEFAULT_FAMILY
    source: Text | None = None
    unet: UnetSection
    inputs: InputsSection = InputsSection()


_CODE_KEYS = ("_target_", "target", "_partial_", "params", "class_path", "init_args")
_NO_CODE = "a config names no code: unetscope imports and runs nothing that a config names"


@dataclass(frozen=True)
class Key:
    """What one key may hold, and what it means if it is left out."""

    type: Any
    default: Any


@cache
def keys_of(section: type[Struct]) -> dict[str, Key]:
    """The keys of a section, in order."""
    return {field.name: Key(field.type, field.default) for field in msgspec.structs.fields(section)}


def check_section(data: Any, section: type[Struct], path: Path) -> Iterator[Finding]:
    """What is wrong with the keys, types and ranges of one section."""
    if not isinstance(data, dict):
        yield WRONG_TYPE.at(path, f"expected a mapping, found {found(data)}")
        return
    keys = keys_of(section)
    for name, value in data.items():
        key = keys.get(name)
        if key is None:
            yield _unknown_key(name, list(keys), path, data)
        elif not _is_section(key.type):
            for inner, message in mismatches(value, key.type, (*path, name)):
                yield WRONG_VALUE.at(inner, message)


def _is_section(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Struct)


def _unknown_key(name: str, known: list[str], path: Path, section: Any) -> Finding:
    if name in _CODE_KEYS:
        code = code_of(section)
        hint = f"{_NO_CODE}; {code.hint}" if code else _NO_CODE
        return UNKNOWN_KEY.at((*path, name), "unknown key", hint=hint)
    close = nearest(name, known)
    hint = f"did you mean {close}?" if close else f"expected one of {', '.join(known)}"
    return UNKNOWN_KEY.at((*path, name), "unknown key", hint=hint)


def check_file(data: Any) -> Iterator[Finding]:
    """What is wrong with the keys, types and ranges of a whole config, `extends` resolved."""
    if data is None:
        yield EMPTY.at((), "the config is empty; expected a mapping with the key unet")
        return
    yield from check_section(data, ConfigFile, ())
    if not isinstance(data, dict):
        return
    if "unet" not in data:
        yield MISSING_KEY.at((), "the key unet is missing: the network's options")
    family = data.get("family", DEFAULT_FAMILY)
    if isinstance(family, str):
        if family not in FAMILIES:
            yield unknown_family(family)
        elif "unet" in data:
            for finding in check_section(data["unet"], find(family).options, ("unet",)):
                yield replace(finding, beside=(("family",),))
    if "inputs" in data:
        yield from check_section(data["inputs"], InputsSection, ("inputs",))


def unknown_family(family: str) -> Finding:
    """The finding that no family has this name."""
    close = nearest(family, FAMILIES)
    return UNKNOWN_FAMILY.at(
        ("family",),
        f"expected one of {', '.join(FAMILIES)}, found {quoted(family)}",
        hint=f"did you mean {close}?" if close else None,
    )
