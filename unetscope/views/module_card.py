"""What a module is, what goes in and out, and where its numbers of channels come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from unetscope.analysis.arithmetic import below, macs
from unetscope.analysis.attention import Attention, attentions
from unetscope.analysis.module_kinds import module_kinds
from unetscope.analysis.names import compvis_names
from unetscope.analysis.origins import ChannelSource, Origins
from unetscope.analysis.partition import merge_block_units, merge_blocks
from unetscope.analysis.shaped import shaping
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.legends import legended
from unetscope.views.producers import in_words, told
from unetscope.views.view import View, code, phrase, settings


@dataclass(frozen=True)
class Explained:
    """A network of which modules are explained."""

    view: View

    @cached_property
    def origins(self) -> Origins:
        """Where tensors come from."""
        return Origins(self.view.network)

    @cached_property
    def attentions(self) -> tuple[Attention, ...]:
        """Every computation of attention."""
        return attentions(self.view.network)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each module that is one, the outermost where it is several."""
        found = module_kinds(self.view.network)
        return {o.modules[0]: o.kind for o in found if len(o.modules) == 1}

    @cached_property
    def compvis(self) -> dict[str, str]:
        """CompVis' names by path."""
        return compvis_names(self.view.network.modules)

    @cached_property
    def merge_blocks(self) -> dict[str, str]:
        """Merge-block ids by path."""
        return merge_blocks(self.view.network)

    def calls(self, path: str) -> list[int]:
        """The calls of a module."""
        return [i for i, step in enumerate(self.view.network.trace.steps) if step.module == path]

    def merge_ids(self, path: str) -> list[str]:
        """The merge blocks that a module is in, or that are in it."""
        if path in self.merge_blocks:
            return [self.merge_blocks[path]]
        prefix = f"{path}." if path else ""
        units = merge_block_units(self.view.network)
        return [n for n, paths in units.items() if any(p.startswith(prefix) for p in paths)]

    def macs(self, path: str) -> int | None:
        """The multiply-adds of all calls of a module; None if a formula is missing."""
        counts = [macs(self.view.network, call) for call in self.calls(path)]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None


def facts(explained: Explained, path: str) -> list[Table]:
    """What a module is, what it is called elsewhere, what it is set to and by which options."""
    view, words, network = explained.view, explained.view.words, explained.view.network
    module, calls = network.modules[path], explained.calls(path)
    part = view.parts[path]
    kind, ids = explained.kinds.get(path), explained.merge_ids(path)
    said: list[tuple[Column, Value]] = [
        (Column("path", words.module, code=True), path or "."),
        (Column("class", words.module_class, code=True), module.kind),
        (Column("kind", words.module_kind, code=True), kind),
        (Column("about", words.what_it_is), words.about.get(kind or "")),
        (Column("part", words.in_part), Cell.of(view.part_names[part], data=part)),
        (Column("block", words.block, code=True), view.blocks[path]),
        (Column("compvis_name", words.compvis_name, code=True), explained.compvis.get(path)),
        (Column("merge_blocks", words.merge_block), Cell.of(words.listed.join(ids), data=ids)),
        (Column("calls", words.calls), len(calls)),
        (Column("attributes", words.attributes), settings(module.attributes)),
        (Column("parameters", words.parameters, Kind.COUNT), below(network, path)),
        (Column("macs", words.macs, Kind.MACS), explained.macs(path)),
        (
            Column("config", words.config_keys, keys=("config_keys", "config_values")),
            _config(explained, path),
        ),
    ]
    shown = [(c, value) for c, value in said if value is not None and _says(value)]
    columns, row = zip(*shown, strict=True)
    table = Table("module", title(view, path), tuple(columns), (tuple(row),), facts=True)
    return [legended(words, table, "merge_blocks")]


def _says(value: Value) -> bool:
    return not isinstance(value, Cell) or bool(value.data)


def title(view: View, path: str) -> str:
    """A module's path; the line above the tables names the network itself."""
    return path or view.words.model


