"""LaTeX that compiles whatever the names in it are, and says what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unetscope.render import Style, render
from unetscope.table import BREAK, Cell, Column, Kind, Part, Table

SPECIAL = "\\_%&#${}~^"
HOSTILE = [
    *SPECIAL,
    SPECIAL,
    "[B, 1280]",
    "* 2",
    "a--b",
    "''",
    "``code``",
    '"a"',
    "<b>",
    "x|y",
    "  indented",
    "-1",
    "\\end{tabular}\\input{/etc/passwd}",
    "\x1b[31m",
    "\n",
    "1 -> 2",
]
COMMANDS = {
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textasciigrave": "`",
    "rightarrow": "->",
    "char": '"',
}


def said(source: str) -> str:
    """What TeX sets for one cell: the few commands that it may have, read one by one.

    Fails at whatever would be more than text.
    """
    text, rest, depth, math = "", source, 0, False
    while rest:
        if match := re.match(r"\\(textbf|texttt)(?=\{)", rest):
            pass
        elif match := re.match(r"\\char34(?=\})|\\([A-Za-z]+)(\{\})?", rest):
            text += COMMANDS[match[1] or "char"]
            assert math or match[2] or match[0] == "\\char34"
        elif match := re.match(r"\\([_%&#${}])", rest):
            text += match[1]
        elif match := re.match(r"[{}]", rest):
            depth += 1 if match[0] == "{" else -1
            assert depth >= 0
        elif match := re.match(r"\$", rest):
            math = not math
        else:
            match = re.match(r".", rest, re.DOTALL)
            assert match is not None
            assert match[0] not in '\\_%&#^"<>|`'
            text += match[0].replace("~", " ")
        rest = rest[match.end() :]
    assert depth == 0
    assert not math
    return text


def cell_of(value: Cell | str) -> str:
    """The source of a cell in a column of its own, behind the cell `x`."""
    table = Table("t", "", (Column("a", "A"), Column("b", "B")), (("x", value),))
    _, _, rest = render([table], "latex").partition("x & ")
    return rest.rpartition(" \\\\\n    \\bottomrule")[0]


@pytest.mark.parametrize("code", [False, True])
@pytest.mark.parametrize("text", [each for each in HOSTILE if each.isprintable()])
def test_hostile_names_stay_text(text: str, code: bool) -> None:
    source = cell_of(Cell.of(text, code=code))
    assert said(source) == text
    assert source.startswith("\\texttt{") is code


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32), min_size=1))
def test_any_text_stays_text(text: str) -> None:
    assert said(cell_of(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_row_begins_with_what_a_line_break_takes_for_its_argument(text: str) -> None:
    table = Table("t", text, (Column("a", text),), ((text,), (text,)), total=(text,))
    assert not re.search(r"\\\\\s*[\[*]", render([table], "latex"))


def test_a_table_for_a_paper() -> None:
    table = Table(
        "in_out",
        "Inputs & outputs",
        (Column("path", "Block", code=True), Column("n", "Parameters", Kind.COUNT)),
        (("conv_in", 11_840), ("mid_block", None)),
        total=("total", 11_840),
        after=(Cell.of("They add up to 100 %."),),
    )
    assert (
        render([table, table], "latex").partition("\n\\end{table}\n")[0]
        == r"""% Needs \usepackage{booktabs}
\begin{table}
  \centering
  \caption{Inputs \& outputs}
  \label{tab:in-out}
  \begin{tabular}{lr}
    \toprule
    Block & Parameters \\
    \midrule
    \texttt{conv\_in} & 11,840 \\
    \texttt{mid\_block} & - \\
    \midrule
    \textbf{\texttt{total}} & \textbf{11,840} \\
    \bottomrule
  \end{tabular}
  \par\medskip\parbox{\linewidth}{\footnotesize They add up to 100 \%.}
  \par\medskip"""
    )
    labels = re.findall(r"\\label\{(.*)\}", render([table, table], "latex"))
    assert labels == ["tab:in-out", "tab:in-out-2"]


def test_what_is_no_grid_of_records() -> None:
    columns = (Column("a", "A_1"), Column("b", "B"))
    facts = render([Table("f", "", columns, (("x", 1),), facts=True)], "latex")
    assert "    \\toprule\n    A\\_1 & x \\\\\n    B & 1 \\\\\n    \\bottomrule" in facts
    turned = render([Table("t", "", columns, (("x", 1), ("y", 2)), transposed=True)], "latex")
    assert "{lrr}\n    \\toprule\n    A\\_1 & x & y \\\\\n    \\midrule\n    B & 1 & 2 " in turned
    text = render([Table("p", "A & B", (), (), after=(Cell.of("50 %"),))], "latex")
    assert text == "\\paragraph{A \\& B}\n\n50 \\%\n"


def test_what_is_not_ascii_is_mathematics_or_said() -> None:
    ascii_alone = render([Table("t", "2×2 … → ≥", (Column("a", "π"),), ())], "latex")
    assert ascii_alone.isascii()
    assert "XeLaTeX" not in ascii_alone
    assert "XeLaTeX" in render([Table("t", "尺寸", (Column("a", "A"),), ())], "latex")


def test_it_compiles(tmp_path: Path) -> None:
    tex = next(filter(None, map(shutil.which, ("xelatex", "lualatex", "pdflatex"))), None)
    if tex is None:
        pytest.skip("no TeX is installed")
    stacked = Cell((Part("a"), BREAK, Part("[b]"), BREAK, Part("")), "a")
    columns = tuple(Column(f"c{i}", text, code=i % 2 == 0) for i, text in enumerate(HOSTILE))
    rows = (tuple(HOSTILE), tuple(reversed(HOSTILE)), (stacked,) * len(HOSTILE))
    notes = tuple(map(Cell.of, HOSTILE))
    tables = [
        Table("t", SPECIAL, columns, rows, total=rows[0], before=notes, after=(*notes, stacked)),
        Table("t", SPECIAL, columns, rows, transposed=True),
        Table("t", SPECIAL, columns, rows[:1], facts=True),
        Table("t", SPECIAL, (), (), after=notes),
    ]
    body = render(tables, "latex", Style())
    document = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (tmp_path / "paper.tex").write_text(f"{document}{body}\\end{{document}}\n")
    command = [tex, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
