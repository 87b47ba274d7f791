"""From a trace and the user's wishes to a `View`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unetscope.commands.passes import Request, run
from unetscope.errors import UnetscopeError, nearest
from unetscope.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from unetscope.record import Trace
    from unetscope.views.view import Dim


def view_of(
    trace: Trace,
    language: str,
    names: str,
    request: Request,
    *,
    symbolic: bool = False,
    attentions: bool = False,
    block: str | None = None,
) -> View:
    """The view of `trace` that was asked for.

    Raises:
        UnetscopeError: there is no such block, or no symbols can be found.
    """
    view = replace(View.of(trace, language, names), attentions=attentions)
    if block is not None:
        view = replace(view, block=_known(view, view.path(block)))
    return replace(view, dims=_symbols(trace, request)) if symbolic else view


def _known(view: View, path: str) -> str:
    """A module's path, if the network calls it."""
    called = dict.fromkeys(step.module for step in view.network.trace.steps)
    if path in called:
        return path
    close = nearest(path, called)
    raise UnetscopeError(
        f"no block `{path}` in {view.network.trace.name}",
        hint=f"did you mean `{close}`?" if close else None,
    )


def _symbols(trace: Trace, request: Request) -> Callable[[int], tuple[Dim, ...]]:
    """The dims in symbols: one more pass at clean sizes and one for each size doubled."""
    from unetscope.analysis.scaling import symbolic_dims

    if request.is_saved:
        raise UnetscopeError(
            "a saved trace has the sizes of its one pass",
            hint="name the config, so that the network can run at others",
        )
    spec = request.spec()
    base = {"batch": 1, "height": 256, "width": 256, "tokens": 77}
    names = {"B": "batch", "H": "height", "W": "width", "T": "tokens"}

    def at(**sizes: int) -> Trace:
        return run(replace(spec, inputs=replace(spec.inputs, **{**base, **sizes})))

    first = at()
    if len(first.values) != len(trace.values):
        raise UnetscopeError(
            "the network runs differently at other sizes: its dims have no symbols",
            hint="sizes that are halved without a rest have them",
        )
    doubled = {symbol: at(**{name: 2 * base[name]}) for symbol, name in names.items()}
    scale = spec.inputs.scale
    sizes = {symbol: base[name] for symbol, name in names.items()}
    sizes |= {symbol: sizes[symbol] * scale for symbol in ("H", "W")}
    return symbolic_dims(first, doubled, sizes).__getitem__
