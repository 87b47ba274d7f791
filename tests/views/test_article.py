"""The tables of the article on Stable Diffusion's UNet, recorded instead of drawn by hand."""

import json
import re

import pytest

from unetscope.render import render
from unetscope.views.sections import choose, show
from unetscope.views.view import View

# Its symbols were lost when the article's text was extracted.
LOST = "**主要输入**"
# What the article's step tables leave out, and ours name.
FROM_TRANSFORMER = re.compile(r"(?<=上一步输出): attentions\[\d\]")


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


@pytest.fixture(scope="module")
def chinese(sd15):
    tables, missing = show(View.of(sd15, "zh"), choose(None))
    assert not missing
    text = render(tables, "markdown")
    return [cells(line) for line in text.splitlines() if line.startswith("| ")]


@pytest.fixture(scope="module")
def data(sd15):
    tables, _ = show(View.of(sd15), choose(None))
    return json.loads(render(tables, "json"))


@pytest.mark.parametrize("name", ["down_blocks", "up_blocks"])
def test_every_row_of_the_articles_table_is_printed(chinese, article, name):
    for row in [article[name]["header"], *article[name]["rows"]]:
        if row[0] != LOST:
            assert row in chinese


@pytest.mark.parametrize("block", range(4))
def test_every_row_of_the_step_tables_is_printed_in_order(chinese, article, block):
    expected = [
        article["steps_verbatim"][block]["header"],
        *article["steps_verbatim"][block]["rows"],
    ]
    start = [row for row, line in enumerate(chinese) if line == expected[0]][block]
    printed = [
        [FROM_TRANSFORMER.sub("", cell) for cell in row]
        for row in chinese[start : start + len(expected) + 1]
    ]
    assert [printed[0], *printed[2:]] == expected  # the second line aligns the columns


def test_a_step_after_a_transformer_without_a_row_names_it(sd15):
    text = render(show(View.of(sd15), ["steps"])[0], "terminal")
    assert text.count("(previous: attentions[") == 3 + 3 + 2
    lines = [line for line in text.splitlines() if line.startswith("Without a row")]
    assert (
        lines
        == ["Without a row: attentions.0, attentions.1, attentions.2; --attentions shows them."] * 3
    )


def test_rows_are_printed_in_the_articles_order(chinese, article):
    table = article["residuals_verbatim"]
    columns = len(table["header"])
    start = next(row for row, line in enumerate(chinese) if line[:columns] == table["header"])
    printed = chinese[start + 2 : start + 2 + len(table["rows"])]  # a line aligns the columns
    assert [row[:columns] for row in printed] == table["rows"]


def test_inputs_and_output(data, article):
    io = {row["name"]: row["shape"] for row in data["io"]["rows"]}
    assert io == {**article["inputs"], "output": article["output"]}


def test_parts(data, article):
    parts = {
        row["part"]: [row["input_shape"], row["output_shape"]] for row in data["parts"]["rows"]
    }
    expected = {name: [before, after] for name, before, after in article["components"]}
    assert parts["encoder"] == expected["Encoder"]
    assert parts["middle"] == expected["Middle Block"]
    assert parts["decoder"] == expected["Decoder"]
    assert parts["entry"] == [[1, 4, 64, 64], [1, 320, 64, 64]]
    assert parts["exit"] == [[1, 320, 64, 64], [1, 4, 64, 64]]


def test_steps_as_data(data, article):
    steps = [row for table in data["steps"] for row in table["rows"]]
    assert len(steps) == len(article["steps"])
    for step, expected in zip(steps, article["steps"], strict=True):
        assert step["step"] == expected["step"]
        bracketed = step["operation"].replace(".resnets.", "].resnets[")
        if expected["operation"] == "torch.cat":
            assert step["operation"] == "torch.cat"
        else:
            assert "".join(c for c in bracketed if c not in ".[]") == "".join(
                c for c in expected["operation"] if c not in ".[]"
            )
        assert step["inputs"] == [given["label"] for given in expected["inputs"]]
        assert [dims[1:] for dims in step["input_shapes"]] == [
            given["shape"][1:] for given in expected["inputs"]
        ]
        assert step["output_shape"][1:] == expected["output"][1:]


def test_the_ledger_names_the_modules_that_really_made_the_tensors(data):
    producers = {row["push"]: row["producer"] for row in data["ledger"]["rows"]}
    assert producers == {
        0: "conv_in",
        1: "down_blocks.0.attentions.0",
        2: "down_blocks.0.attentions.1",
        3: "down_blocks.0.downsamplers.0",
        4: "down_blocks.1.attentions.0",
        5: "down_blocks.1.attentions.1",
        6: "down_blocks.1.downsamplers.0",
        7: "down_blocks.2.attentions.0",
        8: "down_blocks.2.attentions.1",
        9: "down_blocks.2.downsamplers.0",
        10: "down_blocks.3.resnets.0",
        11: "down_blocks.3.resnets.1",
    }
    assert [row["push"] for row in data["ledger"]["rows"]] == list(range(11, -1, -1))
    assert data["ledger"]["last_in_first_out"] is True


def test_the_count_of_the_stack_adds_up(chinese, data, sd15):
    stack = data["residuals"]
    assert stack["total"] == len(stack["rows"]) == 12
    assert (stack["from_entry"], stack["from_layers"], stack["from_resamplers"]) == (
        1,
        [2, 2, 2, 2],
        [1, 1, 1, 0],
    )
    english, _ = show(View.of(sd15), ["residuals"])
    assert "`1 + 2*4 + 1*3` = 12" in render(english, "markdown")
