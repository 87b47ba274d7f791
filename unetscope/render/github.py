"""Findings as GitHub's workflow commands, which mark lines of files in a pull request.

Syntax: https://docs.github.com/actions/reference/workflow-commands-for-github-actions; the escapes
are those of actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unetscope.render.spans import findings, printable

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Table

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(
    tables: Sequence[Table],
    style: Style,  # noqa: ARG001
    about: About | None = None,  # noqa: ARG001
) -> str:
    """Write one command a finding; tables of anything else are left out.

    Raises:
        UnetscopeError: no table holds findings.
    """
    return "".join(f"{_command(finding)}\n" for finding in findings(tables, "github"))


def _command(finding: dict[str, Any]) -> str:
    properties = {
        "file": finding["file"],
        "line": finding["line"],
        "col": finding["column"],
        "title": finding["id"],
    }
    spelled = ",".join(
        f"{name}={printable(str(value)).translate(_PROPERTY)}"
        for name, value in properties.items()
        if value is not None
    )
    message = "\n".join(map(printable, str(finding["message"]).split("\n")))
    level = finding["level"]
    return f"::{level} {spelled}::{message.translate(_DATA)}".replace(" ::", "::", 1)
