"""The JSON Schema of a config file, with which editors complete and check it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from unetscope.config.sections import (
    DEFAULT_FAMILY,
    ConfigFile,
    InputsSection,
    UnetSection,
)
from unetscope.families import FAMILIES, every, find

DIALECT = "https://json-schema.org/draft/2020-12/schema"
INHERITED = "InheritedOptions"
"""The options of a config whose family another one says: those of any family."""


def json_schema() -> dict[str, Any]:
    """The schema, with a description wherever the options have one."""
    families = every()
    options = [family.options for family in families]
    sections: list[type[msgspec.Struct]] = [ConfigFile, InputsSection, *options]
    (schema, *_), definitions = msgspec.json.schema_components(
        sections, ref_template="#/$defs/{name}"
    )
    for section in sections:
        _describe(definitions[section.__name__], section)
    for family in families:
        properties = definitions[family.options.__name__]["properties"]
        _enumerate(properties, family.covered.values)
    definitions[INHERITED] = _any_of([definitions[each.__name__] for each in options])
    del definitions[UnetSection.__name__]
    config = definitions[ConfigFile.__name__]
    config["properties"]["family"]["enum"] = list(FAMILIES)
    config["properties"]["unet"] = {
        "description": config["properties"]["unet"]["description"],
        "type": "object",
    }
    config["allOf"] = list(_options_by_family())
    del config["required"]  # `unet` may be inherited
    return {"$schema": DIALECT, "title": "unetscope config", **schema, "$defs": definitions}


def _options_by_family() -> list[dict[str, Any]]:
    """Which options `unet` holds: those of the family that it names, inherits or has by default."""
    by_family = [
        _if({"properties": {"family": {"const": name}}, "required": ["family"]}, _options(name))
        for name in FAMILIES
    ]
    silent = {"not": {"required": ["family"]}}
    inherits = {"required": ["extends"]}
    return [
        *by_family,
        _if({"allOf": [silent, inherits]}, INHERITED),
        _if({"allOf": [silent, {"not": inherits}]}, _options(DEFAULT_FAMILY)),
    ]


def _options(family: str) -> str:
    """The name of the definition that holds a family's options."""
    return find(family).options.__name__


def _if(condition: dict[str, Any], definition: str) -> dict[str, Any]:
    unet = {"$ref": f"#/$defs/{definition}"}
    return {"if": condition, "then": {"properties": {"unet": unet}}}


def _any_of(definitions: list[dict[str, Any]]) -> dict[str, Any]:
    """What is valid for an option of one of them."""
    properties: dict[str, Any] = {}
    for definition in definitions:
        for key, prop in definition["properties"].items():
            properties.setdefault(key, []).append(prop)
    return {
        "title": INHERITED,
        "description": "The options of whichever family is inherited.",
        "type": "object",
        "properties": {
            key: props[0] if all(prop == props[0] for prop in props) else {"anyOf": props}
            for key, props in properties.items()
        },
        "additionalProperties": False,
    }


def _describe(definition: dict[str, Any], section: type[msgspec.Struct]) -> None:
    """Take the descriptions from where readers of the code find them: the docstring."""
    summary, _, attributes = inspect.cleandoc(section.__doc__ or "").partition("Attributes:")
    definition["description"] = " ".join(summary.split())
    for entry in re.finditer(r"^    (\w+): ((?:.|\n(?!    \w))*)", attributes, re.MULTILINE):
        prop = definition["properties"][entry[1]]
        definition["properties"][entry[1]] = {"description": " ".join(entry[2].split()), **prop}


def _enumerate(properties: dict[str, Any], covered: Mapping[str, tuple[Any, ...]]) -> None:
    """List the values that are covered, so that editors offer them."""
    for key, accepted in covered.items():
        target = properties[key]
        (target["items"] if target.get("type") == "array" else target)["enum"] = list(accepted)
