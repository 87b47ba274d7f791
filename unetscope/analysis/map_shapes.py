"""The channels and the size of a feature map, wherever its channels lie."""

from __future__ import annotations

from unetscope.analysis.network import Network
from unetscope.analysis.ways_down import channels_at

Size = tuple[int, ...]


def map_shape(network: Network, value: int) -> Size:
    """A feature map as `(C, *spatial)`, wherever its channels lie: in Swin, they are last."""
    shape, at = network.spec(value).shape, _channels_at(network, value)
    return (shape[at], *shape[1:at], *shape[at + 1 :])


def map_size(network: Network, value: int) -> Size:
    """The spatial dims of a feature map."""
    return map_shape(network, value)[1:]


def _channels_at(network: Network, value: int) -> int:
    """The dim of a map's channels, if not known that of a skip joined to it, else the usual one."""
    joined = (skip.value for skip in network.trace.skips if skip.onto == value)
    for each in (value, *joined):
        found = channels_at(network, each)
        if len(found) == 1 and found[0]:
            return found[0]
    return 1
