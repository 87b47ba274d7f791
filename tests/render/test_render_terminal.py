from __future__ import annotations

from dataclasses import replace

import pytest
from rich.text import Text

from unetscope.render import Style, render
from unetscope.table import BREAK, Cell, Column, Kind, Part, Table

ENCODER = Table(
    "encoder",
    "Encoder",
    (
        Column("block", "Property"),
        Column("type", "Block type", code=True),
        Column("doubled", "Channels doubled?"),
        Column("transformers", "Transformers"),
        Column("inputs", "Main inputs"),
    ),
    tuple(
        (
            f"Down Block {number}",
            kind,
            Cell.of(doubled, data=doubled == "yes"),
            transformers,
            Cell((Part("sample"), BREAK, Part("time")), ["sample", "time"]),
        )
        for number, kind, doubled, transformers in [
            (1, "CrossAttnDownBlock2D", "no", 2),
            (2, "CrossAttnDownBlock2D", "yes", 2),
            (3, "CrossAttnDownBlock2D", "yes", 2),
            (4, "DownBlock2D", "no", Cell.of(0, strong=True)),
        ]
    ),
    transposed=True,
)

PARAMS = Table(
    "params",
    "Parameters",
    (
        Column("path", "Block", code=True),
        Column("parameters", "Parameters", Kind.COUNT),
        Column("share", "Share", Kind.SHARE),
        Column("calls", "Calls"),
    ),
    (("conv_in", 11_840, 0.011, 1), ("down_blocks.0", 1_000_000, 0.989, None)),
    total=(Cell.of("total"), 1_011_840, 1.0, None),
    after=(Cell.of("They add up."),),
)


def test_a_pipe_gets_long_lines() -> None:
    assert (
        render([ENCODER, PARAMS], "terminal")
        == """\
━━ Encoder
Property           Down Block 1          Down Block 2          Down Block 3          Down Block 4
─────────────────  ────────────────────  ────────────────────  ────────────────────  ────────────
Block type         CrossAttnDownBlock2D  CrossAttnDownBlock2D  CrossAttnDownBlock2D  DownBlock2D
Channels doubled?  no                    yes                   yes                   no
Transformers       2                     2                     2                     0
Main inputs        sample                sample                sample                sample
                   time                  time                  time                  time

━━ Parameters
Block          Parameters    Share  Calls
─────────────  ──────────  ───────  ─────
conv_in            11,840    1.1 %      1
down_blocks.0   1,000,000   98.9 %      -
─────────────  ──────────  ───────  ─────
total           1,011,840  100.0 %      -

They add up.
"""
    )


def test_a_comparison_goes_on_below_itself() -> None:
    assert (
        render([ENCODER], "terminal", Style(width=80))
        == """\
━━ Encoder
Property           Down Block 1          Down Block 2
─────────────────  ────────────────────  ────────────────────
Block type         CrossAttnDownBlock2D  CrossAttnDownBlock2D
Channels doubled?  no                    yes
Transformers       2                     2
Main inputs        sample                sample
                   time                  time

Property           Down Block 3          Down Block 4
─────────────────  ────────────────────  ────────────
Block type         CrossAttnDownBlock2D  DownBlock2D
Channels doubled?  yes                   no
Transformers       2                     0
Main inputs        sample                sample
                   time                  time
"""
    )


def steps() -> Table:
    inputs = Cell(
        (
            Part("sample_in", code=True),
            Part(": "),
            Part(("B", 1280, 8, 8), Kind.SHAPE, code=True),
            BREAK,
            Part("res[11]", code=True),
            Part(": "),
            Part(("B", 1280, 8, 8), Kind.SHAPE, code=True),
        ),
        [],
    )
    return Table(
        "steps",
        "up_blocks[0]",
        (
            Column("step", "Step"),
            Column("operation", "Operation", code=True),
            Column("inputs", "Inputs"),
            Column("layer", "Layer", code=True),
            Column("output", "Output", Kind.SHAPE, code=True),
        ),
        (
            ("1.1", "torch.cat", inputs, None, ("B", 2560, 8, 8)),
            (
                "1.2",
                "up_blocks[0].resnets[0]",
                "x",
                "ResnetBlock2D(conv1: 2560 -> 1280)",
                ("B", 1280, 8, 8),
            ),
        ),
        level=2,
    )


