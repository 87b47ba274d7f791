"""From a trace to its lock: what of a pass stays the same however often it is run.

The sizes of a pass (batch, height, width, tokens) stand in the lock's inputs, outputs and skips;
what a body does is digested without them, so that a pass at another size has the same functions.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from hashlib import sha256
from typing import Any

from unetscope.analysis.cost import Cost
from unetscope.analysis.memory import activation_peak
from unetscope.analysis.network import Network
from unetscope.errors import UnetscopeError
from unetscope.lock import (
    CONSTANT,
    OUTSIDE,
    RETURN,
    Lock,
    LockedModule,
    LockedSkip,
    LockedTensor,
    Totals,
    entry,
    named,
)
from unetscope.ops import OpKind, operation
from unetscope.record import Op, Parameter, Step, Trace

_DIGITS = 10
"""Hexadecimal digits of a digest: one network has some hundred bodies at most."""

_MARKS = re.compile(r"[\s,=]")
_SIZE = re.compile(r"\bsize=\([^)]*\)")
_WHOLE = re.compile(r"(?<![\w.])(-?\d+)\.0(?![\w.])")
_DEFAULT = re.compile(r"\b(\w+=(None|False)|dropout_p=0|start=0)(, |$)|\b(dtype|end)=")
_DIMS = re.compile(r"\([^()]*\)(, )?|(?<![\w.=-])-?\d+(?![\w.])(, )?")


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
    tensors = {
        f"{module.path}.{tensor.name}".lstrip(".")
        for module in network.trace.modules
        for tensor in (*module.parameters, *module.buffers)
    }
    for call, step in enumerate(network.trace.steps):
        body = tuple(_Body(network, call, tensors).entries)
        key = sha256("\n".join(body).encode()).hexdigest()[:_DIGITS]
        functions.setdefault(key, body)
        bodies.setdefault(step.module, []).append(key)
    return bodies, functions


class _Body:
    """What ran in the body of one call, as a lock writes it.

    Attributes:
        entries: one for each function and each call, in order, and one for what is returned.
    """

    def __init__(self, network: Network, call: int, tensors: Container[str]) -> None:
        self._trace = network.trace
        self._step = network.step(call)
        self._tensors = tensors
        self._names: dict[int, str] = {}
        self.entries: list[str] = []
        for argument in self._step.inputs:
            self._names.setdefault(argument.value, _plain(argument.name))
        events: list[tuple[int, Op | Step]] = [
            *((op.clock, op) for op in map(self._trace.ops.__getitem__, network.ops[call])),
            *((step.start, step) for step in map(network.step, network.children[call])),
        ]
        for _, event in sorted(events, key=lambda event: event[0]):
            if isinstance(event, Step):
                taken = [f"{_plain(a.name)}={self._name(a.value)}" for a in event.inputs]
                self._add(named(self._step.module, event.module), taken, event.outputs)
            elif _changes_nothing(event):
                for value in event.outputs:
                    self._names.setdefault(value, self._name(event.inputs[0]))
            else:
                self._add(_function(event), map(self._name, event.inputs), event.outputs)
        self._add(RETURN, map(self._name, self._step.outputs), ())

    def _add(self, text: str, operands: Iterable[str], outputs: Sequence[int]) -> None:
        number = len(self.entries)
        self.entries.append(entry(text, operands))
        for place, value in enumerate(outputs):
            name = f"{number}.{place}" if len(outputs) > 1 else f"{number}"
            self._names.setdefault(value, name)

    def _name(self, value: int) -> str:
        """How the body refers to a value."""
        if value in self._names:
            return self._names[value]
        source = self._trace.values[value].source
        if source is not None and source in self._tensors:
            return named(self._step.module, source)
        made = source is not None or self._trace.values[value].op is not None
        return OUTSIDE if made else CONSTANT


def _changes_nothing(op: Op) -> bool:
    """Whether a function returns what it is given, maybe elsewhere in memory."""
    row = operation(op.name)
    handed_through = set(op.outputs) <= set(op.inputs)
    return row.kind is OpKind.COPY or (row.kind is OpKind.DROPOUT and handed_through)


def _once(keys: list[str]) -> tuple[str, ...]:
    return tuple(keys[:1] if len(set(keys)) == 1 else keys)


def _plain(name: str) -> str:
    """The name of an argument, which may come from any dict, without what sets off operands."""
    return _MARKS.sub("_", name)


def _function(op: Op) -> str:
    """`torch.cat(dim=1)`, the same however it was written: `1.0` for `1`, defaults spelled out."""
    detail = _DIMS.sub("", op.detail) if operation(op.name).sized else op.detail
    detail = _WHOLE.sub(r"\1", _SIZE.sub("size=given", detail))
    detail = _DEFAULT.sub("", detail).strip(" ,")
    return f"{op.name}({detail})" if detail else op.name


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
                function=None if made_by is None else _function(made_by),
            )
        )
    return tuple(found)
