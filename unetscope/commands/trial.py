"""What shows of a network when it is built and run once on meta."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unetscope.config.problems import Problem, Severity
from unetscope.errors import ForwardError, Place, UnetscopeError

if TYPE_CHECKING:
    from torch import nn

    from unetscope.commands.passes import Request
    from unetscope.config import Spec

MOST_NAMES = 3
"""Layers that one message names."""


def problems_of_pass(spec: Spec) -> list[Problem]:
    """Faults that no rule foresaw, or what may surprise in a network that runs."""
    from unetscope.commands.passes import run
    from unetscope.rules.traced import surprises

    place = spec.places["unet",]
    try:
        trace = run(spec)
    except ForwardError as error:
        first = ("forward", error.place or place, error.message, error.hint)
    except (UnetscopeError, RuntimeError, ValueError, TypeError) as error:
        first = ("build", place, f"it cannot be built: {error}", None)
    else:
        return [
            Problem(Severity.WARNING, rule, place, message, hint)
            for rule, message, hint in surprises(trace)
        ]
    return _faults(spec) or [Problem(Severity.ERROR, *first)]


def problems_of_code(request: Request) -> list[Problem]:
    """What shows when a model of other people's code runs once.

    Raises:
        UnetscopeError: it cannot be imported or built, or what it takes is not known.
    """
    from unetscope.commands.passes import obtain
    from unetscope.rules.traced import surprises

    place = Place(request.source)
    try:
        trace = obtain(request)
    except ForwardError as error:
        where = error.place or place
        return [Problem(Severity.ERROR, "forward", where, error.message, error.hint)]
    return [
        Problem(Severity.WARNING, rule, place, message, hint)
        for rule, message, hint in surprises(trace)
    ]


def _faults(spec: Spec) -> list[Problem]:
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
        return []
    problems = [
        _problem(
            spec,
            "groups",
            norms.layers[0],
            f"{_named(norms.layers)}: expected groups that divide {norms.channels} channels, "
            f"found {norms.groups}",
        )
        for norms in ungrouped(model)
    ]
    for fault in faults(model, devices.zeros(spec.tensors(), "meta", "float32")):
        message = (
            f"{fault.module}: expected {fault.found} channels, as they come in, found layers "
            f"built for {fault.expected}: {_named(fault.layers)}"
        )
        problems.append(_problem(spec, "forward", fault.module, message))
    return problems


def _problem(spec: Spec, rule: str, module: str, message: str) -> Problem:
    """A fault at the option that most likely caused it."""
    from unetscope.families import find

    key = find(spec.family).likely_key(module)
    place: Place = spec.places["unet",]
    if key is None:
        return Problem(Severity.ERROR, rule, place, message)
    where = spec.places.get(("unet", key), place)
    return Problem(Severity.ERROR, rule, where, message, f"most likely `unet.{key}`")


def _named(names: tuple[str, ...]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
