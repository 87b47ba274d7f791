"""What shows of a network when it is built and run once on meta."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from unetscope.errors import ForwardError, Place, UnetscopeError
from unetscope.findings import BUILD, FORWARD, Finding
from unetscope.rules.traced import check_trace

if TYPE_CHECKING:
    from torch import nn

    from unetscope.config import Spec
    from unetscope.record import Trace


def check_pass(
    trace: Callable[[], Trace], place: Place, spec: Spec | None = None
) -> Iterator[Finding]:
    """That a network cannot run, or what its traced rules find.

    Args:
        trace: loads a trace, or makes it by one pass.
        place: where a user may look for what is found.
        spec: the network, if it is of a config without errors; what no rule foresaw is named by
            layers.

    Raises:
        UnetscopeError: there is no such network, or it is no config's and cannot be built.
    """
    try:
        traced = trace()
    except ForwardError as error:
        failure = FORWARD.in_file(error.place or place, error.message, error.hint)
    except (UnetscopeError, RuntimeError, ValueError, TypeError) as error:
        if spec is None:
            raise
        failure = BUILD.in_file(place, f"it cannot be built: {error}")
    else:
        yield from check_trace(traced, place)
        return
    yield from (list(_faults(spec)) if spec else []) or [failure]


def _faults(spec: Spec) -> Iterator[Finding]:
    """Every layer that does not fit its channels, by cause."""
    from unetscope import families
    from unetscope.tracing import devices
    from unetscope.tracing.faults import faults, lenient_norms

    def make() -> nn.Module:
        return families.build(spec.family, spec.unet)

    try:
        with lenient_norms() as ungrouped:
            model = devices.build(make, "meta", "float32")
    except (UnetscopeError, RuntimeError, ValueError, TypeError):
        return
    inputs = devices.zeros(spec.tensors(), "meta", "float32")
    for finding in (*ungrouped(model), *faults(model, inputs)):
        yield _blamed(finding, spec)


def _blamed(finding: Finding, spec: Spec) -> Finding:
    """A fault of a module at the option that most likely caused it."""
    from unetscope.families import find

    key = find(spec.family).likely_key(finding.module or "")
    place: Place = spec.places["unet",]
    if key is None:
        return replace(finding, place=place)
    where = spec.places.get(("unet", key), place)
    return replace(finding, place=where, hint=f"most likely `unet.{key}`")
