"""What colours may tell of a block instead of its part, and the colours: cividis, from 0 on."""

from __future__ import annotations

from unetscope.drawing.figure import Block, Figure
from unetscope.drawing.layout import share
from unetscope.table import Kind
from unetscope.units import spell

HEAT = ("#00224e", "#2a3f6d", "#575d6d", "#7d7c78", "#a59c74", "#d2c060", "#fee838")
"""From nothing to the largest: cividis, which looks the same to the colour-blind."""
TERMINAL = (
    "\x1b[48;5;17;38;5;231m",
    "\x1b[48;5;24;38;5;231m",
    "\x1b[48;5;59;38;5;231m",
    "\x1b[48;5;244;38;5;16m",
    "\x1b[48;5;144;38;5;16m",
    "\x1b[48;5;179;38;5;16m",
    "\x1b[48;5;227;38;5;16m",
)
"""The same among the 256 colours of a terminal, each below white or black, whichever reads."""


def step(figure: Figure, block: Block) -> int:
    """The place of a block's colour in `HEAT`, of which the hottest block has the last."""
    most = figure.hottest
    return round(figure.heat_of(block) / most * (len(HEAT) - 1)) if most else 0


def spelled(figure: Figure, value: float) -> str:
    """What colours tell, as people read it."""
    if figure.in_bytes:
        return spell(int(value), Kind.BYTES)
    return share(value)
