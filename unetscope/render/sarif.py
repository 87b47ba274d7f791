"""Findings as SARIF 2.1.0, which code scanning services read.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from unetscope.findings import RULES
from unetscope.render.spans import findings
from unetscope.version import __version__
from unetscope.words import Words

if TYPE_CHECKING:
    from unetscope.render import Style
    from unetscope.table import About, Table

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(
    tables: Sequence[Table],
    style: Style,
    about: About | None = None,  # noqa: ARG001
) -> str:
    """Write one run with the findings of all tables; tables of anything else are left out.

    Raises:
        UnetscopeError: no table holds findings.
    """
    results = [_result(finding) for finding in findings(tables, "sarif")]
    words = Words(style.language)
    driver = {
        "name": "unetscope",
        "version": __version__,
        "rules": [
            _rule(name, words) for name in dict.fromkeys(result["ruleId"] for result in results)
        ],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(name: str, words: Words) -> dict[str, Any]:
    """What all findings of an id have in common."""
    rule = RULES.get(name)
    return {
        "id": name,
        **({"shortDescription": {"text": words.said(rule.summary)}} if rule else {}),
    }


def _result(finding: dict[str, Any]) -> dict[str, Any]:
    level = "note" if finding["level"] == "notice" else finding["level"]
    result = {
        "ruleId": finding["id"],
        "level": level,
        "message": {"text": finding["message"]},
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
    return Path(path).as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
