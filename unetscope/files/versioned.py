"""JSON files that state the version of their format: what saved traces and locks share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from unetscope.dtypes import is_dtype
from unetscope.errors import Place, UnetscopeError
from unetscope.files import reading
from unetscope.record import TensorSpec

T = TypeVar("T")
LARGEST = 2**96
"""Above all counts of elements, bytes and multiply-adds."""
DEEPEST = 32
"""Levels of the config in a saved file."""
_CONFLICT = re.compile(rb"^(<<<<<<<|=======|>>>>>>>)(\s|$)", re.MULTILINE)


class DamageError(Exception):
    """A text is no such file; the message says why.

    Attributes:
        line: the number of the line, from 1, if there is one.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class NewerError(UnetscopeError):
    """A file has a format that only a newer unetscope knows; it must not be written over."""


@dataclass(frozen=True)
class Versioned(Generic[T]):
    """A kind of file that states the version of its format.

    A newer format is so refused and not misread.

    Attributes:
        name: what such a file holds: `trace`.
        version: the one that is read and written here.
        stated: the version that a text states; raises `DamageError` for one that states none.
        decoded: what a text of this version holds; raises `DamageError`.
        damages: the damage that this does not show, in words.
        foreign: what is said of a file that states no version.
        older: what is said of one with an earlier version.
        again: how to write such a file.
        largest: bytes that one may have.
    """

    name: str
    version: int
    stated: Callable[[bytes], int]
    decoded: Callable[[bytes], T]
    damages: Callable[[T], Iterator[str]]
    foreign: str
    older: str
    again: str
    largest: int = reading.LARGEST

    def loads(self, text: bytes, file: str) -> T:
        """The content of a file.

        Raises:
            UnetscopeError: it is not such a file, is damaged, or has another format.
        """

        def refused(message: str, line: int | None = None) -> UnetscopeError:
            return UnetscopeError(message, place=Place(file, line), hint=self.again)

        def damaged(what: str, error: DamageError) -> UnetscopeError:
            if (conflict := _CONFLICT.search(text)) is None:
                return refused(f"{what}: {error}", error.line)
            line = text.count(b"\n", 0, conflict.start()) + 1
            return refused(f"{what}: it contains the markers of a merge conflict", line)

        try:
            version = self.stated(text)
        except DamageError as error:
            raise damaged(self.foreign, error) from None
        if version > self.version:
            raise NewerError(
                f"a {self.name} of format {version}, which is newer: this unetscope reads "
                f"{self.version}",
                hint="a newer unetscope wrote it: update this one",
                place=Place(file),
            )
        if version < self.version:
            raise refused(
                f"a {self.name} of {self.older}; this unetscope reads format {self.version}"
            )
        try:
            content = self.decoded(text)
        except DamageError as error:
            raise damaged(f"a damaged {self.name}", error) from None
        for damage in self.damages(content):
            raise refused(f"a damaged {self.name}: {damage}")
        return content

    def load(self, path: Path) -> T:
        """The content of a file; see `loads`."""
        try:
            text = reading.content(path)
        except OSError as error:
            raise UnetscopeError(
                f"cannot be read: {reading.why(error)}", place=Place(str(path))
            ) from None
        if len(text) > self.largest:
            raise UnetscopeError(
                f"larger than {self.largest:,} bytes, the bound for a {self.name}",
                place=Place(str(path)),
            )
        return self.loads(text, str(path))


def impossible(specs: Iterable[TensorSpec]) -> Iterator[str]:
    """The damage of tensors that cannot be."""
    for spec in specs:
        if not is_dtype(spec.dtype) or min(spec.shape, default=0) < 0:
            yield f"impossible tensor: shape {list(spec.shape)}, dtype `{spec.dtype}`"
        else:
            yield from absurd("shape", (*spec.shape, spec.numel))


def absurd(what: str, numbers: Iterable[int]) -> Iterator[str]:
    """The damage of counts that nothing has."""
    for number in numbers:
        if not 0 <= number < LARGEST:
            found = number if number < 0 else f"one of {number.bit_length()} bits"
            yield f"`{what}`: expected a number from 0 to 2**96, found {found}"


def too_deep(config: Mapping[str, Any]) -> Iterator[str]:
    """The damage of a config that no reader of configs lets through."""
    level: list[Any] = [config]
    for _ in range(DEEPEST):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, Mapping) else value)
            if isinstance(inner, Mapping | list | tuple)
        ]
    if level:
        yield f"its config is nested deeper than {DEEPEST} levels"
