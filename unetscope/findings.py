"""What is wrong with a config, as values: the first is raised, or all are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unetscope.errors import ConfigError, Place
from unetscope.wording import dotted

Path = tuple[str | int, ...]
"""Where a value stands in its document: `("unet", "block_out_channels", 3)`."""


@dataclass(frozen=True)
class Finding:
    """One problem of a config.

    Attributes:
        id: its kind, such as `unknown-key`.
        path: the key that most likely caused it.
        message: what was expected, what was found.
        hint: how to mend it.
    """

    id: str
    path: Path
    message: str
    hint: str | None = None

    def error(self, places: Mapping[Path, Place]) -> ConfigError:
        """The exception that says it, with the place of its key."""
        place = place_of(self.path, places)
        return ConfigError(
            f"{_name(self.path, places)}: {self.message}" if self.path else self.message,
            hint=self.hint,
            place=place,
        )


def _name(path: Path, places: Mapping[Path, Place]) -> str:
    """A key as its file calls it and, if that is another name, as we do; a default as we do."""
    ours = dotted(path)
    place = place_of(path, places) if path[:2] in places else None
    if place is None or place.key is None:
        return ours
    return place.key if ours.endswith(f".{place.key}") else f"{place.key}, read as {ours}"


def place_of(path: Path, places: Mapping[Path, Place]) -> Place | None:
    """Where a key stands or, if it is not written, the nearest that is and holds it."""
    while path and path not in places:
        path = path[:-1]
    return places.get(path)
