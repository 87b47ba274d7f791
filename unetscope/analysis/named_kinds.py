"""What a user may name as a kind of module: a kind that articles draw, or a class of the code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from unetscope.analysis.anatomy import anatomy, embeddings, makes_vectors
from unetscope.analysis.meanings import time_inputs
from unetscope.analysis.module_kinds import GSC, MODULE_KINDS, Occurrence, module_kinds
from unetscope.analysis.network import Network
from unetscope.ops import OpKind
from unetscope.record import lies_in

TIME_EMBEDDING = "TimeEmbedding"
KINDS = (*MODULE_KINDS, TIME_EMBEDDING)
"""What articles draw: the kinds of modules, and what turns the time step into a vector."""

_ALSO = {
    "resblock": "ResNetBlock",
    "resnet": "ResNetBlock",
    "transformer": "SpatialTransformer",
    "timestepembedding": TIME_EMBEDDING,
    "downsampler": "DownSample",
    "upsampler": "UpSample",
}
"""What else articles call a kind -> the kind; letters and digits alone, all small."""
# They change no element, or nothing that a reader of the code would call a part.
_SILENT = (OpKind.VIEW, OpKind.COPY, OpKind.CAST, OpKind.CREATION, OpKind.COMPARISON)
_BLOCKS = tuple(kind for kind in MODULE_KINDS if kind.removesuffix("_X").endswith("Block"))


@dataclass(frozen=True)
class Named:
    """A kind that occurs in a network.

    Attributes:
        name: the kind, or the class.
        kinds: the kinds of articles that its occurrences are; one for a kind, none for a class of
            which some are of no kind.
        occurrences: where it occurs.
    """

    name: str
    kinds: tuple[str, ...]
    occurrences: tuple[Occurrence, ...]


class NamedKinds:
    """The kinds and classes of one network, by name."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @cached_property
    def kinds(self) -> dict[str, tuple[Occurrence, ...]]:
        """Where each kind occurs, for those that do."""
        found: dict[str, list[Occurrence]] = {}
        for each in (*module_kinds(self.network), *_time_embedding(self.network)):
            found.setdefault(each.kind, []).append(each)
        return {kind: tuple(found[kind]) for kind in KINDS if kind in found}

    @cached_property
    def classes(self) -> dict[str, tuple[Occurrence, ...]]:
        """Where each class of the code occurs, the network's own apart."""
        found: dict[str, list[Occurrence]] = {}
        for path, module in self.network.modules.items():
            if path:
                found.setdefault(module.kind, []).append(Occurrence(module.kind, (path,)))
        return {kind: tuple(places) for kind, places in found.items()}

    def find(self, wanted: str) -> Named | None:
        """What a user means: a kind of the articles before a class of that name."""
        kind, plain = kind_named(wanted), _plain(wanted)
        name = wanted if wanted in self.classes else _folded(self.classes).get(plain)
        if kind in self.kinds and (name is None or plain not in _ALSO):
            return Named(kind, (kind,), self.kinds[kind])
        if name is None:
            return None
        places = self.classes[name]
        modules = {each.modules for each in places}
        of_kinds = {
            kind: modules.intersection(each.modules for each in found)
            for kind, found in self.kinds.items()
        }
        kinds = [kind for kind, found in of_kinds.items() if found]
        covered = set().union(*of_kinds.values()) == modules
        return Named(name, tuple(kinds) if covered else (), places)

    def near(self, wanted: str) -> list[str]:
        """The names that come closest to one that means nothing here."""
        known = _folded((*self.classes, *self.kinds))
        return [known[name] for name in get_close_matches(_plain(wanted), sorted(known), n=3)]

    def inside(self, occurrence: Occurrence) -> tuple[Counter[str], Counter[str]]:
        """What one occurrence consists of.

        Returns:
            How often each kind of the articles is in it; and how often each layer is called and
            each function runs that is in no layer, by class and by name.
        """
        paths = occurrence.modules
        parts = Counter[str]()
        for kind, found in self.kinds.items():
            if kind in _BLOCKS and kind == occurrence.kind:
                continue
            held = sum(
                each.modules != paths and all(_within(path, paths) for path in each.modules)
                for each in found
            )
            if held:
                parts[kind] = held
        return parts, self._layers(occurrence)

    def _layers(self, occurrence: Occurrence) -> Counter[str]:
        network, found = self.network, Counter[str]()
        if occurrence.kind == GSC:
            norm, convolution = (network.modules[path].kind for path in occurrence.modules)
            return Counter([norm, "SiLU", convolution])
        for call, step in enumerate(network.trace.steps):
            if not _within(step.module, occurrence.modules):
                continue
            if not network.children[call]:
                found[network.module(call).kind] += 1
                continue
            found.update(
                network.trace.ops[op].name
                for op in network.ops[call]
                if network.graph.kinds[op] not in _SILENT
            )
        return found


def kind_named(wanted: str) -> str | None:
    """The kind of the articles that a name means, whether it occurs or not."""
    plain = _plain(wanted)
    return _folded(KINDS).get(plain) or _ALSO.get(plain)


def folded_paths(paths: Iterable[str]) -> dict[str, list[str]]:
    """Paths that differ in their numbers alone, under one with `*` for what differs.

    `down_blocks.0.resnets.1` and `down_blocks.2.resnets.1` are `down_blocks.*.resnets.1`.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        shape = tuple("#" if name.isdigit() else name for name in path.split("."))
        alike.setdefault(shape, []).append(path)
    return {_pattern(group): group for group in alike.values()}


def _pattern(paths: list[str]) -> str:
    levels = zip(*(path.split(".") for path in paths), strict=True)
    return ".".join(level[0] if len({*level}) == 1 else "*" for level in levels)


def _time_embedding(network: Network) -> Iterator[Occurrence]:
    """What makes vectors of the time step, one module after the other."""
    graph, times = network.graph, {argument.value for argument in time_inputs(network)}
    calls = [
        call
        for call in embeddings(network, anatomy(network))
        if makes_vectors(network, call)
        and any(
            times.intersection(graph.back(argument.value)) for argument in network.step(call).inputs
        )
    ]
    if calls:
        paths = dict.fromkeys(network.path(call) for call in calls)
        yield Occurrence(TIME_EMBEDDING, tuple(paths))


def _within(path: str, around: Iterable[str]) -> bool:
    return any(lies_in(path, outer) for outer in around)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _folded(names: Iterable[str] | Mapping[str, object]) -> dict[str, str]:
    """Names by their letters and digits; a kind is also known without the X for a number."""
    found = {_plain(name.removesuffix("_X")): name for name in names}
    return found | {_plain(name): name for name in names}
