"""A figure with the words around it, as a view chose them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unetscope.drawing.figure import Figure
from unetscope.drawing.heat import spelled
from unetscope.drawing.layout import share
from unetscope.table import Kind
from unetscope.units import spell


@dataclass(frozen=True)
class Sheet:
    """What one drawing says.

    Attributes:
        figure: what is drawn.
        title: the name of the network.
        about: what else is said of it, on the same line.
        parts: the names of the parts, by field of `Anatomy`, and of blocks of none under "".
        reads_as_u: sentences on how to read a U in a terminal.
        reads_as_columns: sentences on how to read columns there.
        reads_as_skips: sentences on the arcs, if there are any.
        narrow: a sentence for a U that has no room there.
        no_room: a sentence for arcs that have no room there.
        notes: sentences on what is not as usual.
        branches: a sentence for blocks to which the one before hands nothing on.
        rest: a sentence on what is in no block, `{parameters}` and `{macs}` for its shares,
            `{made}` for the bytes that it makes; empty if there is nothing to say.
        crossing: what an arc in warning colour means.
        height: what the height of a bar means, `{}` for the size of the highest.
        width: what the width of a bar means, `{}` for the channels of the widest.
        parameters: the word for them; where colours tell bytes, for these.
        macs: the word for multiply-adds.
        heat_scale: what colours of heat mean, `{}` for the largest.
        marks: of two networks in one drawing, what each mark that occurs means.
    """

    figure: Figure
    title: str
    about: str
    parts: Mapping[str, str]
    reads_as_u: tuple[str, ...]
    reads_as_columns: tuple[str, ...]
    reads_as_skips: tuple[str, ...]
    narrow: str
    no_room: str
    notes: tuple[str, ...]
    branches: str
    rest: str
    crossing: str
    height: str
    width: str
    parameters: str
    macs: str
    heat_scale: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def heat(self) -> str:
        """What colours tell; see `Figure`."""
        return self.figure.heat

    @property
    def crosses(self) -> bool:
        """Whether an arc is drawn as out of order."""
        return any(arc.crossing for arc in self.figure.arcs)

    @property
    def hottest(self) -> str:
        """What the colours of heat mean."""
        return self.heat_scale.format(spelled(self.figure, self.figure.hottest))

    @property
    def held(self) -> dict[str, str]:
        """The parts that occur, and their names."""
        parts = {block.part for block in self.figure.blocks}
        return {part: name for part, name in self.parts.items() if part in parts}

    @property
    def below(self) -> tuple[str, ...]:
        """What stands below a drawing, beside how to read it."""
        parameters, macs = map(share, self.figure.rest)
        made = spell(
            self.figure.made_bytes - sum(b.made_bytes for b in self.figure.blocks), Kind.BYTES
        )
        rest = self.rest.format(parameters=parameters, macs=macs, made=made)
        return (*self.notes, *([rest] if rest else []))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What stands below a picture, which has a legend of its own."""
        branches = len(self.figure.handed) < len(self.figure.blocks) - 1
        return (*self.reads_as_skips[:1], *([self.branches] if branches else []), *self.below)
