"""A drawing as a PNG: the SVG in pixels, by resvg, which brings all that it needs but fonts.

https://pypi.org/project/resvg-py
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

from unetscope.drawing.sheet import Sheet
from unetscope.drawing.svg import svg
from unetscope.errors import UnetscopeError
from unetscope.wording import listed

_ZOOM = 2
"""Pixels of a side of what is one pixel in SVG, so that small text is sharp."""
_MOST = 60_000_000
"""Pixels of a picture; each takes 4 bytes."""
_FONTS = (
    "DejaVu Sans Mono",
    "Menlo",
    "Consolas",
    "Liberation Mono",
    "Noto Sans Mono",
    "Ubuntu Mono",
    "Courier New",
)
"""Fonts whose characters are all as wide, of which most systems have one."""
_LETTER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text y="15" font-family="monospace">{}</text></svg>'
)
_IN_NO_FONT = "\U0010ffff"


def png(sheet: Sheet) -> bytes:
    """Draw a picture in pixels, light.

    Raises:
        UnetscopeError: resvg is not installed, a font is missing, or the picture is too large.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        raise UnetscopeError(
            "PNG needs resvg-py, which is not installed",
            hint="`pip install 'unetscope[png]'`; `-f svg` needs nothing",
        ) from None
    picture = svg(sheet)
    root = ET.fromstring(picture)
    wide, high = float(root.attrib["width"]), float(root.attrib["height"])
    zoom = next((zoom for zoom in (_ZOOM, 1) if wide * high * zoom**2 <= _MOST), None)
    if zoom is None:  # resvg would end the process where memory does
        raise UnetscopeError(
            f"{wide:.0f} x {high:.0f} pixels are too many for a PNG", hint="`-f svg` has no bound"
        )
    font = _font(svg_to_bytes, "".join(root.itertext()))
    drawn: bytes = svg_to_bytes(svg_string=picture, zoom=zoom, monospace_family=font)
    return drawn


def _font(svg_to_bytes: Callable[..., bytes], text: str) -> str:
    """A font that is installed; resvg leaves out what it has none for, and says nothing.

    Raises:
        UnetscopeError: none is, or none has all the characters of a text.
    """

    def shown(letter: str, font: str) -> bytes:
        return svg_to_bytes(svg_string=_LETTER.format(letter), monospace_family=font)

    font = next((font for font in _FONTS if shown("m", font) != shown("", font)), None)
    if font is None:
        raise UnetscopeError(
            f"a PNG would show no text, as none of its fonts is installed: {', '.join(_FONTS)}",
            hint="install one, or draw with `-f svg`",
        )
    missing = shown(_IN_NO_FONT, font)
    rare = sorted({char for char in text if not char.isascii()})
    if lost := [char for char in rare if shown(char, font) == missing]:
        raise UnetscopeError(
            f"a PNG would not show all text, as no font that is installed has {listed(lost)}",
            hint="install one, such as Noto Sans Mono CJK, or draw with `-f svg`",
        )
    return font