def test_folding_keeps_shapes_whole_and_breaks_paths_at_dots() -> None:
    assert (
        render([steps()], "terminal", Style(width=80))
        == """\
── up_blocks[0]
Step  Operation      Inputs           Layer                 Output
────  ─────────────  ───────────────  ────────────────────  ───────────────
1.1   torch.cat      sample_in:       -                     [B, 2560, 8, 8]
                     [B, 1280, 8, 8]
                     res[11]:
                     [B, 1280, 8, 8]
1.2   up_blocks[0].  x                ResnetBlock2D(conv1:  [B, 1280, 8, 8]
      resnets[0]                      2560 -> 1280)
"""
    )


MODELS = Table(
    "models",
    "Models",
    (
        Column("name", "Name", code=True),
        Column("title", "Model", priority=3),
        Column("parameters", "Parameters", Kind.COUNT, priority=1),
        Column("size", "Largest feature map", Kind.SIZE, priority=2),
    ),
    (
        ("sd15", "Stable Diffusion, version 1.5", 859_520_964, (64, 64)),
        ("ddpm", "Denoising diffusion", 35_746_307, (32, 32)),
    ),
    after=(Cell.of("Two models."),),
)


def test_the_least_important_columns_go_first_and_a_line_says_which() -> None:
    assert (
        render([MODELS], "terminal", Style(width=64))
        == """\
━━ Models
Name   Parameters  Largest feature map
────  ───────────  ───────────────────
sd15  859,520,964  64x64
ddpm   35,746,307  32x32

left out: Model (a wider terminal or -f markdown shows them)
Two models.
"""
    )
    narrow = render([MODELS], "terminal", Style(width=36)).replace("\n", " ")
    assert "left out: Model; Largest feature map (" in narrow
    assert "未显示：Model（" in render([MODELS], "terminal", Style(width=64, language="zh"))
    for whole in (Style(), Style(width=69)):
        assert "left out" not in render([MODELS], "terminal", whole)
        assert "Stable Diffusion, version 1.5" in render([MODELS], "terminal", whole)


def test_columns_are_shown_before_paths_unfold() -> None:
    path = "down_blocks.0.attentions.1.transformer_blocks.0.attn2"
    columns = (Column("path", "Path", code=True), Column("n", "Parameters", Kind.COUNT, priority=1))
    table = Table("t", "", columns, ((path, 1_234_567),))
    assert (
        render([table], "terminal", Style(width=50))
        == """\
Path                         Parameters
───────────────────────────  ──────────
down_blocks.0.attentions.1.   1,234,567
transformer_blocks.0.attn2
"""
    )


def test_more_columns_than_fit_are_shown_record_by_record() -> None:
    columns = tuple(Column(f"c{i}", f"Column {i}") for i in range(6))
    table = Table("t", "", columns, (tuple("long words here" for _ in columns), tuple("abcdef")))
    assert (
        render([table], "terminal", Style(width=40))
        == "\n\n".join(
            "\n".join(f"Column {i}  {value}" for i, value in enumerate(values))
            for values in (["long words here"] * 6, "abcdef")
        )
        + "\n"
    )


def test_facts_that_do_not_fit_stand_below_their_titles() -> None:
    columns = (Column("a", "transformer_layers_per_block"), Column("b", "class", code=True))
    table = Table("t", "", columns, (((1, 2, 10), "UNet2DConditionModel"),), facts=True)
    assert (
        render([table], "terminal", Style(width=40))
        == """\
transformer_layers_per_block
  (1, 2, 10)
class
  UNet2DConditionModel
"""
    )


