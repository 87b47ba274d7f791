"""A layer of a network that channels go into and out of."""

from __future__ import annotations

from typing import NamedTuple


class Layer(NamedTuple):
    """A module that reads and writes channels."""

    inputs: int
    outputs: int
    convolves: bool = False
