"""A bound on what is built and run, so that a slip of the keyboard in a file ends soon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.nn.modules import module as hooks

from unetscope.turns import of_this_thread

MOST_MODULES = 8_000
"""Modules of one network, and calls of them; the largest published one has about 2,800.

So many are built and run on meta in about five seconds.
"""


@contextmanager
def bounded(refusal: Callable[[], Exception]) -> Iterator[None]:
    """Stop what builds or calls more than `MOST_MODULES` modules with the error of `refusal`."""
    count = 0

    @of_this_thread
    def note(*_: Any) -> None:
        nonlocal count
        count += 1
        if count > MOST_MODULES:
            raise refusal()

    handles = [
        hooks.register_module_module_registration_hook(note),
        hooks.register_module_forward_hook(note),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
