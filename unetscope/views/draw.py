"""The words around a drawing: how it is read, and what is not as usual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from unetscope.analysis.cost import unknown
from unetscope.drawing.building import figure
from unetscope.drawing.bundles import bundled
from unetscope.drawing.figure import Figure
from unetscope.drawing.sheet import Sheet
from unetscope.views.view import View, some, without_formula
from unetscope.wording import shown
from unetscope.words import Words

HEATS = {"params": "parameters", "macs": "macs", "bytes": "made", "held": "held"}
"""What colours may tell instead of the part of a block, and what a figure calls it."""


def drawing(view: View, heat: str | None = None, detail: str = "block") -> Sheet:
    """A network as it is drawn.

    Args:
        view: of a trace, that of a failed pass too.
        heat: one of `HEATS`; None if colours tell the parts.
        detail: one of `drawing.layers.DETAILS`.
    """
    words = view.words
    found = figure(view.network, view.names, heat=HEATS.get(heat or "", ""), detail=detail)
    notes = (*_notes(view, found, detail), *view.untold)
    about = view.about
    return sheet(words, found, view.name, about.text.removeprefix(about.names), notes)


def sheet(
    words: Words,
    found: Figure,
    title: str,
    about: str,
    notes: tuple[str, ...],
    usual: str = "",
    marks: Mapping[str, str] | None = None,
) -> Sheet:
    """A figure with the words around it.

    Args:
        words: those of the language.
        found: of one network, or of two; many skips that are alike are drawn as one.
        title: see `Sheet`, as the others.
        about: what else the first line says.
        notes: what is not as usual.
        usual: how arcs are read, if that is not as usual.
        marks: what the marks of two networks mean.
    """
    skips = len(found.arcs)
    found = replace(found, arcs=bundled(found.arcs))
    box, column = words.reads_as_box, words.reads_as_columns
    shared = words.drawn_parameters if found.heat == HEATS["params"] else words.macs
    scale = words.drawn_heat.format(what=shared, most="{}")
    first, rest = words.drawn_parameters, words.drawn_rest
    if found.in_bytes:
        what = words.heats[found.heat]
        box = words.reads_as_box_of_bytes.format(what)
        column = words.reads_as_columns_of_bytes.format(what)
        scale = words.drawn_heat_bytes.format(what=what, most="{}")
        first, rest = words.heat_units[found.heat], words.drawn_rest_made
    return Sheet(
        figure=found,
        title=title,
        about=about,
        parts=words.drawn_parts,
        reads_as_u=(words.reads_as_u, box),
        reads_as_columns=(column,),
        reads_as_skips=_reads_as_skips(found, usual or words.reads_as_skip, skips, words),
        narrow=words.too_narrow_for_u,
        no_room=words.no_room_for_skips.format(skips),
        notes=notes,
        branches=words.drawn_branches,
        rest="" if found.heat == HEATS["held"] else rest,
        crossing=words.drawn_crossing,
        height=words.drawn_height,
        width=words.drawn_width,
        parameters=first,
        macs=words.macs,
        heat_scale=scale,
        marks=marks or {},
    )


def _reads_as_skips(figure: Figure, usual: str, skips: int, words: Words) -> tuple[str, ...]:
    """Sentences on the arcs of a figure, which stand for so many skips.

    On all, if there are any, with those that stand for several; and on those out of order.
    """
    as_one = words.reads_as_many_skips if len(figure.arcs) < skips else ""
    crossing = any(arc.crossing for arc in figure.arcs)
    return (*([usual + as_one] if skips else []), *([words.drawn_crossing] if crossing else []))


def _notes(view: View, found: Figure, detail: str) -> Iterator[str]:
    """What is not as usual, and how rows within blocks are read."""
    words, trace = view.words, view.network.trace
    if found.no_u:
        yield words.no_u[found.no_u.value]
    if trace.failure is not None:
        where = trace.failure.module or trace.name
        yield words.drawn_failed.format(where, shown(trace.failure.message).rstrip("."))
    if found.beside:
        yield words.not_drawn.format(some(words, found.beside))
    if found.steering:
        yield words.steering_not_drawn.format(some(words, found.steering))
    if missing := unknown(trace):
        yield "".join(str(part.value) for part in without_formula(words, missing).parts)
    if any(block.rows for block in found.blocks):
        of_parameters = found.heat == HEATS["params"]
        share = words.of_the_parameters if of_parameters else words.of_the_macs
        told = words.heats[found.heat] if found.in_bytes else share
        yield words.reads_as_rows[detail].format(told)
