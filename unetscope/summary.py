"""What programs and notebooks ask a trace: plain data, rows of its tables, pictures of itself."""

from __future__ import annotations

import json
from typing import Any

from unetscope import store
from unetscope.record import Trace
from unetscope.render import Style, render
from unetscope.table import Table
from unetscope.units import scaled
from unetscope.views.sections import choose, show
from unetscope.views.tree import calls
from unetscope.views.view import View

_AT_A_GLANCE = "model,io,parts,ledger"


def to_json(trace: Trace) -> str:
    """The whole record as JSON, as `unetscope trace --save` writes it."""
    return store.dumps(trace).decode()


def to_dict(trace: Trace) -> dict[str, Any]:
    """The whole record as dicts, lists, strings and numbers."""
    data: dict[str, Any] = json.loads(store.dumps(trace))["trace"]
    return data


def tables(trace: Trace) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table by its key, each row a plain dict.

    Step tables, one for each body that joins skips, follow each other under `steps`, each row
    with its `block`.
    """
    view = View.of(trace)
    found, _ = show(view, choose(None))
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in [*found, *calls(view)]:
        shared = {"block": table.data["block"]} if table.key == "steps" else {}
        rows.setdefault(table.key, []).extend({**shared, **row} for row in _records(table))
    return rows


def blocks(trace: Trace) -> list[dict[str, Any]]:
    """One row a block: its part, class, shapes, and the parameters and multiply-adds inside.

    Parameters are counted where the network first calls them.
    """
    view = View.of(trace)
    network = view.network
    parts = {block: part for part, held in vars(view.anatomy).items() for block in held}
    counted: set[str] = set()
    rows = []
    for block in network.blocks:
        inside = network.below(block)
        modules = {network.path(call) for call in inside} - counted
        counted |= modules
        given, made = network.main_input(block), network.main_output(block)
        macs = [trace.ops[op].macs for call in inside for op in network.ops[call]]
        rows.append(
            {
                "path": network.path(block),
                "part": parts.get(block),
                "class": network.module(block).kind,
                "input_shape": None if given is None else list(network.spec(given).shape),
                "output_shape": None if made is None else list(network.spec(made).shape),
                "parameters": sum(network.modules[path].own_parameters for path in modules),
                "macs": sum(filter(None, macs)),
            }
        )
    return rows


def line(trace: Trace) -> str:
    """A trace in one line, for its `repr`."""
    facts = [
        f"{trace.total_params:,} parameters",
        scaled(trace.total_macs, "MACs"),
        f"{len(trace.steps):,} calls",
        f"{len(trace.skips)} skips",
    ]
    if trace.failure is not None:
        facts.append(f"failed in {trace.failure.module or 'the root'}")
    return f"<Trace of {trace.name}: {', '.join(facts)}>"


def html(trace: Trace) -> str:
    """Heading, inputs, parts and skip ledger as HTML."""
    return render(_at_a_glance(trace), "html")


def text(trace: Trace, width: int | None, *, color: bool) -> str:
    """The same for a terminal."""
    return render(_at_a_glance(trace), "terminal", Style(width, color))


def _at_a_glance(trace: Trace) -> list[Table]:
    found, _ = show(View.of(trace).with_brevity(True), choose(_AT_A_GLANCE))
    return found


def _records(table: Table) -> list[dict[str, Any]]:
    return [table.record(row) for row in table.rows]
