"""From a trace to its lock: what of a pass stays the same however often it is run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unetscope.analysis.bodies import body, function
from unetscope.analysis.cost import Cost
from unetscope.analysis.memory import activation_peak
from unetscope.analysis.network import Network
from unetscope.analysis.skips import added
from unetscope.errors import UnetscopeError
from unetscope.lock import (
    Lock,
    LockedModule,
    LockedSkip,
    LockedTensor,
    Totals,
    body_key,
)
from unetscope.record import Parameter, Trace


def digest(trace: Trace) -> Lock:
    """The lock of a trace.

    Raises:
        UnetscopeError: the pass failed.
    """
    if trace.failure is not None:
        raise UnetscopeError(
            f"the pass failed in `{trace.failure.module}`: {trace.failure.message}",
            hint="only a network that runs can be locked",
        )
    network = Network(trace)
    cost = Cost(network)
    bodies, functions = _bodies(network)
    run = trace.provenance
    return Lock(
        name=trace.name,
        config=trace.config,
        inputs=tuple(_value(trace, a.name, a.value) for a in trace.inputs),
        outputs=tuple(_value(trace, f"output.{i}", v) for i, v in enumerate(trace.outputs)),
        totals=Totals(trace.total_params, cost.total, activation_peak(trace).nbytes),
        macs=cost.by_kind(),
        uncounted=dict(sorted(cost.unknown.items())),
        blocks=tuple(dict.fromkeys(map(network.path, network.blocks))),
        modules=tuple(
            LockedModule(
                module.path,
                module.kind,
                module.attributes,
                _once(bodies.get(module.path, [])),
                len(bodies.get(module.path, [])),
            )
            for module in trace.modules
        ),
        tensors=tuple(
            _tensor(module.path, tensor, buffer=buffer)
            for module in trace.modules
            for buffer, held in ((False, module.parameters), (True, module.buffers))
            for tensor in held
        ),
        skips=_skips(network),
        functions=functions,
        tools={"unetscope": run.unetscope, "torch": run.torch} if run else {},
    )


def _value(trace: Trace, name: str, value: int) -> LockedTensor:
    spec = trace.values[value].spec
    return LockedTensor(name, spec.shape, spec.dtype)


def _tensor(path: str, tensor: Parameter, *, buffer: bool) -> LockedTensor:
    name = f"{path}.{tensor.name}" if path else tensor.name
    spec = tensor.spec
    return LockedTensor(name, spec.shape, spec.dtype, buffer, tensor.tied_to, tensor.persistent)


def _bodies(network: Network) -> tuple[dict[str, list[str]], dict[str, tuple[str, ...]]]:
    """For each module the digests of its bodies, call by call; and what each digest stands for."""
    bodies: dict[str, list[str]] = {}
    functions: dict[str, tuple[str, ...]] = {}
    for call, step in enumerate(network.trace.steps):
        ran = body(network, call)
        key = body_key(ran)
        functions.setdefault(key, ran)
        bodies.setdefault(step.module, []).append(key)
    return bodies, functions


def _once(keys: list[str]) -> tuple[str, ...]:
    return tuple(keys[:1] if len(set(keys)) == 1 else keys)


def _skips(network: Network) -> tuple[LockedSkip, ...]:
    trace: Any = network.trace
    pushes = {value: index for index, value in enumerate(network.pushed)}
    found = []
    for pop, skip in enumerate(trace.skips):
        value = trace.values[skip.value]
        made_by = None if value.call is not None or value.op is None else trace.ops[value.op]
        consumer, join = network.consumer(skip), network.join(skip)
        inside = "" if join.step is None else network.path(join.step)
        found.append(
            LockedSkip(
                push=pushes[skip.value],
                pop=pop,
                producer=network.graph.module(skip.value),
                consumer=inside if consumer is None else network.path(consumer),
                operand=skip.operand,
                shape=value.spec.shape,
                function=None if made_by is None else function(made_by, network),
                added=tuple(_adders(network, added(network.graph, skip))),
            )
        )
    return tuple(found)


def _adders(network: Network, values: Iterable[int]) -> dict[str, None]:
    """The modules that made values; where a body around the trunk did, those that it had them from.

    So the sum of two ControlNets' residuals has two.
    """
    graph = network.graph
    around = {network.path(call) for call in network.holding(network.trunk)}
    found: dict[str, None] = {}
    for value in values:
        if graph.module(value) in around and any(map(graph.fed, graph.parents[value])):
            found |= _adders(network, filter(graph.fed, graph.parents[value]))
        else:
            found[graph.module(value)] = None
    return found
