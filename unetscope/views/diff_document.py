"""A diff and what the gate says of it as one document for programs, and the JSON Schema of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from unetscope.analysis.diff import Change, Verification
from unetscope.rules.gate import Judgement
from unetscope.table import Column, Table, Value

_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_NUMBER: dict[str, Any] = {"type": "integer"}
_FLOAT: dict[str, Any] = {"type": ["number", "null"]}
_SHAPE: dict[str, Any] = {"type": ["array", "null"], "items": {"type": "integer"}}
_FLAG: dict[str, Any] = {"type": "boolean"}
_ANY: dict[str, Any] = {}  # a number, a shape, the names of functions, a value of a config

_CHANGE = {
    "id": _TEXT,
    "severity": _TEXT,
    "was": _MAYBE_TEXT,
    "now": _MAYBE_TEXT,
    "old": _ANY,
    "new": _ANY,
    "about": _TEXT,
}
_FACTS = {
    "old": _TEXT,
    "new": _TEXT,
    "equal": _FLAG,
    "passes": _FLAG,
    "fail_on": _TEXT,
    "tensors_only": _FLAG,
}
_TABLES: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "totals": {"id": _TEXT, "old": _NUMBER, "new": _NUMBER, "delta": _NUMBER},
    "changes": {**_CHANGE, "fails": _FLAG, "count": _NUMBER},
    "parts": {"change": _NUMBER, **_CHANGE},
    "edits": {
        "change": _NUMBER,
        "old": _TEXTS,
        "new": _TEXTS,
        "after": _MAYBE_TEXT,
        "before": _MAYBE_TEXT,
    },
    "failures": {
        "rule": _TEXT,
        "id": _TEXT,
        "where": _TEXT,
        "bound": _TEXT,
        "measured": {"type": ["integer", "null"]},
        "limit": {"type": ["integer", "null"]},
    },
    "config": {"key": _TEXT, "old": _ANY, "new": _ANY},
    "names": {"old": _TEXT, "new": _TEXT},
    "verified": {
        "device": _TEXT,
        "dtype": _TEXT,
        "equal": _FLAG,
        "relative_tolerance": _FLOAT,
        "relative_difference": _FLOAT,
    },
    "outputs": {
        "name": _TEXT,
        "old": _SHAPE,
        "new": _SHAPE,
        "relative_difference": _FLOAT,
        "constant": _FLAG,
    },
    "buffers": {"name": _TEXT},
    "alone": {"name": _TEXT, "in": _TEXT},
    "opaque": {"name": _TEXT},
}
_MEANINGS = {
    "provenance": "of a diff of two networks: old and new, each with model, config, overrides, "
    "inputs, dtype and versions, as far as they are known",
    "equal": "whether nothing changed",
    "fail_on": "the class that fails, with all above it; or none",
    "tensors_only": "whether nothing but tensors was compared: one network is a checkpoint",
    "counts": "how many changes there are of each class",
    "totals": "numbers of the whole network; activation-memory is in bytes",
    "changes": "was and now: where in the old and the new network, empty if in several blocks; of "
    "modules that came or went, old or new is the class; count: of single changes",
    "parts": "the single changes of each change that stands for several, by its index",
    "edits": "where the body of a change differs, by its index: entries that are gone, those that "
    "stand there now, and the entries above and below; null at an end",
    "failures": "rules that are broken; limit: the largest total that passes a bound",
    "names": "old and new name of each tensor that has another one",
    "verified": "real runs with equal weights and inputs, at most one; relative_difference: the "
    "largest absolute difference of an output by its largest absolute value, null if shapes differ "
    "or one network alone is finite; of result-changed, old is the tolerance, new the difference",
    "outputs": "each output of the real runs, with its shapes",
    "buffers": "tensors to which the code of the networks gives other values",
    "opaque": "functions that are compared by name alone, for no pass sees what they compute",
    "alone": "parameters that only the old or the new network has, so that they were drawn for it",
}


def document(judgement: Judgement) -> list[Table]:
    """The facts, and a table of each kind of record; rows are flat."""
    diff, bar = judgement.diff, judgement.gate.fail_on
    counts = Counter(change.severity.name.lower() for change in judgement.shown)
    failed = {id(breach.change) for breach in judgement.breaches}
    facts = (
        diff.old,
        diff.new,
        not diff.changes,
        not judgement.breaches,
        "none" if bar is None else bar.name.lower(),
        diff.tensors_only,
    )
    columns = tuple(Column(key, "") for key in _FACTS)
    return [
        Table("", "", columns, (facts,), facts=True, data={"counts": dict(counts)}),
        _table("totals", ((t.id, t.old, t.new, t.new - t.old) for t in diff.totals)),
        _table("changes", ((*_change(c), id(c) in failed, c.count) for c in judgement.shown)),
        _table(
            "parts",
            (
                (index, *_change(single))
                for index, change in enumerate(judgement.shown)
                for single in (change.singles() if change.parts else ())
            ),
        ),
        _table(
            "edits",
            (
                (index, edit.old, edit.new, edit.after[1] or None, edit.before[1] or None)
                for index, change in enumerate(judgement.shown)
                for edit in change.edits
            ),
        ),
        _table(
            "failures",
            (
                (
                    breach.setting,
                    breach.change.id,
                    breach.change.where,
                    breach.bound,
                    None if breach.limit is None else breach.change.new,
                    breach.limit,
                )
                for breach in judgement.breaches
            ),
        ),
        _table("config", ((c.key, c.old, c.new) for c in diff.config)),
        _table("names", diff.names),
        *_verified(diff.verified),
        _table("opaque", ((name,) for name in diff.opaque)),
    ]


def merged(judgements: Iterable[tuple[str, Judgement]], key: str) -> list[Table]:
    """The records of several diffs, each with what it belongs to under a key of its own.

    The rows of `parts` name their change by its index in `changes`.
    """
    rows: dict[str, list[tuple[Value, ...]]] = {name: [] for name in _TABLES}
    for name, judgement in judgements:
        before = len(rows["changes"])
        for table in document(judgement)[1:]:
            for first, *others in table.rows:
                at = first + before if table.key == "parts" and isinstance(first, int) else first
                rows[table.key].append((name, at, *others))
    return [
        Table(name, "", tuple(Column(each, "") for each in (key, *_TABLES[name])), tuple(found))
        for name, found in rows.items()
    ]


def _verified(found: Verification | None) -> list[Table]:
    """What real runs told; tables without rows if there were none."""
    if found is None:
        return [_table(key, ()) for key in ("verified", "outputs", "buffers", "alone")]
    run = (found.device, found.dtype, found.equal, found.tolerance, found.worst.difference)
    alone = {"old": found.old_alone, "new": found.new_alone}
    return [
        _table("verified", [run]),
        _table(
            "outputs", ((o.name, o.old, o.new, o.difference, o.constant) for o in found.outputs)
        ),
        _table("buffers", ((name,) for name in found.buffers)),
        _table("alone", ((name, side) for side, names in alone.items() for name in names)),
    ]


def _table(key: str, rows: Iterable[tuple[Value, ...]]) -> Table:
    return Table(key, "", tuple(Column(name, "") for name in _TABLES[key]), tuple(rows))


def _change(change: Change) -> tuple[Value, ...]:
    severity = change.severity.name.lower()
    return change.id, severity, change.was, change.now, change.old, change.new, change.about


def schema() -> dict[str, Any]:
    """The JSON Schema of a document, as `diff --format json` prints it."""
    counts = {"type": "object", "additionalProperties": _NUMBER}
    lists = {key: {"type": "array", "items": _object(row)} for key, row in _TABLES.items()}
    found = _object({"format_version": _NUMBER, **_FACTS, "counts": counts, **lists})
    found["properties"]["provenance"] = {"type": "object"}
    for key, meaning in _MEANINGS.items():
        found["properties"][key] = {**found["properties"][key], "description": meaning}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}


def _object(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}
