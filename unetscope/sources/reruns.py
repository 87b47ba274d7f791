"""Questions that one pass does not answer, so that the network runs again.

At other sizes, for dims in symbols; under other people's counters; for real, with a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError
from unetscope.sources.source import Runnable, Source

if TYPE_CHECKING:
    from torch import nn

    from unetscope.analysis.audit import Audit
    from unetscope.analysis.cost import Cost
    from unetscope.record import Measurement, Trace

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""Shows how far something long is: what it is and its number of steps; what its context yields is
called after each."""

_CLEAN_SIZES = {"batch": 1, "height": 256, "width": 256, "tokens": 77}
_SYMBOLS = {"B": "batch", "H": "height", "W": "width", "T": "tokens"}


def symbolic_dims(source: Source, traced: Trace) -> Callable[[int], tuple[int | str, ...]]:
    """The dims of the values of a trace in symbols, such as `(B, 320, H/8, W/8)`.

    One more pass at clean sizes and one for each size doubled tell which dims grow with which.

    Raises:
        UnetscopeError: the source cannot run at other sizes, or does other things there.
    """
    from unetscope.analysis import scaling

    network = source.runnable("symbols are found by running the network at other sizes")
    first = network.at(**_CLEAN_SIZES).trace()
    if len(first.values) != len(traced.values):
        raise UnetscopeError(
            "the network runs differently at other sizes: its dims have no symbols",
            hint="sizes that are halved without a rest have them",
        )
    doubled = {
        symbol: network.at(**{**_CLEAN_SIZES, name: 2 * _CLEAN_SIZES[name]}).trace()
        for symbol, name in _SYMBOLS.items()
    }
    sizes = {symbol: _CLEAN_SIZES[name] for symbol, name in _SYMBOLS.items()}
    sizes |= {symbol: sizes[symbol] * network.scale for symbol in ("H", "W")}
    return scaling.symbolic_dims(first, doubled, sizes).__getitem__


def audits(source: Source, *, full: bool) -> list[Audit]:
    """Our count of multiply-adds beside those of torch and fvcore.

    torch counts the network itself on meta. fvcore needs real weights, so it counts a narrow twin
    unless `full`: the same blocks and functions, with fewer channels and a small sample. A network
    that has no such twin is left to torch alone.

    Raises:
        UnetscopeError: the source cannot run again.
    """
    import fvcore
    import torch

    from unetscope.analysis.audit import Audit, against_fvcore, against_torch
    from unetscope.tracing.engines import by_fvcore, by_torch

    network = source.runnable("an audit runs the network again").on("meta", "float32")
    cost = _cost(network)
    counted = by_torch(*_placed(network))
    found = [
        Audit(
            f"torch {torch.__version__}, FlopCounterMode",
            network.description,
            against_torch(cost, counted),
        )
    ]
    twin = network if full else network.narrow()
    if twin is None:
        source.info(
            "left out: fvcore, which needs real weights, and this network has no narrow twin; "
            "`--full` runs it on the network itself"
        )
        return found
    if twin is not network:
        cost = _cost(twin)
    source.info(f"running {twin.description} for fvcore")
    counted = by_fvcore(*_placed(twin.on("cpu")))
    engine = f"fvcore {fvcore.__version__}, FlopCountAnalysis"
    return [*found, Audit(engine, twin.description, against_fvcore(cost, counted))]


def measurement(source: Source, traced: Trace, runs: int, progress: Progress) -> Measurement:
    """What a real run takes, on the device that was asked for; the median of some passes.

    Args:
        source: a config or code.
        traced: its trace, which says what its blocks are.
        runs: passes that count.
        progress: shows how far it is.

    Raises:
        UnetscopeError: the source cannot run again, or not here.
    """
    from unetscope.analysis.network import Network
    from unetscope.tracing.measure import fill, measure, passes

    network = source.runnable("it holds no network to measure")
    device = network.request.device
    model, inputs = _placed(network)
    fill(model, inputs)
    calls = Network(traced)
    blocks = [calls.path(call) for call in calls.blocks]
    steps = passes(device, runs)
    with progress(f"measuring {traced.name} on {device}: {steps} passes", steps) as done:
        return measure(model, inputs, blocks, runs=runs, done=done)


def _cost(network: Runnable) -> Cost:
    from unetscope.analysis.cost import Cost
    from unetscope.analysis.network import Network

    return Cost(Network(network.trace()))


def _placed(network: Runnable) -> tuple[nn.Module, dict[str, Any]]:
    """The network and its inputs, by name, where it is to run."""
    model = network.build()
    return model, network.arguments_by_name(model)
