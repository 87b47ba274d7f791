"""The sinusoidal embedding of the time: frequencies, values, and how alike neighbours are."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, tau

from unetscope.analysis.times import Channel, TimeEmbedding, Wave
from unetscope.table import Cell, Column, Curve, Curves, Kind, Table
from unetscope.units import spell
from unetscope.views.view import chosen
from unetscope.words import Words

SECTIONS = ("layer", "frequencies", "values", "similarity")
"""The tables, in order."""
SHOWN = 12
"""Channels that are shown where nobody names some."""


def spread(count: int, most: int = SHOWN) -> list[int]:
    """Some of so many channels, evenly spread over both halves, the first and the last of each."""
    half = count // 2
    if count <= most or half < 2:
        return list(range(count))
    some = most // 2
    first = [round(index * (half - 1) / (some - 1)) for index in range(some)]
    return [*first, *(half + index for index in first)]


def timesteps(
    words: Words, found: TimeEmbedding, shown: Sequence[int], steps: int, sections: str | None
) -> list[Table]:
    """The tables of a time embedding.

    Args:
        words: the language.
        found: the embedding.
        shown: channels.
        steps: of the whole schedule.
        sections: their keys, comma-separated; None for all.

    Raises:
        UnetscopeError: there is no such section.
    """
    tables = {
        "layer": _layer(words, found, steps),
        "frequencies": _frequencies(words, found, shown, steps),
        "values": _values(words, found, shown),
        "similarity": _similarity(words, found),
    }
    return [tables[name] for name in chosen(sections, SECTIONS)]


def chart(words: Words, name: str, found: TimeEmbedding, shown: Sequence[int]) -> Curves:
    """The channels over the steps."""
    curves = [
        Curve(f"{channel} {_formula(found.channels[channel])}", found.curves[channel])
        for channel in shown
    ]
    title = f"{words.time_embedding_of.format(name)}: {found.layer.path or name}"
    return Curves(title, words.time_step, words.each_cell_a_mean, tuple(curves))


def _layer(words: Words, found: TimeEmbedding, steps: int) -> Table:
    layer = found.layer
    known = [abs(c.frequency) for c in found.channels if c.frequency]
    columns = (
        Column("path", words.module, code=True),
        Column("class", words.module_class, code=True),
        Column("input", words.sample_in, code=True),
        Column("dtype", words.dtype),
        Column("steps", words.schedule, Kind.COUNT),
        Column("channels", words.channels, Kind.COUNT),
        Column("order", words.order),
        Column("highest_frequency", words.highest_frequency, Kind.NUMBER),
        Column("lowest_frequency", words.lowest_frequency, Kind.NUMBER),
    )
    row = (
        Cell.of(layer.path or "-", code=True, data=layer.path),
        layer.kind,
        layer.input,
        layer.dtype,
        steps,
        len(found.channels),
        Cell.of(words.wave_orders[order := order_of(found.channels)], data=order),
        max(known, default=None),
        min(known, default=None),
    )
    after = [Cell.of(words.time_units if layer.alone else words.time_units_in_body)]
    if any(channel.follows_log for channel in found.channels):
        after.append(Cell.of(words.time_logarithm))
    if found.held:
        after.append(Cell.of(words.frequencies_held))
    return Table("layer", words.time_layer, columns, (row,), facts=True, after=tuple(after))


def order_of(channels: Sequence[Channel]) -> str:
    """How sines and cosines follow each other; zeros that pad an embedding do not count."""
    waves = [channel.wave for channel in channels if channel.wave is not Wave.ZERO]
    half = len(waves) // 2
    sines, cosines = [Wave.SINE] * half, [Wave.COSINE] * half
    pairs = {
        "sin-cos": sines + cosines,
        "cos-sin": cosines + sines,
        "sin-cos-alternating": [wave for _ in range(half) for wave in (Wave.SINE, Wave.COSINE)],
        "cos-sin-alternating": [wave for _ in range(half) for wave in (Wave.COSINE, Wave.SINE)],
        "sin": [Wave.SINE] * len(waves),
        "cos": [Wave.COSINE] * len(waves),
    }
    return next((name for name, order in pairs.items() if waves and order == waves), "mixed")


def _formula(channel: Channel) -> str:
    if channel.frequency is None:
        return "0" if channel.wave is Wave.ZERO else "?"
    time = "ln t" if channel.follows_log else "t"
    phase = f" {channel.phase:+.4g}" if channel.phase else ""
    return f"{channel.wave.value}({spell(channel.frequency, Kind.NUMBER)} {time}{phase})"


def _frequencies(words: Words, found: TimeEmbedding, shown: Sequence[int], steps: int) -> Table:
    columns = (
        Column("channel", words.channel),
        Column("function", words.function, code=True),
        Column("frequency_rad_per_step", words.frequency, Kind.NUMBER),
        Column("period_steps", words.period, Kind.NUMBER),
        Column("turns", words.turns.format(spell(steps, Kind.COUNT)), Kind.NUMBER, priority=1),
    )
    rows = []
    for index in shown:
        channel = found.channels[index]
        rate = None if channel.follows_log else channel.frequency
        rows.append(
            (
                index,
                _formula(channel),
                rate,
                tau / abs(rate) if rate else None,
                abs(rate) * steps / tau if rate is not None else None,
            )
        )
    after = _left_out(words, found, shown)
    return Table("frequencies", words.frequencies, columns, tuple(rows), after=after)


def _left_out(words: Words, found: TimeEmbedding, shown: Sequence[int]) -> tuple[Cell, ...]:
    if len(shown) == len(found.channels):
        return ()
    return (Cell.of(words.channels_shown.format(len(shown), len(found.channels))),)


def _values(words: Words, found: TimeEmbedding, shown: Sequence[int]) -> Table:
    columns = (
        Column("channel", words.channel),
        *(Column(f"t_{time:g}", f"t = {time:g}", Kind.FRACTION) for time in found.times),
    )
    rows = tuple(
        (index, *(_finite(value) for value in found.channels[index].values)) for index in shown
    )
    return Table("values", words.values_at, columns, rows)


def _similarity(words: Words, found: TimeEmbedding) -> Table:
    columns = (
        Column("distance_steps", words.distance, Kind.COUNT),
        Column("mean", words.mean, Kind.FRACTION),
        Column("lowest", words.lowest, Kind.FRACTION),
        Column("highest", words.highest, Kind.FRACTION),
    )
    rows = []
    for distance, values in found.similarities.items():
        finite = [value for value in values if isfinite(value)] or [float("nan")]
        summed = sum(finite) / len(finite), min(finite), max(finite)
        rows.append((distance, *map(_finite, summed)))
    after = (Cell.of(words.similarity_means),)
    return Table("similarity", words.similarity, columns, tuple(rows), after=after)


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
