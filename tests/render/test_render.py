from __future__ import annotations

import subprocess
import sys

import pytest

from unetscope.errors import UnetscopeError
from unetscope.render import FORMATS, Content, formats, render
from unetscope.table import Column, Table

TABLE = Table("one", "One", (Column("a", "A"), Column("b", "B")), (("x", 1), ("y", 2)))


def test_the_formats_that_can_hold_it() -> None:
    assert formats(Content.TABLES) == ("terminal", "markdown", "html", "latex", "json", "csv")
    assert {*formats(Content.FINDINGS)} - {*formats(Content.TABLES)} == {"github", "sarif"}
    changes = ("terminal", "markdown", "html", "latex", "json", "github", "sarif", "junit")
    assert formats(Content.CHANGES) == changes


@pytest.mark.parametrize("name", sorted({*FORMATS} - {"github", "junit", "sarif"}))
def test_every_format_ends_with_one_newline(name: str) -> None:
    text = render([TABLE], name)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", ["github", "junit", "sarif"])
def test_what_holds_findings_takes_no_other_tables(name: str) -> None:
    with pytest.raises(UnetscopeError, match=f"the format {name} "):
        render([TABLE], name)


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(UnetscopeError, match="no format `markdwon`") as caught:
        render([TABLE], "markdwon")
    assert caught.value.hint == "did you mean `markdown`?"


def test_rows_must_fit_the_columns() -> None:
    with pytest.raises(ValueError, match="one: 2 columns, but a row of 1"):
        Table("one", "", TABLE.columns, (("x",),))
    with pytest.raises(ValueError, match="one: 2 columns, but a row of 3"):
        Table("one", "", TABLE.columns, (), total=("x", 1, 2))
    with pytest.raises(ValueError, match="facts are one record, not 2"):
        Table("one", "", TABLE.columns, TABLE.rows, facts=True)


def imported(name: str) -> set[str]:
    script = f"""
import sys
from unetscope.render import render
from unetscope.table import Column, Table
render([Table("one", "尺寸", (Column("a", "A"),), (("x",),))], {name!r})
print(*sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("name", ["markdown", "csv", "json"])
def test_formats_for_files_import_neither_rich_nor_torch(name: str) -> None:
    assert not imported(name) & {"rich", "torch"}


def test_of_rich_the_terminal_imports_the_widths_of_characters_alone() -> None:
    modules = imported("terminal")
    assert "rich.cells" in modules
    assert not modules & {"torch", "rich.console", "rich.text", "rich.table"}
