"""Real runs: how long each block takes, and on a GPU how much memory."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from unetscope.errors import UnetscopeError
from unetscope.record import MeasuredMemory, Measurement
from unetscope.tracing.contents import leaves
from unetscope.turns import of_this_thread

WARM_UP = 2
R = TypeVar("R")
T = TypeVar("T")


def fill(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Give weights and inputs small random values, always the same.

    Memory that was never written is faster to read, and zeros are faster to multiply.
    """
    tensors = [*model.parameters(), *model.buffers(), *leaves(args, kwargs)]
    with torch.no_grad():
        for tensor in tensors:
            if tensor.is_floating_point():
                generator = torch.Generator(tensor.device).manual_seed(0)
                # Not every element type can be drawn.
                drawn = torch.empty(tensor.shape, device=tensor.device, dtype=torch.float32)
                tensor.copy_(drawn.uniform_(-0.03, 0.03, generator=generator))


def measure(
    model: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    blocks: Sequence[str],
    *,
    runs: int,
    done: Callable[[], None] = lambda: None,
) -> Measurement:
    """Run `model(*args, **kwargs)` for real and time each block, on CUDA also its memory.

    Args:
        model: in eval mode.
        args: positional inputs, on the model's device.
        kwargs: inputs by name, on the model's device.
        blocks: the paths of the blocks, in the order of their calls.
        runs: timed passes, after `WARM_UP` others.
        done: called after each pass; there are `passes(device, runs)`.

    Raises:
        UnetscopeError: the network cannot run here, or calls other blocks.
    """
    # A network without weights is as its inputs are.
    weight = next(iter((*model.parameters(), *leaves(args, kwargs))), torch.empty(0))
    device = weight.device
    on_cuda = device.type == "cuda"
    measuring = _Passes(model, args, kwargs, blocks, done)
    try:
        with torch.no_grad(), torch.cuda.device(device) if on_cuda else nullcontext():
            return (_on_cuda if on_cuda else _on_cpu)(measuring, runs, weight)
    except RuntimeError as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UnetscopeError(f"the network cannot run on {device}: {reason}") from error


def passes(device: str, runs: int) -> int:
    """How often `measure` runs a network."""
    return WARM_UP + runs + device.startswith("cuda")


def _on_cpu(measuring: _Passes, runs: int, weight: torch.Tensor) -> Measurement:
    for _ in range(WARM_UP):
        measuring.run(perf_counter)
    timed = [measuring.run(perf_counter).between(_difference) for _ in range(runs)]
    device = f"cpu ({torch.get_num_threads()} threads)"
    return _summary(timed, device, weight)


def _on_cuda(measuring: _Passes, runs: int, weight: torch.Tensor) -> Measurement:
    held = torch.cuda.memory_allocated()
    for _ in range(WARM_UP):
        measuring.run(_event)
    memory = _memory(measuring, held)
    timed = []
    for _ in range(runs):
        readings = measuring.run(_event)
        torch.cuda.synchronize()
        timed.append(readings.between(_elapsed))
    return _summary(timed, torch.cuda.get_device_name(), weight, memory)


def _memory(measuring: _Passes, held: int) -> MeasuredMemory:
    """The peaks of one pass; `held` are the bytes of weights and inputs.

    Allocation follows the calls in Python, not the kernels: nothing has to be waited for.
    """
    gc.collect()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    readings = measuring.run(_peak_since_the_last)
    inside = readings.between(lambda _, peak: peak - before)
    return MeasuredMemory(
        held=before,
        workspace=before - held,
        peak=max(readings.all) - before,
        blocks=inside.blocks,
    )


def _peak_since_the_last() -> int:
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return peak


def _event() -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record()
    return event


def _elapsed(begin: torch.cuda.Event, end: torch.cuda.Event) -> float:
    return float(begin.elapsed_time(end)) / 1000


def _difference(begin: float, end: float) -> float:
    return end - begin


@dataclass(frozen=True)
class _Between(Generic[R]):
    """What lies between two readings: of the whole pass, and of each block."""

    whole: R
    blocks: tuple[R, ...]


@dataclass(frozen=True)
class _Readings(Generic[R]):
    """What was read when a pass began and ended, and when each block did."""

    begin: R
    blocks: Sequence[tuple[R, R]]
    end: R

    @property
    def all(self) -> list[R]:
        """Every reading, in order."""
        return [self.begin, *(reading for pair in self.blocks for reading in pair), self.end]

    def between(self, difference: Callable[[R, R], T]) -> _Between[T]:
        """The whole pass and its blocks, by what differs between two readings."""
        blocks = tuple(difference(begin, end) for begin, end in self.blocks)
        return _Between(difference(self.begin, self.end), blocks)


class _Passes:
    """Passes of one network, with a reading at the beginning and the end of each block."""

    def __init__(
        self,
        model: nn.Module,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        blocks: Sequence[str],
        done: Callable[[], None],
    ) -> None:
        self._model, self._args, self._kwargs = model, args, kwargs
        self._blocks, self._done = list(blocks), done

    def run(self, read: Callable[[], R]) -> _Readings[R]:
        """One pass.

        Raises:
            UnetscopeError: its blocks are not those that were expected.
        """
        called: list[str] = []
        read_at: list[R] = []
        with self._hooked(called, read_at, read):
            begin = read()
            output = self._model(*self._args, **self._kwargs)
            end = read()
        del output
        if called != self._blocks:
            raise UnetscopeError("the network calls other blocks than when it was traced")
        self._done()
        return _Readings(begin, list(zip(read_at[::2], read_at[1::2], strict=True)), end)

    @contextmanager
    def _hooked(self, called: list[str], read_at: list[R], read: Callable[[], R]) -> Iterator[None]:
        def hooks(path: str) -> tuple[Callable[..., None], Callable[..., None]]:
            @of_this_thread
            def begin(*_: Any) -> None:
                called.append(path)
                read_at.append(read())

            @of_this_thread
            def end(*_: Any) -> None:
                read_at.append(read())

            return begin, end

        handles = []
        try:
            for path in dict.fromkeys(self._blocks):
                begin, end = hooks(path)
                module = self._model.get_submodule(path)
                handles.append(module.register_forward_pre_hook(begin))
                handles.append(module.register_forward_hook(end))
            yield
        finally:
            for handle in handles:
                handle.remove()


def _summary(
    timed: Sequence[_Between[float]],
    device: str,
    weight: torch.Tensor,
    memory: MeasuredMemory | None = None,
) -> Measurement:
    return Measurement(
        device=device,
        dtype=str(weight.dtype).removeprefix("torch."),
        warm_up=WARM_UP,
        runs=len(timed),
        seconds=median(run.whole for run in timed),
        blocks=tuple(median(times) for times in zip(*(run.blocks for run in timed), strict=True)),
        memory=memory,
    )
