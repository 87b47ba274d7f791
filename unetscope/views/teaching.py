"""Lessons below tables: what each shows and why, as far as it is true of the network shown.

A lesson is a function from a table to sentences. What it says of a network it asks the trace first:
where the channels do not double, nothing is said of channels that do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from unetscope.analysis.cost import CONVOLUTION, SELF
from unetscope.analysis.scaling import Point
from unetscope.analysis.times import TimeEmbedding, Wave
from unetscope.table import Kind, Table, paragraph
from unetscope.units import spell
from unetscope.views import lessons_of_cost, lessons_of_parts
from unetscope.views.lesson_facts import Facts
from unetscope.views.view import View
from unetscope.words_lessons import Lessons

Teacher = Mapping[str, Callable[[Table], Iterable[str]]]
"""The key of a table -> what there is to say below it."""

_MANY = 10
"""Times that the fastest channel is as fast as the slowest, for the two to be told apart."""
_ALIKE, _LESS = 0.9, 0.2
"""Similarity of vectors that are nearly the same, and by how much it falls for others."""


def taught(tables: Iterable[Table], teacher: Teacher) -> list[Table]:
    """Tables with their lessons; of several with one key the first has it.

    json holds the sentences as `lessons` of the table.
    """
    found, seen = [], set()
    for table in tables:
        lesson = teacher.get(table.key)
        sentences = [] if lesson is None or table.key in seen else list(lesson(table))
        seen.add(table.key)
        if sentences:
            after = (*table.after, paragraph(sentences))
            table = replace(table, after=after, data={**table.data, "lessons": sentences})
        found.append(table)
    return found


def of_network(view: View) -> Teacher:
    """The lessons of one network."""
    facts = Facts(view, Lessons(view.words.language))
    every = {**lessons_of_parts.LESSONS, **lessons_of_cost.LESSONS}
    return {key: partial(lesson, facts) for key, lesson in every.items()}


def of_times(language: str, found: TimeEmbedding) -> Teacher:
    """The lessons of an embedding of the time."""
    words = Lessons(language)

    def layer(_: Table) -> Iterator[str]:
        if any(channel.wave in (Wave.SINE, Wave.COSINE) for channel in found.channels):
            yield words.why_sinusoids

    def frequencies(_: Table) -> Iterator[str]:
        known = [abs(channel.frequency) for channel in found.channels if channel.frequency]
        if known and (ratio := max(known) / min(known)) >= _MANY:
            yield words.fast_and_slow.format(ratio=spell(ratio, Kind.NUMBER))

    def values(_: Table) -> Iterator[str]:
        yield words.columns_are_vectors

    def similarity(table: Table) -> Iterator[str]:
        means = [row["mean"] for row in map(table.record, table.rows) if row["mean"] is not None]
        if means and means[0] >= _ALIKE and means[-1] < means[0] - _LESS:
            near, far = (spell(mean, Kind.FRACTION) for mean in (means[0], means[-1]))
            yield words.near_is_alike.format(near=near, far=far)

    return {
        "layer": layer, "frequencies": frequencies, "values": values, "similarity": similarity,
    }  # fmt: skip


def of_sweep(language: str, points: Sequence[Point]) -> Teacher:
    """The lessons of costs over sizes."""
    words = Lessons(language)

    def sweep(_: Table) -> Iterator[str]:
        if len({point.parameters for point in points}) == 1 < len(points):
            yield words.parameters_stay
        alike = [p for p in points if _others(p) == _others(points[0])]
        first, last = min(alike, key=_positions), max(alike, key=_positions)
        few, many = ([p.kinds.get(kind, 0) for kind in (CONVOLUTION, SELF)] for p in (first, last))
        if _positions(first) == _positions(last) or not (all(few) and all(many)):
            return
        costs = [spell(more / less, Kind.NUMBER) for less, more in zip(few, many, strict=True)]
        yield words.cost_by_positions.format(
            first=spell(_positions(first), Kind.COUNT),
            last=spell(_positions(last), Kind.COUNT),
            times=spell(_positions(last) / _positions(first), Kind.NUMBER),
            convolution=costs[0],
            attention=costs[1],
        )

    return {"sweep": sweep}


def _positions(point: Point) -> int:
    return point.sizes.get("height", 1) * point.sizes.get("width", 1)


def _others(point: Point) -> dict[str, int]:
    """The sizes of a point that are no positions."""
    return {n: size for n, size in point.sizes.items() if n not in ("height", "width")}
