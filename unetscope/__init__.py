"""See, count and lock the architecture of diffusion UNets.

`unetscope.trace(model, *args, **kwargs)` records one forward pass of any PyTorch module. Importing
this package imports nothing else; torch comes with the first use of `trace`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unetscope.version import __version__

if TYPE_CHECKING:
    from unetscope.api import trace as trace
    from unetscope.record import Trace as Trace

__all__ = ["Trace", "__version__", "trace"]


def __getattr__(name: str) -> Any:
    if name == "trace":
        from unetscope.api import trace

        return trace
    if name == "Trace":
        from unetscope.record import Trace

        return Trace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
