"""A drawing for Graphviz, which places it: a U in rows by resolution, what is no U in columns.

https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from unetscope.drawing import patterns
from unetscope.drawing.bundles import bundle_label, together
from unetscope.drawing.colors import WARNING
from unetscope.drawing.layout import arc_label, shape
from unetscope.drawing.nodes import ink, lines, paint, parts, sentences
from unetscope.drawing.sheet import Sheet
from unetscope.wording import harmless

_HEAD = """digraph {{
  graph [splines=ortho, {sizes}, label="{label}", labelloc=b, labeljust=l, {font}]
  node [shape=box, style=filled, {font}]
  edge [color="#666666", {font}]
"""
_LINES = {"+": "bold", "-": "dotted", "~": "dashed"}
_FONT = "fontname=Courier, fontsize=10"
"""Graphviz knows the widths of its characters, whatever fonts are installed."""


def dot(sheet: Sheet) -> str:
    """Write a drawing as a graph of Graphviz."""
    figure = sheet.figure
    # Skips lie within rows or columns, and need room there for what is written on them.
    sizes = "rankdir=LR, nodesep=0.4, ranksep=1" if figure.no_u else "nodesep=1.3"
    label = "".join(f"{_inside(sentence)}\\l" for sentence in sentences(sheet))
    written = [_HEAD.format(sizes=sizes, label=label, font=_FONT), *_rows(sheet), *_legend(sheet)]
    for at in sorted(figure.handed):
        # A line up would turn the rows around.
        up = figure.blocks[at].level < figure.blocks[at - 1].level
        ends = f"b{at} -> b{at - 1}" if up else f"b{at - 1} -> b{at}"
        written.append(f"  {ends} [weight=8, penwidth=2{', dir=back' if up else ''}]\n")
    for alike in together(figure.arcs):
        arcs = [figure.arcs[at] for at in alike]
        start, end, crossing, mark = arcs[0].start, arcs[0].end, arcs[0].crossing, arcs[0].mark
        warned = f', style=dashed, color="{WARNING}", fontcolor="{WARNING}"' if crossing else ""
        if mark and not crossing:
            warned = f', style={_LINES[mark]}, color="{patterns.LINES[mark]}"'
        named = any(arc.name for arc in arcs)
        label = _inside(" ".join(map(arc_label, arcs)) if named else bundle_label(arcs))
        written.append(f'  b{start} -> b{end} [constraint=false, xlabel="{label}"{warned}]\n')
    return "".join([*written, "}\n"])


def _rows(sheet: Sheet) -> Iterator[str]:
    """The nodes of each resolution, in the order of their calls from left to right."""
    figure = sheet.figure
    for at, block in enumerate(figure.blocks):
        ground, letters = paint(sheet, at)
        text = "\\n".join(map(_inside, lines(sheet, at)))
        warned = f', color="{WARNING}", penwidth=3, peripheries=2' if block.failed else ""
        yield f'  b{at} [label="{text}", fillcolor="{ground}", fontcolor="{letters}"{warned}]\n'
    for level, size in enumerate(figure.sizes):
        yield f'  r{level} [label="{_inside(shape(size))}", shape=plaintext, style=""]\n'
        held = [f"b{at}" for at, block in enumerate(figure.blocks) if block.level == level]
        yield f"  {{ rank=same; {' '.join(f'{name};' for name in (f'r{level}', *held))} }}\n"
        for one, other in pairwise((f"r{level}", *held)):
            yield f"  {one} -> {other} [style=invis]\n"


def _legend(sheet: Sheet) -> Iterator[str]:
    """The labels of the rows, one below the other, and below them the colours of the parts."""
    keys = parts(sheet)
    for at, (ground, name) in enumerate(keys):
        colors = f'fillcolor="{ground}", fontcolor="{ink(ground)}"'
        yield f'  k{at} [label="{_inside(name)}", {colors}]\n'
    names = [f"k{at}" for at in range(len(keys))]
    below = [*(f"r{level}" for level in range(len(sheet.figure.sizes))), *names[:1]]
    if len(below) > 1:
        yield f"  {' -> '.join(below)} [style=invis, weight=8]\n"
    if names:
        yield f"  {{ rank=same; {' '.join(f'{name};' for name in names)} }}\n"


def _inside(text: str) -> str:
    """A text within a string; a backslash begins a command, and `&` an entity of HTML."""
    written = harmless(text).replace("\\", "\\\\").replace('"', '\\"')
    return written.replace("&", "&amp;")
