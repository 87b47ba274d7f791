"""What was found in a network or its config, and the one registry of rules that find it.

A rule is an id, a severity and a summary. Where one function decides it, the rule decorates that
function; where several find the same thing, the rule stands alone and they share it:

    @rule("skip-order", Severity.WARNING, "The skips are taken in another order.", traced=True)
    def skip_order(network: Network) -> Iterator[Finding]:
        yield skip_order.in_module("", "1 of 3 joins takes another tensor than the newest")

    GROUPS = Rule("groups", Severity.ERROR, "A norm's groups do not divide its channels.")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Generic, ParamSpec

from unetscope.errors import ConfigError, Place
from unetscope.wording import dotted

Path = tuple[str | int, ...]
"""Where a value stands in its document: `("unet", "block_out_channels", 3)`."""

P = ParamSpec("P")

RULES: dict[str, Rule] = {}
"""Every rule by its id, in the order of their definitions."""


class Severity(str, Enum):
    """How bad a finding is; github and sarif know them by these names."""

    ERROR = "error"
    """There is no such network."""
    WARNING = "warning"
    """There is one, and it may surprise."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One kind of finding. Making a rule registers it.

    Attributes:
        id: its name for users: `check --ignore ID`.
        severity: of all its findings.
        summary: what they have in common, in one sentence.
        traced: whether only building or running the network shows it.
    """

    id: str
    severity: Severity
    summary: str
    traced: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.id in RULES:
            raise ValueError(f"there are two rules `{self.id}`")
        RULES[self.id] = self

    def at(
        self, path: Path, message: str, hint: str | None = None, *, beside: Collection[str] = ()
    ) -> Finding:
        """A finding at a key of the options; `beside` are the others that the rule is about."""
        return Finding(self.id, path, message, hint, tuple((key,) for key in beside))

    def in_module(self, module: str, message: str, hint: str | None = None) -> Finding:
        """A finding in a module of the network, by its path; `""` is the whole network."""
        return Finding(self.id, (), message, hint, module=module)

    def in_file(self, place: Place, message: str, hint: str | None = None) -> Finding:
        """A finding at a place that is known."""
        return Finding(self.id, (), message, hint, place=place)


@dataclass(frozen=True, eq=False)
class Check(Rule, Generic[P]):
    """A rule that one function decides; it is called as that function."""

    function: Callable[P, Iterator[Finding]] = field(kw_only=True)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[Finding]:
        """What the function finds."""
        return self.function(*args, **kwargs)


def rule(
    id: str,  # noqa: A002
    severity: Severity,
    summary: str,
    *,
    traced: bool = False,
) -> Callable[[Callable[P, Iterator[Finding]]], Check[P]]:
    """Make a rule of the function that finds it, which `check` calls from then on.

    Args:
        id: see `Rule`.
        severity: see `Rule`.
        summary: see `Rule`.
        traced: whether the function takes the `Network` of a trace; else it takes a `Configured`.
    """

    def register(function: Callable[P, Iterator[Finding]]) -> Check[P]:
        return Check(id, severity, summary, traced=traced, function=function)

    return register


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        id: of its rule, such as `unknown-key`.
        path: the key of the config that most likely caused it; of a trace, empty.
        message: what was expected, what was found.
        hint: how to mend it.
        beside: the other keys that the rule is about; that of them all which was given latest is
            where it is found, since whoever changes one value of a config changes it last.
        module: of a trace, the path of the module where it shows.
        place: file, line and column, or the option of the command line; None until `placed`.
    """

    id: str
    path: Path
    message: str
    hint: str | None = None
    beside: tuple[Path, ...] = ()
    module: str | None = None
    place: Place | None = None

    def __post_init__(self) -> None:
        if self.id not in RULES:
            raise ValueError(f"there is no rule `{self.id}`")

    @property
    def severity(self) -> Severity:
        """That of its rule."""
        return RULES[self.id].severity

    @property
    def order(self) -> tuple[str, int, int, str]:
        """By file, line and column."""
        place = self.place or Place("")
        return (place.file, place.line or 0, place.column or 0, self.id)

    def within(self, section: str, *also: Path) -> Finding:
        """The same with paths that begin in a section; `also` are further keys beside it."""
        beside = (*((section, *path) for path in self.beside), *also)
        return replace(self, path=(section, *self.path), beside=beside)

    def placed(self, places: Mapping[Path, Place]) -> Finding:
        """The same with the place of its key or of a later one beside it, and the key's name."""
        message = f"{_name(self.path, places)}: {self.message}" if self.path else self.message
        latest = max((self.path, *self.beside), key=lambda path: layer_of(path, places))
        is_own = latest == self.path
        place = place_of(latest, places) if is_own else _latest(latest, places)
        return replace(self, message=message, place=place)

    def error(self, places: Mapping[Path, Place]) -> ConfigError:
        """The exception that says it, with the place of `placed`."""
        placed = self.placed(places)
        return ConfigError(placed.message, hint=self.hint, place=placed.place)


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


