"""What a lock's text leaves out of a module, because it follows from something else in it.

Settings and tensors follow from the class, where it is one of torch's own layers, and from what the
lock states once for all modules of the class. Bodies follow from both, or from an earlier module
that is like this one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from unetscope.files.locks.layers import BIAS, LAYERS, UNKNOWN, Body, Given, Layer, Settings
from unetscope.files.locks.spelling import SpellingError, name, value
from unetscope.lock import LockedModule, LockedTensor, called

Usual = Mapping[str, Settings]
"""Class -> the settings of its modules that state no others."""
_UNFIT = (LookupError, TypeError, ValueError, ArithmeticError)
"""What the table raises for settings that such a layer cannot have."""


@dataclass(frozen=True)
class Stated:
    """What the text of one module states of its class, settings and tensors."""

    kind: str
    first: tuple[Any, ...] = ()
    """Settings without their names."""
    named: Settings = field(default_factory=dict)
    whole: bool = False
    """Whether nothing follows from the class."""
    tensors: tuple[LockedTensor, ...] = ()
    """Those that do not follow, by their names in the module."""


@dataclass(frozen=True)
class Own:
    """A module for itself, wherever it stands."""

    kind: str
    settings: Settings
    tensors: tuple[LockedTensor, ...]
    """By their names in the module."""
    layer: Layer = UNKNOWN
    """What is known of its class, if it is such a layer."""


def restored(stated: Stated, usual: Settings, dtype: str | None) -> Own:
    """What a module is, by what its text states.

    Args:
        stated: what its text states.
        usual: the settings that modules of its class have if they state no others.
        dtype: the type of the tensors that state no other.

    Raises:
        SpellingError: its class cannot have such settings.
    """
    layer = UNKNOWN if stated.whole else LAYERS.get(stated.kind, UNKNOWN)
    if len(stated.first) != len(layer.first):
        expected = ", ".join(layer.first) or "settings with their names"
        raise SpellingError(f"expected {expected}, found {len(stated.first)} without names")
    settings = dict(zip(layer.first, stated.first, strict=True))
    if not stated.whole:
        settings |= {**layer.defaults, **usual}
    settings |= stated.named
    bias = settings.pop(BIAS, True) if layer.biased else True
    if type(bias) is not bool:
        raise SpellingError(f"expected `{BIAS}` to be false, found {value(bias)}")
    for each in layer.per_dim:
        if type(settings[each]) is int:
            settings[each] = (settings[each],) * layer.dims
    try:
        follow = layer.tensors({**settings, BIAS: bias}) if layer.tensors else []
        fit = all(type(size) is int for each in follow for size in each.shape)
    except _UNFIT:
        fit = False
    if not fit:
        raise SpellingError(f"expected settings of {name(stated.kind)}, found others")
    given = {tensor.name: tensor for tensor in stated.tensors}
    tensors = [
        given.pop(each.name)
        if each.name in given
        else LockedTensor(each.name, each.shape, each.dtype or dtype or "", each.buffer)
        for each in follow
    ]
    others = [tensor for tensor in stated.tensors if tensor.name in given]
    return Own(stated.kind, settings, (*tensors, *others), layer)


def stated(own: Own, usual: Settings, dtype: str | None) -> Stated:
    """The least that `restored` needs to know of a module."""
    layer = LAYERS.get(own.kind, UNKNOWN)
    try:
        least = _least(own, layer, usual, dtype)
        if same(restored(least, usual, dtype), own):
            return least
    except (SpellingError, *_UNFIT):
        pass
    return Stated(own.kind, named=_ordered(own.settings), whole=True, tensors=own.tensors)


def _least(own: Own, layer: Layer, usual: Settings, dtype: str | None) -> Stated:
    settings = dict(own.settings)
    for each in layer.per_dim:
        sizes = settings[each]
        alike = isinstance(sizes, tuple) and len({value(size) for size in sizes}) == 1
        if alike and len(sizes) == layer.dims:
            settings[each] = sizes[0]
    first = tuple(settings.pop(each) for each in layer.first)
    follow = {**layer.defaults, **usual}
    named = {
        each: settings[each]
        for each in (*layer.defaults, *sorted(settings.keys() - layer.defaults.keys()))
        if each not in follow or value(own.settings[each]) != value(follow[each])
    }
    if layer.biased and BIAS not in {tensor.name for tensor in own.tensors}:
        named[BIAS] = False
    bare = restored(Stated(own.kind, first, named), usual, dtype)
    follows = {tensor.name: tensor for tensor in bare.tensors}
    tensors = tuple(each for each in own.tensors if follows.get(each.name) != each)
    return Stated(own.kind, first, named, tensors=tensors)


def same(one: Own, other: Own) -> bool:
    """Whether two modules are the same, to the types of their settings."""
    return (
        one.kind == other.kind
        and one.tensors == other.tensors
        and _spelled(one.settings) == _spelled(other.settings)
    )


def _ordered(settings: Settings) -> Settings:
    return {each: settings[each] for each in sorted(settings)}


def _spelled(settings: Settings) -> dict[str, str]:
    return {each: value(setting) for each, setting in settings.items()}


def usual_settings(modules: Iterable[LockedModule]) -> dict[str, dict[str, Any]]:
    """The settings that more than half of the modules of a class have alike, by class.

    Those that come first or are one number for each dim are what one reads a module by, and are
    never left out; nor is a setting that not all of them have.
    """
    of_class: dict[str, list[LockedModule]] = defaultdict(list)
    for module in modules:
        of_class[module.kind].append(module)
    found: dict[str, dict[str, Any]] = {}
    for kind, alike in sorted(of_class.items()):
        layer = LAYERS.get(kind, UNKNOWN)
        for each in sorted(alike[0].attributes.keys() - {*layer.first, *layer.per_dim}):
            settings = [m.attributes[each] for m in alike if each in m.attributes]
            values = {value(setting): setting for setting in settings}
            spelled, count = Counter(map(value, settings)).most_common(1)[0]
            default = each in layer.defaults and value(layer.defaults[each]) == spelled
            if len(settings) == len(alike) < 2 * count and count > 1 and not default:
                found.setdefault(kind, {})[each] = values[spelled]
    return found


@dataclass(frozen=True)
class Around:
    """Where a module stands, as far as a body may follow from it.

    Attributes:
        called: what it is called there: the last part of its path that is no number.
        children: name and class of each.
        counts: for each child that only holds modules how many, else 0.
    """

    called: str
    children: Sequence[tuple[str, str]]
    counts: Sequence[int]


class Bodies:
    """The bodies of the modules so far, and what follows from them."""

    def __init__(self) -> None:
        self._known: dict[Any, Body] = {}
        self._unlike_torchs: set[str] = set()
        """Classes of layers of which a body was not torch's."""

    def follow(self, own: Own, around: Around) -> Body | None:
        """The body that a module has if its text states no other; None if none follows."""
        if not own.layer.called:
            return None
        torchs = _torchs(own, around)
        if torchs is not None and own.kind not in self._unlike_torchs:
            return torchs
        same, alike, kin = _keys(own, around)
        if same in self._known:
            return self._known[same]
        return torchs or self._known.get(alike, self._known.get(kin))

    def learn(self, own: Own, around: Around, body: Body) -> None:
        """Take note of a module's body; the first of its like is the one that others follow."""
        torchs = _torchs(own, around)
        if torchs == body:
            return
        if torchs is not None:
            self._unlike_torchs.add(own.kind)
        for key in _keys(own, around):
            self._known.setdefault(key, body)


