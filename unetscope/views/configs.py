"""The configs that come with the package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from unetscope.table import Column, Kind, Table
from unetscope.views.words import Words

if TYPE_CHECKING:
    from unetscope.config import Spec


def configs(specs: Iterable[tuple[str, Spec]], words: Words) -> Table:
    """One row a config: the name to ask for it, and what it describes."""
    columns = (
        Column("name", words.name, code=True),
        Column("title", words.model),
        Column("family", words.family),
        Column("sample_size", words.sample_size, Kind.SIZE),
        Column("source", words.source),
    )
    rows = tuple(
        (name, spec.name, spec.family, (spec.inputs.height, spec.inputs.width), spec.source)
        for name, spec in specs
    )
    return Table("configs", words.configs, columns, rows)
