"""From a reference to a `Spec`, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import msgspec

from unetscope.config.document import Document, parse
from unetscope.config.files import locate, split_part
from unetscope.config.inheritance import read_config
from unetscope.config.overrides import override
from unetscope.config.sections import (
    DEFAULT_FAMILY,
    ConfigFile,
    InputsSection,
    check_file,
    keys_of,
)
from unetscope.config.spec import Inputs, Spec, flag_places
from unetscope.errors import Place
from unetscope.families import FAMILIES, find
from unetscope.families.family import Family, Options
from unetscope.families.sizes import check_sizes
from unetscope.findings import Finding, Path


def load(
    reference: str,
    *,
    overrides: Sequence[str] = (),
    batch: int | None = None,
    height: int | None = None,
    width: int | None = None,
    tokens: int | None = None,
) -> Spec:
    """Load a config and check it.

    Args:
        reference: a path, or the name of a shipped config; `FILE#KEY` for the network under one
            key of a file that holds several.
        overrides: `KEY=VALUE` each, for `unet`.
        batch: instead of the config's.
        height: of the sample, instead of the config's.
        width: of the sample, instead of the config's.
        tokens: of the text, instead of the config's.

    Raises:
        ConfigError: the first thing that is wrong with it.
    """
    path = locate(split_part(reference)[0])
    flags = {"batch": batch, "height": height, "width": width, "tokens": tokens}
    document = document_of(reference, overrides, flags)
    for finding in findings(document):
        raise finding.error(document.places)
    return _spec(reference, path, document)


def loads(
    text: str,
    reference: str,
    *,
    overrides: Sequence[str] = (),
    sizes: Mapping[str, int | None] | None = None,
) -> Spec:
    """The same from the text of a config that extends no other.

    Args:
        text: in YAML.
        reference: what to call it.
        overrides: as in `load`.
        sizes: `batch`, `height`, `width` and `tokens`, instead of the config's.

    Raises:
        ConfigError: the first thing that is wrong with it.
    """
    document = _with_flags(_with_overrides(parse(text, reference), overrides), sizes or {})
    for finding in findings(document):
        raise finding.error(document.places)
    return _spec(reference, FilePath(reference), document)


def document_of(
    reference: str, overrides: Sequence[str] = (), flags: Mapping[str, int | None] | None = None
) -> Document:
    """What a config says, unchecked, with `extends`, overrides and flags worked in.

    Args:
        reference: a path, or the name of a shipped config, as in `load`.
        overrides: `KEY=VALUE` each, for `unet`.
        flags: for `inputs`: `height`, `width`, `batch` and `tokens`; None for the config's own.

    Raises:
        ConfigError: the file is missing, or neither YAML nor JSON.
    """
    name, part = split_part(reference)
    document = read_config(locate(name), part)
    return _with_flags(_with_overrides(document, overrides), flags or {})


def findings(document: Document) -> Iterator[Finding]:
    """Everything that is wrong with a config: its form or, if that is right, its meaning."""
    yield from document.problems
    if document.problems:
        return
    of_form = list(check_file(document.data))
    yield from of_form
    if of_form:
        return
    config, family, unet = convert(document.data)
    yield from check_options(family, unet, document.places)
    inputs = inputs_of(config.inputs, family, unet)
    size = (inputs.height, inputs.width)
    yield from check_sizes(family, unet, inputs.batch, size, inputs.tokens)


def convert(data: Any) -> tuple[ConfigFile, Family[Any], Options]:
    """A config of the right form, its family, and the family's options."""
    config = msgspec.convert(data, ConfigFile)
    family = find(config.family)
    return config, family, msgspec.convert(data["unet"], family.options)


def check_options(
    family: Family[Any], unet: Options, written: Mapping[Path, Place]
) -> Iterator[Finding]:
    """What keeps the options from being a network, given where the config writes them."""
    options = {path[1:]: place for path, place in written.items() if path[:1] == ("unet",)}
    for finding in family.findings(unet, options):
        yield finding.within("unet", ("family",))


def _with_overrides(document: Document, overrides: Sequence[str]) -> Document:
    options = _options(document)
    if options is None:
        return document  # what is wrong with it is found later
    for text in overrides:
        document = override(document, text, keys_of(options))
    return document


def _options(document: Document) -> type[msgspec.Struct] | None:
    """The options of the config's family; None if it has no known family or no `unet`."""
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("unet"), dict):
        return None
    family = data.get("family", DEFAULT_FAMILY)
    is_known = isinstance(family, str) and family in FAMILIES
    return find(family).options if is_known else None


def _with_flags(document: Document, flags: Mapping[str, int | None]) -> Document:
    given = {name: value for name, value in flags.items() if value is not None}
    if not given or not isinstance(document.data, dict):
        return document
    inputs = document.data.get("inputs", {})
    if not isinstance(inputs, dict):
        return document
    places = {**document.places, **flag_places(given)}
    data = {**document.data, "inputs": {**inputs, **given}}
    return replace(document, data=data, places=places)


def _spec(reference: str, path: FilePath, document: Document) -> Spec:
    data = document.data
    config, family, unet = convert(data)
    inputs = inputs_of(config.inputs, family, unet)
    lines = (config.name or "").splitlines()
    name = " ".join(filter(None, map(str.strip, lines))) or path.stem
    resolved = {
        "name": name,
        "family": config.family,
        **({"source": config.source} if config.source else {}),
        "unet": {key: data["unet"][key] for key in keys_of(type(unet)) if key in data["unet"]},
        "inputs": _resolved_inputs(inputs),
    }
    return Spec(
        reference=reference,
        name=name,
        family=config.family,
        source=config.source or "",
        unet=unet,
        inputs=inputs,
        resolved=resolved,
        places=document.places,
        notes=document.notes,
    )


def inputs_of(section: InputsSection, family: Family[Any], unet: Options) -> Inputs:
    """The sizes of a network's inputs: what a config says, else what is usual for its options."""
    rows, columns = family.usual_size(unet)
    return Inputs(
        batch=section.batch,
        height=section.height or rows,
        width=section.width or columns,
        tokens=section.tokens or family.usual_tokens(unet),
        scale=section.scale,
    )


def _resolved_inputs(inputs: Inputs) -> dict[str, Any]:
    resolved = {
        "batch": inputs.batch,
        "height": inputs.height,
        "width": inputs.width,
        "tokens": inputs.tokens,
    }
    return resolved if inputs.scale == 1 else {**resolved, "scale": inputs.scale}
