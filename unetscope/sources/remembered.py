"""Networks that are what their configs say, so that what was found once holds again."""

from __future__ import annotations

import os
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

from unetscope.files import cache
from unetscope.files.versioned import DamageError
from unetscope.sources.source import Runnable

if TYPE_CHECKING:
    from unetscope.record import Trace


class Remembered(Runnable):
    """A network whose trace on meta is kept from one run to the next.

    Nothing but the config, the versions of the code and of torch can change it. Code of the user's
    is never one: nobody knows what it depends on.
    """

    @property
    @abstractmethod
    def identity(self) -> str:
        """All that decides what the network is, what it is given and what it is called."""

    def _key(self, what: str) -> str | None:
        """The name under which something is kept; None if nothing is."""
        meant = self.request.cache and self.request.device == "meta" and cache.is_on()
        # Who verifies the shape rules wants them to run.
        if not meant or os.environ.get("UNETSCOPE_VERIFY_SHAPES"):
            return None
        known = self.known
        about = (self.identity, self.request.dtype, self.request.changes)
        return cache.key(what, repr((*about, sorted(known.items()))))

    def kept(self) -> Trace | None:
        """What an earlier run kept of a pass, if it did."""
        from unetscope.files import traces

        key = self._key(f"trace {traces.FORMAT}")
        kept = None if key is None else cache.read(key)
        if kept is None:
            return None
        try:
            return traces.loads_own(kept)
        except DamageError:
            return None  # as if it were not there

    def trace(self) -> Trace:
        """One pass over the network, or what an earlier run kept of it; see `Runnable.trace`."""
        from unetscope.files import traces

        if kept := self.kept():
            return kept
        found = super().trace()
        if key := self._key(f"trace {traces.FORMAT}"):
            cache.keep(key, traces.dumps(found))
        return found

    @cached_property
    def _lock_text(self) -> bytes:
        from unetscope.files import locks

        key = self._key(f"lock {locks.FORMAT}")
        kept = None if key is None else cache.read(key)
        if kept is not None:
            return kept
        text = super()._lock_text
        if key is not None:
            cache.keep(key, text)
        return text
