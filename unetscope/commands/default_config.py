"""The config that is meant where none is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from unetscope.commands import console
from unetscope.errors import ConfigError, Place

USUAL = "sd15"
"""What is meant where no `pyproject.toml` says otherwise."""


def chosen(config: str | None) -> str:
    """The config that a user named; else `config` under `[tool.unetscope]`; else `USUAL`.

    The nearest `pyproject.toml`, in this folder or above, is the one that counts, and a path in it
    starts from its folder. What was taken is said on stderr.

    Raises:
        ConfigError: that file is no TOML, or its `config` is no name.
    """
    if config is not None:
        return config
    file = _nearest(Path.cwd())
    named = None if file is None else _config(file)
    if file is None or named is None:
        console.say(f"no config named: taking `{USUAL}`")
        return USUAL
    console.say(f"no config named: taking `{named}` from {file}")
    beside = file.parent / named
    return str(beside) if beside.is_file() else named


def _nearest(folder: Path) -> Path | None:
    files = (above / "pyproject.toml" for above in (folder, *folder.parents))
    return next((file for file in files if file.is_file()), None)


def _config(file: Path) -> str | None:
    """What the file names, if anything."""
    tool = _read(file).get("tool", {})
    section = tool.get("unetscope", {}) if isinstance(tool, dict) else {}
    named = section.get("config") if isinstance(section, dict) else None
    if named is None or (isinstance(named, str) and named):
        return named
    raise ConfigError(
        f"tool.unetscope.config: expected a path or the name of a shipped config, found {named!r}",
        place=Place(str(file)),
    )


def _read(file: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        found = re.search(r"at line (\d+), column (\d+)", str(error))
        place = Place(str(file), *(int(number) for number in found.groups())) if found else None
        raise ConfigError(f"not TOML: {error}", place=place or Place(str(file))) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", place=Place(str(file))) from None
    return content
