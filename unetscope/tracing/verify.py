"""Real runs with equal weights: whether two networks compute the same.

Weights and inputs are drawn by key, so that only one network has to be in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from math import inf, sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as everywhere

from unetscope.analysis.diff import ComparedOutput
from unetscope.analysis.diff.verified import Keys
from unetscope.errors import UnetscopeError
from unetscope.tracing.calls import arguments
from unetscope.tracing.contents import leaves
from unetscope.tracing.modules import eager, unwrapped
from unetscope.turns import of_this_thread, turn


@dataclass(frozen=True)
class Precision:
    """How a run in some element type is judged.

    Attributes:
        tolerance: the largest relative difference that is called rounding.
        share: the most that a run may take of the memory that is free.
    """

    tolerance: float
    share: float


PRECISIONS = {"float64": Precision(1e-6, 0.5), "float32": Precision(1e-4, 0.9)}
"""By element type, the better first.

Written in another way, attention and norms move the output of Stable Diffusion 1.5 by 1e-14 in
float64 and by 3e-6 in float32. The tolerances leave room for what code computes in float32 whatever
it is given, such as the frequencies of time embeddings.
"""


@dataclass(frozen=True)
class Run:
    """What one network computed.

    Attributes:
        outputs: on the CPU.
        fixed: the tensors that were not drawn, buffers above all, by name: a digest of the values
            that the network's code gave them.
    """

    outputs: tuple[Tensor, ...]
    fixed: Mapping[str, str]


@turn()
def run(
    model: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    keys: Keys,
    *,
    dtype: str,
    blocks: Collection[str] = (),
    done: Callable[[], None] = lambda: None,
) -> Run:
    """Draw weights and inputs, and run `model(*args, **kwargs)` in eval mode without gradients.

    Args:
        model: with the buffers that its code computes; its weights are lost.
        args: positional inputs, whose values are lost; on the model's device, as `kwargs` are.
        kwargs: inputs by name.
        keys: of weights and inputs.
        dtype: of all floating-point weights and buffers.
        blocks: paths of modules that take most of the time.
        done: called after the weights are there, and after each call of a block.

    Raises:
        UnetscopeError: it failed; the message says in which module.
    """
    model = unwrapped(model)
    paths = {module: path for path, module in model.named_modules()}
    for module in paths:
        module.training = False
    running: list[nn.Module] = []
    try:
        with torch.no_grad(), eager():
            fixed = _fill(model, keys.tensors, getattr(torch, dtype))
            for name, tensor in arguments(model, args, kwargs):
                _draw_input(tensor, keys.inputs.get(name, name))
            done()
            with _followed(running, {m for m, path in paths.items() if path in blocks}, done):
                outputs = leaves(model(*args, **kwargs))
    except Exception as error:
        inner = paths.get(running[-1], "") if running else ""
        said = (str(error) or "no message").splitlines()[0]
        where = f"`{inner}`" if inner else "the network"
        raise UnetscopeError(f"in {where}: {type(error).__name__}: {said}") from error
    return Run(tuple(output.detach().cpu() for output in outputs), fixed)


def _fill(model: nn.Module, keys: Mapping[str, str], dtype: torch.dtype) -> dict[str, str]:
    """Draw what can be drawn, and cast the rest; returns the digests of the rest."""
    fixed = {name: _digest(buffer) for name, buffer in model.named_buffers()}
    for name, parameter in model.named_parameters():
        if parameter.is_complex():
            values = _weight(name, parameter.shape, keys.get(name, name))
            parameter.copy_(values * (1 + 0.5j))
        elif parameter.is_floating_point():
            values = _weight(name, parameter.shape, keys.get(name, name))
            parameter.data = values.to(parameter.device, dtype)
        else:
            fixed[name] = _digest(parameter)
    for buffer in model.buffers():
        if buffer.is_floating_point():
            buffer.data = buffer.to(dtype)
    return fixed


def _weight(name: str, shape: Sequence[int], key: str) -> Tensor:
    """Values that keep activations near 1 and hide no branch: none are zero, few are equal.

    What scales (norms' weights, scalars) is near 1, biases are small, and a matrix or kernel keeps
    the variance of what it multiplies.
    """
    own = name.rpartition(".")[2]
    drawn = torch.empty(tuple(shape), dtype=torch.float32, device="cpu")
    drawn.uniform_(-1, 1, generator=_generator(key))
    if "bias" in own:
        return drawn.mul_(0.1)
    is_vector = drawn.dim() < 2 or (own != "weight" and drawn.numel() == max(drawn.shape))
    if is_vector:
        return drawn.mul_(0.25).add_(1)
    return drawn.mul_(sqrt(3 * drawn.shape[0] / max(drawn.numel(), 1)))


def _draw_input(tensor: Tensor, key: str) -> None:
    """Numbers from a normal distribution; whole ones and flags are 1 and 0 in turns.

    So they are times, classes and indices that every network knows.
    """
    if tensor.is_floating_point() or tensor.is_complex():
        kind = torch.complex64 if tensor.is_complex() else torch.float32
        drawn = torch.empty(tensor.shape, dtype=kind, device="cpu")
        tensor.copy_(drawn.normal_(generator=_generator(f"input {key}")))
    else:
        tensor.copy_((torch.arange(tensor.numel()) + 1).remainder(2).reshape(tensor.shape))


def _generator(key: str) -> torch.Generator:
    seed = int.from_bytes(sha256(key.encode()).digest()[:7], "big")
    return torch.Generator("cpu").manual_seed(seed)


def _digest(tensor: Tensor) -> str:
    """The shape and the values of a tensor, whatever its type."""
    values = tensor.detach().to("cpu", torch.complex128 if tensor.is_complex() else torch.float64)
    return sha256(f"{tuple(values.shape)}".encode() + values.numpy().tobytes()).hexdigest()


@contextmanager
def _followed(
    running: list[nn.Module], blocks: Collection[nn.Module], done: Callable[[], None]
) -> Iterator[None]:
    """Keep in `running` the modules that run, the innermost last; tell when a block has ended."""

    @of_this_thread
    def begin(module: nn.Module, *_: Any) -> None:
        running.append(module)

    @of_this_thread
    def end(module: nn.Module, *_: Any) -> None:
        while running and running.pop() is not module:
            pass  # what failed within it, and was caught there
        if module in blocks:
            done()

    handles = [
        everywhere.register_module_forward_pre_hook(begin),
        everywhere.register_module_forward_hook(end),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def steady(device: str) -> Iterator[None]:
    """The same random numbers each time, and no products of reduced precision on a GPU.

    Code that draws numbers, where it is built or run, so draws the same ones in both networks.
    """
    gpus = [torch.device(device)] if device.startswith("cuda") else []
    with turn(), torch.random.fork_rng(gpus), _exact() if gpus else nullcontext():
        torch.manual_seed(0)
        yield


@contextmanager
def _exact() -> Iterator[None]:
    """No products of reduced precision on a GPU."""
    products, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions


def compared(old: Sequence[Tensor], new: Sequence[Tensor]) -> tuple[ComparedOutput, ...]:
    """The outputs of two networks, one by one.

    Raises:
        UnetscopeError: one is finite on neither side, so that nothing can be said.
    """
    found = []
    for index in range(max(len(old), len(new))):
        name = f"output.{index}"
        before, after = (side[index] if index < len(side) else None for side in (old, new))
        if before is None or after is None or before.shape != after.shape:
            old_shape, new_shape = (t if t is None else tuple(t.shape) for t in (before, after))
            found.append(ComparedOutput(name, old_shape, new_shape))
            continue
        shape = tuple(before.shape)
        constant = before.numel() > 1 and all((t == t.flatten()[0]).all() for t in (before, after))
        difference = _difference(name, before, after)
        found.append(ComparedOutput(name, shape, shape, difference, constant))
    return tuple(found)


def _difference(name: str, old: Tensor, new: Tensor) -> float:
    wide = torch.complex128 if old.is_complex() or new.is_complex() else torch.float64
    old, new = old.to(wide), new.to(wide)
    finite = [bool(side.isfinite().all()) for side in (old, new)]
    if not any(finite):
        raise UnetscopeError(
            f"`{name}` is not finite in either network, so that the results cannot be compared",
            hint="nothing is known of inputs that a network works with: those here are random",
        )
    if not all(finite):
        return inf
    if not old.numel():
        return 0.0
    largest = max(float(old.abs().max()), float(new.abs().max()))
    return float((old - new).abs().max()) / largest if largest else 0.0
