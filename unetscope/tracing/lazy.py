"""Lazy modules, whose tensors have no shape until they run for the first time."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy

from unetscope.errors import UnetscopeError
from unetscope.tracing.contents import leaves
from unetscope.tracing.modules import inference
from unetscope.wording import listed

T = TypeVar("T")


def lazy_modules(model: nn.Module) -> list[str]:
    """The paths of the modules that hold a tensor without a shape."""
    return [path for path, module in model.named_modules() if any(_lazy_tensors(module))]


def copied(value: T, model: nn.Module) -> T:
    """A copy of what holds a network, its lazy modules included: torch refuses their buffers."""
    lazy = (held[name] for module in model.modules() for held, name in _lazy_tensors(module))
    return copy.deepcopy(value, {id(tensor): _like(tensor, tensor.data.device) for tensor in lazy})


def moved(model: nn.Module, device: torch.device) -> nn.Module:
    """The network on a device, its lazy modules still lazy: torch empties them on the way to meta.

    What is moved is the network itself, as torch does it.
    """
    lazy = [(*place, place[0][place[1]]) for m in model.modules() for place in _lazy_tensors(m)]
    model = model.to(device)
    for held, name, tensor in lazy:
        held[name] = _like(tensor, device)
    return model


def settled(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> nn.Module:
    """The network itself or, where it has lazy modules, a copy of it that has run once.

    So the network stays lazy, and its inputs are as they were.

    Args:
        model: any module.
        args: positional inputs.
        kwargs: keyword inputs.

    Raises:
        UnetscopeError: it cannot be copied, that run fails, or it does not reach each of them.
    """
    emptied = [path for path, module in model.named_modules() if _is_emptied(module)]
    if emptied:
        raise UnetscopeError(
            f"{_listed(emptied)}: lazy, but `.to('meta')` made its tensors empty",
            hint="build the network under `with torch.device('meta')`, which keeps it lazy",
        )
    lazy = lazy_modules(model)
    if not lazy:
        return model
    are = f"{_listed(lazy)}: lazy, without shapes"
    hint = "run the network once yourself, or build these modules with their sizes"
    try:
        model, args, kwargs = copied((model, args, kwargs), model)
    except Exception as error:
        said = (str(error) or type(error).__name__).partition("\n")[0]
        raise UnetscopeError(f"{are}, and it cannot be copied: {said}", hint=hint) from error
    device = next((tensor.device for tensor in leaves(args, kwargs)), torch.device("cpu"))
    try:
        with inference(model.modules(), device):
            model(*args, **kwargs)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise UnetscopeError(
            f"{are}, and the run that gives them some failed: {said}", hint=hint
        ) from error
    if left := lazy_modules(model):
        raise UnetscopeError(
            f"{_listed(left)}: lazy, and `forward` does not call them, so that they have no shapes",
            hint=hint,
        )
    return model


def _lazy_tensors(module: nn.Module) -> Iterator[tuple[dict[str, Any], str]]:
    """Where a module holds tensors without a shape."""
    held: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
    return ((of, name) for of in held for name, tensor in of.items() if is_lazy(tensor))


def _like(tensor: Tensor, device: torch.device) -> Tensor:
    """Another tensor without a shape."""
    kind: Any = type(tensor)
    made: Tensor = kind(tensor.requires_grad, device=device, dtype=tensor.data.dtype)
    return made


def _is_emptied(module: nn.Module) -> bool:
    """Whether a lazy module that has not run holds tensors that are no longer lazy, but empty."""
    waits = isinstance(module, LazyModuleMixin) and hasattr(module, "_initialize_hook")
    return waits and any(
        tensor is not None and not is_lazy(tensor) and tensor.shape == (0,)
        for tensor in module._parameters.values()
    )


def _listed(paths: Sequence[str]) -> str:
    return listed([path or "the network" for path in paths])
