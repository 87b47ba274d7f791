"""What a branch changed as one document for programs, and the JSON Schema of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from unetscope.analysis.diff import COSTS
from unetscope.rules.branch import Report, Row
from unetscope.table import Column, Table, Value
from unetscope.views import diff_document

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
    found = [
        Table("", "", tuple(Column(key, "") for key in _FACTS), (facts,), facts=True),
        _table("networks", _NETWORK, [_network(row) for row in report.rows]),
    ]
    lists = _lists()
    merged: dict[str, list[tuple[Value, ...]]] = {key: [] for key in lists}
    for row in report.rows:
        before = len(merged["changes"])
        for table in diff_document.document(row.judgement)[1:] if row.judgement else ():
            for record in map(table.record, table.rows):
                if table.key == "parts":  # which name their change by its index
                    record["change"] += before
                merged[table.key].append((row.path, *record.values()))
    found += [_table(key, ("network", *lists[key]), rows) for key, rows in merged.items()]
    return found


def _network(row: Row) -> tuple[Value, ...]:
    totals = {total.id: total for total in row.judgement.diff.totals} if row.judgement else {}
    numbers: list[int | None] = []
    for total in map(totals.get, COSTS[:2]):
        numbers += [None, None] if total is None else [total.old, total.new]
        if row.came:
            numbers[-2] = None
    place = row.error.place if row.error else None
    return (
        row.path,
        row.was,
        row.status.value,
        None if row.worst is None else row.worst.name.lower(),
        *numbers,
        None if row.unreadable else not row.fails,
        row.left_lock,
        row.error.message if row.error else None,
        place.file if place else None,
        place.line if place else None,
        place.column if place else None,
    )


def _table(key: str, columns: Iterable[str], rows: Sequence[tuple[Value, ...]]) -> Table:
    return Table(key, "", tuple(Column(name, "") for name in columns), tuple(rows))


def _lists() -> dict[str, tuple[str, ...]]:
    """The lists of records of one diff, with their keys."""
    properties = diff_document.schema()["properties"]
    return {
        key: tuple(value["items"]["properties"])
        for key, value in properties.items()
        if value.get("type") == "array"
    }


def schema() -> dict[str, Any]:
    """The JSON Schema of a document, as `diff --base … --format json` prints it."""
    properties = diff_document.schema()["properties"]
    lists = {}
    for key in _lists():
        record = properties[key]["items"]
        lists[key] = {
            **properties[key],
            "items": {
                **record,
                "properties": {"network": _TEXT, **record["properties"]},
                "required": ["network", *record["required"]],
            },
        }
    found = {"format_version": {"type": "integer"}, **_FACTS, "networks": _list(_NETWORK), **lists}
    return {"type": "object", "properties": found, "required": list(found)}


def _list(record: dict[str, Any]) -> dict[str, Any]:
    one = {"type": "object", "properties": record, "required": list(record)}
    return {"type": "array", "items": one}