def _torchs(own: Own, around: Around) -> Body | None:
    """The body that a layer of torch's has; None if it is none, or that is not known."""
    if own.layer.body is None:
        return None
    names = [tensor.name for tensor in own.tensors]
    try:
        return own.layer.body(Given(own.settings, names, around.children))
    except _UNFIT:
        return None


def _keys(own: Own, around: Around) -> tuple[Any, Any, Any]:
    """What modules with one body have in common, from the closest to the widest."""
    names = (name for name, _ in around.children)
    inside = tuple(zip(names, around.counts, strict=True))
    kin = (own.kind, tuple(tensor.name for tensor in own.tensors), inside)
    alike = (*kin, around.called)
    return (*alike, tuple(sorted(_spelled(own.settings).items()))), alike, kin


def called_there(path: str) -> str:
    """The last part of a path that is no number: `resnets` of `down_blocks.0.resnets.1`."""
    parts = reversed(path.split("."))
    return next((part for part in parts if not part.isdigit()), "")


def by_module(tensors: Iterable[LockedTensor]) -> Mapping[str, list[LockedTensor]]:
    """Path of a module -> its own tensors, by their names in it."""
    found: dict[str, list[LockedTensor]] = defaultdict(list)
    for tensor in tensors:
        path, _, own = tensor.name.rpartition(".")
        found[path].append(replace(tensor, name=own))
    return found


def usual_dtype(tensors: Iterable[LockedTensor]) -> str | None:
    """The type of most tensors; None if there are none."""
    counts = Counter(tensor.dtype for tensor in tensors)
    return counts.most_common(1)[0][0] if counts else None


def usual_skip(place: int, count: int) -> dict[str, int]:
    """The numbers of a skip that states none: the last that is pushed is the first to be popped.

    Args:
        place: its place among the skips.
        count: how many skips there are.
    """
    return {"push": count - 1 - place, "pop": place, "operand": 1}


def usual_blocks(module: LockedModule, functions: Mapping[str, Body]) -> tuple[str, ...]:
    """The modules that one module calls, each once.

    Args:
        module: the one that calls.
        functions: the bodies by their keys.
    """
    bodies = (functions[key] for key in module.functions)
    return tuple(dict.fromkeys(target for body in bodies for target in called(module.path, body)))
