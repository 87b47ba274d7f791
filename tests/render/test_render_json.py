from __future__ import annotations

import json
import math

from unetscope.render import render
from unetscope.table import Cell, Column, Kind, Part, Table

COLUMNS = (Column("path", "Path", code=True), Column("weight_bytes", "Size", Kind.BYTES))


def test_a_table_stands_under_its_key() -> None:
    table = Table(
        "blocks",
        "块",
        COLUMNS,
        (("conv_in", 46_080), ("mid_block", None)),
        total=("total", 46_080),
        data={"popped": 12},
    )
    assert (
        render([table], "json")
        == """\
{
  "format_version": 2,
  "blocks": {
    "title": "块",
    "rows": [
      {
        "path": "conv_in",
        "weight_bytes": 46080
      },
      {
        "path": "mid_block",
        "weight_bytes": null
      }
    ],
    "total": {
      "path": "total",
      "weight_bytes": 46080
    },
    "popped": 12
  }
}
"""
    )


def test_facts_are_one_object() -> None:
    table = Table("model", "Model", COLUMNS, (("unet", 1),), facts=True, data={"device": "meta"})
    assert json.loads(render([table], "json")) == {
        "format_version": 2,
        "model": {"path": "unet", "weight_bytes": 1, "device": "meta"},
    }


def test_facts_without_a_key_stand_in_the_object_and_begin_the_next() -> None:
    def document(name: str) -> list[Table]:
        facts = Table("", "", COLUMNS, ((name, 1),), facts=True)
        return [facts, Table("rows", "", COLUMNS, (("a", 2),))]

    one = {"format_version": 2, "path": "x", "weight_bytes": 1}
    one["rows"] = [{"path": "a", "weight_bytes": 2}]
    assert json.loads(render(document("x"), "json")) == one
    several = render([*document("x"), *document("y")], "json")
    assert json.loads(several) == [one, {**one, "path": "y"}]


def test_a_cell_of_several_values_has_a_key_for_each() -> None:
    columns = (Column("pop", ""), Column("size", "", keys=("size_before", "size_after")))
    table = Table("t", "", columns, ((0, Cell((), ([8, 8], [4, 4]))), (1, Cell.of(None))))
    assert json.loads(render([table], "json"))["t"]["rows"] == [
        {"pop": 0, "size_before": [8, 8], "size_after": [4, 4]},
        {"pop": 1, "size_before": None, "size_after": None},
    ]


def test_tables_that_share_a_key_are_a_list_and_so_is_one_that_repeats() -> None:
    def steps(number: int, repeats: bool) -> Table:
        return Table("steps", f"block {number}", (Column("n", ""),), ((number,),), repeats=repeats)

    two = json.loads(render([steps(0, False), steps(1, False)], "json"))
    assert [table["title"] for table in two["steps"]] == ["block 0", "block 1"]
    one = json.loads(render([steps(0, True)], "json"))
    assert one["steps"] == [{"title": "block 0", "rows": [{"n": 0}]}]


def test_data_is_written_and_not_what_people_read() -> None:
    cell = Cell((Part("res[11]", code=True), Part(": "), Part((1, 4), Kind.SHAPE)), [{"push": 11}])
    table = Table("t", "", (Column("inputs", ""),), ((cell,),))
    assert json.loads(render([table], "json"))["t"]["rows"] == [{"inputs": [{"push": 11}]}]


def test_what_is_not_finite_is_null() -> None:
    row = (math.nan, [math.inf, 1.5, {"deep": -math.inf}])
    table = Table("t", "", (Column("a", ""), Column("b", "")), (row,))
    assert json.loads(render([table], "json"))["t"]["rows"] == [
        {"a": None, "b": [None, 1.5, {"deep": None}]}
    ]


def test_unseen_characters_are_escaped_and_words_are_not() -> None:
    text = "尺寸 \x1b \x9b \u202e \udc80"
    written = render([Table("t", text, (), ())], "json")
    assert '"尺寸 \\u001b \\u009b \\u202e \\udc80"' in written
    assert json.loads(written)["t"] == {"title": text}
    written.encode()
