"""Kernels that run outside every function that a `TorchFunctionMode` sees.

Scripted functions, extensions in C++ and code that turns the mode off call torch's kernels without
a word: a `TorchDispatchMode` sees those. It is off while a function runs that is seen, so that a
network without such code pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from unetscope.tracing.contents import leaves

Run = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""Runs a kernel, which it is given with its arguments."""

# Every function of a pass calls these.
_count = torch._C._len_torch_dispatch_stack
_mode_at = torch._C._get_dispatch_stack_at
_pop = torch._C._pop_torch_dispatch_stack
_push = torch._C._push_on_torch_dispatch_stack


class Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hands each kernel to `run`, unless it runs within another one, or this is paused.

    Attributes:
        inside: whether something runs whose own kernels are nobody's concern.
    """

    supports_higher_order_operators = True

    def __init__(self, run: Run) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.inside = False
        self._run = run

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run a kernel, whose own Python, such as that of meta kernels, is not looked at."""
        if self.inside:
            return func(*args, **(kwargs or {}))
        self.inside = True
        try:
            return self._run(func, args, kwargs or {})
        finally:
            self.inside = False

    def pause(self) -> bool:
        """Look at no kernels until `resume`, which takes what this returns.

        While it is the innermost mode torch does not even call it.
        """
        self.inside = True
        count = _count()
        if not count or _mode_at(count - 1) is not self:
            return False
        _pop(None)
        return True

    def resume(self, popped: bool) -> None:
        """Look at kernels again."""
        self.inside = False
        if popped:
            _push(self)


def written_by(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Tensor]:
    """The tensors among a kernel's arguments that it writes to, by its schema."""
    schema = getattr(func, "_schema", None)
    if schema is None:
        return []
    found: list[Tensor] = []
    for index, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            found += leaves(args[index] if index < len(args) else kwargs.get(argument.name))
    return found
