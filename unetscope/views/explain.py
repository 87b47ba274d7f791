"""One module's card, or several modules side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from unetscope.analysis.arithmetic import Terms, below
from unetscope.analysis.arithmetic import layers as layers_of
from unetscope.analysis.attention import Attention, Reading
from unetscope.record import lies_in
from unetscope.table import Cell, Column, Kind, Part, Table
from unetscope.views.functions import functions
from unetscope.views.legends import legended
from unetscope.views.module_card import Explained, channels, facts, shapes, title
from unetscope.views.producers import in_words
from unetscope.views.view import View, by_section, chosen, listed

_SIDE_BY_SIDE = 3
"""Attentions of which people read one a column."""


def layers(explained: Explained, path: str) -> list[Table]:
    """The layers that the parameters and the multiply-adds are in, with formulas."""
    view, words, network = explained.view, explained.view.words, explained.view.network
    found = layers_of(network, path)
    if not found:
        return []
    rows = tuple(
        (
            Cell.of(_below(layer.name, path), code=True, data=layer.name),
            Cell.of(layer.kind or "", code=True, data=layer.kind),
            _product(layer.parameter_terms),
            layer.parameters,
            _product(layer.mac_terms),
            layer.macs,
        )
        for layer in found
    )
    columns = (
        Column("layer", words.layer, code=True),
        Column("class", words.module_class, code=True, priority=3),
        Column("formula", words.formula, priority=1),
        Column("parameters", words.parameters, Kind.COUNT),
        Column("macs_formula", words.macs_formula, priority=2),
        Column("macs", words.macs, Kind.MACS),
    )
    blank = Cell.of("", data=None)
    known = [layer.macs for layer in found if layer.macs is not None]
    work = sum(known) if len(known) == len(found) else None
    total = (Cell.of(words.total, data="total"), blank, blank, below(network, path), blank, work)
    heading = f"{words.layers_cost}: {title(view, path)}"
    return [Table("layers", heading, columns, rows, total, level=2)]


def _below(name: str, path: str) -> str:
    """A layer's name as seen from the module that is explained."""
    return name.rpartition(".")[2] if name == path else name.removeprefix(f"{path}.")


def _product(terms: Terms | None) -> Cell:
    """`3·3·1920·640 + 640`."""
    if terms is None:
        return Cell.of("", data=None)
    return Cell.of(" + ".join("·".join(map(str, term)) for term in terms))


def attention(explained: Explained, path: str) -> list[Table]:
    """Each attention in a module or around it: heads, tokens, and where Q, K and V come from."""
    words, network = explained.view.words, explained.view.network
    batch = network.spec(network.sample).shape[0] if network.sample is not None else 1
    rows = []
    for found in explained.attentions:
        where = network.path(found.call)
        inside = not path or lies_in(where, path)
        if not inside and not lies_in(path, where):
            continue
        heads = found.heads(batch)
        kind = "SelfAttention" if found.reading is Reading.SELF else "CrossAttention"
        rows.append(
            (
                where,
                kind,
                None if heads is None else _times(heads, found.head_dim),
                None if found.tokens is None else _times(*found.tokens),
                *(_names(explained, values) for values in (found.query, found.key, found.value)),
                _as_tokens(explained, found),
            )
        )
    if not rows:
        return []
    columns = (
        Column("path", words.path, code=True),
        Column("kind", words.module_kind, code=True),
        Column("heads", words.heads, priority=1),
        Column("tokens", words.queries_keys, priority=1),
        Column("query_from", words.query_from, priority=3),
        Column("key_from", words.key_from, priority=2),
        Column("value_from", words.value_from, priority=4),
        Column(
            "map_to_tokens",
            words.as_tokens,
            priority=6,
            keys=("map_shape", "token_shape"),
        ),
    )
    return [
        Table(
            "attention",
            words.attention_inside,
            columns,
            tuple(rows),
            transposed=len(rows) <= _SIDE_BY_SIDE,
            level=2,
        )
    ]


def _times(one: int, other: int | None) -> Cell:
    return Cell((Part(one), Part(" x "), Part(other)), [one, other])


def _names(explained: Explained, values: Iterable[int]) -> Cell:
    view, found = explained.view, dict.fromkeys(map(explained.origins.of, values))
    names = listed(view.words, (in_words(view, one) for one in found))
    return Cell.of(names, code=True, data=list(map(str, found)))


def _as_tokens(explained: Explained, attention: Attention) -> Cell | None:
    """The feature map around an attention, and the tokens it became."""
    view, network = explained.view, explained.view.network
    call: int | None = attention.call
    while call is not None and network.main_input(call) is None:
        call = network.step(call).parent
    if call is None or call == network.trunk:
        return None
    image = network.main_input(call)
    assert image is not None
    tokens = attention.query[0]
    if network.is_map(tokens):
        return None
    parts = (
        Part(view.dims(image), Kind.TUPLE, code=True),
        Part(" -> "),
        Part(view.dims(tokens), Kind.TUPLE, code=True),
    )
    return Cell(parts, (view.dims(image), view.dims(tokens)))


def card(view: View, path: str, sections: Sequence[str]) -> tuple[list[Table], list[str]]:
    """Everything about one module, in the named sections; and the names of those it has not."""
    explained = Explained(view)
    named = {name: partial(section, explained) for name, section in SECTIONS.items()}
    return by_section(sections, named, path)


def modules(view: View, paths: Iterable[str]) -> list[Table]:
    """Several modules and the main facts about each."""
    explained, words, network = Explained(view), view.words, view.network
    columns = (
        Column("path", words.path, code=True),
        Column("class", words.module_class, code=True, priority=3),
        Column("merge_blocks", words.merge_block, priority=6),
        Column("compvis_name", words.compvis_name, code=True, priority=4),
        Column("input_shape", words.input_dims, Kind.TUPLE, code=True, priority=4),
        Column("output_shape", words.output_dims, Kind.TUPLE, code=True, priority=1),
        Column("parameters", words.parameters, Kind.COUNT),
        Column("macs", words.macs, Kind.MACS, priority=2),
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
    table = Table("modules", words.found_modules, columns, tuple(rows))
    return [legended(words, table, "merge_blocks")]


def choose(names: str | None) -> list[str]:
    """The sections of a card in a comma-separated list, or all.

    Raises:
        UnetscopeError: a name is no section.
    """
    return chosen(names, SECTIONS)


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