def _config(explained: Explained, path: str) -> Cell | None:
    """The options that shape a module, with their values if they are written."""
    words, network = explained.view.words, explained.view.network
    kinds = {inner: module.kind for inner, module in network.modules.items()}
    found = shaping(network.trace.config, kinds, path)
    if found is None:
        return None
    options, inner = found
    keys = options.keys(inner)
    if keys is None:
        return Cell.of(words.never_perturbed, data=([], []))
    values = [options.value(key) for key in keys]
    texts = [
        f"{key}={_plain(value)}" if options.writes(key) else words.by_default.format(key)
        for key, value in zip(keys, values, strict=True)
    ]
    texts += [words.not_decided.format(key) for key in options.not_decided]
    return Cell.of(", ".join(texts), data=(list(keys), values))


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_plain, value))}]"
    return "null" if value is None else str(value)


def shapes(explained: Explained, path: str) -> list[Table]:
    """The tensors that go in, with what made them, and those that come out, for each call."""
    view, words, network = explained.view, explained.view.words, explained.view.network
    rows: list[tuple[Value, ...]] = []
    calls = explained.calls(path)
    for number, call in enumerate(calls, 1):
        step = network.step(call)
        for argument in step.inputs:
            rows.append(
                (
                    number,
                    Cell.of(words.goes_in, data="in"),
                    Cell.of(argument.name, code=True),
                    view.dims(argument.value),
                    told(view, explained.origins.of(argument.value)),
                )
            )
        for index, value in enumerate(step.outputs):
            name = "output" if len(step.outputs) == 1 else f"output.{index}"
            blank = Cell.of("", data=None)
            rows.append(
                (number, Cell.of(words.comes_out, data="out"), name, view.dims(value), blank)
            )
    if not rows:
        return []
    columns = (
        Column("call", words.called, priority=2),
        Column("direction", words.direction, priority=1),
        Column("name", words.name, code=True),
        Column("shape", words.shape, Kind.TUPLE, code=True),
        Column("from", words.comes_from, keys=("from", "from_function")),
    )
    first = 1 if len(calls) == 1 else 0
    kept = tuple(row[first:] for row in rows)
    return [Table("shapes", words.shapes, columns[first:], kept, level=2)]


def channels(explained: Explained, path: str) -> list[Table]:
    """Where the numbers of channels come from."""
    words, network = explained.view.words, explained.view.network
    calls = explained.calls(path)
    if not calls:
        return []
    step, origins = network.step(calls[0]), explained.origins
    rows: list[tuple[Value, ...]] = []
    for argument in step.inputs:
        sources = origins.sources(argument.value)
        number = origins.channels(argument.value)
        name = Cell.of(argument.name, code=True)
        rows.append((Cell.of(words.goes_in, data="in"), name, number, _sum(explained, sources)))
    for value in step.outputs[:1]:
        number, layer = origins.channels(value), origins.last_layer(calls[0])
        sentence = (
            phrase(words.channels_kept, ([], [], []), number=Part(number))
            if layer is None
            else phrase(
                words.channels_set,
                ([number], [layer], [None]),
                number=Part(number),
                producer=code(layer),
            )
        )
        rows.append((Cell.of(words.comes_out, data="out"), "output", number, sentence))
    columns = (
        Column("direction", words.direction, priority=1),
        Column("name", words.name, code=True),
        Column("channels", words.channels),
        Column("from", words.comes_from, keys=("from_channels", "from_producers", "from_pushes")),
    )
    return [Table("channels", words.channels, columns, tuple(rows), level=2)]


def _sum(explained: Explained, sources: Sequence[ChannelSource]) -> Cell:
    """`1920 = 1280 from up_blocks.1.upsamplers.0 + 640 from skip 5, pushed by …`."""
    words = explained.view.words
    total = sum(source.channels for source in sources)
    parts = [Part(f"{total} = ")] if len(sources) > 1 else []
    for number, source in enumerate(sources):
        parts += [Part(" + ")] if number else []
        template = words.channels_of if source.push is None else words.channels_of_skip
        filled = phrase(
            template,
            None,
            number=Part(source.channels),
            push=Part(source.push),
            producer=code(in_words(explained.view, source.producer)),
        )
        parts += filled.parts
    data = zip(*((s.channels, str(s.producer), s.push) for s in sources), strict=True)
    return Cell(tuple(parts), tuple(map(list, data)) or ([], [], []))
