"""A drawing as a flowchart of Mermaid, which GitHub, GitLab and others show within Markdown.

https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

import re

from unetscope.drawing import patterns
from unetscope.drawing.colors import WARNING
from unetscope.drawing.layout import arc_label, shape
from unetscope.drawing.nodes import ink, lines, paint, parts, sentences
from unetscope.drawing.sheet import Sheet
from unetscope.errors import UnetscopeError
from unetscope.wording import harmless

_MOST_CHARACTERS, _MOST_EDGES = 50_000, 500
"""What Mermaid draws by default, and GitHub with it: `maxTextSize` and `maxEdges`.

https://mermaid.js.org/config/schema-docs/config.html
"""
_PADDING = re.compile(r"(?<=\S) {2,}")

_SPECIAL = re.compile(
    r"""[^\w\s.,/%()+→·\-]         # what may begin or end something in Mermaid or in HTML
      | %(?=[%{])                 # a comment
      | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9]) | [.)+-](?=\s|$)  # Markdown, which labels are read as
    """,
    re.VERBOSE,
)
_READ_AFTER_ALL = re.compile(
    r"""(?<=\$)(?=\$)           # formulas
      | (?<=:)(?=fa-)           # icons
      | (?<=ﬂ)(?=°) | (?<=¶)(?=ß) # its own spelling of an entity
      | (?<=\\)(?=n)            # a new line
    """,
    re.VERBOSE,
)
_NOTHING = "\u200b"
"""A space of no width: it parts what Mermaid reads even where entities spell it."""


def mermaid(sheet: Sheet) -> str:
    """Write a drawing as a flowchart."""
    figure = sheet.figure
    written = [f"flowchart {'LR' if figure.no_u else 'TD'}"]
    for level, size in enumerate(figure.sizes or ((),)):
        written.append(f'  subgraph r{level}["{_inside(shape(size)) or " "}"]')
        for at, block in enumerate(figure.blocks):
            if block.level == level:
                text = "<br>".join(map(_inside, _lines(sheet, at)))
                written.append(f'    b{at}["{text}"]')
        written.append("  end")
    flows = [f"  b{at - 1} ==> b{at}" for at in sorted(figure.handed)]
    written += flows
    for at, arc in enumerate(figure.arcs, len(flows)):
        line = "-.->" if arc.crossing or arc.mark == "-" else "-->"
        written.append(f'  b{arc.start} {line}|"{_inside(arc_label(arc))}"| b{arc.end}')
        stroke = WARNING if arc.crossing else patterns.LINES[arc.mark]
        written += [f"  linkStyle {at} stroke:{stroke}"] if arc.crossing or arc.mark else []
    styles = {f"b{at}": paint(sheet, at) for at in range(len(figure.blocks))}
    keys = parts(sheet)
    for at, (ground, name) in enumerate(keys):
        written.append(f'  k{at}["{_inside(name)}"]')
        styles[f"k{at}"] = ground, ink(ground)
    said = "<br>".join(map(_inside, sentences(sheet)))
    written += [f'  said["{said}"]', "  style said fill:none,stroke:none,text-align:left"]
    written += [f"  style {node} fill:{a},color:{b}" for node, (a, b) in styles.items()]
    for at, block in enumerate(figure.blocks):
        if block.rows:
            written.append(f"  style b{at} text-align:left")
        if block.failed:
            written.append(f"  style b{at} stroke:{WARNING},stroke-width:4px,stroke-dasharray:5 3")
    return "\n".join(written) + "\n"


def too_large(written: str, sheet: Sheet) -> UnetscopeError | None:
    """Why Mermaid refuses to draw a flowchart, or None if it does not."""
    long = len(written.encode("utf-16-le")) // 2
    edges = len(sheet.figure.handed) + len(sheet.figure.arcs)
    if long <= _MOST_CHARACTERS and edges <= _MOST_EDGES:
        return None
    inside = any(block.rows for block in sheet.figure.blocks)
    return UnetscopeError(
        f"GitHub, and Mermaid by default, draw no flowchart of more than {_MOST_CHARACTERS:,} "
        f"characters or {_MOST_EDGES:,} edges; this one has {long:,} characters, {edges:,} edges",
        hint="a smaller `--detail` is shorter; `-f svg` has no bound"
        if inside and edges <= _MOST_EDGES
        else "`-f svg` has no bound",
    )


def _lines(sheet: Sheet, at: int) -> list[str]:
    """What stands in the node of a block, where no characters are as wide as each other.

    Spaces between the columns of rows would be most of a flowchart whose length is limited.
    """
    found, rows = lines(sheet, at), len(sheet.figure.blocks[at].rows)
    cut = len(found) - rows
    return found[:cut] + [_PADDING.sub("  ", text).rstrip(" ") for text in found[cut:]]


def _inside(text: str) -> str:
    """A text within quotes."""
    parted = _READ_AFTER_ALL.sub(_NOTHING, harmless(text))
    written = _SPECIAL.sub(lambda found: f"#{ord(found[0])};", parted)
    return written.replace("  ", "#160;#160;")  # of several spaces, HTML keeps one