def test_zeros_are_blank_in_a_terminal_where_most_values_are() -> None:
    columns = (Column("a", "A"), Column("b", "B", Kind.COUNT, zeros=False))
    table = Table("t", "", columns, (("x", 0), ("y", 7)), total=("z", 0))
    assert render([table], "terminal", Style(width=40)) == "A  B\n─  ─\nx\ny  7\n─  ─\nz\n"
    assert "x  0" in render([table], "terminal")


def test_tables_that_repeat_are_laid_out_alike_and_say_once_what_is_left_out() -> None:
    other = replace(MODELS, rows=(("x", "y", 1, (1, 1)),), after=())
    text = render([other, MODELS], "terminal", Style(width=64))
    assert text.count("left out: ") == 1
    assert text.split().count("Model") == 1


@pytest.mark.parametrize("width", [None, 80, 48])
def test_colour_marks_text_and_changes_none(width: int | None) -> None:
    tables = [ENCODER, PARAMS, steps(), MODELS]
    marked = Text.from_ansi(render(tables, "terminal", Style(width, color=True)))
    plain = render(tables, "terminal", Style(width))
    assert [line.rstrip() for line in marked.plain.splitlines()] == plain.splitlines()


def test_what_is_marked_is_bold_cyan_or_dim() -> None:
    cells = (Cell.of("x", strong=True), Cell.of("y", code=True), "z")
    columns = (Column("a", "A"), Column("b", "B"), Column("c", "C"))
    marked = Text.from_ansi(
        render([Table("t", "", columns, (cells,))], "terminal", Style(color=True))
    )
    found = {marked.plain[s.start : s.end]: str(s.style) for s in marked.spans}
    assert (found["x"], found["y"], found.get("z"), found["A"]) == ("bold", "color(6)", None, "dim")


def test_a_row_of_nothing_is_an_empty_line() -> None:
    table = Table("t", "", (Column("a", "A", Kind.COUNT, zeros=False),), ((0,), (7,)))
    assert render([table], "terminal", Style(width=40)) == "A\n─\n\n7\n"


def test_columns_without_records_keep_their_titles() -> None:
    columns = tuple(Column(f"c{i}", f"Column {i}") for i in range(6))
    text = render([Table("t", "", columns, ())], "terminal", Style(width=40))
    assert text.split() == " ".join(f"Column {i}" for i in range(6)).split()


def test_wide_characters_take_two_cells() -> None:
    columns = (Column("a", "模块"), Column("b", "n"))
    table = Table("t", "", columns, (("残差", 1), ("ab", 20)))
    assert (
        render([table], "terminal")
        == """\
模块   n
────  ──
残差   1
ab    20
"""
    )


def test_facts_are_lines_of_title_and_value() -> None:
    columns = (Column("model", "Model"), Column("parameters", "Parameters", Kind.COUNT))
    table = Table("model", "SD", columns, (("UNet", 859_520_964),), facts=True)
    assert (
        render([table], "terminal")
        == """\
━━ SD
Model       UNet
Parameters  859,520,964
"""
    )


def test_what_looks_like_markup_is_shown() -> None:
    table = Table("t", "[bold]", (Column("a", "\x1b[2J"),), (("[red]x[/red] \x07\u202e",),))
    assert (
        render([table], "terminal")
        == r"""━━ [bold]
\x1b[2J
────────────────────
[red]x[/red] \x07\u202e
""".replace("─" * 20, "─" * 23)
    )


def test_colour_marks_titles_code_and_weight() -> None:
    table = Table(
        "t",
        "T",
        (Column("a", "A", code=True), Column("b", "B")),
        (("x", Cell.of("y", strong=True)), (None, "z")),
    )
    assert render([table], "terminal", Style(color=True)).replace("\x1b", "^") == (
        "^[36m━━ ^[0m^[1mT^[0m\n^[2mA^[0m  ^[2mB^[0m\n^[2m─^[0m  ^[2m─^[0m\n"
        "^[36mx^[0m  ^[1my^[0m\n-  z\n"
    )
