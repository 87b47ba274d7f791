"""Questions that one pass does not answer, so that the network runs again.

At other sizes, for dims in symbols; under other people's counters; for real, with a clock.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError
from unetscope.sources.source import Runnable, Source

if TYPE_CHECKING:
    from torch import nn

    from unetscope.analysis.audit import Audit
    from unetscope.analysis.cost import Cost
    from unetscope.analysis.diff import Verification
    from unetscope.analysis.diff.verified import Keys
    from unetscope.record import Measurement, Trace
    from unetscope.sources.probing import Probed
    from unetscope.tracing.verify import Run

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""Shows how far something long is: what it is and its number of steps; what its context yields is
called after each."""


@contextmanager
def unwatched(_: str, __: int) -> Iterator[Callable[[], None]]:
    """The progress that nobody watches, as where a program asks."""
    yield lambda: None


def probed(source: Source, traced: Trace) -> Probed:
    """How the dims of a trace follow the sizes of the inputs, such as `(B, 320, H/8, W/8)`.

    Raises:
        UnetscopeError: the source cannot run again.
    """
    from unetscope.sources.probing import probe

    return probe(source.runnable("symbols are found by running the network at other sizes"), traced)


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
            tuple(cost.unknown),
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
    return [
        *found,
        Audit(engine, twin.description, against_fvcore(cost, counted), tuple(cost.unknown)),
    ]


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
    from unetscope.analysis.control import blocks
    from unetscope.analysis.network import Network
    from unetscope.tracing.measure import fill, measure, passes

    network = source.runnable("it holds no network to measure")
    device = network.request.device
    model, args, kwargs = _placed(network)
    fill(model, args, kwargs)
    calls = Network(traced)
    paths = [calls.path(call) for call in blocks(calls)]
    steps = passes(device, runs)
    with progress(f"measuring {traced.name} on {device}: {steps} passes", steps) as done:
        return measure(model, args, kwargs, paths, runs=runs, done=done)


def verification(old: Runnable, new: Runnable, device: str, progress: Progress) -> Verification:
    """Whether two networks compute the same: real runs with equal weights and inputs.

    One after the other, so that no more than one is in memory; in float64, or in float32 where that
    lacks memory or a network cannot run in it.

    Args:
        old: a config or code.
        new: the same.
        device: cpu or cuda.
        progress: shows how far each run is.

    Raises:
        UnetscopeError: there is no such device or not enough memory, or one of them cannot run.
    """
    from unetscope.tracing.verify import PRECISIONS

    *better, last = PRECISIONS
    with _collector_kept_short():
        for dtype in better:
            try:
                return _verified(old, new, device, dtype, progress)
            except UnetscopeError as error:
                new.info(f"{error.message}: trying {last}")
        return _verified(old, new, device, last, progress)


@contextmanager
def _collector_kept_short() -> Iterator[None]:
    """Collect garbage now; until this ends, the collector looks at nothing that is older."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def see_device(device: str) -> None:
    """See that networks can run for real on a device.

    Raises:
        UnetscopeError: they cannot.
    """
    from unetscope.tracing import devices

    if devices.known(device) == "meta":
        raise UnetscopeError(
            "nothing runs on meta, so there is nothing to verify", hint="`--verify cpu` runs"
        )


def _verified(
    old: Runnable, new: Runnable, device: str, dtype: str, progress: Progress
) -> Verification:
    from unetscope.analysis.diff import Verification
    from unetscope.analysis.diff.verified import keys
    from unetscope.tracing.verify import PRECISIONS, compared

    drawn = keys(old.lock(), new.lock())
    for network in (old, new):
        see_memory(network, device, dtype)
    before, after = (
        _ran(network, each, device, dtype, progress)
        for network, each in zip((old, new), drawn, strict=True)
    )
    was = {
        key: before.fixed[name] for name, key in drawn[0].tensors.items() if name in before.fixed
    }
    return Verification(
        device,
        dtype,
        PRECISIONS[dtype].tolerance,
        compared(before.outputs, after.outputs),
        buffers=tuple(
            name
            for name, values in after.fixed.items()
            if was.get(drawn[1].tensors.get(name, name), values) != values
        ),
        old_alone=drawn[0].alone,
        new_alone=drawn[1].alone,
    )


def see_memory(network: Runnable, device: str, dtype: str) -> None:
    """See that a network fits into memory.

    Raises:
        UnetscopeError: it does not.
    """
    from unetscope.analysis.diff.verified import needed_bytes
    from unetscope.tracing.free_memory import free_bytes
    from unetscope.tracing.verify import PRECISIONS
    from unetscope.units import nbytes

    needed, free = needed_bytes(network.lock(), dtype, network.request.dtype), free_bytes(device)
    share = PRECISIONS[dtype].share
    if free is not None and needed > share * free:
        raise UnetscopeError(
            f"`{network.name}` needs about {nbytes(needed)} on {device} in {dtype}, more than "
            f"{share:.0%} of the {nbytes(free)} that are free",
            hint="smaller inputs (`--height`, `--width`, `--batch`) need less",
        )


def _ran(network: Runnable, keys: Keys, device: str, dtype: str, progress: Progress) -> Run:
    """What a network computes with the weights and inputs of some keys.

    Raises:
        UnetscopeError: it cannot be built, or fails; the message says where.
    """
    from unetscope.sources.targets import where
    from unetscope.tracing.verify import run, steady

    gc.collect()  # the network before this one
    placed = network.on(device)
    placed.info = lambda _: None  # which inputs were guessed has been said
    blocks = network.lock().blocks
    running = f"running {network.name} on {device} in {dtype}"
    with progress(running, 2 + len(blocks)) as done, steady(device), placed.guarded(running):
        model = placed.computed()
        done()
        args, kwargs = placed.arguments(model, dtype)
        try:
            return run(model, args, kwargs, keys, dtype=dtype, blocks=blocks, done=done)
        except UnetscopeError as error:
            error.message = f"`{network.name}` cannot run on {device} in {dtype}: {error.message}"
            error.place = error.place or (where(error.__cause__) if error.__cause__ else None)
            raise


def _cost(network: Runnable) -> Cost:
    from unetscope.analysis.cost import Cost
    from unetscope.analysis.network import Network

    return Cost(Network(network.trace()))


def _placed(network: Runnable) -> tuple[nn.Module, tuple[Any, ...], dict[str, Any]]:
    """The network and its inputs, where it is to run."""
    model = network.build()
    return (model, *network.arguments(model))
