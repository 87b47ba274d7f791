"""How the parameters and multiply-adds of one layer come about, as products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from unetscope.analysis.network import Network
from unetscope.ops import OpKind, operation
from unetscope.record import ModuleRecord, Op, lies_in

Terms = tuple[tuple[int, ...], ...]
"""A sum of products: `((3, 3, 4, 320), (320,))`."""


@dataclass(frozen=True)
class Layer:
    """What a piece of a module costs.

    Attributes:
        name: a module's path, or a function.
        kind: its class; None for a function.
        parameters: how many, those below it too.
        parameter_terms: how they come about; None if it is no single layer.
        macs: multiply-adds of all its calls during one call of the module around it; None if the
            formula of a function in it is not known.
        mac_terms: how they come about; None if it is no single function.
    """

    name: str
    kind: str | None
    parameters: int
    parameter_terms: Terms | None
    macs: int | None
    mac_terms: Terms | None


def parameter_terms(module: ModuleRecord) -> Terms:
    """A product for each parameter that a module owns: kernel, inputs, outputs."""
    owned = [p.spec.shape for p in module.parameters if p.tied_to is None]
    return tuple((*shape[2:], *reversed(shape[:2])) for shape in owned)


def total(terms: Terms) -> int:
    """What a sum of products comes to."""
    return sum(map(prod, terms))


def layers(network: Network, path: str) -> tuple[Layer, ...]:
    """The layers and functions that a module's parameters and multiply-adds are in.

    Of a module that calls others these are the modules that it calls, and functions in its own
    body; calls count by the first call of the module.
    """
    call = next((i for i, s in enumerate(network.trace.steps) if s.module == path), None)
    own, trace = network.modules[path], network.trace
    ops = [] if call is None else [trace.ops[op] for op in network.ops[call]]
    costly = [op for op in ops if op.macs != 0]
    found: list[tuple[int, Layer]] = []
    if own.own_parameters:
        found.append((0, _layer(network, own, own.own_parameters, costly)))
    else:
        found += [
            (op.clock, Layer(op.name, None, 0, None, op.macs, _mac_terms(network, op)))
            for op in costly
        ]
    called: dict[str, list[int]] = {}
    for child in network.children[call] if call is not None else ():
        called.setdefault(network.path(child), []).append(child)
    for other, calls in called.items():
        inside = [op for c in calls for op in _ops(network, c) if op.macs != 0]
        layer = _layer(network, network.modules[other], below(network, other), inside)
        found.append((network.step(calls[0]).start, layer))
    ordered = [layer for _, layer in sorted(found, key=lambda pair: pair[0])]
    ordered += _idle(network, path, called)
    return tuple(layer for layer in ordered if layer.parameters or layer.macs != 0)


def below(network: Network, path: str) -> int:
    """The parameters of a module and of all modules in it."""
    prefix = f"{path}." if path else ""
    return sum(
        module.own_parameters
        for other, module in network.modules.items()
        if other == path or other.startswith(prefix)
    )


def macs(network: Network, call: int) -> int | None:
    """The multiply-adds of a call and of all calls in it."""
    return _sum(_ops(network, call))


def _ops(network: Network, call: int) -> list[Op]:
    """The functions of a call and of all calls in it."""
    return [network.trace.ops[op] for inner in network.below(call) for op in network.ops[inner]]


def _idle(network: Network, path: str, called: dict[str, list[int]]) -> list[Layer]:
    """What holds parameters in a module and is never called from it."""
    prefix = f"{path}." if path else ""
    found = []
    for other, module in network.modules.items():
        if not module.own_parameters or not other.startswith(prefix) or other == path:
            continue
        if not any(lies_in(other, each) for each in called):
            found.append(_layer(network, module, module.own_parameters, []))
    return found


def _layer(network: Network, module: ModuleRecord, parameters: int, ops: Sequence[Op]) -> Layer:
    terms = parameter_terms(module)
    return Layer(
        module.path,
        module.kind,
        parameters,
        terms if terms and total(terms) == parameters else None,
        _sum(ops),
        _mac_terms(network, ops[0]) if len(ops) == 1 else None,
    )


def _sum(ops: Sequence[Op]) -> int | None:
    known = [op.macs for op in ops if op.macs is not None]
    return None if len(known) < len(ops) else sum(known)


def _mac_terms(network: Network, op: Op) -> Terms | None:
    """Positions times weights, or queries times keys twice; None if that is not what they are."""
    if op.macs is None or len(op.inputs) < 2 or not op.outputs:
        return None
    made = network.spec(op.outputs[0]).shape
    if op.attention_macs and len(op.inputs) >= 3:
        asked, answered = network.spec(op.inputs[0]).shape, network.spec(op.inputs[1]).shape
        terms: Terms = ((2, *asked[:-1], answered[-2], asked[-1]),)
    else:
        weight = network.spec(op.inputs[1]).shape
        convolves = operation(op.name).kind is OpKind.CONVOLUTION
        places = (made[0], *made[2:]) if convolves else made[:-1]
        terms = ((*places, *weight[2:], *reversed(weight[:2])),)
    return terms if total(terms) == op.macs else None
