"""What the nearest `pyproject.toml` says under `[tool.unetscope]`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from unetscope.errors import ConfigError, Place
from unetscope.files.reading import is_file, is_there
from unetscope.sources.source import Info
from unetscope.sources.targets import is_target
from unetscope.wording import found

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
    from unetscope.config.files import locate

    beside = file.parent / named
    if not is_file(beside) and is_target(named):
        raise ConfigError(
            f"tool.unetscope.config: `{named}` is code, which is imported only where you type it",
            hint=f"for example `unetscope trace {named}`",
            place=Place(str(file)),
        )
    if not is_there(beside):
        locate(named, folder=file.parent, place=Place(str(file)))
    info(f"no config named: taking `{named}` from {file}")
    return str(beside) if is_file(beside) else named


def _config(file: Path) -> str | None:
    """What the file names, if anything."""
    tool = read(file).get("tool", {})
    section = tool.get("unetscope", {}) if isinstance(tool, dict) else {}
    named = section.get("config") if isinstance(section, dict) else None
    if named is None or (isinstance(named, str) and named):
        return named
    raise ConfigError(
        "tool.unetscope.config: expected a path or the name of a shipped config, "
        f"found {found(named)}",
        place=Place(str(file)),
    )


def configs_of(folder: Path) -> tuple[str, ...]:
    """The folders, files and globs of the configs of a project; without any said, the folder.

    `configs` under `[tool.unetscope]` names them from the folder of the nearest `pyproject.toml`.

    Raises:
        ConfigError: that file is no TOML, or its `configs` are no paths.
    """
    file = nearest_file(folder)
    paths = [] if file is None else section(file).get("configs", [])
    if not (isinstance(paths, list) and all(isinstance(path, str) and path for path in paths)):
        raise ConfigError(
            f'tool.unetscope.configs: expected paths, such as ["configs/"], found {found(paths)}',
            place=Place(str(file)),
        )
    return tuple(str(file.parent / path) for path in paths) if file and paths else (".",)


def lock_of(config: Path) -> Path:
    """Where the lock of a config belongs: beside it, or in a folder there.

    `locks` under `[tool.unetscope]` names the folder, in the `pyproject.toml` that is the nearest
    in the config's folder or above.

    Raises:
        ConfigError: that file is no TOML, or its `locks` is no folder below the config's.
    """
    from unetscope.files.locks import SUFFIX

    file = nearest_file(config.absolute().parent)
    folder = "." if file is None else section(file).get("locks", ".")
    if not (isinstance(folder, str) and folder.isprintable() and _is_below(folder)):
        raise ConfigError(
            "tool.unetscope.locks: expected a folder in that of the config, "
            f'such as "locks", found {found(folder)}',
            place=Place(str(file)),
        )
    return config.parent / folder / f"{config.stem}{SUFFIX}"


def _is_below(folder: str) -> bool:
    path = Path(folder)
    return bool(folder) and not path.is_absolute() and ".." not in path.parts


def nearest_file(folder: Path) -> Path | None:
    """The `pyproject.toml` of a folder, or of the nearest one above that has one."""
    files = (above / "pyproject.toml" for above in (folder, *folder.parents))
    return next((file for file in files if is_file(file)), None)


def section(file: Path, *names: str) -> dict[str, Any]:
    """A table below `[tool.unetscope]`; empty if the file has none.

    Raises:
        ConfigError: the file is no TOML, or what has that name is no table.
    """
    table: Any = read(file)
    for depth, name in enumerate(("tool", "unetscope", *names)):
        table = table.get(name, {})
        if not isinstance(table, dict):
            dotted = ".".join(("tool", "unetscope", *names)[: depth + 1])
            raise ConfigError(
                f"{dotted}: expected a table, found {found(table)}", place=Place(str(file))
            )
    return dict(table)


def read(file: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ConfigError: it is none, or cannot be read.
    """
    from unetscope.config.files import read_text

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        content: dict[str, Any] = tomllib.loads(read_text(file))
    except (ValueError, RecursionError) as error:  # ValueError: TOMLDecodeError, and huge numbers
        at = re.search(r"at line (\d+), column (\d+)", str(error))
        place = Place(str(file), *(int(number) for number in at.groups())) if at else None
        raise ConfigError(f"not TOML: {error}", place=place or Place(str(file))) from None
    return content
