"""The config that is meant where none is named."""

from __future__ import annotations

from pathlib import Path

from unetscope.commands import console, pyproject
from unetscope.commands.targets import is_target
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
    file = pyproject.nearest_file(Path.cwd())
    named = None if file is None else _config(file)
    if file is None or named is None:
        console.say(f"no config named: taking `{USUAL}`")
        return USUAL
    beside = file.parent / named
    if not beside.is_file() and is_target(named):
        raise ConfigError(
            f"tool.unetscope.config: `{named}` is code, which is imported only where you type it",
            hint=f"for example `unetscope trace {named}`",
            place=Place(str(file)),
        )
    console.say(f"no config named: taking `{named}` from {file}")
    return str(beside) if beside.is_file() else named


def _config(file: Path) -> str | None:
    """What the file names, if anything."""
    tool = pyproject.read(file).get("tool", {})
    section = tool.get("unetscope", {}) if isinstance(tool, dict) else {}
    named = section.get("config") if isinstance(section, dict) else None
    if named is None or (isinstance(named, str) and named):
        return named
    raise ConfigError(
        f"tool.unetscope.config: expected a path or the name of a shipped config, found {named!r}",
        place=Place(str(file)),
    )
