"""Whether changes may pass: by severity, by bounds on the totals, by rules for single ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from math import floor

from unetscope.analysis.diff import COSTS, Change, Diff, Severity
from unetscope.errors import UnetscopeError, nearest

SEVERITY_NAMES = {severity.name.lower(): severity for severity in reversed(Severity)}
BOUNDS = {"max-params": COSTS[0], "max-macs": COSTS[1], "max-memory": COSTS[2]}
"""Option -> the change that it bounds."""

_NUMBER = re.compile(r"([+-]?)(\d+(?:\.\d+)?)\s*(%|[A-Za-z]*)", re.ASCII)
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
class Rules:
    """What may pass.

    Attributes:
        fail_on: this class and all above it fail; None: none does.
        bounds: by the id of the cost; a total within its bound passes.
        actions: by id; they go before `fail_on`.
    """

    fail_on: Severity | None = Severity.COST
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A rule that a change breaks.

    Attributes:
        rule: `fail-on`, `deny`, or the bound's option, such as `max-params`.
        change: what breaks it.
        bound: what the rule says: a severity's or an action's name, a bound as it was written.
        limit: of a bound, the largest total that passes.
    """

    rule: str
    change: Change
    bound: str
    limit: int | None = None


@dataclass(frozen=True)
class Verdict:
    """What the rules say of a diff.

    Attributes:
        shown: the changes that are to be reported.
        failures: none if it passes.
    """

    shown: tuple[Change, ...]
    failures: tuple[Failure, ...]

    @property
    def failed(self) -> frozenset[Change]:
        """The changes that do not pass."""
        return frozenset(failure.change for failure in self.failures)


def judge(diff: Diff, rules: Rules) -> Verdict:
    """Hold every change against the rules."""
    shown, failures = [], []
    limits = {t.id: rules.bounds[t.id].limit(t.old) for t in diff.totals if t.id in rules.bounds}
    options = {cost: option for option, cost in BOUNDS.items()}
    for change in diff.changes:
        action = rules.actions.get(change.id)
        if action is not Action.allow:
            shown.append(change)
        if change.id in limits and action is not Action.deny:
            if change.new > limits[change.id]:
                said = rules.bounds[change.id].text
                failures.append(Failure(options[change.id], change, said, limits[change.id]))
        elif action is Action.deny:
            failures.append(Failure("deny", change, action.value))
        elif action is None and rules.fail_on is not None and change.severity >= rules.fail_on:
            failures.append(Failure("fail-on", change, rules.fail_on.name.lower()))
    unchanged = [t for t in diff.totals if t.old == t.new and t.new > limits.get(t.id, t.new)]
    for total in unchanged:
        change = Change(total.id, "", "", total.old, total.new)
        said = rules.bounds[total.id].text
        failures.append(Failure(options[total.id], change, said, limits[total.id]))
    return Verdict(tuple(shown), tuple(failures))


def severity(name: str) -> Severity | None:
    """A severity by its name; `none` is None.

    Raises:
        UnetscopeError: there is none of that name.
    """
    if name == "none":
        return None
    if name not in SEVERITY_NAMES:
        known = [*SEVERITY_NAMES, "none"]
        close = nearest(name, known)
        raise UnetscopeError(
            f"unknown severity `{name}`: expected {', '.join(known)}",
            hint=f"did you mean `{close}`?" if close else None,
        )
    return SEVERITY_NAMES[name]
