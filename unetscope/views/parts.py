"""The five parts of a UNet and what each does to the feature map's dims."""

from __future__ import annotations

from unetscope.table import Cell, Column, Kind, Part, Table
from unetscope.views.view import View, code


def parts(view: View) -> list[Table]:
    """One row a part: its blocks, and the dims of the feature map before and after."""
    network, words, anatomy = view.network, view.words, view.anatomy
    rows = []
    for key, blocks in vars(anatomy).items():
        if not blocks:
            continue
        given, made = network.main_input(blocks[0]), network.main_output(blocks[-1])
        paths = [network.path(block) for block in blocks]
        rows.append(
            (
                Cell.of(getattr(words, key), data=key),
                Cell(_between(paths), paths),
                None if given is None else view.dims(network.before_join(given)),
                None if made is None else view.dims(made),
            )
        )
    if not rows:
        return []
    columns = (
        Column("part", words.part),
        Column("modules", words.modules),
        Column("input_shape", words.input_dims, Kind.TUPLE, code=True),
        Column("output_shape", words.output_dims, Kind.TUPLE, code=True),
    )
    return [Table("parts", words.parts, columns, tuple(rows))]


def _between(paths: list[str]) -> tuple[Part, ...]:
    """The first and the last of a run of blocks."""
    if len(paths) == 1:
        return (code(paths[0]),)
    return (code(paths[0]), Part(", " if len(paths) == 2 else " … "), code(paths[-1]))
