"""What may surprise in a network that ran: parameters without a use, skips out of order."""

from __future__ import annotations

from collections.abc import Iterator

from unetscope.analysis.anatomy import stack_use
from unetscope.analysis.network import Network
from unetscope.record import Trace

MOST_NAMES = 3
"""Names that one message gives."""


def unused_parameters(trace: Trace) -> dict[str, int]:
    """The parameters that no function of the pass took, by name, with their elements.

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


def surprises(trace: Trace) -> Iterator[tuple[str, str, str]]:
    """Id, message and hint of each warning."""
    if unused := unused_parameters(trace):
        yield (
            "unused-parameters",
            f"the forward pass never uses {sum(unused.values()):,} of {trace.total_params:,} "
            f"parameters: {_named(list(unused))}",
            "they are stored, loaded and decayed, but never trained",
        )
    found = stack_use(Network(trace))
    if not found.last_in_first_out:
        yield (
            "skip-order",
            f"{len(found.out_of_order) + len(found.reused)} of {found.popped} joins take another "
            "tensor than the newest that waits",
            "`unetscope skips` shows which",
        )


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
