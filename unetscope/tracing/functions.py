"""Functions between the calls, as a `TorchFunctionMode` sees them, and kernels beside those.

The mode is off while torch itself works inside a function, so what is seen is what the model's own
code wrote: `F.interpolate`, not the kernels behind it. What runs beside all functions, as scripted
ones do, is seen by its kernels: see `tracing.kernels`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from unetscope.ops import symbol
from unetscope.tracing import shapes
from unetscope.tracing.contents import leaves
from unetscope.tracing.kernels import Kernels, written_by

_REFLECTED = frozenset(
    f"{before}r{name}{before}"
    for before in ("", "__")
    for name in ("sub", "div", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "matmul")
) | {"rsub.Scalar", "rsub.Tensor"}
"""Functions whose first argument stands behind the second in the code: `1 - x`."""
_TENSORS = frozenset({"T", "mT", "H", "mH", "real", "imag", "data", "grad"})
"""Properties of a tensor that are tensors."""


class Returned(NamedTuple):
    """A function that has returned."""

    function: Callable[..., Any]
    name: str
    """As in `Op.name`."""
    inputs: list[Tensor]
    """The tensors in its arguments."""
    outputs: list[Tensor]
    """The tensors in its result."""
    result: Any
    args: tuple[Any, ...]
    """In the order in which they stand in the code."""
    kwargs: dict[str, Any]
    written: list[Tensor] | None = None
    """The arguments that it wrote to; None: those whose version tells so."""


class Listener(Protocol):
    """What is called before and after each function of a pass."""

    def called(self, name: str, inputs: list[Tensor]) -> Any:
        """A function is about to run; what this returns is passed to `returned`."""

    def failed(self, error: Exception, name: str, inputs: list[Tensor]) -> None:
        """It raised."""

    def returned(self, function: Returned, noted: Any) -> None:
        """It returned."""


class Functions(TorchFunctionMode):
    """Calls a listener before and after every function, and every kernel that none of them called.

    On meta, functions that have a shape rule never reach torch's kernels.
    """

    def __init__(self, listener: Listener, *, meta: bool) -> None:
        super().__init__()
        self._listener = listener
        self._run = shapes.runner() if meta else _call
        self._names: dict[Any, str | None] = {}
        self._kernels = Kernels(self._kernel)

    def __enter__(self) -> Functions:
        """Watch from here on."""
        super().__enter__()  # type: ignore[no-untyped-call]
        self._kernels.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        """Watch no longer."""
        self._kernels.__exit__(*error)  # type: ignore[no-untyped-call]
        super().__exit__(*error)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run `func` between the calls of the listener."""
        kwargs = kwargs or {}
        kernels = self._kernels
        if kernels.inside:
            return func(*args, **kwargs)
        name = self._name(func)
        if name is None:
            popped = kernels.pause()
            try:
                return func(*args, **kwargs)
            finally:
                kernels.resume(popped)
        in_order = args[::-1] if func.__name__ in _REFLECTED else args
        inputs = leaves(*in_order, *kwargs.values())
        if not all(issubclass(kind, Tensor) for kind in types):
            # What stands for a tensor and is none calls torch itself: its kernels are seen.
            return func(*args, **kwargs)
        listener = self._listener
        noted = listener.called(name, inputs)
        popped = kernels.pause()
        try:
            result = self._run(func, map(type, inputs), args, kwargs)
        except Exception as error:
            listener.failed(error, name, inputs)
            raise
        finally:
            kernels.resume(popped)
        listener.returned(
            Returned(func, name, inputs, leaves(result), result, in_order, kwargs), noted
        )
        return result

    def _kernel(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run a kernel that no function called."""
        name = self._name(func) or func.__name__
        in_order = args[::-1] if func.__name__ in _REFLECTED else args
        inputs = leaves(*in_order, *kwargs.values())
        listener = self._listener
        noted = listener.called(name, inputs)
        try:
            result = shapes.by_kernel(func, args, kwargs)
        except Exception as error:
            listener.failed(error, name, inputs)
            raise
        written = written_by(func, args, kwargs)
        listener.returned(
            Returned(func, name, inputs, leaves(result), result, in_order, kwargs, written), noted
        )
        return result

    def _name(self, func: Callable[..., Any]) -> str | None:
        try:
            return self._names[func]
        except KeyError:
            name = self._names[func] = function_name(func)
            return name


def _call(
    func: Callable[..., Any],
    types: Iterable[type],  # noqa: ARG001 - shape rules have the same signature
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    return func(*args, **kwargs)


def function_name(func: Callable[..., Any]) -> str | None:
    """`func` as a reader of the code would write it; None for what only asks (`x.shape`)."""
    operator = _operator(func)
    if operator is not None:
        space, _, name = operator.partition("::")
        return f"torch.{name}" if space == "aten" else f"torch.ops.{space}.{name}"
    name = func.__name__
    if name == "__get__":  # a property
        name = func.__self__.__name__  # type: ignore[attr-defined]
        return f"Tensor.{name}" if name in _TENSORS else None
    if name in {"_set_grad_enabled", "__set__"}:
        return None
    written = symbol(name)
    if written is not None:
        return written
    module = getattr(func, "__module__", None) or ""
    if hasattr(func, "__objclass__") or module == "torch._tensor":
        return f"Tensor.{name}"
    functional = module in ("torch.nn.functional", "torch._C._nn")
    if functional or getattr(torch.nn.functional, name, None) is func:
        return f"F.{name}"
    if module.startswith("torch._C._"):  # fft_fftn, linalg_norm, special_expit
        package = module.removeprefix("torch._C._")
        return f"torch.{package}.{name.lstrip('_').removeprefix(f'{package}_')}"
    return f"torch.{name}"


def _operator(func: Callable[..., Any]) -> str | None:
    """The whole name of an operator of `torch.ops`, such as `aten::add_`."""
    if isinstance(func, torch._ops.OpOverload):
        return func._schema.name
    return func._qualified_op_name if isinstance(func, torch._ops.OpOverloadPacket) else None
