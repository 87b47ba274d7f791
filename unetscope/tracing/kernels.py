"""Kernels that run outside every function that a `TorchFunctionMode` sees.

Scripted functions, extensions in C++ and code that turns the mode off call torch's kernels without
a word: a `TorchDispatchMode` sees those. It is off while a function runs that is seen, so that a
network without such code pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

Run = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""Runs a kernel, which it is given with its arguments."""


class Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hands each kernel to `run`, unless it runs within another one or within `aside`.

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

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Look at no kernels; while it is the innermost mode, torch does not even call it."""
        stack = torch._C._len_torch_dispatch_stack()
        innermost = stack > 0 and torch._C._get_dispatch_stack_at(stack - 1) is self
        if innermost:
            torch._C._pop_torch_dispatch_stack(None)
        self.inside = True
        try:
            yield
        finally:
            self.inside = False
            if innermost:
                torch._C._push_on_torch_dispatch_stack(self)


def written(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Tensor]:
    """The tensors among a kernel's arguments that it writes to, by its schema."""
    schema = getattr(func, "_schema", None)
    if schema is None:
        return []
    found = []
    for index, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[index] if index < len(args) else kwargs.get(argument.name)
            found += [
                t
                for t in (value if isinstance(value, (tuple, list)) else [value])
                if isinstance(t, Tensor)
            ]
    return found
