"""See, count and lock the architecture of diffusion UNets.

`unetscope.trace(model, *args, **kwargs)` records one forward pass of any PyTorch module;
`unetscope.load("sd15")` builds a network from a config and answers questions about it. Importing
this package imports nothing else; torch comes with the first pass. See `unetscope.api`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unetscope.version import __version__

if TYPE_CHECKING:
    from unetscope.api import Architecture as Architecture
    from unetscope.api import check as check
    from unetscope.api import diff as diff
    from unetscope.api import identify as identify
    from unetscope.api import load as load
    from unetscope.api import read as read
    from unetscope.api import trace as trace
    from unetscope.lock import Lock as Lock
    from unetscope.record import Trace as Trace

_HOMES = {
    "unetscope.api": ("Architecture", "check", "diff", "identify", "load", "read", "trace"),
    "unetscope.lock": ("Lock",),
    "unetscope.record": ("Trace",),
}
__all__ = [
    "Architecture",
    "Lock",
    "Trace",
    "__version__",
    "check",
    "diff",
    "identify",
    "load",
    "read",
    "trace",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
