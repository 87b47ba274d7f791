"""Where a pass runs: on meta, where nothing is allocated, or for real on cpu, cuda, mps or xpu."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as everywhere

from unetscope.errors import UnetscopeError, did_you_mean
from unetscope.record import TensorSpec
from unetscope.tracing.lazy import moved
from unetscope.turns import turn
from unetscope.wording import shown


def build(make: Callable[[], nn.Module], device: str, dtype: str) -> nn.Module:
    """The module that `make` returns, in eval mode, its weights on `device` in `dtype`.

    Weights are never filled: on meta they do not exist, elsewhere they are whatever the memory
    held, whose pages the system hands out only when they are touched.

    Raises:
        UnetscopeError: no such device here.
    """
    where = _device(device)
    with _default_dtype(dtype), torch.device("meta"):
        model = make()
    # In one walk: `parameters()`, `buffers()` and `eval()` would make several.
    elsewhere = False
    for module in model.modules():
        module.training = False
        for tensor in (*module._parameters.values(), *module._buffers.values()):
            elsewhere = elsewhere or (tensor is not None and not tensor.is_meta)
    if elsewhere:
        model = model.to("meta")  # torch.Tensor([x]) ignores the default device
    return model if where.type == "meta" else model.to_empty(device=where)


def build_as_written(
    make: Callable[[], nn.Module],
    device: str,
    dtype: str,
    retry: Callable[[Exception], None] | None = None,
) -> nn.Module:
    """The module that other people's `make` returns, on `device`.

    Its weights and buffers have the values that it gives them, as its `forward` may read them. On
    meta they have none, and where `make` needs values, it may get them on the CPU first. What is
    made is of `dtype` wherever `make` leaves that open.

    Args:
        make: builds the module.
        device: where its weights are.
        dtype: the default element type.
        retry: is called with an error of meta's own before `make` is tried on the CPU, which takes
            the memory of all weights; without it there is no second try.

    Raises:
        UnetscopeError: no such device here.
    """
    where = _device(device)
    with _default_dtype(dtype):
        if where.type != "meta":
            return moved(make(), where)
        try:
            with torch.device("meta"):
                model = make()
        except Exception as error:
            if retry is None or not lacks_values(error):
                raise
            retry(error)
        else:
            return moved(model, where)
        return moved(make(), where)


def build_unfilled(make: Callable[[], nn.Module], device: str, dtype: str) -> nn.Module:
    """The module that `make` returns, in eval mode, its weights never filled but its buffers are.

    So a network of billions of parameters is there in a moment. `make` must not look at weights.
    Parameters that are never trained are no weights, such as the frequencies of time embeddings.

    Raises:
        UnetscopeError: no such device here.
    """
    where = _device(device)
    with _default_dtype(dtype), _weights_on_meta():
        model = make()
    for module in model.modules():
        for name, weight in module._parameters.items():
            if weight is not None and weight.is_meta:
                module._parameters[name] = nn.Parameter(torch.empty_like(weight, device=where))
    return model.to(where).eval()


@contextmanager
def _weights_on_meta() -> Iterator[None]:
    """Move each parameter that a module is given to meta, if it is to be trained."""
    owner = get_ident()

    def move(_: nn.Module, __: str, weight: nn.Parameter) -> Any:
        moved = weight.is_meta or not weight.requires_grad or get_ident() != owner
        return None if moved else nn.Parameter(weight.to("meta"))

    handle = everywhere.register_module_parameter_registration_hook(move)
    try:
        yield
    finally:
        handle.remove()


_META = re.compile(r"(?<![a-z])meta(?![a-z])|Tensor\.__format__", re.IGNORECASE)
_OF_TORCH = (RuntimeError, TypeError, ValueError)  # NotImplementedError is a RuntimeError


def lacks_values(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, is meta's own: it has no values, or no kernel.

    Such as of `item()`, of a copy out of meta, and of an operation that meta does not know.
    """
    if error is None:
        return False
    is_own = isinstance(error, _OF_TORCH) and _META.search(str(error)) is not None
    return is_own or lacks_values(error.__cause__ or error.__context__)


def zeros(value: Any, device: str, dtype: str | None = None) -> Any:
    """`value` with a tensor of zeros for each `TensorSpec` in it, at any depth.

    Args:
        value: specs in tuples, lists and mappings, or anything else.
        device: where the tensors are; on meta they have no elements.
        dtype: of the floating-point ones; each has its own if it is None.

    Raises:
        UnetscopeError: no such device here, or no such dtype in this torch.
    """
    if isinstance(value, TensorSpec):
        where = _device(device)
        name = dtype if dtype is not None and value.dtype.startswith("float") else value.dtype
        made = torch.empty(value.shape, dtype=_dtype(name), device=where)
        if where.type != "meta":
            # `zero_` does not know every dtype.
            made.untyped_storage().fill_(0)  # type: ignore[attr-defined]
        return made
    if isinstance(value, (tuple, list)):
        return type(value)(zeros(item, device, dtype) for item in value)
    if isinstance(value, Mapping):
        return {name: zeros(item, device, dtype) for name, item in value.items()}
    return value


@contextmanager
def _default_dtype(dtype: str) -> Iterator[None]:
    """Make floating-point tensors of `dtype` where the code does not choose one."""
    with turn():
        default = torch.get_default_dtype()
        torch.set_default_dtype(getattr(torch, dtype))
        try:
            yield
        finally:
            torch.set_default_dtype(default)


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name, None)
    if isinstance(found, torch.dtype):
        return found
    known = [key for key, value in vars(torch).items() if isinstance(value, torch.dtype)]
    raise UnetscopeError(
        f"torch {torch.__version__} has no element type `{name}`",
        hint=did_you_mean(name, known),
    )


def known(name: str) -> str:
    """The name of a device, if there is one.

    Raises:
        UnetscopeError: there is no such device here.
    """
    return str(_device(name))


def _device(name: str) -> torch.device:
    try:
        found = torch.device(name)
    except RuntimeError:
        raise UnetscopeError(
            f"unknown device `{name}`: expected meta, cpu, cuda (cuda:1 …), mps or xpu"
        ) from None
    try:
        torch.empty(0, device=found)
    except Exception as error:  # each backend that is missing raises another
        said = re.split(r"[.\n] |\n", str(error))[0].rstrip(".")
        why = "" if "aten::" in said else f": {shown(said)}"
        raise UnetscopeError(
            f"there is no device `{name}` here{why}",
            hint="`meta` gives the same trace without one, and `cpu` runs for real",
        ) from None
    return found
