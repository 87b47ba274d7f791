"""Which values of its options a family covers; anything else is refused by name.

A published option without an implementation must never be ignored: the network would be another
one than its config says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from unetscope.errors import nearest
from unetscope.findings import MISSING, UNSUPPORTED, Finding
from unetscope.wording import found


@dataclass(frozen=True)
class Covered:
    """The values that are implemented.

    Attributes:
        values: option -> the values covered; of options not listed, all that the type allows.
        needs: option and value -> the options that must not be null with it.
        hint: a hint about an option and its value that is not covered; without one, the nearest
            value is suggested.
    """

    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    needs: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    hint: Callable[[str, Any], str | None] = lambda _key, _value: None

    def findings(self, options: Any) -> Iterator[Finding]:
        """Every option that is not covered, or lacks another beside it."""
        for key, accepted in self.values.items():
            value = getattr(options, key)
            entries = enumerate(value) if isinstance(value, tuple) else [(None, value)]
            for index, entry in entries:
                if entry not in accepted:
                    path = (key,) if index is None else (key, index)
                    message = f"expected {_any_of(accepted)}, found {found(entry)}"
                    hint = self.hint(key, entry) or _nearest(entry, accepted)
                    yield UNSUPPORTED.at(path, message, hint)
        for (key, value), others in self.needs.items():
            if getattr(options, key, None) == value:
                for other in others:
                    if getattr(options, other) is None:
                        message = f"expected a number since {key} is {value}, found null"
                        yield MISSING.at((other,), message)


def _nearest(entry: Any, accepted: tuple[Any, ...]) -> str | None:
    names = [name for name in accepted if isinstance(name, str)]
    close = nearest(entry, names) if isinstance(entry, str) else None
    return f"did you mean {close}?" if close else None


def _any_of(accepted: tuple[Any, ...]) -> str:
    *others, last = map(_spell, accepted)
    return f"{', '.join(others)} or {last}" if others else last


def _spell(accepted: Any) -> str:
    return accepted if isinstance(accepted, str) else found(accepted)
