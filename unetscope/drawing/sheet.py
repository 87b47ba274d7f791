"""A figure with the words around it, as a view chose them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unetscope.drawing.figure import Figure
from unetscope.drawing.layout import share


@dataclass(frozen=True)
class Sheet:
    """What one drawing says.

    Attributes:
        figure: what is drawn.
        title: the name of the network.
        about: what else is said of it, on the same line.
        parts: the names of the parts, by field of `Anatomy`, and of blocks of none under "".
        reading: sentences on how to read a drawing in a terminal.
        notes: sentences on what is not as usual.
        rest: a sentence on what is in no block, `{parameters}` and `{macs}` for its shares.
        crossing: what an arc in warning colour means.
        height: what the height of a bar means, `{}` for the size of the highest.
        width: what the width of a bar means, `{}` for the channels of the widest.
        skip: what an arc is.
        parameters: the word for them.
        macs: the word for multiply-adds.
        heat: `parameters` or `macs`, if colours tell the share of them; else the part.
        heat_scale: what those colours mean, `{}` for the largest share.
    """

    figure: Figure
    title: str
    about: str
    parts: Mapping[str, str]
    reading: tuple[str, ...]
    notes: tuple[str, ...]
    rest: str
    crossing: str
    height: str
    width: str
    skip: str
    parameters: str
    macs: str
    heat: str = ""
    heat_scale: str = ""

    @property
    def below(self) -> tuple[str, ...]:
        """What stands below a drawing, beside how to read it."""
        parameters, macs = map(share, self.figure.rest)
        return (*self.notes, self.rest.format(parameters=parameters, macs=macs))
