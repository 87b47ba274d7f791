"""Where a network makes sinusoids of its time, and what they turned out to be.

Sinusoids: "Attention Is All You Need" (2017), section 3.5, and DDPM (2020), appendix B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from unetscope.analysis.graph import Graph
from unetscope.record import Trace

_WAVE = re.compile(r"(?:.*\.)?(?:sin|cos)_?")


class Wave(Enum):
    """What a channel of an embedding is, as a function of the time."""

    SINE = "sin"
    COSINE = "cos"
    ZERO = "0"
    OTHER = "other"


@dataclass(frozen=True)
class TimeLayer:
    """A module in whose body sinusoids of an input are made.

    Attributes:
        path: of the module; empty for the network itself.
        kind: its class.
        input: the name of the network's input that it embeds, of shape `(B,)`.
        dtype: of that input.
        alone: whether the time is the one tensor that it takes, so that it runs by itself.
    """

    path: str
    kind: str
    input: str
    dtype: str
    alone: bool


@dataclass(frozen=True)
class Channel:
    """One channel of an embedding.

    Attributes:
        wave: found by comparing its values with the sines and cosines that the layer computes.
        frequency: radians for each step or, where it `follows_log`, for each unit of the logarithm;
            None if it is no sinusoid of either.
        phase: radians at time 0.
        follows_log: whether its angle is a multiple of the time's logarithm.
        values: at the times that were asked for; nan or inf where it has none.
    """

    wave: Wave
    frequency: float | None
    phase: float
    follows_log: bool
    values: tuple[float, ...]


@dataclass(frozen=True)
class TimeEmbedding:
    """What a network's own layer makes of the time.

    Attributes:
        layer: which made it.
        held: whether its frequencies are parameters, which a checkpoint may have others of.
        times: that were asked for.
        channels: in order.
        similarities: by distance d, the cosine similarity of the embeddings at t and t + d, for t
            from 0 on as long as t + d is a step.
        curves: by channel, its values at every step, for those that were asked for.
    """

    layer: TimeLayer
    held: bool
    times: tuple[float, ...]
    channels: tuple[Channel, ...]
    similarities: dict[int, tuple[float, ...]]
    curves: dict[int, tuple[float, ...]]


def time_layers(trace: Trace) -> list[TimeLayer]:
    """The modules that compute sines or cosines of one `(B,)` input and of nothing else, in order.

    Sines of positions, which come from no input, and of vectors are none.
    """
    graph = Graph(trace)
    names = {argument.value: argument.name for argument in trace.inputs}
    kinds = {module.path: module.kind for module in trace.modules}
    found: dict[tuple[str, str], TimeLayer] = {}

    def origins(value: int) -> set[int]:
        return names.keys() & set(graph.back(value, along=graph.content))

    for op in trace.ops:
        if op.step is None or not op.inputs or not _WAVE.fullmatch(op.name):
            continue
        sources = origins(op.inputs[0])
        if len(sources) != 1:
            continue
        (source,) = sources
        spec, step = trace.values[source].spec, trace.steps[op.step]
        if len(spec.shape) > 1:
            continue
        alone = len(step.inputs) == 1 and origins(step.inputs[0].value) == {source}
        layer = TimeLayer(step.module, kinds[step.module], names[source], spec.dtype, alone)
        found.setdefault((layer.path, layer.input), layer)
    return list(found.values())
