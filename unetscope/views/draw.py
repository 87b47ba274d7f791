"""The words around a drawing: how it is read, and what is not as usual."""

from __future__ import annotations

from unetscope.analysis.cost import unknown
from unetscope.drawing.building import figure
from unetscope.drawing.sheet import Sheet
from unetscope.views.view import View, some, without_formula
from unetscope.wording import shown

HEATS = {"params": "parameters", "macs": "macs", "bytes": "made", "held": "held"}
"""What colours may tell instead of the part of a block, and what a figure calls it."""


def drawing(view: View, heat: str | None = None, detail: str = "block") -> Sheet:
    """A network as it is drawn.

    Args:
        view: of a trace, that of a failed pass too.
        heat: one of `HEATS`; None if colours tell the parts.
        detail: one of `drawing.layers.DETAILS`.
    """
    words, trace = view.words, view.network.trace
    found = figure(view.network, view.names, heat=HEATS.get(heat or "", ""), detail=detail)
    in_bytes = found.in_bytes
    about = view.about
    notes = [words.no_u[found.no_u.value]] if found.no_u else []
    if trace.failure is not None:
        where = trace.failure.module or trace.name
        notes.append(words.drawn_failed.format(where, shown(trace.failure.message).rstrip(".")))
    if found.beside:
        notes.append(words.not_drawn.format(some(words, found.beside)))
    if found.steering:
        notes.append(words.steering_not_drawn.format(some(words, found.steering)))
    if missing := unknown(trace):
        notes.append("".join(str(p.value) for p in without_formula(words, missing).parts))
    if any(block.rows for block in found.blocks):
        what = words.heats[found.heat] if in_bytes else words.of_the_macs
        what = words.of_the_parameters if heat == "params" else what
        notes.append(words.reads_as_rows[detail].format(what))
    arcs = [words.reads_as_skip] if found.arcs else []
    arcs += [words.drawn_crossing] if any(arc.crossing for arc in found.arcs) else []
    shared = words.drawn_parameters if heat == "params" else words.macs
    scale = words.drawn_heat.format(what=shared, most="{}")
    reads = words.reads_as_u, words.reads_as_box, words.reads_as_columns
    if in_bytes:
        what = words.heats[found.heat]
        scale = words.drawn_heat_bytes.format(what=what, most="{}")
        box, column = words.reads_as_box_of_bytes, words.reads_as_columns_of_bytes
        reads = words.reads_as_u, box.format(what), column.format(what)
    rest = words.drawn_rest if not in_bytes else words.drawn_rest_made
    return Sheet(
        found,
        view.name,
        about.text.removeprefix(about.names),
        words.drawn_parts,
        reads[:2],
        reads[2:],
        tuple(arcs),
        words.too_narrow_for_u,
        words.no_room_for_skips.format(len(found.arcs)),
        (*notes, *view.untold),
        words.drawn_branches,
        "" if found.heat == "held" else rest,
        words.drawn_crossing,
        words.drawn_height,
        words.drawn_width,
        words.heat_units[found.heat] if in_bytes else words.drawn_parameters,
        words.macs,
        scale,
    )
