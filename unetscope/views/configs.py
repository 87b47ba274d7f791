"""The configs that come with the package, by lineage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unetscope.table import Cell, Column, Kind, Table
from unetscope.words import Words


def configs(
    index: Mapping[str, Mapping[str, Any]], words: Words, search: str = "", *, brief: bool = False
) -> Table:
    """One row a config, below the one it extends, which is its lineage.

    Args:
        index: what is known of each config, by name (see `commands.indexing`).
        words: the language.
        search: only configs whose name, title, family or source holds this, in any case.
        brief: leave out what a narrow terminal has no room for.
    """
    columns = [
        Column("name", words.name),
        Column("title", words.model),
        Column("parameters", words.parameters, Kind.COUNT),
        Column("macs", words.macs, Kind.MACS),
        Column("sample_size", words.sample_size, Kind.SIZE),
        Column("conditioning", words.conditioning),
        Column("family", words.family),
        Column("extends", words.extends, code=True),
        Column("source", words.source),
    ]
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
    keep = range(5 if brief else len(columns))
    return Table(
        "configs",
        words.configs,
        tuple(columns[index] for index in keep),
        tuple(tuple(row[index] for index in keep) for row in rows),
    )


def _lineages(
    index: Mapping[str, Mapping[str, Any]], parent: str | None = None, depth: int = 0
) -> Iterator[tuple[int, str]]:
    """Every config behind the one it extends, with the length of its chain."""
    for name, known in index.items():
        if known["extends"] == parent:
            yield depth, name
            yield from _lineages(index, name, depth + 1)
