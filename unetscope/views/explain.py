"""One module's card, or several modules side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from unetscope.analysis.arithmetic import below
from unetscope.table import Cell, Column, Kind, Table
from unetscope.views import choosing
from unetscope.views.explained import Explained
from unetscope.views.module_card import channels, facts, shapes
from unetscope.views.module_work import attention, layers
from unetscope.views.tree import functions
from unetscope.views.view import View


def card(view: View, path: str, sections: Sequence[str]) -> list[Table]:
    """Everything about one module, in the named sections of `SECTIONS`."""
    explained = Explained(view)
    return [table for name in sections for table in SECTIONS[name](explained, path)]


def modules(view: View, paths: Iterable[str]) -> list[Table]:
    """Several modules and the main facts about each."""
    explained, words, network = Explained(view), view.words, view.network
    columns = (
        Column("path", words.path, code=True),
        Column("class", words.module_class, code=True),
        Column("merge_blocks", words.merge_block),
        Column("compvis_name", words.compvis_name, code=True),
        Column("input_shape", words.input_dims, Kind.TUPLE, code=True),
        Column("output_shape", words.output_dims, Kind.TUPLE, code=True),
        Column("parameters", words.parameters, Kind.COUNT),
        Column("macs", words.macs, Kind.MACS),
    )
    rows = []
    for path in paths:
        calls = explained.calls(path)
        step = network.step(calls[0]) if calls else None
        ids = explained.merge_ids(path)
        rows.append(
            (
                path,
                network.modules[path].kind,
                Cell.of(words.listed.join(ids), data=ids),
                explained.compvis.get(path),
                view.dims(step.inputs[0].value) if step and step.inputs else None,
                view.dims(step.outputs[0]) if step and step.outputs else None,
                below(network, path),
                explained.macs(path),
            )
        )
    return [Table("modules", words.found_modules, columns, tuple(rows))]


def choose(names: str | None) -> list[str]:
    """The sections of a card in a comma-separated list, or all.

    Raises:
        UnetscopeError: a name is no section.
    """
    return choosing.choose(names, SECTIONS)


def _functions(explained: Explained, path: str) -> list[Table]:
    if not explained.calls(path):
        return []
    return [replace(table, level=2) for table in functions(explained.view, path)]


SECTIONS: dict[str, Callable[[Explained, str], list[Table]]] = {
    "module": facts,
    "shapes": shapes,
    "channels": channels,
    "layers": layers,
    "attention": attention,
    "functions": _functions,
}
