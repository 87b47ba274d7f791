"""The modules of a network: what they are before anything runs.

Some have an inside that Python does not run as it is written: compiled, scripted, replicated.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from unetscope.errors import UnetscopeError
from unetscope.record import ModuleRecord, Parameter, Setting
from unetscope.tracing.contents import PLAIN_TYPES, named_leaves
from unetscope.tracing.tensors import Tensors

_PLAIN = (bool, int, float, str, type(None))
_FINITE = frozenset({bool, int, str, type(None)})
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
def inference(modules: Iterable[nn.Module], device: torch.device) -> Iterator[None]:
    """No gradients, eval mode; modes and the random state of `device` are restored afterwards."""
    training = [module for module in modules if module.training]
    random_state = torch.get_rng_state()
    cuda_state = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    try:
        for module in training:
            module.training = False
        with torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True
        torch.set_rng_state(random_state)
        if cuda_state is not None:
            torch.cuda.set_rng_state(cuda_state, device)


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


def names_of_tensors(paths: Mapping[nn.Module, str]) -> dict[int, str]:
    """The name of each tensor that a module holds, by id; a shared one has its first name.

    Parameters and buffers come first, then tensors that are plain attributes, or in lists and dicts
    that are.
    """
    names: dict[int, str] = {}
    own = vars(nn.Module())
    plain: dict[int, str] = {}
    for module, path in paths.items():
        prefix = f"{path}." if path else ""
        for name, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is not None:
                names.setdefault(id(tensor), prefix + name)
        for name, value in vars(module).items():
            if type(value) in PLAIN_TYPES or name in own:
                continue
            if isinstance(value, (tuple, list)) and all(type(v) in PLAIN_TYPES for v in value):
                continue
            if isinstance(value, (Tensor, list, tuple, dict)):
                for inner, tensor in named_leaves(value, prefix + name):
                    plain.setdefault(id(tensor), inner)
    return plain | names


def records(
    paths: Mapping[nn.Module, str], names: Mapping[int, str], tensors: Tensors
) -> tuple[ModuleRecord, ...]:
    """What the modules are, before anything runs."""

    def own(
        path: str, held: Mapping[str, Tensor | None], unsaved: Container[str] = ()
    ) -> tuple[Parameter, ...]:
        found = []
        for name, tensor in held.items():
            if tensor is not None:
                first = names[id(tensor)]
                tied = None if first == (f"{path}.{name}" if path else name) else first
                spec, persistent = tensors.spec(tensor), name not in unsaved
                found.append(Parameter(name, spec, tied, persistent))
        return tuple(found)

    return tuple(
        ModuleRecord(
            path,
            type(module).__name__,
            attributes(module),
            own(path, module._parameters),
            own(path, module._buffers, module._non_persistent_buffers_set),
        )
        for module, path in paths.items()
    )


def attributes(module: nn.Module) -> dict[str, Setting | tuple[Setting, ...]]:
    """Plain settings of a module, such as `kernel_size`, `groups`, `eps` and `heads`.

    torch's own layers list them in `__constants__`; of other modules every public
    attribute counts that is a number, a string, a flag, or a tuple or list of them.
    """
    own = vars(module)
    torch_layer = type(module).__module__.startswith("torch.nn")
    names = getattr(module, "__constants__", ()) if torch_layer else own
    found: dict[str, Setting | tuple[Setting, ...]] = {}
    for name in names:
        if name in own and not name.startswith("_") and name != "training":
            value = own[name]
            if type(value) in _FINITE:
                found[name] = value
            elif isinstance(value, _PLAIN):
                found[name] = _finite(value)
            elif isinstance(value, (tuple, list)) and all(isinstance(v, _PLAIN) for v in value):
                found[name] = tuple(map(_finite, value))
    return found


def _finite(value: Setting) -> Setting:
    """JSON has no infinity and no NaN: those are spelled."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
