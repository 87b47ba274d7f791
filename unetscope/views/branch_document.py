"""What a branch changed as one document for programs, and the JSON Schema of it."""

from __future__ import annotations

from typing import Any

from unetscope.analysis.diff import COSTS
from unetscope.rules.branch import Report, Row
from unetscope.table import Column, Table, Value
from unetscope.views import diff_document
from unetscope.views.diff import position

_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_MAYBE_NUMBER = {"type": ["integer", "null"]}
_FACTS: dict[str, Any] = {
    "base": _TEXT,
    "exit_code": {"type": "integer"},
    "passes": {"type": "boolean"},
}
_NETWORK: dict[str, Any] = {
    "path": _TEXT,
    "was": _MAYBE_TEXT,
    "status": _TEXT,
    "severity": _MAYBE_TEXT,
    "parameters_before": _MAYBE_NUMBER,
    "parameters_after": _MAYBE_NUMBER,
    "macs_before": _MAYBE_NUMBER,
    "macs_after": _MAYBE_NUMBER,
    "passes": {"type": ["boolean", "null"]},
    "orphaned_lock": _MAYBE_TEXT,
    "error": _MAYBE_TEXT,
    "error_file": _MAYBE_TEXT,
    "error_line": _MAYBE_NUMBER,
    "error_column": _MAYBE_NUMBER,
}


def document(report: Report) -> list[Table]:
    """The facts, the networks, and all records of their diffs, each with its network's path."""
    facts = (report.base, report.code, report.code == 0)
    judged = ((row.path, row.judgement) for row in report.rows if row.judgement is not None)
    networks = tuple(map(_network, report.rows))
    return [
        Table("", "", tuple(Column(key, "") for key in _FACTS), (facts,), facts=True),
        Table("networks", "", tuple(Column(key, "") for key in _NETWORK), networks),
        *diff_document.merged(judged, "network"),
    ]


def _network(row: Row) -> tuple[Value, ...]:
    totals = {total.id: total for total in row.judgement.diff.totals} if row.judgement else {}
    numbers: list[int | None] = []
    for total in map(totals.get, COSTS[:2]):
        numbers += [None, None] if total is None else [total.old, total.new]
        if row.came:
            numbers[-2] = None
    return (
        row.path,
        row.was,
        row.status.value,
        None if row.worst is None else row.worst.name.lower(),
        *numbers,
        None if row.unreadable else not row.fails,
        row.left_lock,
        row.error.message if row.error else None,
        *position(row.error.place if row.error else None),
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of a document, as `diff --base … --format json` prints it."""
    properties = diff_document.schema()["properties"]
    lists = {}
    for key, rows in properties.items():
        if rows.get("type") == "array":
            record = rows["items"]
            own = {"network": _TEXT, **record["properties"]}
            lists[key] = {**rows, "items": {**record, "properties": own, "required": list(own)}}
    found = {"format_version": {"type": "integer"}, **_FACTS, "networks": _list(_NETWORK), **lists}
    return {"type": "object", "properties": found, "required": list(found)}


def _list(record: dict[str, Any]) -> dict[str, Any]:
    one = {"type": "object", "properties": record, "required": list(record)}
    return {"type": "array", "items": one}
