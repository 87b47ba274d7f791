"""Modules whose inside Python does not run as it is written: compiled, scripted, replicated."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from unetscope.errors import UnetscopeError

_REPLICATING = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def unwrapped(model: nn.Module) -> nn.Module:
    """What `torch.compile` or a data-parallel wrapper was given: the network itself."""
    if isinstance(model, _compiled()):
        return unwrapped(model._orig_mod)
    return unwrapped(model.module) if isinstance(model, _REPLICATING) else model


def refuse_hidden(modules: Mapping[nn.Module, str]) -> None:
    """See that all calls will be seen.

    Args:
        modules: with their paths.

    Raises:
        UnetscopeError: there is a module whose inside runs outside Python, or in threads.
    """
    for module, path in modules.items():
        name = f"`{path}`" if path else "the network"
        if isinstance(module, torch.jit.ScriptModule):
            raise UnetscopeError(
                f"{name} is a ScriptModule: what happens inside runs outside Python",
                hint="trace the module that it was made from",
            )
        if isinstance(module, nn.DataParallel) and len(module.device_ids) > 1:
            raise UnetscopeError(
                f"{name} is copied to {len(module.device_ids)} devices in each pass",
                hint="trace the module that it wraps",
            )


@contextmanager
def eager() -> Iterator[None]:
    """Run what is compiled as it was written."""
    if "torch._dynamo" not in sys.modules:  # nothing is
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _compiled() -> tuple[type[Any], ...]:
    """The class of compiled modules; importing it would take a second."""
    dynamo = sys.modules.get("torch._dynamo.eval_frame")
    return () if dynamo is None else (dynamo.OptimizedModule,)
