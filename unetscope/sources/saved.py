"""Sources that hold what is known of a network, and no network: traces, locks, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from unetscope.errors import Place, UnetscopeError
from unetscope.sources.request import FLAGS, Request
from unetscope.sources.source import Info, Source
from unetscope.wording import listed

if TYPE_CHECKING:
    from unetscope.lock import Lock
    from unetscope.record import Trace


class Saved(Source):
    """A file that holds no network, so that no option changes what is known of it.

    Attributes:
        no_option: why it has no use for an option, in a sentence that goes on with its flag.
        instead: what to name where an option is wanted.
    """

    no_option: ClassVar[str] = "its network and inputs are fixed, so"
    instead: ClassVar[str] = "name the config that it belongs to"

    @classmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """What the file holds is what it is."""
        return UnetscopeError(
            f"`{request.source}` is {cls.what}: {cls.no_option} `{FLAGS[option]}` has no meaning",
            hint=cls.instead,
        )


class SavedTrace(Saved):
    """A file that `unetscope trace --save` wrote."""

    what: ClassVar[str] = "a saved trace"
    instead: ClassVar[str] = "name the config to trace it with other options"

    def __init__(self, request: Request, info: Info, trace: Trace | None = None) -> None:
        from unetscope.files import traces

        super().__init__(request, info)
        self._trace = trace or traces.load(Path(request.source))

    def trace(self) -> Trace:
        """The trace that was saved."""
        return self._trace

    def config(self) -> Mapping[str, Any]:
        """The config that the network was built from."""
        return self._trace.config or super().config()


class SavedLock(Saved):
    """A lock, as `unetscope lock` writes it."""

    what: ClassVar[str] = "a lock"

    def __init__(self, request: Request, info: Info, lock: Lock | None = None) -> None:
        from unetscope.files import locks

        super().__init__(request, info)
        self._loaded = lock or locks.load(Path(request.source))

    def trace(self) -> Trace:
        """A lock holds none.

        Raises:
            UnetscopeError: always.
        """
        raise UnetscopeError(
            "a lock: it holds what stays the same of a network, and no trace",
            hint=f"{self.instead}; `diff` and `compare` take locks",
            place=Place(self.name),
        )

    def lock(self) -> Lock:
        """The lock that was written."""
        return self._loaded

    def config(self) -> Mapping[str, Any]:
        """The config that the network was built from."""
        return self._loaded.config or super().config()


class Weights(Saved):
    """A checkpoint, of which the header is read."""

    tensors_only: ClassVar[bool] = True
    what: ClassVar[str] = "a checkpoint"
    no_option: ClassVar[str] = "it holds tensors, to which"
    instead: ClassVar[str] = "name the config of its network"

    def trace(self) -> Trace:
        """A checkpoint holds none.

        Raises:
            UnetscopeError: always.
        """
        raise self._no_network()

    def config(self) -> Mapping[str, Any]:
        """A checkpoint holds none.

        Raises:
            UnetscopeError: always.
        """
        raise self._no_network()

    def _no_network(self) -> UnetscopeError:
        from unetscope.files import weights

        kind = weights.kind_of(Path(self.name)) or weights.SAFETENSORS
        return weights.no_network(kind, Place(self.name))

    def comparable(self) -> Lock:
        """A lock of the tensors of the checkpoint's UNet, and of nothing else.

        Raises:
            UnetscopeError: it cannot be read, or is damaged.
        """
        return self._bare

    @cached_property
    def _bare(self) -> Lock:
        from unetscope.analysis.diff.bare import bare
        from unetscope.checkpoints import files, parts

        header = files.read(Path(self.name))
        tensors, left_out = parts.unet(header)
        types = ", ".join(sorted({spec.dtype for spec in tensors.values()}))
        self.info(f"note: `{self.name}` holds {len(tensors)} tensors ({types or 'no type'})")
        if left_out:
            others = ", ".join(f"{part} ({count})" for part, count in left_out.items())
            self.info(f"note: left out, as no tensors of the UNet: {others}")
        for place, more in header.others.items():
            self.info(f"note: left out: {len(more)} tensors at `{place}`")
        if header.foreign:
            names = listed([f"`{name}`" for name in header.foreign])
            self.info(f"note: to load `{self.name}` would import {names}; nothing of it was run")
        return bare(self.name, {name: spec.shape for name, spec in tensors.items()})
