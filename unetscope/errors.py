"""The errors that users see: what is wrong, where it stands, and a hint.

UnetscopeError                 exit code 2: the command could not do its work
├── ConfigError                a config is missing, malformed or describes no network
└── ForwardError               a network could not run (holds the partial trace)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING, Any

from unetscope.wording import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unetscope.record import Trace


@dataclass(frozen=True)
class Place:
    """A position in a file; lines and columns count from 1.

    Attributes:
        key: the key in that file, where it differs from unetscope's own.
        layer: how late what stands there was given: 0 in a file that extends none, 1 in one that
            extends it, and so on; the options of the command line come last.
    """

    file: str
    line: int | None = None
    column: int | None = None
    key: str | None = field(default=None, kw_only=True)
    layer: int = field(default=0, kw_only=True, compare=False, repr=False)

    def __str__(self) -> str:
        parts = (self.file, self.line, self.column)
        return harmless(":".join(str(part) for part in parts if part))


class UnetscopeError(Exception):
    """An error that the user can understand and correct; it is shown without a traceback.

    Attributes:
        message: what is wrong, what was expected and what was found.
        hint: what to do about it, or None.
        place: file, line and column, or None.
        exit_code: 2, the command could not do its work; 1 means that a gate found something.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None, place: Place | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    @property
    def located(self) -> str:
        """The message, with its place before it if it has one."""
        return f"{self.place}: {self.message}" if self.place else self.message

    def __str__(self) -> str:
        return f"{self.located}\nhint: {self.hint}" if self.hint else self.located


class ConfigError(UnetscopeError):
    """A config is missing, malformed, or describes no network that can be built."""


class ForwardError(UnetscopeError):
    """A forward pass failed.

    Attributes:
        trace: what was recorded before the failure.
    """

    def __init__(self, message: str, *, trace: Trace, **more: Any):
        super().__init__(message, **more)
        self.trace = trace


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most likely meant, or None if nothing is close.

    Of those that are equally close, one with the same characters in another order is likelier.
    """
    folded = {candidate.casefold(): candidate for candidate in known}
    meant = name.casefold()
    close = get_close_matches(meant, folded, n=_TIED, cutoff=0.6)
    best = max(
        close,
        key=lambda one: (SequenceMatcher(None, one, meant).ratio(), sorted(one) == sorted(meant)),
        default=None,
    )
    return None if best is None else folded[best]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint at the known name that `name` most likely meant, or None if nothing is close."""
    close = nearest(name, known)
    return f"did you mean `{close}`?" if close else None


_TIED = 8
"""Names that may be equally close."""
