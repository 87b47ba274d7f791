# ruff: noqa: E501  (the article's rows are long)
from __future__ import annotations

import pytest

from unetscope.render import render
from unetscope.table import BREAK, Cell, Column, Kind, Part, Table


def code(value: object, kind: Kind = Kind.TEXT) -> Part:
    return Part(value, kind, code=True)


def operand(name: str, *shape: int | str) -> tuple[Part, ...]:
    return (code(name), Part(": "), code(shape, Kind.SHAPE))


STEPS = Table(
    "steps",
    "up_blocks[0]",
    (
        Column("step", "步骤"),
        Column("operation", "操作", code=True),
        Column("inputs", "输入Tensor(s) 及其维度"),
        Column("layer", "关键层定义 (in_ch -> out_ch)", code=True),
        Column("output", "输出维度", Kind.SHAPE, code=True),
    ),
    (
        (
            "1.1",
            "torch.cat",
            Cell((*operand("sample_in", "B", 1280, 8, 8), BREAK, *operand("res[11]", "B", 1280, 8, 8)), []),
            Cell.of("N/A", code=True, data=None),
            ("B", 2560, 8, 8),
        ),
        (
            "1.2",
            "up_blocks[0].resnets[0]",
            Cell(operand("(上一步输出)", "B", 2560, 8, 8), []),
            "ResnetBlock2D(conv1: 2560 -> 1280)",
            ("B", 1280, 8, 8),
        ),
        (
            "1.7",
            "up_blocks[0].upsamplers[0]",
            Cell(operand("(上一步输出)", "B", 1280, 8, 8), []),
            "Upsample2D(conv: 1280 -> 1280)",
            Cell.of(("B", 1280, 16, 16), Kind.SHAPE, strong=True, code=True),
        ),
    ),
    before=(
        Cell((Part("输入 ", strong=True), Part("sample_in", strong=True, code=True), Part(": "),
              code(("B", 1280, 8, 8), Kind.SHAPE), Part(" (来自 "), code("mid_block"), Part(")")), None),
    ),
    level=2,
)  # fmt: skip


def test_the_step_table_reads_as_in_the_article() -> None:
    assert (
        render([STEPS], "markdown")
        == """\
### up_blocks[0]

**输入 `sample_in`**: `[B, 1280, 8, 8]` (来自 `mid_block`)

| 步骤 | 操作 | 输入Tensor(s) 及其维度 | 关键层定义 (in_ch -> out_ch) | 输出维度 |
| :--- | :--- | :--- | :--- | :--- |
| 1.1 | `torch.cat` | `sample_in`: `[B, 1280, 8, 8]` <br> `res[11]`: `[B, 1280, 8, 8]` | `N/A` | `[B, 2560, 8, 8]` |
| 1.2 | `up_blocks[0].resnets[0]` | `(上一步输出)`: `[B, 2560, 8, 8]` | `ResnetBlock2D(conv1: 2560 -> 1280)` | `[B, 1280, 8, 8]` |
| 1.7 | `up_blocks[0].upsamplers[0]` | `(上一步输出)`: `[B, 1280, 8, 8]` | `Upsample2D(conv: 1280 -> 1280)` | **`[B, 1280, 16, 16]`** |
"""
    )


def test_the_residual_table_reads_as_in_the_article() -> None:
    def from_down_block(words: str) -> Cell:
        return Cell((code("down_blocks[0]"), Part(words)), "down_blocks.0")

    table = Table(
        "residuals",
        "",
        (
            Column("index", "序号 (Index)"),
            Column("producer", "生产者 (Producer Layer)"),
            Column("output", "输出特征图 (通道数, 尺寸)", Kind.CHANNELS_AND_SIZE),
        ),
        (
            (Cell.of(0, strong=True), Cell.of("conv_in", code=True), (320, 64, 64)),
            (Cell.of(1, strong=True), from_down_block(" 的第1个 ResNet"), (320, 64, 64)),
            (Cell.of(3, strong=True), from_down_block(" 的 Downsampler"), (320, 32, 32)),
        ),
        after=(Cell.of("1 + 2*4 + 1*3 = 12"),),
    )
    assert (
        render([table], "markdown")
        == r"""| 序号 (Index) | 生产者 (Producer Layer) | 输出特征图 (通道数, 尺寸) |
| :--- | :--- | :--- |
| **0** | `conv_in` | (320, 64x64) |
| **1** | `down_blocks[0]` 的第1个 ResNet | (320, 64x64) |
| **3** | `down_blocks[0]` 的 Downsampler | (320, 32x32) |

1 + 2\*4 + 1\*3 = 12
"""
    )


