"""Sources that hold what is known of a network, and no network: traces, locks, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from unetscope.errors import Place, UnetscopeError
from unetscope.sources.request import FLAGS, Request
from unetscope.sources.source import Info, Source

if TYPE_CHECKING:
    from unetscope.lock import Lock
    from unetscope.record import Trace


class SavedTrace(Source):
    """A file that `unetscope trace --save` wrote."""

    what: ClassVar[str] = "a saved trace"

    def __init__(self, request: Request, info: Info, trace: Trace | None = None) -> None:
        from unetscope.files import traces

        super().__init__(request, info)
        self._trace = trace or traces.load(Path(request.source))

    @classmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """Its network and inputs are what they were."""
        return UnetscopeError(
            f"`{request.source}` is a saved trace: its network and inputs are fixed, so "
            f"`{FLAGS[option]}` has no meaning",
            hint="name the config to trace it with other options",
        )

    def trace(self) -> Trace:
        """The trace that was saved."""
        return self._trace

    def config(self) -> Mapping[str, Any]:
        """The config that the network was built from."""
        return self._trace.config or super().config()


class SavedLock(Source):
    """A lock, as `unetscope lock` writes it."""

    what: ClassVar[str] = "a lock"

    def __init__(self, request: Request, info: Info, lock: Lock | None = None) -> None:
        from unetscope.files import locks

        super().__init__(request, info)
        self._loaded = lock or locks.load(Path(request.source))

    @classmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """Its network and inputs are what they were."""
        return UnetscopeError(
            f"`{request.source}` is a lock: its network and inputs are fixed, so "
            f"`{FLAGS[option]}` has no meaning",
            hint="name the config that it belongs to",
        )

    def trace(self) -> Trace:
        """A lock holds none.

        Raises:
            UnetscopeError: always.
        """
        raise UnetscopeError(
            "a lock: it holds what stays the same of a network, and no trace",
            hint="name the config that it belongs to; `diff` and `compare` take locks",
            place=Place(self.name),
        )

    def lock(self) -> Lock:
        """The lock that was written."""
        return self._loaded

    def config(self) -> Mapping[str, Any]:
        """The config that the network was built from."""
        return self._loaded.config or super().config()


class Weights(Source):
    """A checkpoint, of which the header is read."""

    tensors_only: ClassVar[bool] = True
    what: ClassVar[str] = "a checkpoint"

    @classmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """Nothing of it can be built or run."""
        return UnetscopeError(
            f"`{request.source}` is a checkpoint: it holds tensors, to which "
            f"`{FLAGS[option]}` has no meaning",
            hint="name the config of its network",
        )

    def trace(self) -> Trace:
        """A checkpoint holds none.

        Raises:
            UnetscopeError: always.
        """
        raise UnetscopeError(
            "a checkpoint: it holds the tensors of a network, not what it does with them",
            hint="`unetscope diff CONFIG CHECKPOINT` compares its tensors",
            place=Place(self.name),
        )

    def comparable(self) -> Lock:
        """A lock of the tensors of the checkpoint's UNet, and of nothing else.

        Raises:
            UnetscopeError: it cannot be read, or is damaged.
        """
        from unetscope.analysis.diff.bare import bare
        from unetscope.checkpoints import contents, files

        tensors, left_out = contents.unet(files.read(Path(self.name)))
        types = ", ".join(sorted({spec.dtype for spec in tensors.values()}))
        self.info(f"note: `{self.name}` holds {len(tensors)} tensors ({types or 'no type'})")
        if left_out:
            others = ", ".join(f"{part} ({count})" for part, count in left_out.items())
            self.info(f"note: left out, as no tensors of the UNet: {others}")
        return bare(self.name, {name: spec.shape for name, spec in tensors.items()})
