"""Where a pass runs: on meta, where nothing is allocated, or for real on cpu or cuda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec

DTYPES = ("float32", "float16", "bfloat16")


def build(make: Callable[[], nn.Module], device: str, dtype: str) -> nn.Module:
    """The module that `make` returns, in eval mode, its weights on `device` in `dtype`.

    Weights are never filled: on meta they do not exist, elsewhere they are whatever the memory
    held, whose pages the system hands out only when they are touched.

    Raises:
        UnetscopeError: no such device here.
    """
    where = _device(device)
    default = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device("meta"):
            model = make()
    finally:
        torch.set_default_dtype(default)
    if any(not tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        model = model.to("meta")  # torch.Tensor([x]) does not heed the default device
    if where.type != "meta":
        model = model.to_empty(device=where)
    return model.eval() if model.training else model


def build_as_written(make: Callable[[], nn.Module], device: str, dtype: str) -> nn.Module:
    """The module that other people's `make` returns, on `device`.

    Its weights and buffers have the values that it gives them, as its `forward` may look at them.
    On meta they have none, and where `make` needs values, it gets them on the CPU first. What is
    made is of `dtype` wherever `make` leaves that open.

    Raises:
        UnetscopeError: no such device here.
    """
    where = _device(device)
    default = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        if where.type != "meta":
            return make().to(where)
        try:
            with torch.device("meta"):
                model = make()
        except Exception:  # such as `.item()`, and the CPU tells whether that was all
            model = make()
        return model.to("meta")
    finally:
        torch.set_default_dtype(default)


def zeros(value: Any, device: str) -> Any:
    """`value` with a tensor of zeros for each `TensorSpec` in it, at any depth."""
    if isinstance(value, TensorSpec):
        where, dtype = _device(device), getattr(torch, value.dtype)
        make = torch.empty if where.type == "meta" else torch.zeros
        return make(value.shape, dtype=dtype, device=where)
    if isinstance(value, (tuple, list)):
        return type(value)(zeros(item, device) for item in value)
    if isinstance(value, dict):
        return {name: zeros(item, device) for name, item in value.items()}
    return value


def inputs(
    specs: Mapping[str, TensorSpec | Mapping[str, TensorSpec]], device: str, dtype: str
) -> dict[str, Any]:
    """Zeros for the inputs of a network, floating-point ones in `dtype`."""
    where = _device(device)

    def zeros(spec: TensorSpec) -> Tensor:
        kind = getattr(torch, dtype if spec.dtype.startswith("float") else spec.dtype)
        if where.type == "meta":
            return torch.empty(spec.shape, dtype=kind, device=where)
        return torch.zeros(spec.shape, dtype=kind, device=where)

    return {
        name: zeros(spec)
        if isinstance(spec, TensorSpec)
        else {key: zeros(inner) for key, inner in spec.items()}
        for name, spec in specs.items()
    }


def _device(name: str) -> torch.device:
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UnetscopeError(
            "there is no CUDA device here",
            hint="`--device meta` gives the same trace without one, `--device cpu` runs for real",
        )
    try:
        return torch.device(name)
    except RuntimeError:
        raise UnetscopeError(
            f"unknown device `{name}`: expected meta, cpu or cuda (cuda:1 …)"
        ) from None