def test_the_comparison_reads_as_in_the_article() -> None:
    table = Table(
        "decoder",
        "",
        (
            Column("block", "对比指标"),
            Column("type", "模块类型", code=True),
            Column("doubled", "尺寸加倍"),
            Column("size", "尺寸变化"),
            Column("channels", "通道数变化"),
            Column("transformers", "Transformer 数量"),
        ),
        (
            ("Up Block 1", "UpBlock2D", Cell.of("是", data=True), "8x8 -> 16x16",
             "1280 + x -> 1280", Cell.of(0, strong=True)),
            ("Up Block 4", "CrossAttnUpBlock2D", Cell.of("否", data=False), "64x64 -> 64x64",
             "640 + x -> 320", 3),
        ),
        transposed=True,
    )  # fmt: skip
    assert (
        render([table], "markdown")
        == """\
| 对比指标 | Up Block 1 | Up Block 4 |
| :--- | :--- | :--- |
| **模块类型** | `UpBlock2D` | `CrossAttnUpBlock2D` |
| **尺寸加倍** | 是 | 否 |
| **尺寸变化** | 8x8 -> 16x16 | 64x64 -> 64x64 |
| **通道数变化** | 1280 + x -> 1280 | 640 + x -> 320 |
| **Transformer 数量** | **0** | 3 |
"""
    )


def test_facts_are_a_list_and_a_total_is_bold() -> None:
    columns = (Column("path", "Block", code=True), Column("parameters", "Parameters", Kind.COUNT))
    facts = Table("model", "Model", columns, (("unet", 859_520_964),), facts=True)
    sums = Table("params", "", columns, (("conv_in", 11_840),), total=(Cell.of("total"), 11_840))
    assert (
        render([facts, sums], "markdown")
        == """\
## Model

- **Block**: `unet`
- **Parameters**: 859,520,964

| Block | Parameters |
| :--- | :--- |
| `conv_in` | 11,840 |
| **total** | **11,840** |
"""
    )


def cell(*parts: Part) -> str:
    table = Table("t", "", (Column("a", "A"),), ((Cell(parts, None),),))
    return render([table], "markdown").split("\n")[2][2:-2]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("in_ch -> out_ch", "in_ch -> out_ch"),
        ("_private_", r"\_private\_"),
        ("__init__", r"\_\_init\_\_"),
        ("2*4 + 1*3", r"2\*4 + 1\*3"),
        ("a|b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        ("`a`", r"\`a\`"),
        ("<img src=x>", r"\<img src=x>"),
        ("a < b & c", "a < b & c"),
        ("&lt;", r"\&lt;"),
        ("[text](url)", r"[text]\(url)"),
        ("one\ntwo", "one <br> two"),
        ("\x1b[31m\r", r"\\x1b[31m\\r"),
        ("", ""),
    ],
)
def test_text_is_read_as_text(text: str, written: str) -> None:
    assert cell(Part(text)) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a*b_", "`a*b_`"),
        ("a|b", r"`a\|b`"),
        (r"a\|b", r"<code>a\\\|b</code>"),
        ("a`<b>", r"<code>a\`\<b></code>"),
        (None, "-"),
        ("", ""),
    ],
)
def test_code_is_read_as_code(text: str | None, written: str) -> None:
    assert cell(code(text)) == written


def test_bold_leaves_spaces_outside() -> None:
    assert cell(Part("a", strong=True), Part(" b ", strong=True), Part("c")) == "**a b** c"
    assert cell(Part(" ", strong=True), Part("c")) == " c"


def test_a_paragraph_starts_no_other_block() -> None:
    texts = ("# 1", "- a", "1. b", "> c", "12) d", "12 pushed")
    table = Table("t", "", (), (), before=tuple(map(Cell.of, texts)))
    assert render([table], "markdown").split("\n\n") == [
        r"\# 1", r"\- a", r"1\. b", r"\> c", r"12\) d", "12 pushed\n",
    ]  # fmt: skip
