"""The U of a network in few lines, which heads its overview."""

from __future__ import annotations

from unetscope.drawing.building import figure
from unetscope.drawing.small_u import SmallU
from unetscope.table import Cell, Table
from unetscope.views.view import View


def u_at_a_glance(view: View) -> list[Table]:
    """The U with its blocks, their channels and the skips; of networks that are no U there is none.

    It is a picture, which formats for programs leave out.
    """
    words = view.words
    if not view.network.trace.skips:
        return []
    found = figure(view.network, view.names, costs=False)
    if found.no_u is not None:
        return []
    notes = [words.reads_as_small_u]
    notes += [words.drawn_crossing] if any(arc.crossing for arc in found.arcs) else []
    after = tuple(map(Cell.of, notes))
    return [Table("u", words.u_at_a_glance, (), (), after=after, picture=SmallU(found))]