def layer_of(path: Path, places: Mapping[Path, Place]) -> int:
    """The layer (see `Place`) of a key or of the latest of its items; -1 if it is not written."""
    if path in places or any(known[: len(path)] == path for known in places):
        return _latest(path, places).layer
    holder = place_of(path, places) if path[:2] in places else None
    return -1 if holder is None else holder.layer


def _latest(path: Path, places: Mapping[Path, Place]) -> Place:
    """Where a key stands, or the item in it that was given latest."""
    inside = [place for known, place in places.items() if known[: len(path)] == path]
    return max(inside, key=lambda place: place.layer)


UNCHECKED = Rule(
    "unchecked", Severity.ERROR, "What was named cannot be read, so nothing is known of it."
)

# What any config can get wrong.
MALFORMED = Rule(
    "malformed",
    Severity.ERROR,
    "The file, or one that it extends, is no YAML or JSON that a config can be read from.",
)
SEVERAL = Rule("several", Severity.ERROR, "The file holds several networks.")
EMPTY = Rule("empty", Severity.ERROR, "The config is empty.")
MISSING_KEY = Rule("missing-key", Severity.ERROR, "A key that every config has is missing.")
UNKNOWN_KEY = Rule("unknown-key", Severity.ERROR, "No such key.")
UNKNOWN_FAMILY = Rule("unknown-family", Severity.ERROR, "No such family of networks.")
WRONG_TYPE = Rule("wrong-type", Severity.ERROR, "A value of another type belongs there.")
WRONG_VALUE = Rule("wrong-value", Severity.ERROR, "A value of another type or range belongs there.")
TOO_LARGE = Rule("too-large", Severity.ERROR, "More than anybody builds.")
SIZE = Rule("size", Severity.ERROR, "The network cannot take a sample of this size.")

# What the options of any family can get wrong.
UNSUPPORTED = Rule("unsupported", Severity.ERROR, "A published option that is not covered here.")
MISSING = Rule("missing", Severity.ERROR, "An option needs another beside it.")
LIST_LENGTH = Rule("list-length", Severity.ERROR, "A list has not one entry a level, or a ResNet.")
GROUPS = Rule("groups", Severity.ERROR, "A norm's groups do not divide its channels.")
HEADS = Rule("heads", Severity.ERROR, "Attention heads do not divide their channels.")
SKIP_CHANNELS = Rule(
    "skip-channels", Severity.ERROR, "A block is built for other channels than a skip brings."
)
WIRING = Rule("wiring", Severity.ERROR, "Blocks do not fit each other.")
RESIDUALS = Rule(
    "residuals", Severity.ERROR, "An up block's ResNets do not fit the residuals that are pushed."
)
REVERSE_MISSING = Rule(
    "reverse-missing", Severity.ERROR, "Depths by ResNet need those of the decoder too."
)

# What only building and running a network shows.
BUILD = Rule("build", Severity.ERROR, "The network cannot be built.", traced=True)
FORWARD = Rule("forward", Severity.ERROR, "The forward pass fails.", traced=True)
