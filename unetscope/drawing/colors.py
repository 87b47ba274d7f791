"""The colours of a picture's blocks, by what they tell, and of what is not as usual."""

from __future__ import annotations

from unetscope.drawing import patterns
from unetscope.drawing.figure import Block
from unetscope.drawing.heat import HEAT, step
from unetscope.drawing.sheet import Sheet

PARTS = {
    "entry": "#888888",
    "encoder": "#4477aa",
    "middle": "#aa3377",
    "decoder": "#228833",
    "exit": "#888888",
    "": "#bbbbbb",
}
"""By part; they differ in brightness too (Paul Tol's bright scheme)."""
WARNING = "#cc3311"


def color(sheet: Sheet, block: Block) -> str:
    """The colour of a block, by its part, its cost or its mark."""
    if sheet.marks:
        return patterns.INKS[block.mark]
    if not sheet.heat:
        return PARTS[block.part]
    return HEAT[step(sheet.figure, block)]
