"""The JSON Schema of a config file, with which editors complete and check it."""

from __future__ import annotations

import inspect
import re
from typing import Any

import msgspec

from unetscope.config.sections import OPTIONS, ConfigFile, InputsSection
from unetscope.config.supported import SUPPORTED

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema, with a description wherever the options have one."""
    schema = msgspec.json.schema(ConfigFile)
    definitions = schema["$defs"]
    sections: list[type[msgspec.Struct]] = [ConfigFile, InputsSection, *OPTIONS.values()]
    for section in sections:
        _describe(definitions[section.__name__], section)
    definitions[ConfigFile.__name__]["properties"]["family"]["enum"] = list(OPTIONS)
    for options in OPTIONS.values():
        _enumerate(definitions[options.__name__]["properties"])
    del definitions[ConfigFile.__name__]["required"]  # `unet` may be inherited
    return {"$schema": DIALECT, "title": "unetscope config", **schema}


def _describe(definition: dict[str, Any], section: type[msgspec.Struct]) -> None:
    """Take the descriptions from where readers of the code find them: the docstring."""
    summary, _, attributes = inspect.cleandoc(section.__doc__ or "").partition("Attributes:")
    definition["description"] = " ".join(summary.split())
    for entry in re.finditer(r"^    (\w+): ((?:.|\n(?!    \w))*)", attributes, re.MULTILINE):
        prop = definition["properties"][entry[1]]
        definition["properties"][entry[1]] = {"description": " ".join(entry[2].split()), **prop}


def _enumerate(properties: dict[str, Any]) -> None:
    """List the values that are covered, so that editors offer them."""
    for key, accepted in SUPPORTED.items():
        target = properties[key]
        (target["items"] if target.get("type") == "array" else target)["enum"] = list(accepted)
