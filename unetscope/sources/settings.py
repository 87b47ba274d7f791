"""What the nearest `pyproject.toml` says under `[tool.unetscope]`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from unetscope.errors import ConfigError, Place
from unetscope.sources.source import Info
from unetscope.sources.targets import is_target

USUAL = "sd15"
"""The config that is meant where none is named and no `pyproject.toml` says otherwise."""


def default_config(info: Info) -> str:
    """What `config` under `[tool.unetscope]` names; else `USUAL`.

    The nearest `pyproject.toml`, in this folder or above, is the one that counts, and a path in it
    starts from its folder.

    Args:
        info: is called with a message that says what was taken.

    Raises:
        ConfigError: that file is no TOML, or its `config` is no name.
    """
    file = nearest_file(Path.cwd())
    named = None if file is None else _config(file)
    if file is None or named is None:
        info(f"no config named: taking `{USUAL}`")
        return USUAL
    beside = file.parent / named
    if not beside.is_file() and is_target(named):
        raise ConfigError(
            f"tool.unetscope.config: `{named}` is code, which is imported only where you type it",
            hint=f"for example `unetscope trace {named}`",
            place=Place(str(file)),
        )
    info(f"no config named: taking `{named}` from {file}")
    return str(beside) if beside.is_file() else named


def _config(file: Path) -> str | None:
    """What the file names, if anything."""
    tool = read(file).get("tool", {})
    section = tool.get("unetscope", {}) if isinstance(tool, dict) else {}
    named = section.get("config") if isinstance(section, dict) else None
    if named is None or (isinstance(named, str) and named):
        return named
    raise ConfigError(
        f"tool.unetscope.config: expected a path or the name of a shipped config, found {named!r}",
        place=Place(str(file)),
    )


def nearest_file(folder: Path) -> Path | None:
    """The `pyproject.toml` of a folder, or of the nearest one above that has one."""
    files = (above / "pyproject.toml" for above in (folder, *folder.parents))
    return next((file for file in files if file.is_file()), None)


def section(file: Path, *names: str) -> dict[str, Any]:
    """A table below `[tool.unetscope]`; empty if the file has none.

    Raises:
        ConfigError: the file is no TOML, or what has that name is no table.
    """
    found: Any = read(file)
    for depth, name in enumerate(("tool", "unetscope", *names)):
        found = found.get(name, {})
        if not isinstance(found, dict):
            dotted = ".".join(("tool", "unetscope", *names)[: depth + 1])
            raise ConfigError(
                f"{dotted}: expected a table, found {found!r}", place=Place(str(file))
            )
    return dict(found)


def read(file: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ConfigError: it is none, or cannot be read.
    """
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
