"""A network's own embedding of the time, at many times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from unetscope.analysis.times import TimeEmbedding, TimeLayer, time_layers
from unetscope.errors import UnetscopeError, did_you_mean
from unetscope.sources.source import Source
from unetscope.wording import listed

if TYPE_CHECKING:
    from unetscope.record import Trace

_TIME = ("timestep", "timesteps", "time", "times", "t", "time_step", "sigma", "sigmas", "noise")


def embedding(
    source: Source,
    path: str | None,
    *,
    at: Sequence[float],
    steps: int,
    distances: Iterable[int],
    channels: Callable[[int], Iterable[int]],
) -> tuple[Trace, TimeEmbedding]:
    """The network's pass, and what the layer makes in it that embeds the time.

    See `tracing.times.embed`.

    Args:
        source: a config or code.
        path: of the layer, where a network has several; otherwise the one that embeds what is
            named like a time, or the first.
        at: times whose values are wanted.
        steps: of the whole schedule.
        distances: whose similarities are wanted.
        channels: from the number of channels those whose values at every step are wanted.

    Raises:
        UnetscopeError: the network has no such layer, or cannot run again.
    """
    from unetscope.sources.foreign import ForeignNetwork
    from unetscope.sources.reruns import see_memory
    from unetscope.tracing.times import embed
    from unetscope.tracing.verify import steady

    network = source.runnable("its time layer has to run")
    trace = network.trace()
    layer = _chosen(trace, path)
    rest = [f"`{each.path or 'the network'}`" for each in time_layers(trace) if each != layer]
    if rest and path is None:
        source.info(f"note: {listed(rest)} makes sinusoids of an input too: `--layer` shows it")
    placed = network.on("cpu")
    if isinstance(placed, ForeignNetwork):  # whose code fills its weights
        see_memory(placed, "cpu", placed.request.dtype)
    placed.info = lambda _: None  # which inputs were guessed has been said
    doing = f"running the time layer of `{network.name}`"
    with steady("cpu"), placed.guarded(doing):
        model = placed.computed()
        inputs = placed.arguments(model)
        return trace, embed(
            layer, model, inputs, at=at, steps=steps, distances=distances, channels=channels
        )


def _chosen(trace: Trace, path: str | None) -> TimeLayer:
    found = time_layers(trace)
    if not found:
        takes = [
            f"`{argument.name}` {list(trace.values[argument.value].spec.shape)}"
            for argument in trace.inputs
        ]
        raise UnetscopeError(
            f"{trace.name} computes no sines or cosines of an input (B,), so it has no sinusoidal "
            f"embedding of the time to show",
            hint=f"it takes {listed(takes)}; embeddings that are learned or come from outside the "
            "network are none",
        )
    if path is None:
        return min(found, key=lambda layer: layer.input.rpartition(".")[2] not in _TIME)
    for layer in found:
        if layer.path == path:
            return layer
    paths = [layer.path for layer in found]
    raise UnetscopeError(
        f"`{path}` makes no sinusoids of an input (B,)",
        hint=did_you_mean(path, paths)
        or f"these do: {listed([each or 'the network itself' for each in paths])}",
    )
