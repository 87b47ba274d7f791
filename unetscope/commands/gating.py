"""The gate's rules: from options, and from `[tool.unetscope.diff]` in `pyproject.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.errors import ConfigError, Place, UnetscopeError, nearest

if TYPE_CHECKING:
    from unetscope.rules.gate import Rules

FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        help="This class of changes and all above it fail: breaking, behavioural, cost, cosmetic; "
        "or none. Without, cost.",
        metavar="CLASS",
        rich_help_panel="Gate",
    ),
]
MaxParams = Annotated[
    str | None,
    typer.Option(
        "--max-params",
        help="The most parameters: +1%, 900M, 1.2B.",
        metavar="BOUND",
        rich_help_panel="Gate",
    ),
]
MaxMacs = Annotated[
    str | None,
    typer.Option(
        "--max-macs",
        help="The most multiply-adds: 420G, +5%.",
        metavar="BOUND",
        rich_help_panel="Gate",
    ),
]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        "--max-memory",
        help="The most activation memory: +64MiB, 1GiB.",
        metavar="BOUND",
        rich_help_panel="Gate",
    ),
]
_FAIL_ON = "fail-on"


def rules(**options: str | None) -> Rules:
    """The rules of the nearest `pyproject.toml`, with options going before them.

    Args:
        options: `fail_on`, `max_params`, `max_macs` and `max_memory`, as far as they are given.

    Raises:
        UnetscopeError: a rule is none.
    """
    from unetscope.sources.settings import nearest_file, section

    file = nearest_file(Path.cwd())
    given = {key.replace("_", "-"): text for key, text in options.items() if text is not None}
    written: dict[str, str] = {}
    for key, value in ({} if file is None else section(file, "diff")).items():
        name = key.replace("_", "-")
        place = Place(str(file))
        try:
            _check(name, value)
        except UnetscopeError as error:
            message = f"tool.unetscope.diff.{key}: {error.message}"
            raise ConfigError(message, hint=error.hint, place=place) from None
        written[name] = str(value)
    for name, text in given.items():
        try:
            _check(name, text)
        except UnetscopeError as error:
            raise UnetscopeError(f"--{name}: {error.message}", hint=error.hint) from None
    return _rules({**written, **given})


def _check(name: str, value: object) -> None:
    """See that a rule is one.

    Raises:
        UnetscopeError: it is none.
    """
    from unetscope.analysis.diff import SEVERITIES
    from unetscope.rules.gate import BOUNDS, Action, bound, severity

    known = (_FAIL_ON, *BOUNDS, *SEVERITIES)
    if name not in known:
        close = nearest(name, known)
        raise UnetscopeError(
            "no such rule", hint=f"did you mean `{close}`?" if close else f"rules: {known}"
        )
    if not isinstance(value, str):
        raise UnetscopeError(f"expected a string, found {value!r}")
    if name == _FAIL_ON:
        severity(value)
    elif name in BOUNDS:
        bound(value, BOUNDS[name])
    elif value not in tuple(Action):
        expected = ", ".join(Action)
        close = nearest(value, Action)
        raise UnetscopeError(
            f"expected {expected}, found `{value}`",
            hint=f"did you mean `{close}`?" if close else None,
        )


def _rules(settings: Mapping[str, str]) -> Rules:
    from unetscope.rules.gate import BOUNDS, Action, Rules, bound, severity

    usual = Rules()
    fail_on = severity(settings[_FAIL_ON]) if _FAIL_ON in settings else usual.fail_on
    bounds = {
        cost: bound(settings[name], cost) for name, cost in BOUNDS.items() if name in settings
    }
    actions = {
        name: Action(text)
        for name, text in settings.items()
        if name != _FAIL_ON and name not in BOUNDS
    }
    return Rules(fail_on, bounds, actions)
