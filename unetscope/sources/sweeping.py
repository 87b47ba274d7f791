"""The points of a sweep: which sizes are meant, and what a network costs at each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError
from unetscope.sources.reruns import Progress, unwatched
from unetscope.sources.source import Runnable, Source

if TYPE_CHECKING:
    from torch import nn

    from unetscope.analysis.scaling import Point

MOST_POINTS = 10_000

_SIZE = re.compile(r"\s*(\d{1,18})(?:\.\.(\d{1,18})(?::(\d{1,18}))?)?\s*", re.ASCII)


def combinations(swept: Mapping[str, str]) -> list[dict[str, int]]:
    """Every combination of the sizes that are written for each input.

    Raises:
        UnetscopeError: one is no list of sizes, or there are too many combinations.
    """
    lists = {name: _listed(name, text) for name, text in swept.items()}
    count = prod(map(len, lists.values()))
    if count > MOST_POINTS:
        raise UnetscopeError(f"{count:,} sizes are too many: {MOST_POINTS:,} at most")
    return [dict(zip(lists, sizes, strict=True)) for sizes in product(*lists.values())]


def _listed(name: str, text: str) -> list[int]:
    found: dict[int, None] = {}
    for piece in text.split(","):
        match = _SIZE.fullmatch(piece)
        first, last, step = (int(n) if n else None for n in match.groups()) if match else (0,) * 3
        if not first or step == 0 or (last is not None and last < first):
            raise UnetscopeError(
                f"--{name}: expected sizes such as 64, 32,64,96 or 32..128:32, found `{text}`"
            )
        sizes = range(first, (last or first) + 1, step or 1)
        if len(sizes) > MOST_POINTS:
            raise UnetscopeError(f"--{name}: `{text}` is more than {MOST_POINTS:,} sizes")
        found.update(dict.fromkeys(sizes))
    return list(found)


def sweep(
    source: Source, sizes: Sequence[Mapping[str, int]], progress: Progress = unwatched
) -> list[Point]:
    """What a network costs at each of some sizes, all of them checked first.

    It is built once. The first size is traced; the others only count, and take from that trace
    which multiply-adds are whose.

    Args:
        source: a config or code.
        sizes: of the inputs, by name.
        progress: shows how far it is.

    Raises:
        ConfigError: the network cannot take one of them.
        UnetscopeError: the source cannot run again.
    """
    from unetscope.analysis.scaling import Point

    network = source.runnable("a sweep runs the network at other sizes")
    networks = []
    for given in sizes:
        networks.append(network.at(**given) if given else network)
        networks[-1].check_sizes(given)
    model = network.build()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    known: _Kinds | None = None
    points = []
    with progress(f"counting {network.name} at {len(networks)} sizes", len(networks)) as done:
        for at in networks:
            work = None if known is None else _counted(model, *at.arguments(model), known)
            if work is None:
                known, work = _traced(at, model)
            points.append(Point(at.sizes, parameters, *work))
            done()
    return points


_Pair = tuple[str, str]
_Kinds = Sequence[tuple[str, _Pair | None]]
"""For each function that does multiply-adds, or may, its name and their kinds."""
_Work = tuple[dict[str, int], dict[str, int], int]
"""Multiply-adds of each kind; functions without a formula; peak of the activations in bytes."""


def _traced(network: Runnable, model: nn.Module) -> tuple[_Kinds, _Work]:
    """A whole trace: the kinds of its functions, and its work."""
    from unetscope.analysis.cost import Cost
    from unetscope.analysis.memory import activation_peak
    from unetscope.analysis.network import Network

    traced = network.run(model)
    cost = Cost(Network(traced))
    pairs = zip(traced.ops, cost.kinds, strict=True)
    kinds = [(op.name, kind) for op, kind in pairs if op.macs != 0]
    return kinds, (cost.by_kind(), cost.unknown, activation_peak(traced).nbytes)


def _counted(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], known: _Kinds
) -> _Work | None:
    """The work of one more size; None if the network runs other functions there."""
    from unetscope.tracing.counting import count

    done, peak = count(model, args, kwargs)
    if [function.name for function in done] != [name for name, _ in known]:
        return None
    sums: dict[str, int] = {}
    unknown: dict[str, int] = {}
    for function, (name, kinds) in zip(done, known, strict=True):
        if function.macs is None or kinds is None:
            unknown[name] = unknown.get(name, 0) + 1
            continue
        inside = function.attention_macs
        for kind, macs in zip(kinds, (inside, function.macs - inside), strict=True):
            if macs:
                sums[kind] = sums.get(kind, 0) + macs
    return sums, unknown, peak
