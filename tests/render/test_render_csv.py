from __future__ import annotations

import csv
import io
import math

import pytest

from unetscope.errors import UnetscopeError
from unetscope.render import render
from unetscope.table import Cell, Column, Kind, Part, Table


def one(value: object, kind: Kind = Kind.TEXT) -> str:
    """The field that a lone value becomes."""
    table = Table("t", "", (Column("key", "Title", kind), Column("n", "")), ((value, 0),))  # type: ignore[arg-type]
    header, row = csv.reader(io.StringIO(render([table], "csv")))
    assert header == ["key", "n"]
    return row[0]


def test_a_table_is_a_header_of_keys_and_plain_data() -> None:
    table = Table(
        "ledger",
        "Skips",
        (
            Column("push", "Push"),
            Column("shape", "Shape", Kind.SHAPE, code=True),
            Column("held_bytes", "Held", Kind.BYTES),
            Column("joined", "Joined?"),
        ),
        (
            (0, (1, 320, 64, 64), 5_242_880, Cell.of("yes", data=True)),
            (1, (1, 4), None, Cell.of("no", data=False)),
        ),
        total=("all", None, 5_242_880, None),
        after=(Cell.of("2 pushed"),),
    )
    assert (
        render([table], "csv")
        == """\
push,shape,held_bytes,joined
0,1x320x64x64,5242880,true
1,1x4,,false
"""
    )


@pytest.mark.parametrize(
    ("value", "kind", "field"),
    [
        (None, Kind.COUNT, ""),
        (0.125, Kind.SHARE, "0.125"),
        (math.nan, Kind.SHARE, ""),
        ((), Kind.SHAPE, "[]"),
        (("B", 4, "H/8"), Kind.SHAPE, "Bx4xH/8"),
        (["a", "b"], Kind.TEXT, "a;b"),
        ([1, 2], Kind.TEXT, "1;2"),
        ([[1, 4], [1, 8]], Kind.SHAPE, "1x4;1x8"),
        (["res[0]", "previous"], Kind.SHAPE, "res[0];previous"),
        ([], Kind.TEXT, "[]"),
        (["left over; all", "b"], Kind.TEXT, '["left over; all", "b"]'),
        (["[1]", "≠"], Kind.TEXT, '["[1]", "≠"]'),
        ([""], Kind.TEXT, '[""]'),
        (["\x1b;"], Kind.TEXT, '["\\\\x1b;"]'),
        (Cell((Part((1, 4), Kind.SHAPE), Part(" new")), [1, 4]), Kind.TEXT, "1x4"),
        ('a "b", c', Kind.TEXT, 'a "b", c'),
    ],
)
def test_values_have_one_spelling(value: object, kind: Kind, field: str) -> None:
    assert one(value, kind) == field


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("'=1", "''=1"),
        ("+", "+"),
        ("-", "-"),
        ("a=1", "a=1"),
        ("'quoted'", "'quoted'"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\t=1", "\\t=1"),
    ],
)
def test_text_runs_neither_in_a_spreadsheet_nor_in_a_terminal(text: str, field: str) -> None:
    assert one(text) == field


@pytest.mark.parametrize("number", [-5, -0.5])
def test_numbers_stay_numbers(number: float) -> None:
    assert one(number) == str(number)


def test_tables_alike_are_one() -> None:
    columns = (Column("step", "Step"),)
    blocks = [Table("steps", f"block {i}", columns, ((f"{i}.1",),), repeats=True) for i in (1, 2)]
    assert render(blocks, "csv") == "step\n1.1\n2.1\n"


def test_several_tables_are_refused_by_name() -> None:
    tables = [Table(key, "", (Column("a", ""),), ()) for key in ("parts", "ledger")]
    with pytest.raises(UnetscopeError, match="one table; choose one with --sections") as caught:
        render([*tables, Table("words", "", (), ())], "csv")
    assert caught.value.hint == "there are parts, ledger"


def test_no_table_is_refused() -> None:
    with pytest.raises(UnetscopeError, match="csv holds one table") as caught:
        render([Table("words", "", (), ())], "csv")
    assert caught.value.hint == "there is no table here"


def test_a_cell_of_several_values_is_several_fields() -> None:
    columns = (
        Column("pop", ""),
        Column("inputs", "", keys=("inputs", "input_shapes")),
    )
    shapes = Cell((Part((1, 4), Kind.SHAPE),), (["x", "res[0]"], [[1, 4], [1, 8]]))
    table = Table("t", "", columns, ((0, shapes), (1, Cell.of(None))))
    assert render([table], "csv") == "pop,inputs,input_shapes\n0,x;res[0],1x4;1x8\n1,,\n"
