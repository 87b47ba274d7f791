"""One pass at a time: what builds or watches a network changes state that all threads share.

So are the default element type, the state of the random numbers, the collector, `sys.stdout`, the
hooks of all modules, and the `forward` of each module that is watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock, get_ident
from typing import ParamSpec

P = ParamSpec("P")

_taken = RLock()


@contextmanager
def turn() -> Iterator[None]:
    """Wait until no other thread has its turn, and take it; also for a function, as `@turn()`."""
    with _taken:
        yield


def of_this_thread(hook: Callable[P, None]) -> Callable[P, None]:
    """A hook for what this thread does alone: whatever others call runs as if it were not there."""
    owner = get_ident()

    @wraps(hook)
    def heard(*args: P.args, **kwargs: P.kwargs) -> None:
        if get_ident() == owner:
            hook(*args, **kwargs)

    return heard
