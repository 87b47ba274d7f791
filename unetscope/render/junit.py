"""Cases as JUnit XML, which CI servers show as tests.

A table of cases has the columns `case`, `failure` (None where it passed) and `text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from unetscope.errors import UnetscopeError
from unetscope.render.spans import printable

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Table


def render(
    tables: Sequence[Table],
    style: Style,  # noqa: ARG001
    about: About | None = None,  # noqa: ARG001
) -> str:
    """Write one suite a table.

    Raises:
        UnetscopeError: a table holds no cases.
    """
    suites = []
    for table in tables:
        if {column.key for column in table.columns} != {"case", "failure", "text"}:
            raise UnetscopeError(
                "the format junit holds cases, and there are none in these tables",
                hint="`unetscope diff` and `unetscope lock --check` have it",
            )
        records = [table.record(row) for row in table.rows]
        failures = sum(record["failure"] is not None for record in records)
        lines = [f"  <testsuite name={_attribute(table.title)} tests={_attribute(len(records))}"]
        lines[0] += f" failures={_attribute(failures)}>"
        for record in records:
            name = _attribute(record["case"])
            lines.append(f'    <testcase classname="unetscope.diff" name={name}>')
            if record["failure"] is not None:
                message = _attribute(record["failure"])
                lines.append(f"      <failure message={message}>{_text(record['text'])}</failure>")
            elif record["text"]:
                lines.append(f"      <system-out>{_text(record['text'])}</system-out>")
            lines.append("    </testcase>")
        suites.append("\n".join([*lines, "  </testsuite>"]))
    body = "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites])
    return f"{body}\n</testsuites>\n"


def _attribute(value: object) -> str:
    return quoteattr(_shown(value))


def _text(value: object) -> str:
    return escape(_shown(value))


def _shown(value: object) -> str:
    """What XML can hold: no control characters."""
    return "\n".join(map(printable, str(value).split("\n")))
