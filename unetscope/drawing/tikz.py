"""A drawing for LaTeX: the picture that is written as SVG, each element with the same coordinates.

Read from that picture, so that what changes there changes here: a pixel there is a bp here.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from itertools import cycle
from unicodedata import category

from unetscope.drawing.layout import cells
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.svg import svg
from unetscope.tex import escaped
from unetscope.wording import harmless

_LONGEST = 8_100
"""Units of a side: standalone calls pages overfull from 8,192 pt on, half of what TeX counts to."""
_SIZES = (5, 6, 7, 8, 9, 10, 12)
"""Sizes in pt that TeX has fonts for. One is at most 0.53 of it wide a character."""
_TALL = 1.4
"""How much higher than wide the text of a page is, with some lines left for a caption."""
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
_HEAD = r"""% {title}
% A document of its own, which {compilers} compile; in another document, whose
% preamble has {packages}, \input reads it, and
% \resizebox{fit}{{\input{{FILE}}}} makes it as {measure}.
\ifx\tikzpicture\undefined
  \documentclass{{standalone}}
  {preamble}
  \begin{{document}}%
  \def\unetscopeend{{\end{{document}}}}%
\else
  \let\unetscopeend\relax
\fi
{more}\begin{{tikzpicture}}[x=1bp,y=-1bp,line cap=butt,every node/.style={{{node}}}]
\frenchspacing
"""
_CHARACTER = r"""\providecommand\unetscopechar[1]{\ifdefined\Umathchar\char"#1\relax\else U+#1\fi}%
"""
"""A character that only some TeX know: others spell out its number."""


def tikz(sheet: Sheet) -> str:
    """Write a drawing as a TikZ picture."""
    root = ET.fromstring(svg(sheet))
    wide, high = float(root.attrib["width"]), float(root.attrib["height"])
    scale = min(1.0, _LONGEST / max(wide, high))
    writer = _Writer(scale)
    drawn = [line for child in root for line in writer.element(child, (0.0, 0.0))]
    body = "\n".join(drawn)
    packages, compilers = ["{tikz}"], "pdfLaTeX, XeLaTeX and LuaLaTeX"
    if any(map(_chinese, body)):
        packages.append("[scheme=plain]{ctex}")  # whose fonts of Chinese pdfLaTeX cannot read
        compilers = "XeLaTeX and LuaLaTeX"
    tall = high > _TALL * wide
    loading = [f"\\usepackage{package}" for package in packages]
    node = "inner sep=0pt,outer sep=0pt,text depth=0pt"
    return (
        _HEAD.format(
            title=_text(sheet.title),
            compilers=compilers,
            fit=r"*{!}{\textheight}" if tall else r"{\linewidth}{!}",
            measure="high as a page" if tall else "wide as a line",
            packages=" and ".join(loading),
            preamble="\n  ".join(loading),
            more=_CHARACTER if r"\unetscopechar" in body else "",
            node=node if scale == 1 else f"{node},scale={scale:.4f}",
        )
        + "".join(f"\\definecolor{{{name}}}{{HTML}}{{{name[1:]}}}%\n" for name in writer.colors)
        + f"\\useasboundingbox (0,0) rectangle {writer.point(wide, high)};\n{body}\n"
        "\\end{tikzpicture}%\n\\unetscopeend\n"
    )


class _Writer:
    """Elements of SVG as commands of TikZ, and the colours that they have, in their order."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self.colors: dict[str, None] = {}

    def point(self, x: float, y: float) -> str:
        """A point as TikZ has it."""
        return f"({x * self._scale:.8g},{y * self._scale:.8g})"

    def element(self, element: ET.Element, origin: tuple[float, float]) -> Iterator[str]:
        """The commands for an element and for what is in it."""
        is_a, has = element.tag.rpartition("}")[2], element.attrib
        x, y = origin
        match is_a:
            case "g":
                moved = re.fullmatch(r"translate\((\S+) (\S+)\)", has["transform"])
                if moved is None:
                    raise ValueError(f"not spelled in TikZ: {has['transform']}")
                origin = x + float(moved[1]), y + float(moved[2])
                for child in element:
                    yield from self.element(child, origin)
            case "rect" if has.get("class") != "page":  # paper has its own colour
                x, y = x + float(has["x"]), y + float(has["y"])
                end = self.point(x + float(has["width"]), y + float(has["height"]))
                yield f"\\path[{self._paint(has)}] {self.point(x, y)} rectangle {end};"
            case "path":
                way = " -- ".join(self.point(x + a, y + b) for a, b in _points(has["d"]))
                yield f"\\path[{self._paint(has)}] {way};"
            case "text":
                anchor, color = _ANCHORS[has["text-anchor"]], self._color(has["fill"])
                size = max(each for each in _SIZES if each <= int(has["font-size"]))
                bold = "\\bfseries" if "font-weight" in has else ""
                font = f"\\fontsize{{{size}}}{{{size + 2}}}\\ttfamily{bold}\\selectfont"
                place = self.point(x + float(has["x"]), y + float(has["y"]))
                words = _text(element.text or "")
                yield f"\\node[anchor={anchor},text={color},font={font}] at {place} {{{words}}};"
            case "rect" | "title" | "desc" | "style":
                pass
            case _:
                raise ValueError(f"not spelled in TikZ: {is_a}")

    def _paint(self, has: Mapping[str, str]) -> str:
        options = []
        if has.get("fill", "none") != "none":
            options.append(f"fill={self._color(has['fill'])}")
        if "stroke" in has:
            width = float(has.get("stroke-width", 1)) * self._scale
            options += [f"draw={self._color(has['stroke'])}", f"line width={width:.4g}bp"]
        if "stroke-dasharray" in has:
            lengths = zip(cycle(("on", "off")), has["stroke-dasharray"].split(), strict=False)
            pattern = " ".join(f"{s} {float(n) * self._scale:.4g}bp" for s, n in lengths)
            options.append(f"dash pattern={pattern}")
        return ",".join(options)

    def _color(self, color: str) -> str:
        name = f"u{color[1:].upper()}"
        self.colors[name] = None
        return name


def _points(way: str) -> Iterator[tuple[float, float]]:
    """The points of a path of SVG: `M0 0L5 0L5 9`, or `M0 0h18` for a line to the right."""
    x = y = 0.0
    for command, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", way):
        if command == "h":
            x += float(numbers)
        elif command in "ML":
            x, y = map(float, numbers.split())
        else:
            raise ValueError(f"not spelled in TikZ: {way}")
        yield x, y


def _text(text: str) -> str:
    """Text that any TeX reads: Chinese as it is, what else is not ASCII by number."""
    return "".join(
        char if char.isascii() or _chinese(char) else f"\\unetscopechar{{{ord(char):04X}}}"
        for char in escaped(harmless(text), typed=True)
    )


def _chinese(char: str) -> bool:
    """Whether fonts of Chinese are for it: it is as wide as two, and no emoji."""
    return cells(char) > 1 and category(char) not in ("So", "Sk")
