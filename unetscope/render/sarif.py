"""Findings as SARIF 2.1.0, which code scanning services read.

A table of findings has the columns `level`, `file`, `line`, `column`, `id` and `message`, and
maybe `hint`.
Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from unetscope.errors import UnetscopeError
from unetscope.findings import RULES
from unetscope.render.spans import with_hint
from unetscope.version import __version__

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import Table

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(tables: Sequence[Table], style: Style) -> str:  # noqa: ARG001
    """Write one run with the findings of all tables.

    Raises:
        UnetscopeError: a table holds no findings.
    """
    results: list[dict[str, Any]] = []
    for table in tables:
        keys = {column.key for column in table.columns}
        if not {"level", "file", "line", "column", "id", "message"} <= keys:
            raise UnetscopeError(
                "the format sarif holds findings, and there are none in these tables",
                hint="`unetscope check` has it",
            )
        results += [_result(table.record(row)) for row in table.rows]
    ids = dict.fromkeys(result["ruleId"] for result in results)
    driver = {
        "name": "unetscope",
        "version": __version__,
        "rules": [_rule(name) for name in ids],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(name: str) -> dict[str, Any]:
    if name not in RULES:
        return {"id": name}
    return {"id": name, "shortDescription": {"text": RULES[name].summary}}


def _result(finding: dict[str, Any]) -> dict[str, Any]:
    level = "note" if finding["level"] == "notice" else finding["level"]
    result = {
        "ruleId": finding["id"],
        "level": level,
        "message": {"text": with_hint(finding)},
    }
    if finding["file"] is None:
        return result
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding["file"])}}
    if finding["line"] is not None:
        column = {} if finding["column"] is None else {"startColumn": finding["column"]}
        place["region"] = {"startLine": finding["line"], **column}
    return {**result, "locations": [{"physicalLocation": place}]}


def _uri(file: str) -> str:
    path = PurePath(file)
    return Path(path).as_uri() if path.is_absolute() else quote(path.as_posix())
