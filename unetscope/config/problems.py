"""What a linter says of a config: findings with a severity and a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from unetscope.errors import Place
from unetscope.findings import Finding, Path, place_of


class Severity(str, Enum):
    """How bad it is; github and sarif know them by these names."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Problem:
    """One finding, where a user can look for it.

    Attributes:
        severity: an error is no network, a warning is one that may surprise.
        id: a key of `ERRORS` or `WARNINGS`.
        place: file, line and column, or the option of the command line.
        message: what was expected, what was found.
        hint: how to mend it.
    """

    severity: Severity
    id: str
    place: Place
    message: str
    hint: str | None = None

    @classmethod
    def of(cls, finding: Finding, places: Mapping[Path, Place]) -> Problem:
        """A finding at the place of its key."""
        error = finding.error(places)
        severity = Severity.WARNING if finding.id in WARNINGS else Severity.ERROR
        place = place_of(finding.path, places) or places[()]
        return cls(severity, finding.id, place, error.message, finding.hint)

    @property
    def order(self) -> tuple[str, int, int, str]:
        """By file, line and column."""
        return (self.place.file, self.place.line or 0, self.place.column or 0, self.id)


ERRORS = {
    "malformed": "The file is no YAML or JSON that a config can be read from.",
    "extends": "The config extends itself, or does not say which network it means.",
    "several": "The file holds several networks.",
    "empty": "The config is empty.",
    "missing-key": "A key that every config has is missing.",
    "unknown-key": "No such key.",
    "unknown-family": "No such family of networks.",
    "wrong-type": "A value of another type belongs there.",
    "wrong-value": "A value of another type or range belongs there.",
    "missing": "An option needs another beside it.",
    "unsupported": "A published option that is not covered here.",
    "list-length": "A list has not one entry a level, or a ResNet.",
    "reverse-missing": "Depths by ResNet need those of the decoder too.",
    "groups": "A norm's groups do not divide its channels.",
    "heads": "Attention heads do not divide their channels.",
    "skip-channels": "A block is built for other channels than a skip brings.",
    "wiring": "Blocks do not fit each other.",
    "condition-width": "The widths of conditions do not fit each other.",
    "context-width": "The text is not as wide as what reads it.",
    "size": "The network cannot take a sample of this size.",
    "too-large": "More than anybody builds.",
    "build": "The network cannot be built.",
    "forward": "The forward pass fails.",
}
"""What each id of an error means."""

WARNINGS = {
    "head-count": "attention_head_dim is a number of heads, which makes them unusually wide.",
    "not-mirrored": "The decoder's blocks are other than the encoder's at the same level.",
    "width-not-8": "A width is no multiple of 8, which tensor cores want.",
    "text-width": "No known text encoder gives tokens of this width.",
    "odd-size": "A feature map with an odd side is halved.",
    "unused-parameters": "The forward pass never uses these parameters.",
    "skip-order": "The decoder takes the skips in another order than last-in-first-out.",
}
"""What each id of a warning means."""
