"""Many models in one table: the shipped configs by lineage, or several side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from unetscope.table import Cell, Column, Kind, Part, Reader, Table, Value
from unetscope.words import Words

if TYPE_CHECKING:
    from unetscope.lock import Lock, LockedTensor


def configs(index: Mapping[str, Mapping[str, Any]], words: Words, search: str = "") -> Table:
    """One row a config, below the one it extends, which is its lineage.

    Args:
        index: what is known of each config, by name (see `commands.indexing`).
        words: the language.
        search: only configs whose name, title, family or source holds this, in any case.
    """
    columns = (
        Column("name", words.name),
        Column("title", words.model, priority=3),
        Column("parameters", words.parameters, Kind.COUNT),
        Column("macs", words.macs, Kind.MACS, priority=1),
        Column("sample_size", words.sample_size, Kind.SIZE, priority=2),
        Column("conditioning", words.conditioning, priority=5),
        Column("family", words.family, priority=4),
        Column("extends", words.extends, code=True, priority=6),
        Column("source", words.source, priority=7),
    )
    rows = []
    for depth, name in _lineages(index):
        known = index[name]
        texts = (name, known["title"], known["family"], known["source"])
        if not any(search.casefold() in text.casefold() for text in texts):
            continue
        indent = "" if search else "  " * depth
        told = known["conditioning"]
        rows.append(
            (
                Cell.of(indent + name, code=True, data=name),
                known["title"],
                known["parameters"],
                known["macs"],
                (known["height"], known["width"]),
                Cell.of(words.listed.join(told) or words.none, data=told),
                known["family"],
                known["extends"],
                known["source"],
            )
        )
    return Table("configs", words.configs, columns, tuple(rows))


def _lineages(
    index: Mapping[str, Mapping[str, Any]], parent: str | None = None, depth: int = 0
) -> Iterator[tuple[int, str]]:
    """Every config behind the one it extends, with the length of its chain."""
    for name, known in index.items():
        if known["extends"] == parent:
            yield depth, name
            yield from _lineages(index, name, depth + 1)


_OPTIONS = (
    "block_out_channels",
    "layers_per_block",
    "up_layers_per_block",
    "transformer_layers_per_block",
    "attention_head_dim",
    "cross_attention_dim",
)


def compare(
    locks: Sequence[Lock],
    words: Words,
    names: Sequence[str] | None = None,
    reader: Reader = Reader.PEOPLE,
) -> list[Table]:
    """Models side by side: sizes, totals, shares of the work, and the options that make them.

    Programs read one record a model. People read one column a model, and behind each but the first
    how many times as much it has.

    Args:
        locks: the models.
        words: the language.
        names: what people read for the names of the locks.
        reader: who reads it.
    """
    from unetscope.views.view import without_formula

    kinds = list(dict.fromkeys(kind for lock in locks for kind in lock.macs))
    options = [key for key in _OPTIONS if any(key in _unet(lock) for lock in locks)]
    shapes = (
        Column("class", words.module_class, code=True, priority=5),
        Column("input", words.input_dims, Kind.TUPLE, code=True, priority=3),
        Column("output", words.output_dims, Kind.TUPLE, code=True, priority=4),
    )
    amounts = (
        Column("parameters", words.parameters, Kind.COUNT),
        Column("tensors", words.tensors, Kind.COUNT, priority=4),
        Column("macs", words.macs, Kind.MACS),
        *(
            Column(f"{kind}_share", words.work_kinds[kind], Kind.SHARE, priority=2)
            for kind in kinds
        ),
        Column("activation_bytes", words.activation_peak, Kind.BYTES, priority=1),
        Column("blocks", words.blocks_counted, priority=3),
        Column("skips", words.skips_counted, priority=1),
    )
    told = tuple(Column(key, key, code=True, priority=4) for key in options)
    unknown = dict.fromkeys(name for lock in locks for name in lock.uncounted)
    after = (without_formula(words, unknown),) if unknown else ()
    model = Column("model", words.model)
    called = [
        Cell.of(name, data=lock.name)
        for name, lock in zip(names or [lock.name for lock in locks], locks, strict=True)
    ]
    of_shapes, of_amounts, of_options = (
        [tuple(each(lock)) for lock in locks]
        for each in (_shapes, lambda lock: _amounts(lock, kinds), lambda lock: _told(lock, options))
    )
    if reader is Reader.PROGRAMS:
        columns = (model, *shapes, *amounts, *told)
        parts = zip(called, of_shapes, of_amounts, of_options, strict=True)
        rows = tuple((name, *given, *sums, *said) for name, given, sums, said in parts)
        return [Table("compare", words.compared_models, columns, rows, after=after)]
    if len(locks) > 1:
        after = (Cell.of(words.ratios_to.format(called[0].parts[0].value)), *after)
    rows = tuple(_with_ratios(words, called, of_amounts, amounts))
    facts = tuple(
        (name, *given, *said)
        for name, given, said in zip(called, of_shapes, of_options, strict=True)
    )
    return [
        Table(
            "compare", words.compared_models, (model, *amounts), rows, after=after, transposed=True
        ),
        Table("options", words.shapes_and_options, (model, *shapes, *told), facts, transposed=True),
    ]


def _with_ratios(
    words: Words,
    called: Sequence[Cell],
    records: Sequence[tuple[Value, ...]],
    columns: Sequence[Column],
) -> Iterator[tuple[Value, ...]]:
    """The amounts of each model, and behind each but the first how they compare with its."""
    shares = [column.kind is Kind.SHARE for column in columns]

    def ratio(value: Value, first: Value, *, is_share: bool) -> Cell:
        numbers: list[Any] = [
            each.data if isinstance(each, Cell) else each for each in (value, first)
        ]
        if is_share or None in numbers or not numbers[1]:
            return Cell.of("", data=None)
        return Cell.of(numbers[0] / numbers[1], Kind.RATIO)

    for number, (name, record) in enumerate(zip(called, records, strict=True)):
        yield name, *record
        if number:
            pairs = zip(record, records[0], shares, strict=True)
            yield words.ratio, *(ratio(a, b, is_share=share) for a, b, share in pairs)


def _shapes(lock: Lock) -> tuple[Value, ...]:
    return lock.modules[0].kind, _shape(lock.inputs), _shape(lock.outputs)


def _amounts(lock: Lock, kinds: Sequence[str]) -> tuple[Value, ...]:
    return (
        lock.totals.parameters,
        sum(not tensor.buffer and tensor.tied_to is None for tensor in lock.tensors),
        lock.totals.macs,
        *(lock.macs.get(kind, 0) / lock.totals.macs if lock.totals.macs else 0.0 for kind in kinds),
        lock.totals.activation_bytes,
        _blocks(lock),
        len(lock.skips),
    )


def _blocks(lock: Lock) -> Cell:
    """The blocks, by side; unknown where no skips tell the sides apart."""
    from unetscope.analysis.counted_blocks import count_blocks

    found = count_blocks(lock)
    if found is None:
        return Cell.of(None)
    sides = " + ".join(map(str, found))
    return Cell((Part(f"{sides} = "), Part(sum(found), Kind.COUNT)), sum(found))


def _told(lock: Lock, options: Sequence[str]) -> tuple[Value, ...]:
    unet = _unet(lock)
    return tuple(_option(unet.get(key)) for key in options)


def _unet(lock: Lock) -> Mapping[str, object]:
    unet = lock.config.get("unet", {})
    return unet if isinstance(unet, dict) else {}


def _shape(tensors: Sequence[LockedTensor]) -> tuple[int, ...] | None:
    return tensors[0].shape if tensors else None


def _option(value: object) -> Cell:
    return Cell.of(None if value is None else str(value), data=value, code=True)
