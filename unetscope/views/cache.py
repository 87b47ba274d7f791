"""What the cache holds."""

from __future__ import annotations

from unetscope.files.cache import Contents
from unetscope.table import Cell, Column, Kind, Table
from unetscope.words import Words


def cache(found: Contents, most: int, words: Words, *, on: bool) -> Table:
    """One record: where the cache is, and how full.

    Args:
        found: what it holds.
        most: the bytes that it may hold.
        words: the language.
        on: whether it is used.
    """
    columns = (
        Column("folder", words.folder, code=True),
        Column("entries", words.entries, Kind.COUNT),
        Column("size_bytes", words.size_on_disk, Kind.DECIMAL_BYTES),
        Column("most_bytes", words.most_on_disk, Kind.DECIMAL_BYTES),
        Column("in_use", words.in_use),
    )
    used = Cell.of(words.yes if on else words.no, data=on)
    row = (str(found.folder), found.entries, found.nbytes, most, used)
    return Table("cache", words.cache, columns, (row,), facts=True)
