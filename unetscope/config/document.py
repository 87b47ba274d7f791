"""YAML text into plain values that remember where each one stands.

What a config needs of YAML, and no more: mappings with string keys, lists and scalars of the
core schema, aliases within a bound. Tags, which name code to run, and merge keys are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from yaml.reader import ReaderError

from unetscope.config.scalars import Scalar, resolve
from unetscope.errors import ConfigError, Place
from unetscope.wording import dotted, found, quoted

if TYPE_CHECKING:
    from unetscope.findings import Finding, Path

DEEPEST = 16
"""Levels of nesting."""
MOST_VALUES = 10_000
"""Values in one document, each alias counted with all that it stands for."""

_SURROGATE = re.compile("[\ud800-\udfff]")  # what bytes on a command line may become

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """A YAML document.

    Attributes:
        data: dicts, lists and scalars.
        places: where each value stands: an entry of a mapping at its key, an item of a list at
            itself, the document at its beginning.
        notes: what of the file was left out.
        problems: why the file cannot be read as a config.
    """

    data: Any
    places: Mapping[Path, Place]
    notes: tuple[str, ...] = ()
    problems: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Node:
    """A value and its place; aliases share nodes, so a few of them may stand for many values."""

    value: Scalar | list[_Node] | dict[str, tuple[Place, _Node]]
    place: Place


@dataclass
class _Composer:
    """Turns YAML's events into nodes."""

    file: str
    events: Iterator[Any]
    anchors: dict[str, _Node] = field(default_factory=dict)

    def document(self) -> _Node | None:
        root = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._error(event, "a second document; a config is one document")
                root = self._node(next(self.events), ())
        return root

    def _node(self, event: Any, path: Path) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise self._error(event, f"the alias *{event.anchor} names no value above it")
            return self.anchors[event.anchor]
        if event.tag is not None:
            raise self._error(
                event,
                f"the tag {quoted(event.tag)} is refused; a config holds plain values",
            )
        if len(path) > DEEPEST:
            raise _too_deep(self._place(event))
        node = _Node(self._value(event, path), self._place(event))
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _value(self, event: Any, path: Path) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(path)
        return self._entries(path)

    def _scalar(self, event: Any) -> Scalar:
        is_plain = event.implicit[0]
        try:
            return resolve(event.value) if is_plain else str(event.value)
        except ValueError as error:
            raise self._error(event, str(error)) from None

    def _items(self, path: Path) -> list[_Node]:
        items: list[_Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return items

    def _entries(self, path: Path) -> dict[str, tuple[Place, _Node]]:
        entries: dict[str, tuple[Place, _Node]] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, place = self._key(event, path), self._place(event)
            if key == "<<":
                raise ConfigError(
                    "merge keys (<<) are refused",
                    hint="`extends` takes over the values of another config",
                    place=place,
                )
            if key in entries:
                first = entries[key][0].line
                raise ConfigError(
                    f"{dotted((*path, key))}: duplicate key, first given on line {first}",
                    place=place,
                )
            entries[key] = place, self._node(next(self.events), (*path, key))
        return entries

    def _key(self, event: Any, path: Path) -> str:
        if isinstance(event, yaml.CollectionStartEvent):
            raise self._error(event, "expected a key that is a string, found a list or mapping")
        key = self._node(event, path).value
        if not isinstance(key, str):
            raise self._error(event, f"expected a key that is a string, found {found(key)}")
        return key

    def _place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _error(self, event: Any, message: str) -> ConfigError:
        return ConfigError(message, place=self._place(event))


@dataclass
class _Expansion:
    """Turns nodes into plain values and their places."""

    places: dict[Path, Place] = field(default_factory=dict)

    def value(self, node: _Node, path: Path, place: Place) -> Any:
        if len(path) > DEEPEST:
            raise _too_deep(place)
        if len(self.places) >= MOST_VALUES:
            raise ConfigError(
                f"more than {MOST_VALUES:,} values, the bound for a config", place=place
            )
        self.places[path] = place
        if isinstance(node.value, list):
            return [
                self.value(item, (*path, index), item.place)
                for index, item in enumerate(node.value)
            ]
        if isinstance(node.value, dict):
            return {
                key: self.value(entry, (*path, key), key_place)
                for key, (key_place, entry) in node.value.items()
            }
        return node.value


def parse(text: str, file: str) -> Document:
    """Read YAML text; an empty one is None.

    Args:
        text: YAML.
        file: its name, for places.

    Raises:
        ConfigError: it is not YAML, or not the part of YAML that a config needs.
    """
    if _SURROGATE.search(text):
        raise ConfigError("not a text file: holds what is not Unicode", place=Place(file))
    try:
        root = _Composer(file, iter(yaml.parse(text, Loader=_Loader))).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, file) from None
    except ReaderError as error:
        raise _reader_error(error, text, file) from None
    if root is None:
        return Document(None, {(): Place(file)})
    expansion = _Expansion()
    return Document(expansion.value(root, (), root.place), expansion.places)


def _too_deep(place: Place) -> ConfigError:
    return ConfigError(f"nested deeper than {DEEPEST} levels, the bound for a config", place=place)


def _syntax_error(error: yaml.MarkedYAMLError, file: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    said = " ".join(filter(None, (error.problem, error.context)))
    return ConfigError(f"not YAML: {said}", place=place)


def _reader_error(error: ReaderError, text: str, file: str) -> ConfigError:
    """The error of a control character, which YAML forbids."""
    is_index = error.encoding == "unicode"  # libyaml counts bytes
    before = text[: error.position] if is_index else _first_bytes(text, error.position)
    char = text[len(before)]
    place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    return ConfigError(f"not a text file: control character U+{ord(char):04X}", place=place)


def _first_bytes(text: str, count: int) -> str:
    return text.encode()[:count].decode(errors="ignore")
