"""`unetscope list`: the configs that come with the package."""

from __future__ import annotations

from unetscope.config import load, shipped
from unetscope.table import Column, Kind, Table


def list_configs() -> Table:
    """One row a shipped config, sorted by name."""
    columns = (
        Column("name", "Name", code=True),
        Column("title", "Title"),
        Column("family", "Family"),
        Column("sample_size", "Sample size", Kind.SIZE),
        Column("source", "Source"),
    )
    rows = []
    for name in shipped():
        spec = load(name)
        size = (spec.inputs.height, spec.inputs.width)
        rows.append((name, spec.name, spec.family, size, spec.source))
    return Table("configs", "Configs", columns, tuple(rows))
