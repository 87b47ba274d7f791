"""Help is whole: sentences, examples that run, lines that fit, and no word broken."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from pkgutil import resolve_name

import pytest
from narrow_configs import TINY
from safetensors.torch import save_file

from unetscope import cli
from unetscope.commands.help_page import EXAMPLES, examples_of
from unetscope.sources import Request, resolve

COMMANDS = cli._parser().commands
SAID = {
    parameter.help: f"{command.name} {parameter.name}"
    for command in (cli._parser(), *COMMANDS.values())
    for parameter in command.params
}
"""What is said of options and arguments -> one of them."""
SHOWN = [
    pytest.param(line, id=line)
    for command in COMMANDS.values()
    for line, _ in ((one.line, one.shows) for one in examples_of(command))
]


def test_what_is_said_of_each_option_is_a_sentence():
    for text, parameter in SAID.items():
        assert re.fullmatch(r"[A-Z].*[^.]\.", text), parameter


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_examples_of_itself(name):
    examples = examples_of(COMMANDS[name])
    assert examples
    assert COMMANDS[name].help.partition("\n\n")[0].endswith(".")
    for example in examples:
        assert shlex.split(example.line)[:2] == ["unetscope", name]
        assert re.fullmatch(r"[A-Z].*\.", example.shows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the examples name: a config with its lock, in a repository; weights."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "mine.yaml").write_text(TINY, encoding="utf-8")
    assert cli.run(["lock", str(folder / "mine.yaml")]) == 0
    (folder / "loras").mkdir()
    article = resolve(Request("article_003", device="cpu")).build().state_dict()
    for name in ("model.safetensors", "loras/one.safetensors"):
        save_file(article, folder / name)
    git = ("git", "-c", "user.name=n", "-c", "user.email=n@example.org")
    for line in ("init -q -b main", "add .", "commit -qm first"):
        subprocess.run([*git, *line.split()], cwd=folder, check=True)
    return folder


@pytest.fixture
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("UNETSCOPE_CACHE_DIR", str(folder / "cache"))


@pytest.mark.parametrize("line", SHOWN)
def test_examples_run(line, inside, unetscope):
    result = unetscope(*shlex.split(line)[1:])
    assert result.code == 0, result.err
    assert (
        result.out or "-o" in line or line.startswith(("unetscope lock", "unetscope cache clear"))
    )


def test_commands_stand_in_the_readmes_order(unetscope):
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    told = [name for name in re.findall(r"^\| `unetscope (\w+)", readme, re.M) if name in COMMANDS]
    shown = re.findall(r"^  ([a-z]+) ", unetscope("--help").out, re.M)
    assert shown == list(COMMANDS)
    assert [name for name in shown if name in told] == list(dict.fromkeys(told))


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_pages_fit_and_are_whole(name, columns, monkeypatch, unetscope):
    monkeypatch.setenv("COLUMNS", str(columns))
    command = COMMANDS[name] if name else cli._parser()
    page = unetscope(*name.split(), "--help").out
    flat = " ".join(page.split())
    for text in (command.help, *(parameter.help for parameter in command.params)):
        for paragraph in text.split("\n\n"):
            assert " ".join(paragraph.split()) in flat
    before_examples = page.partition(f"\n{EXAMPLES}:\n")[0]
    assert all(len(line) <= columns for line in before_examples.splitlines()[1:])
    assert page.isascii()


def test_no_command_is_the_same_as_asking_for_help(unetscope):
    alone = unetscope()
    assert (alone.code, alone.err) == (2, "")
    assert alone.out == unetscope("-h").out


def test_headings_stand_out_where_colour_is_wanted(monkeypatch, unetscope):
    assert "\033" not in unetscope("trace", "-h").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    colored = unetscope("trace", "-h").out
    assert "\033[1mNetwork:\033[0m" in colored
    monkeypatch.setenv("NO_COLOR", "1")
    assert re.sub("\033.*?m", "", colored) == unetscope("trace", "-h").out


def test_chinese_is_broken_between_characters():
    from unetscope.commands.help_page import _folded

    text = (
        "一次前向传播的乘加次数（MACs）；其中 `--by block` 表示按块统计。参数、乘加和内存都在这里。"
    )
    folded = _folded(text, 30, "  ")
    lines = folded.splitlines()
    assert len(lines) > 2
    assert "".join(line.strip() for line in lines).replace(" ", "") == text.replace(" ", "")
    assert all(2 * len(line) - len(re.findall(r"[ -~]", line)) <= 30 for line in lines)
    assert not any(line.strip()[0] in "，。；、）" for line in lines)
    assert "`--by block`" in folded


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("trace", "unetscope.views.sections:SECTIONS"),
        ("memory", "unetscope.views.memory:SECTIONS"),
        ("explain", "unetscope.views.explain:SECTIONS"),
        ("timesteps", "unetscope.views.timesteps:SECTIONS"),
    ],
)
def test_the_sections_that_help_names_are_those_that_there_are(name, table):
    (option,) = (each for each in COMMANDS[name].params if "--sections" in each.opts)
    named = option.help.partition(": ")[2].rstrip(".").split(", ")
    assert sorted(named) == sorted(resolve_name(table))


def test_choices_that_are_no_words_are_explained(unetscope):
    """As are the columns that they lead to."""
    for command in ("params", "flops"):
        (by,) = (each for each in COMMANDS[command].params if "--by" in each.opts)
        for choice in by.metavar.split("|"):
            assert f"{choice}: " in by.help
        assert "X being" in by.help
        assert "GSC (" in by.help


def test_options_of_one_name_mean_one_thing():
    """Where their help differs, it says what differs."""
    said = {}
    for name, command in COMMANDS.items():
        for option in command.params:
            if option.param_type_name == "option":
                said.setdefault(max(option.opts, key=len), {}).setdefault(option.help, []).append(
                    name
                )
    own = {
        *("--by", "--top", "--depth", "--sections", "--steps"),  # each of its own rows
        *("--batch", "--height", "--width", "--tokens"),  # of `sweep`, many
        *("--format", "--output", "--schema", "--lang"),
    }
    assert {name for name, helps in said.items() if len(helps) > 1} <= own
