"""The types of options, with stated bounds.

The bounds are wide enough for every published UNet by an order of magnitude, and small enough that
a slip of the keyboard does not build a billion layers.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Width = Annotated[int, Meta(ge=1, le=65_536, description="1 to 65,536")]
Depth = Annotated[int, Meta(ge=1, le=64, description="1 to 64")]
Kernel = Annotated[int, Meta(ge=1, le=31, description="1 to 31")]
Probability = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
# Not `tuple[Width, Width]`: in a union with a bounded int, msgspec 0.19 to 0.22 reads its length
# from the wrong place and crashes.
Size = Annotated[tuple[Width, ...], Meta(min_length=2, max_length=2, description="height, width")]
Levels = Meta(min_length=1, max_length=16, description="one entry a level, 1 to 16 levels")
