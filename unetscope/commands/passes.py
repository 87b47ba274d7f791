"""From what the user named to a `Trace`: the walk that most commands begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from unetscope.errors import ForwardError, UnetscopeError

if TYPE_CHECKING:
    from unetscope.config import Spec
    from unetscope.record import Trace


@dataclass(frozen=True)
class Request:
    """A network as the user asks for it.

    Attributes:
        source: a config, the name of a shipped one, or a saved trace.
        overrides: `KEY=VALUE` each, for `unet`.
        batch: instead of the config's.
        height: of the sample, instead of the config's.
        width: of the sample, instead of the config's.
        tokens: of the text, instead of the config's.
        device: meta, cpu or cuda.
        dtype: element type of weights and inputs.
    """

    source: str
    overrides: Sequence[str] = ()
    batch: int | None = None
    height: int | None = None
    width: int | None = None
    tokens: int | None = None
    device: str = "meta"
    dtype: str = "float32"

    @property
    def is_saved(self) -> bool:
        """Whether the source is a saved trace."""
        from unetscope.store import is_trace

        path = Path(self.source)
        return path.is_file() and is_trace(path)

    def spec(self) -> Spec:
        """The config, resolved."""
        from unetscope.config import load

        return load(
            self.source,
            overrides=self.overrides,
            batch=self.batch,
            height=self.height,
            width=self.width,
            tokens=self.tokens,
        )


def obtain(request: Request) -> Trace:
    """The trace of a request: loaded if it was saved, else made by one pass.

    Raises:
        UnetscopeError: there is no such config or trace, or the pass failed.
    """
    from unetscope import store

    if request.is_saved:
        if replace(request, source="") != Request(""):
            raise UnetscopeError(
                f"`{request.source}` is a saved trace: its network and inputs are fixed",
                hint="name the config to trace it with other options",
            )
        return store.load(Path(request.source))
    return run(request.spec(), request.device, request.dtype)


def run(spec: Spec, device: str = "meta", dtype: str = "float32") -> Trace:
    """One pass over the network of a config.

    Raises:
        ForwardError: it failed; the error names the option that most likely caused it.
    """
    from unetscope import families
    from unetscope.config.blame import likely_key
    from unetscope.tracing import place, trace

    model = place.build(lambda: families.build(spec.family, spec.unet), device, dtype)
    inputs = place.inputs(spec.tensors(), device, dtype)
    try:
        return trace(
            model, kwargs=inputs, name=spec.name, config=spec.resolved, reference=spec.reference
        )
    except ForwardError as error:
        key = likely_key(error.trace.failure.module) if error.trace.failure else None
        if key is not None:
            error.place = spec.places.get(("unet", key), spec.places.get(("unet",)))
            error.hint = f"most likely `unet.{key}`"
        raise
