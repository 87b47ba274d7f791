"""What the nearest `pyproject.toml` says under `[tool.unetscope]`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from unetscope.errors import ConfigError, Place, did_you_mean
from unetscope.files.reading import is_file, is_there
from unetscope.sources.source import Info
from unetscope.sources.targets import is_target
from unetscope.wording import found, series, shown
from unetscope.words import Language

USUAL = "sd15"
"""The config that is meant where none is named and no `pyproject.toml` says otherwise."""
KEYS = ("check", "config", "configs", "diff", "lang", "locks")
"""What may stand under `[tool.unetscope]`."""


def default_config(info: Info) -> str:
    """What `config` under `[tool.unetscope]` names; else `USUAL`.

    Args:
        info: is called with a message that says what was taken.

    Raises:
        ConfigError: as `named_config`.
    """
    named = named_config(info)
    if named is None:
        info(f"no config named: taking `{USUAL}`")
    return named or USUAL


def named_config(info: Info) -> str | None:
    """What `config` under `[tool.unetscope]` names, if anything.

    The nearest `pyproject.toml`, in this folder or above, is the one that counts, and a path in it
    starts from its folder.

    Args:
        info: is called with a message that says what was taken.

    Raises:
        ConfigError: that file is no TOML, or its `config` is no name.
    """
    file = nearest_file(Path.cwd())
    named = None if file is None else section(file).get("config")
    if file is None or named is None:
        return None
    from unetscope.config.files import locate

    if not (isinstance(named, str) and named):
        raise ConfigError(
            "tool.unetscope.config: expected a path or the name of a shipped config, "
            f"found {found(named)}",
            place=place_of(file, "config"),
        )
    beside = file.parent / named
    if not is_file(beside) and is_target(named):
        raise ConfigError(
            f"tool.unetscope.config: `{named}` is code, which is imported only where you type it",
            hint=f"for example `unetscope trace {named}`",
            place=place_of(file, "config"),
        )
    if not is_there(beside):
        locate(named, folder=file.parent, place=place_of(file, "config"))
    info(f"no config named: taking `{named}` from {file}")
    return str(beside) if is_file(beside) else named


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
            place=place_of(file, "configs") if file else None,
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
    if not is_locks_folder(folder):
        raise ConfigError(
            "tool.unetscope.locks: expected a folder in that of the config, "
            f'such as "locks", found {found(folder)}',
            place=place_of(file, "locks") if file else None,
        )
    return config.parent / folder / f"{config.stem}{SUFFIX}"


def is_locks_folder(folder: object) -> TypeGuard[str]:
    """Whether a value of `locks` names a folder below that of a config."""
    if not (isinstance(folder, str) and folder and folder.isprintable()):
        return False
    path = Path(folder)
    return not path.is_absolute() and ".." not in path.parts


def language() -> str | None:
    """What `lang` under `[tool.unetscope]` of the nearest `pyproject.toml` says, if anything.

    Raises:
        ConfigError: that file is no TOML, or there is no such language.
    """
    file = nearest_file(Path.cwd())
    named = None if file is None else section(file).get("lang")
    if file is None or named is None or named in tuple(Language):
        return named
    raise ConfigError(
        f"tool.unetscope.lang: expected {', '.join(Language)}, found {found(named)}",
        place=place_of(file, "lang"),
    )


def nearest_file(folder: Path) -> Path | None:
    """The `pyproject.toml` of a folder, or of the nearest one above that has one."""
    files = (above / "pyproject.toml" for above in (folder, *folder.parents))
    return next((file for file in files if is_file(file)), None)


def section(file: Path, *names: str) -> dict[str, Any]:
    """A table below `[tool.unetscope]`; empty if the file has none.

    What never says unetscope is not read as TOML: most projects need nothing of it.

    Raises:
        ConfigError: the file is no TOML, what has that name is no table, or `[tool.unetscope]` has
            a key that means nothing.
    """
    from unetscope.config.files import read_text

    if "unetscope" not in read_text(file):
        return {}
    table: Any = read(file)
    for depth, name in enumerate(("tool", "unetscope", *names)):
        table = table.get(name, {})
        dotted = ".".join(("tool", "unetscope", *names)[: depth + 1])
        if not isinstance(table, dict):
            message = f"{dotted}: expected a table, found {found(table)}"
            raise ConfigError(message, place=place_of(file, *names[: max(0, depth - 1)]))
        if dotted == "tool.unetscope":
            check_keys(file, table, KEYS)
    return dict(table)


def check_keys(file: Path, table: Iterable[str], known: Sequence[str], *names: str) -> None:
    """See that a table below `[tool.unetscope]`, of these names, has no key but those `known`.

    Raises:
        ConfigError: it has one.
    """
    for key in table:
        if key not in known:
            there = f"there {'is' if len(known) == 1 else 'are'} {series(known)}"
            raise ConfigError(
                f"{'.'.join(('tool.unetscope', *names, shown(key)))}: no such setting",
                hint=did_you_mean(key, known) or there,
                place=place_of(file, *names, key),
            )


def place_of(file: Path, *names: str) -> Place:
    """Where a setting below `[tool.unetscope]` stands; the file alone where that is not plain."""
    from unetscope.config.files import read_text

    wanted, table = ("tool", "unetscope", *names), ""
    for number, line in enumerate(read_text(file).splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        entry = re.match(r"\s*([\w.-]+)\s*=", line)
        if header:
            table = header[1]
        reached = table if header else f"{table}.{entry[1]}" if entry and table else ""
        if tuple(reached.split("."))[: len(wanted)] == wanted:
            return Place(str(file), number)
    return Place(str(file))


def read(file: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        ConfigError: it is none, or cannot be read.
    """
    from unetscope.config.files import read_text

    return parse(read_text(file), file)


def parse(text: str, file: Path) -> dict[str, Any]:
    """What a TOML text says.

    Raises:
        ConfigError: it is none.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        content: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: TOMLDecodeError, and huge numbers
        at = re.search(r"at line (\d+), column (\d+)", str(error))
        place = Place(str(file), *(int(number) for number in at.groups())) if at else None
        raise ConfigError(f"not TOML: {error}", place=place or Place(str(file))) from None
    return content
