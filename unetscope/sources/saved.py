"""Sources that hold what is known of a network, and no network: traces and locks."""

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
