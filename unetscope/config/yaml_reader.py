"""YAML text into plain values that remember where each one stands.

Aliases are read within the bound on values. Tags, which name code to run, and merge keys are
refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from yaml.reader import ReaderError

from unetscope.config.document import (
    SURROGATE,
    Document,
    Places,
    Scalar,
    check_depth,
    duplicate_key,
    resolve,
)
from unetscope.config.yaml_versions import other_reading
from unetscope.errors import ConfigError, Place
from unetscope.wording import found, quoted

if TYPE_CHECKING:
    from unetscope.findings import Path

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
    notes: list[str] = field(default_factory=list)

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
        check_depth(path, self._place(event))
        node = _Node(self._value(event, path), self._place(event))
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def _value(self, event: Any, path: Path) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(path)
        return self._entries(path)

    def _scalar(self, event: Any, path: Path) -> Scalar:
        is_plain = event.implicit[0]
        try:
            value = resolve(event.value) if is_plain else str(event.value)
        except ValueError as error:
            raise self._error(event, str(error)) from None
        if is_plain and (note := other_reading(event.value, value, path, self._place(event))):
            self.notes.append(note)
        return value

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
                raise duplicate_key((*path, key), entries[key][0], place)
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


def _expanded(node: _Node, path: Path, place: Place, places: Places) -> Any:
    """The plain value of a node; its place, and those of all that it holds, go to `places`."""
    places.add(path, place)
    if isinstance(node.value, list):
        return [
            _expanded(item, (*path, index), item.place, places)
            for index, item in enumerate(node.value)
        ]
    if isinstance(node.value, dict):
        return {
            key: _expanded(entry, (*path, key), key_place, places)
            for key, (key_place, entry) in node.value.items()
        }
    return node.value


def read_yaml(text: str, file: str) -> Document:
    """Read YAML text; see `unetscope.config.document.parse`."""
    if SURROGATE.search(text):
        raise ConfigError("not a text file: holds what is not Unicode", place=Place(file))
    try:
        composer = _Composer(file, iter(yaml.parse(text, Loader=_Loader)))
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, file, text) from None
    except ReaderError as error:
        raise _reader_error(error, text, file) from None
    if root is None:
        return Document(None, {(): Place(file)})
    places = Places()
    return Document(_expanded(root, (), root.place, places), places, tuple(composer.notes))


def _syntax_error(error: yaml.MarkedYAMLError, file: str, text: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    said = " ".join(filter(None, (error.problem, error.context)))
    rest = "".join(text.split("\n")[mark.line :][:1])[mark.column :] if mark else ""
    if rest.startswith("\t"):
        return ConfigError("not YAML: a tab where spaces are expected", place=place)
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
