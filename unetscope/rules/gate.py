"""The gate of `diff` and `lock`: which changes may pass.

By their severity, by bounds on the totals, and by what is said of single ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from math import floor

from unetscope.analysis.diff import COSTS, SEVERITIES, Change, ChangeSeverity, Diff
from unetscope.errors import ConfigError, Place, UnetscopeError, did_you_mean
from unetscope.wording import found

SEVERITY_NAMES = {severity.name.lower(): severity for severity in reversed(ChangeSeverity)}
BOUNDS = {"max-params": COSTS[0], "max-macs": COSTS[1], "max-memory": COSTS[2]}
"""Setting, and option of the command line -> the change that it bounds."""
FAIL_ON = "fail-on"

_NUMBER = re.compile(r"([+-]?)(\d{1,30}(?:\.\d{1,30})?)\s*(%|[A-Za-z]*)", re.ASCII)
_PREFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_ENDINGS = {"params": ("params", "b"), "macs": ("macs",), "activation-memory": ("b",)}


class Action(str, Enum):
    """What becomes of a change by its id."""

    deny = "deny"
    """It fails, whatever its severity."""
    warn = "warn"
    """It is reported and passes."""
    allow = "allow"
    """It passes, and is not reported."""


@dataclass(frozen=True)
class Bound:
    """The most that a total may be.

    Attributes:
        text: as it was written: `+1%`, `420G`, `+64MiB`.
        base: how many times the old total.
        rise: what is added to that.
    """

    text: str
    base: Fraction
    rise: Fraction

    def limit(self, old: int) -> int:
        """The largest total that passes."""
        return floor(self.base * old + self.rise)


def bound(text: str, cost: str) -> Bound:
    """Read a bound on one of `COSTS`.

    With a sign it is relative to the old total, in percent or by an amount; without, it is the
    total itself.

    Raises:
        UnetscopeError: it is none.
    """
    match = _NUMBER.fullmatch(text.strip())
    factor = None if match is None else _factor(match[3], cost)
    if match is None or factor is None or (match[3] == "%" and not match[1]):
        example = "+64MiB" if cost == COSTS[2] else "420G" if cost == COSTS[1] else "900M"
        raise UnetscopeError(
            f"expected a bound such as `+1%` or `{example}`, found `{text}`",
            hint="a sign makes it relative to what was there before",
        )
    amount = Fraction(match[2]) * factor * (-1 if match[1] == "-" else 1)
    if match[3] == "%":
        return Bound(text, 1 + amount / 100, Fraction(0))
    return Bound(text, Fraction(1 if match[1] else 0), amount)


def _factor(unit: str, cost: str) -> int | None:
    if unit == "%":
        return 1
    unit = unit.lower()
    if cost == COSTS[0] and unit == "b":
        return 10**9  # billions, as papers write it
    known = {**_PREFIXES, **_BINARY} if cost == COSTS[2] else _PREFIXES
    for ending in ("", *_ENDINGS[cost]):
        prefix = unit.removesuffix(ending)
        if unit.endswith(ending) and prefix in known:
            return known[prefix]
    return None


@dataclass(frozen=True)
class Gate:
    """What may pass.

    Attributes:
        fail_on: this class and all above it fail; None: none does.
        bounds: by the id of the cost; a total within its bound passes.
        actions: by id; they go before `fail_on`.
    """

    fail_on: ChangeSeverity | None = ChangeSeverity.COST
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)

    @classmethod
    def of(cls, written: Mapping[str, object], given: Mapping[str, str], file: str) -> Gate:
        """The gate of some settings, by their names: `fail-on`, those of `BOUNDS`, ids of changes.

        Args:
            written: what `[tool.unetscope.diff]` says; `-` in a name may be written `_`.
            given: what options of the command line say, which goes before.
            file: where `written` stands.

        Raises:
            UnetscopeError: there is no such setting, or it has another value.
        """
        settings: dict[str, str] = {}
        for key, value in written.items():
            try:
                settings[key.replace("_", "-")] = _setting(key.replace("_", "-"), value)
            except UnetscopeError as error:
                message = f"tool.unetscope.diff.{key}: {error.message}"
                raise ConfigError(message, hint=error.hint, place=Place(file)) from None
        for name, text in given.items():
            try:
                settings[name] = _setting(name, text)
            except UnetscopeError as error:
                raise UnetscopeError(f"--{name}: {error.message}", hint=error.hint) from None
        bounds = {
            cost: bound(settings[name], cost) for name, cost in BOUNDS.items() if name in settings
        }
        actions = {name: Action(text) for name, text in settings.items() if name in SEVERITIES}
        if FAIL_ON in settings:
            return cls(severity(settings[FAIL_ON]), bounds, actions)
        return cls(bounds=bounds, actions=actions)

    def judge(self, diff: Diff) -> Judgement:
        """Hold every change against the gate."""
        shown, breaches = [], []
        limits = {t.id: self.bounds[t.id].limit(t.old) for t in diff.totals if t.id in self.bounds}
        options = {cost: option for option, cost in BOUNDS.items()}
        for change in diff.changes:
            action = self.actions.get(change.id)
            if action is not Action.allow:
                shown.append(change)
            if change.id in limits and action is not Action.deny:
                if change.new > limits[change.id]:
                    text = self.bounds[change.id].text
                    breaches.append(Breach(options[change.id], change, text, limits[change.id]))
            elif action is Action.deny:
                breaches.append(Breach("deny", change, action.value))
            elif action is None and self.fail_on is not None and change.severity >= self.fail_on:
                breaches.append(Breach(FAIL_ON, change, self.fail_on.name.lower()))
        unchanged = [t for t in diff.totals if t.old == t.new and t.new > limits.get(t.id, t.new)]
        for total in unchanged:
            change = Change(total.id, "", "", total.old, total.new)
            text = self.bounds[total.id].text
            breaches.append(Breach(options[total.id], change, text, limits[total.id]))
        return Judgement(diff, self, tuple(shown), tuple(breaches))


@dataclass(frozen=True)
class Breach:
    """A setting of the gate that a change does not meet.

    Attributes:
        setting: `fail-on`, `deny`, or the bound's name, such as `max-params`.
        change: what does not meet it.
        bound: what the setting says: a severity's or an action's name, a bound as it was written.
        limit: of a bound, the largest total that passes.
    """

    setting: str
    change: Change
    bound: str
    limit: int | None = None


@dataclass(frozen=True)
class Judgement:
    """What a gate says of a diff.

    Attributes:
        diff: all changes.
        gate: what may pass.
        shown: the changes that are to be reported.
        breaches: what does not pass, and why; none if all does.
    """

    diff: Diff
    gate: Gate
    shown: tuple[Change, ...]
    breaches: tuple[Breach, ...]


def nowhere(change: Change) -> None:
    """The place of each change where nothing is known of lines that caused it."""


def _setting(name: str, value: object) -> str:
    """The value of a setting, after a look at both.

    Raises:
        UnetscopeError: there is no such setting, or it has another value.
    """
    known = (FAIL_ON, *BOUNDS, *SEVERITIES)
    if name not in known:
        raise UnetscopeError(
            "no such setting",
            hint=did_you_mean(name, known) or f"settings: {', '.join(known)}",
        )
    if not isinstance(value, str):
        raise UnetscopeError(f"expected a string, found {found(value)}")
    if name == FAIL_ON:
        severity(value)
    elif name in BOUNDS:
        bound(value, BOUNDS[name])
    elif value not in tuple(Action):
        raise UnetscopeError(
            f"expected {', '.join(Action)}, found `{value}`",
            hint=did_you_mean(value, Action),
        )
    return value


def severity(name: str) -> ChangeSeverity | None:
    """A severity by its name; `none` is None.

    Raises:
        UnetscopeError: there is none of that name.
    """
    if name == "none":
        return None
    if name not in SEVERITY_NAMES:
        known = [*SEVERITY_NAMES, "none"]
        raise UnetscopeError(
            f"unknown severity `{name}`: expected {', '.join(known)}",
            hint=did_you_mean(name, known),
        )
    return SEVERITY_NAMES[name]
