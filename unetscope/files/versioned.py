"""JSON files that state the version of their format: what saved traces and locks share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from unetscope.errors import Place, UnetscopeError
from unetscope.files import reading
from unetscope.record import TensorSpec, is_dtype

T = TypeVar("T")
LARGEST = 2**96
"""Above all counts of elements, bytes and multiply-adds."""
DEEPEST = 32
"""Levels of the config in a saved file."""
_CONFLICT = re.compile(rb"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)


@dataclass(frozen=True)
class Versioned(Generic[T]):
    """A kind of file that states the version of its format.

    A newer format is so refused and not misread.

    Attributes:
        name: what such a file holds: `trace`.
        mark: the first key, whose value is the version.
        version: the one that is read and written here.
        content: what the JSON is read as.
        damages: the damage that types do not show, in words.
        foreign: what is said of a file that has no such key.
        again: how to write such a file.
    """

    name: str
    mark: str
    version: int
    content: type[T]
    damages: Callable[[T], Iterator[str]]
    foreign: str
    again: str

    def loads(self, text: bytes, file: str) -> T:
        """The content of a file.

        Raises:
            UnetscopeError: it is not such a file, is damaged, or has another format.
        """
        place = Place(file)

        def refused(message: str, hint: str = self.again) -> UnetscopeError:
            return UnetscopeError(message, place=place, hint=hint)

        head = msgspec.defstruct("Head", [(self.mark, Any, None)])
        try:
            version = getattr(msgspec.json.decode(text, type=head), self.mark)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            conflict = "it contains the markers of a merge conflict"
            why = conflict if _CONFLICT.search(text) else str(error)
            raise refused(f"{self.foreign}: {why}") from None
        if type(version) is not int:
            raise refused(f"{self.foreign}: it has no `{self.mark}`")
        if version != self.version:
            newer = "a newer unetscope wrote it: update this one"
            message = f"a {self.name} of format {version}; this unetscope reads {self.version}"
            raise refused(message, newer if version > self.version else self.again)
        try:
            content = msgspec.json.decode(text, type=self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise refused(f"a damaged {self.name}: {error}") from None
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
        if len(text) > reading.LARGEST:
            raise UnetscopeError(
                f"larger than {reading.LARGEST:,} bytes, the bound for a {self.name}",
                place=Place(str(path)),
            )
        return self.loads(text, str(path))

    def is_in(self, path: Path) -> bool:
        """Whether a file is of this kind, by its first key; False if it cannot be read."""
        try:
            head = reading.content(path, 64)
        except OSError:
            return False
        return re.match(rb'\s*\{\s*"%b"' % self.mark.encode(), head) is not None


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
