"""Findings that are left out: by `--ignore`, or by `[tool.unetscope.check]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from unetscope.errors import ConfigError, Place, UnetscopeError, nearest

Ignored = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="ID", help="Leave out findings of this id; may be repeated."),
]


def ignored_ids(given: Sequence[str]) -> set[str]:
    """The ids that are left out: those of `--ignore`, and of `[tool.unetscope.check]`.

    Raises:
        UnetscopeError: one is none.
    """
    from unetscope.rules import every_rule
    from unetscope.sources.settings import nearest_file, section

    known = every_rule()

    def unknown(name: str) -> str | None:
        close = nearest(name, known)
        return f"did you mean `{close}`?" if close else f"ids: {', '.join(known)}"

    for name in given:
        if name not in known:
            raise UnetscopeError(f"--ignore: there is no finding `{name}`", hint=unknown(name))
    file = nearest_file(Path.cwd())
    settings = {} if file is None else section(file, "check")
    if file is None or not settings:
        return set(given)
    place = Place(str(file))
    for key in settings:
        if key != "ignore":
            message = f"tool.unetscope.check.{key}: no such setting"
            raise ConfigError(message, hint="there is `ignore`, a list of ids", place=place)
    written = settings["ignore"]
    if not isinstance(written, list):
        message = f"tool.unetscope.check.ignore: expected a list of ids, found {written!r}"
        raise ConfigError(message, place=place)
    for name in written:
        if not isinstance(name, str) or name not in known:
            message = f"tool.unetscope.check.ignore: there is no finding {name!r}"
            raise ConfigError(message, hint=unknown(str(name)), place=place)
    return {*given, *written}
