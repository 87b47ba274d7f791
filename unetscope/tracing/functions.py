"""Functions between the calls, as a `TorchFunctionMode` sees them.

The mode is off while torch itself works inside a function, so what is recorded is what the model's
own code wrote: `F.interpolate`, not the kernels behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import Parameter
from torch.overrides import TorchFunctionMode

from unetscope.record import Op
from unetscope.tracing.calls import Calls
from unetscope.tracing.flops import Work, work
from unetscope.tracing.shapes import RULES
from unetscope.tracing.tensors import Tensors, leaves

# Written as an operator or as a method, torch reports the same function.
_SYMBOLS = {
    "add": "+",
    "sub": "-",
    "rsub": "-",
    "__rsub__": "-",
    "mul": "*",
    "div": "/",
    "true_divide": "/",
    "__rdiv__": "/",
    "pow": "**",
    "__rpow__": "**",
    "matmul": "@",
    "add_": "+=",
    "sub_": "-=",
    "mul_": "*=",
    "div_": "/=",
    "eq": "==",
    "__eq__": "==",
    "ne": "!=",
    "__ne__": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "__getitem__": "[]",
    "__setitem__": "[]=",
}
_PLAIN_TYPES = (Tensor, Parameter)


def function_name(func: Callable[..., Any]) -> str | None:
    """`func` as a reader of the code would write it; None for what only asks (`x.shape`)."""
    name = func.__name__
    if name == "__get__":  # a property
        name = func.__self__.__name__  # type: ignore[attr-defined]
        return f"Tensor.{name}" if name in {"T", "mT", "H", "mH", "real", "imag"} else None
    if name in {"_set_grad_enabled", "__set__"}:
        return None
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    module = getattr(func, "__module__", None) or ""
    if hasattr(func, "__objclass__") or module == "torch._tensor":
        return f"Tensor.{name}"
    if module == "torch.nn.functional" or getattr(torch.nn.functional, name, None) is func:
        return f"F.{name}"
    if module.startswith("torch._C._"):  # fft_fftn, linalg_norm, special_expit
        package, _, short = name.partition("_")
        return f"torch.{package}.{short}"
    return f"torch.{name}"


def _spell(argument: Any) -> str:
    """An argument that is no tensor, the same on every device."""
    if argument is None or isinstance(argument, (bool, int, float, str)):
        return str(argument)
    if isinstance(argument, (tuple, list)):
        return f"({', '.join(map(_spell, argument))})"
    if isinstance(argument, Tensor):
        return "…"
    if isinstance(argument, torch.dtype):
        return str(argument).removeprefix("torch.")
    if isinstance(argument, slice):
        ends = ("" if end is None else _spell(end) for end in (argument.start, argument.stop))
        return ":".join(ends) + (f":{argument.step}" if argument.step is not None else "")
    return "..." if argument is Ellipsis else type(argument).__name__


def _detail(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The arguments of a function that are no tensors, as they were written."""
    words = [
        _spell(value)
        for value in args
        if value is not None and not isinstance(value, (Tensor, torch.device))
    ]
    for name, value in kwargs.items():
        if name != "device" and not isinstance(value, (Tensor, torch.device)):
            words.append(f"{name}={_spell(value)}")
    return ", ".join(words)


def _versions(tensors: list[Tensor]) -> list[int]:
    """How often each was written to; inference tensors do not tell."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:
        return [0 if tensor.is_inference() else tensor._version for tensor in tensors]


def run(
    rules: Mapping[Any, Callable[..., Any]],
    func: Callable[..., Any],
    types: Iterable[type],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call a function, by its shape rule if there is one that can."""
    rule = None if torch.is_grad_enabled() else rules.get(func)
    if rule is not None and all(kind in _PLAIN_TYPES for kind in types):
        try:
            result = rule(*args, **kwargs)
        except Exception:  # whatever a rule cannot do, valid or not, the real kernel decides
            result = NotImplemented
        if result is not NotImplemented:
            return result
    return func(*args, **kwargs)


class Functions(TorchFunctionMode):
    """Records every function that takes or makes a tensor.

    On meta, functions that have a shape rule never reach torch's kernels.
    """

    def __init__(self, tensors: Tensors, calls: Calls, *, meta: bool) -> None:
        super().__init__()
        self.ops: list[Op] = []
        self._tensors = tensors
        self._calls = calls
        self._rules = RULES if meta else {}
        self._names: dict[Any, str | None] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run `func` and record it."""
        kwargs = kwargs or {}
        try:
            name = self._names[func]
        except KeyError:
            name = self._names[func] = function_name(func)
        if name is None:
            return func(*args, **kwargs)
        inputs = leaves((args, *kwargs.values()))
        versions = _versions(inputs)
        try:
            result = run(self._rules, func, types, args, kwargs)
        except Exception as error:
            self._calls.fail(error, name, [self._tensors.spec(tensor) for tensor in inputs])
            raise
        outputs = leaves(result)
        written: list[Tensor] = []
        now = _versions(inputs)
        if now != versions:
            written = [t for t, v, old in zip(inputs, now, versions, strict=True) if v != old]
        if outputs or written:
            done = work(func, result, args, kwargs)
            self._record(name, inputs, outputs, written, _detail(args, kwargs), done)
        return result

    def _record(
        self,
        name: str,
        inputs: list[Tensor],
        outputs: list[Tensor],
        written: list[Tensor],
        detail: str,
        done: Work,
    ) -> None:
        tensors = self._tensors
        taken = tuple(tensors.see(tensor) for tensor in inputs)
        clock = tensors.tick()
        index = len(self.ops)
        given = [tensors.made(tensor, index, written=True) for tensor in written]
        for tensor in outputs:
            # A tensor that was given and not written to is handed through: no new value.
            known = tensors.find(tensor) if any(tensor is other for other in inputs) else None
            if known is None and not written and "dropout" in name:
                # So does dropout in eval mode, though at times as a view of what it was given.
                known = tensors.handed_through(tensor, inputs[0])
            if known is None:
                known = tensors.made(tensor, index)
            if known not in given:
                given.append(known)
        call = self._calls.current
        self.ops.append(
            Op(name, call, clock, taken, tuple(given), detail, done.macs, done.attention)
        )
