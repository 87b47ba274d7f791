"""A bound on what is built and run, so that a slip of the keyboard in a file ends soon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from torch import nn
from torch.nn.modules import module as hooks

from unetscope.turns import of_this_thread

MOST_MODULES = 8_000
"""Modules of one network, and calls of them; the largest published one has about 2,800.

So many are built and run on meta in about five seconds.
"""


@contextmanager
def bounded(refusal: Callable[[], Exception]) -> Iterator[None]:
    """Stop what builds or calls more than `MOST_MODULES` modules with the error of `refusal`.

    A module that is put into several others, or into several lists, is built once.
    """
    count = 0
    built: WeakSet[nn.Module] = WeakSet()

    @of_this_thread
    def note_call(*_: Any) -> None:
        nonlocal count
        count += 1
        if count > MOST_MODULES:
            raise refusal()

    @of_this_thread
    def note_part(_parent: nn.Module, _name: str, part: nn.Module | None) -> None:
        if part is not None and part not in built:
            built.add(part)
            note_call()

    handles = [
        hooks.register_module_module_registration_hook(note_part),
        hooks.register_module_forward_hook(note_call),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
