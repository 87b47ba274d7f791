"""Findings as GitHub's workflow commands, which mark lines of files in a pull request.

A table of findings has the columns `level`, `file`, `line`, `column`, `id` and `message`,
and maybe `hint`.
Syntax: https://docs.github.com/actions/reference/workflow-commands-for-github-actions; the escapes
are those of actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError
from unetscope.render.spans import printable, with_hint

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import Table

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(tables: Sequence[Table], style: Style) -> str:  # noqa: ARG001
    """Write one command a finding.

    Raises:
        UnetscopeError: a table holds no findings.
    """
    lines = []
    for table in tables:
        keys = {column.key for column in table.columns}
        if not {"level", "file", "line", "message"} <= keys:
            raise UnetscopeError(
                "the format github marks findings, and there are none in these tables",
                hint="`unetscope diff` and `unetscope lock --check` have it",
            )
        lines += [_command(table.record(row)) for row in table.rows]
    return "".join(f"{line}\n" for line in lines)


def _command(finding: dict[str, Any]) -> str:
    properties = {
        "file": finding["file"],
        "line": finding["line"],
        "col": finding.get("column"),
        "title": finding.get("id"),
    }
    spelled = ",".join(
        f"{name}={printable(str(value)).translate(_PROPERTY)}"
        for name, value in properties.items()
        if value is not None
    )
    message = "\n".join(map(printable, with_hint(finding).split("\n")))
    level = finding["level"]
    return f"::{level} {spelled}::{message.translate(_DATA)}".replace(" ::", "::", 1)
