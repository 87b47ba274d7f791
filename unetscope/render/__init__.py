"""Typed tables to text, one file a format.

A format is a module with `render(tables, style) -> str`. It never prints, never looks at the
environment and never chooses a value; what its syntax could misread, it escapes itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from unetscope.errors import UnetscopeError, nearest
from unetscope.table import Table

FORMATS: dict[str, str] = {
    "terminal": "unetscope.render.terminal",
    "markdown": "unetscope.render.markdown",
    "csv": "unetscope.render.csv",
    "json": "unetscope.render.json",
    "github": "unetscope.render.github",
    "sarif": "unetscope.render.sarif",
    "junit": "unetscope.render.junit",
    "html": "unetscope.render.html",
}
"""Each format's module, imported when it is asked for."""


@dataclass(frozen=True)
class Style:
    """What a renderer may know of where its text goes.

    Attributes:
        width: cells in a line of the terminal; None: no terminal, lines are as long as they are.
        color: whether escape sequences for colour and weight are understood.
    """

    width: int | None = None
    color: bool = False


PLAIN = Style()


def render(tables: Sequence[Table], format: str, style: Style = PLAIN) -> str:  # noqa: A002
    """Write tables in a format; the text ends with one newline.

    Raises:
        UnetscopeError: there is no such format, or it cannot hold these tables.
    """
    if format not in FORMATS:
        guess = nearest(format, FORMATS)
        raise UnetscopeError(
            f"there is no format `{format}`",
            hint=f"did you mean `{guess}`?" if guess else f"formats: {', '.join(FORMATS)}",
        )
    text: str = import_module(FORMATS[format]).render(tables, style)
    return text.rstrip("\n") + "\n"
