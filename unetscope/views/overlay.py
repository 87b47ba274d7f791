"""The words around a drawing of two networks: what the marks mean, and what no block shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from unetscope.analysis.cost import unknown
from unetscope.analysis.diff import COSTS, Change, diff
from unetscope.analysis.diff.matching import Matching
from unetscope.analysis.diff.side import Side
from unetscope.analysis.digest import digest
from unetscope.drawing.layout import before
from unetscope.drawing.overlay import Overlay, overlay
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.text import text
from unetscope.families import defaults
from unetscope.rules.gate import Gate
from unetscope.views.about import about_each
from unetscope.views.change import plain, where
from unetscope.views.diff import headline
from unetscope.views.draw import sheet
from unetscope.views.naming import renamed_paths
from unetscope.views.view import View, some, without_formula
from unetscope.words import Words


class Overlaid:
    """Such a drawing as a picture of a table: in lines, with all that is said below it."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._drawn: dict[tuple[int, bool], list[str]] = {}

    def lines(self, width: int, *, ascii: bool = False) -> Sequence[str]:  # noqa: A002
        """See `Picture`; they are made once."""
        found = self._drawn.get((width, ascii))
        if found is None:
            found = text(self._sheet, width, ascii=ascii).splitlines()
            self._drawn[width, ascii] = found
        return found


def overlaid(old: View, new: View, sources: tuple[str, str] = ("", "")) -> Sheet:
    """Two networks in one drawing, in which blocks bear the ids of the changes that `diff` lists.

    Args:
        old: of the trace of a network that ran through.
        new: of another's.
        sources: what both come from, which tells networks of one name apart.
    """
    words = new.words
    locks = digest(old.network.trace), digest(new.network.trace)
    (was, now), about = _about(old, new)
    if was == now and sources[0] != sources[1]:
        was, now = (f"{name} ({source})" for name, source in zip((was, now), sources, strict=True))
    found = replace(diff(*locks, defaults), old=was, new=now)
    matching = Matching(Side(locks[0]), Side(locks[1]))
    figure = overlay((old.network, new.network), matching, found, (old.names, new.names))
    marks = [block.mark for block in figure.blocks] + [arc.mark for arc in figure.arcs]
    named = {"old": was, "new": now}
    said = {m: what.format(**named) for m, what in words.overlay_marks.items() if m in marks}
    told = tuple(sentence.format(**named) for sentence in _told(figure, words))
    numbered = any(">" in arc.name for arc in figure.arcs)
    changed = plain(headline(Gate().judge(found), words))
    return sheet(
        words,
        figure,
        f"{was} -> {now}",
        about,
        (changed, *told, *_notes(figure, (old, new), (was, now))),
        words.reads_as_numbered_skip if numbered else "",
        said if any(said) else {},
    )


def _told(figure: Overlay, words: Words) -> Iterator[str]:
    """How blocks that differ are read."""
    if any(block.told for block in figure.blocks):
        yield words.overlay_ids
    if any(before(block, "") or " > " in block.name for block in figure.blocks):
        yield words.overlay_changed
    if any(block.mark == "-" for block in figure.blocks):
        yield words.overlay_shares


def _notes(figure: Overlay, views: tuple[View, View], names: tuple[str, str]) -> Iterator[str]:
    """What is not as usual, and what is in no block."""
    words, (old, new) = views[1].words, views
    renamed = {**old.names, **new.names}
    if figure.outside:
        listed = Counter(_outside(renamed_paths(c, renamed), words) for c in figure.outside)
        told = [f"{one} x {often}" if often > 1 else one for one, often in listed.items()]
        yield words.overlay_outside.format(words.between_columns.join(told))
    if figure.no_u is not None:
        sides = dict(zip(names, (figure.old, figure.new), strict=True))
        reasons = {name: side.no_u for name, side in sides.items() if side and side.no_u}
        alike = len(reasons) == len(sides) and len(set(reasons.values())) == 1
        if alike or not reasons:
            yield words.no_u[figure.no_u.value]
        else:
            yield from (f"{name}: {words.no_u[why.value]}" for name, why in reasons.items())
    if figure.beside:
        yield words.not_drawn.format(some(words, figure.beside))
    if figure.steering:
        yield words.steering_not_drawn.format(some(words, figure.steering))
    if missing := {**unknown(old.network.trace), **unknown(new.network.trace)}:
        yield plain(without_formula(words, missing))
    yield from dict.fromkeys((*old.untold, *new.untold))


def _outside(change: Change, words: Words) -> str:
    """A change and its places: `~ io-reshaped sample`."""
    named = f"{change.mark} {change.id}"
    return named if change.id in COSTS else f"{named} {plain(where(change, words))}"


def _about(old: View, new: View) -> tuple[tuple[str, str], str]:
    """The names of both, and what else is said of them, once where it is the same."""
    views = (old, new)
    about = about_each([view.subject for view in views], new.words)
    if len(about.lines) == 1:
        return (old.name, new.name), about.lines[0][1]
    (was, before), (now, after) = about.lines
    parts = before.split(" · "), after.split(" · ")
    if len(parts[0]) != len(parts[1]):
        return (was, now), f"{before}{new.words.between_columns}{after.removeprefix(' · ')}"
    pairs = zip(*parts, strict=True)
    return (was, now), " · ".join(a if a == b else f"{a} -> {b}" for a, b in pairs)
