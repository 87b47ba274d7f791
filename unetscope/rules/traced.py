"""What may surprise in a network that ran. Each rule is one function of the network.

A rule that is written here runs: `check` asks the registry for those that take a `Network`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unetscope.analysis.anatomy import stack_use
from unetscope.analysis.network import Network
from unetscope.errors import Place
from unetscope.findings import RULES, Check, Finding, Severity, rule
from unetscope.record import Trace
from unetscope.wording import listed


def check_trace(trace: Trace, place: Place) -> Iterator[Finding]:
    """What every traced rule finds; `place` is where a user may look for it."""
    network = Network(trace)
    for each in RULES.values():
        if isinstance(each, Check) and each.traced:
            yield from (replace(finding, place=place) for finding in each(network))


@rule(
    "unused-parameters",
    Severity.WARNING,
    "The forward pass never uses these parameters.",
    traced=True,
)
def unused_parameters(network: Network) -> Iterator[Finding]:
    """Parameters that no function of the pass took, and that are no output."""
    if unused := never_used(network.trace):
        yield unused_parameters.in_module(
            "",
            f"the forward pass never uses {sum(unused.values()):,} of "
            f"{network.trace.total_params:,} parameters: {listed(list(unused))}",
            "they are stored, loaded and decayed, but never trained",
        )


def never_used(trace: Trace) -> dict[str, int]:
    """Elements of the parameters that no function of the pass took, by name.

    A tensor that has several names is used if it is used under any.
    """
    used = {trace.values[value].source for op in trace.ops for value in op.inputs}
    used |= {trace.values[value].source for value in trace.outputs}
    return {
        name: parameter.spec.numel
        for module in trace.modules
        for parameter in module.parameters
        if parameter.tied_to is None
        and (name := f"{module.path}.{parameter.name}".lstrip(".")) not in used
    }


@rule(
    "closed",
    Severity.WARNING,
    "A module takes or returns what cannot be looked into for tensors.",
    traced=True,
)
def closed(network: Network) -> Iterator[Finding]:
    """What modules took or returned that is closed, such as generators; one finding a module."""
    found: dict[str, dict[str, None]] = {}
    for step in network.trace.steps:
        for each in step.closed:
            found.setdefault(step.module, {})[f"`{each.name}` ({each.kind})"] = None
    for module, held in found.items():
        yield closed.in_module(
            module,
            f"{module or 'the network'}: not looked into for tensors: {listed(list(held))}",
            "return or pass the tensors themselves, in a list, a dict or an object with attributes",
        )


@rule(
    "skip-order",
    Severity.WARNING,
    "The decoder takes the skips in another order than last-in-first-out.",
    traced=True,
)
def skip_order(network: Network) -> Iterator[Finding]:
    """Joins of a skip that is not the newest that waits."""
    found = stack_use(network)
    if not found.last_in_first_out:
        yield skip_order.in_module(
            "",
            f"{len(found.out_of_order)} of {found.popped} joins take another "
            "tensor than the newest that waits",
            "`unetscope skips` shows which",
        )
