"""Which files of a repository are compared: by folders, globs and names, and by what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from unetscope.config.files import LARGEST_FILE, SUFFIXES
from unetscope.errors import Place, UnetscopeError
from unetscope.files.locks import SUFFIX, begins_a_lock
from unetscope.sources.git import Repository
from unetscope.sources.trees import Tree

_UNET = re.compile(rb"""^unet[ \t]*: | [{,]\s*"?unet"?\s*:\s*\{""", re.MULTILINE | re.VERBOSE)
_EXTENDS = re.compile(
    rb"""^extends[ \t]*: | [{,]\s*"?extends"?\s*:\s*[^\s\[{]""", re.M | re.VERBOSE
)
_FAMILY = re.compile(rb"""^family[ \t]*:[ \t]*["']?\w*(UNet|ControlNet)""", re.MULTILINE)
_DIFFUSERS = re.compile(rb'"_class_name"\s*:\s*"[^"]*(UNet|ControlNet)')
_ORIGINAL = re.compile(rb"^\s+(unet_config|network_config|control_stage_config)\s*:", re.MULTILINE)


@dataclass(frozen=True)
class Chosen:
    """What a user named: folders, whose configs are meant, and files, by name or glob.

    Attributes:
        names: as they were typed.
        repository: the one around the working folder.
    """

    names: Sequence[str]
    repository: Repository

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        """Each name -> what finds the files that it means; a group `below` is what lies inside."""
        return {name: self._pattern(name) for name in self.names}

    def _pattern(self, name: str) -> re.Pattern[str]:
        folder = Path(name)
        if any(mark in name for mark in "*?[") and not folder.exists():
            head = next(i for i, part in enumerate(folder.parts) if re.search(r"[*?\[]", part))
            folder, glob = Path(*folder.parts[:head]), PurePosixPath(*folder.parts[head:])
        else:
            glob = None
        inside = self.repository.inside(folder / "x" if glob or folder.is_dir() else folder)
        if inside is None:
            raise UnetscopeError(
                f"`{name}` is not in this repository, {self.repository.top}",
                hint="without `--base`, two files of any places are compared",
            )
        if glob is not None:
            return re.compile(re.escape(inside[:-1]) + _translated(str(glob)), re.DOTALL)
        if folder.is_dir():
            return re.compile(re.escape(inside[:-1]) + "(?P<below>.+)", re.DOTALL)
        return re.compile(re.escape(inside) + "(/(?P<below>.+))?", re.DOTALL)

    def holds(self, path: str) -> bool:
        """Whether a file of the repository is among them, if it is a config."""
        return any(pattern.fullmatch(path) for pattern in self._patterns.values())

    def by_name(self, path: str) -> bool:
        """Whether a file was named itself, so that it is meant to be a config."""
        matches = (pattern.fullmatch(path) for pattern in self._patterns.values())
        return any(match and not match.groupdict().get("below") for match in matches)

    def check(self, paths: Iterable[str]) -> None:
        """See that each name means a file of those that there are.

        Raises:
            UnetscopeError: one means none, or none that can be a config.
        """
        known = list(paths)
        for name, pattern in self._patterns.items():
            meant = [path for path in known if pattern.fullmatch(path)]
            if not meant:
                nothing = f"no file matches `{name}`"
                if Path(name).is_dir():
                    nothing = f"git knows no file in `{name}`"
                raise UnetscopeError(
                    f"{nothing}, here or at the base",
                    hint="name folders, files or globs: `configs/`, `'models/**/unet*.yaml'`",
                )
            if not any(path.endswith((*SUFFIXES, SUFFIX)) for path in meant):
                raise UnetscopeError(
                    f"no config: it has none of the endings {', '.join(SUFFIXES)}",
                    place=Place(name),
                )


def _translated(glob: str) -> str:
    """A glob as a regular expression; `**` is any number of folders."""
    found, rest = "", glob
    while rest:
        for mark, meaning in (("**/", "(?:.*/)?"), ("**", ".*"), ("*", "[^/]*"), ("?", "[^/]")):
            if rest.startswith(mark):
                found, rest = found + meaning, rest[len(mark) :]
                break
        else:
            if among := re.match(r"\[(!?)(\]?[^\]/]*)\]", rest):
                inside = among[2].replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]")
                inside = rf"\{inside}" if inside.startswith("^") else inside
                found, rest = f"{found}[{'^' * bool(among[1])}{inside}]", rest[among.end() :]
            else:
                found, rest = found + re.escape(rest[0]), rest[1:]
    return found


def is_config(tree: Tree, path: str) -> bool:
    """Whether a file looks like the config of a network, be it right or wrong."""
    content = _read(tree, path)
    if content is None or not path.endswith(SUFFIXES):
        return False
    if path.endswith(".json") and _DIFFUSERS.search(content):
        return True
    if any(mark.search(content) for mark in (_UNET, _FAMILY, _ORIGINAL)):
        return True
    return _EXTENDS.search(content) is not None and _only_extends(content, path)


def is_lock(tree: Tree, path: str) -> bool:
    """Whether a file is a lock of unetscope's: others have that ending too."""
    content = _read(tree, path)
    if content is None or not path.endswith(SUFFIX):
        return False
    return begins_a_lock(content) or (b"<<<<<<<" in content and b"unetscope lock" in content)


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        content = tree.content(path)
    except UnetscopeError:
        return None
    return content if len(content) <= LARGEST_FILE or path.endswith(SUFFIX) else None


def _only_extends(content: bytes, path: str) -> bool:
    """Whether a file says nothing but what a config may say; others have `extends` too."""
    from unetscope.config.document import parse
    from unetscope.config.sections import ConfigFile, keys_of

    try:
        data = parse(content.decode("utf-8-sig"), path).data
    except (UnicodeDecodeError, UnetscopeError):
        return path.endswith((".yaml", ".yml"))
    return isinstance(data, dict) and set(data) <= set(keys_of(ConfigFile))
