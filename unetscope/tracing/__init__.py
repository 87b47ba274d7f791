"""One forward pass over any `nn.Module`, recorded as a `Trace`.

On the meta device shape rules stand in for torch's kernels (see `tracing.shapes`). Set the
environment variable `UNETSCOPE_VERIFY_SHAPES` to 1 to run both and to compare them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from unetscope.analysis.skips import find_skips
from unetscope.errors import ForwardError, UnetscopeError
from unetscope.record import Failure, Provenance, Trace
from unetscope.tracing.calls import Calls
from unetscope.tracing.contents import contents, leaves
from unetscope.tracing.functions import Functions
from unetscope.tracing.lazy import settled
from unetscope.tracing.modules import (
    eager,
    inference,
    names_of_tensors,
    records,
    refuse_hidden,
    unwrapped,
)
from unetscope.tracing.recording import Recording
from unetscope.tracing.shapes import WrongShapeRuleError
from unetscope.tracing.tensors import Tensors, dated
from unetscope.turns import turn
from unetscope.version import __version__

_running: list[str] = []
"""The class of the network whose pass is recorded now, in the thread that has its turn."""


def trace(
    model: nn.Module,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    config: Mapping[str, Any] | None = None,
    reference: str = "",
    overrides: Sequence[str] = (),
    arguments: str = "",
) -> Trace:
    """Run `model(*args, **kwargs)` once, without gradients and in eval mode, and record it.

    The model, torch's modes and the random state are left as they were, also after an error. One
    trace runs at a time: those of other threads wait. What other threads do meanwhile is not
    recorded, but where they run the same model they find it in eval mode.

    What is compiled runs as it was written, and of a compiled or data-parallel model the network
    inside is traced. Lazy modules stay lazy: a copy of the model runs twice, since the first run
    gives them their shapes.

    Args:
        model: any module; on the meta device nothing is computed and nothing allocated.
        args: positional inputs: tensors, or containers and objects that hold them at any depth, or
            anything else.
        kwargs: keyword inputs, of the same kinds.
        name: what to call the model; its class by default.
        config: the config it was built from, as plain values.
        reference: that config, or the code, as the user named it.
        overrides: what changed that config, as the user wrote it.
        arguments: what the code was given to build the network, in YAML.

    Raises:
        ForwardError: `forward` failed; the error holds the partial trace.
        UnetscopeError: it holds modules whose inside cannot be seen, such as scripted ones, or
            lazy ones that do not get a shape; or this is called within another trace.
        WrongShapeRuleError: shape rules are verified, and one is wrong.
    """
    model = unwrapped(model)
    name = name or type(model).__name__
    made = Provenance("", "", __version__, reference, tuple(overrides), arguments)
    with _alone(type(model).__name__):
        return _recorded(model, args, dict(kwargs or {}), name, dict(config or {}), made)


def _recorded(
    model: nn.Module,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    name: str,
    config: dict[str, Any],
    made: Provenance,
) -> Trace:
    """What `trace` does, with all that threads share to itself."""
    model = settled(model, args, kwargs)
    device = next((t.device for t in leaves(args, kwargs)), torch.device("cpu"))
    paths = {module: path for path, module in model.named_modules()}
    refuse_hidden(paths)
    names = names_of_tensors(paths)
    tensors = Tensors(names)
    calls = Calls(paths, tensors)
    with _collection_paused(device), dated() as is_new:
        recording = Recording(tensors, calls, is_new)
        modules = records(paths, names, tensors)
        failure: Failure | None = None
        error: Exception | None = None
        outputs: tuple[int, ...] = ()
        with inference(paths, device), calls.watch(), eager():
            try:
                with Functions(recording, meta=device.type == "meta"):
                    result = model(*args, **kwargs)
            except WrongShapeRuleError:
                raise
            except Exception as caught:
                error, failure = caught, calls.failure(caught)
            else:
                held = contents(result, "return", tensors.find).tensors
                outputs = tuple(tensors.see(tensor) for _, tensor in held)
        steps, ops, values = calls.steps(), tuple(recording.ops), tensors.values()
        inputs = steps[0].inputs if steps else ()
        record = Trace(
            name=name,
            modules=modules,
            steps=steps,
            ops=ops,
            values=values,
            storages=tensors.storages(),
            ragged=tensors.ragged(),
            skips=(),
            inputs=inputs,
            outputs=outputs,
            config=config,
            failure=failure,
            provenance=replace(made, torch=str(torch.__version__), device=str(device)),
        )
        record = replace(record, skips=find_skips(record))
    if failure is not None:
        raise ForwardError(_explain(failure), trace=record) from error
    return record


@contextmanager
def _alone(network: str) -> Iterator[None]:
    """Record one pass at a time, and none within another: both would change the same modules."""
    with turn():
        if _running:
            raise UnetscopeError(
                f"expected one trace at a time, found one of {network} within that of "
                f"{_running[0]}: its `forward` or a hook makes it"
            )
        _running.append(network)
        try:
            yield
        finally:
            _running.pop()


@contextmanager
def _collection_paused(device: torch.device) -> Iterator[None]:
    """Leave garbage uncollected on meta, where there is little.

    Otherwise Python searches the growing record again and again, which doubles the time of a pass.
    """
    if device.type != "meta" or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _explain(failure: Failure) -> str:
    where = f"`{failure.module}`" if failure.module else "the network"
    what = f" in `{failure.op}`" if failure.op else ""
    shapes = ", ".join(str(list(spec.shape)) for spec in failure.inputs)
    given = f" given {shapes}" if shapes else ""
    return f"{where} failed{what}{given}: {failure.message}"
