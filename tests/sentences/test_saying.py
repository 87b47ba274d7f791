"""How sentences are translated, and that all that people read of a command is in their language."""

from __future__ import annotations

import re

import pytest

from unetscope.sentences import Template, said

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ('there is no file and no shipped config "x"', '没有名为 "x" 的文件或内置配置'),
        ("no block `a` in SD 1.5", "SD 1.5 中没有模块 `a`"),
        ("unet.a: expected an int from 1 to 64, found 0", "unet.a：应为整数（1 到 64），实际为 0"),
        (
            "the network failed in `F.x` given [1, 4, 8], [4]: 1",
            "网络在 `F.x` 处失败，输入为 [1, 4, 8], [4]：1",
        ),
        ("unet.a: expected an int from 1 to 64, found a list of 3", None),
        ('expected en, zh, found the string "xx"', None),
        ("expected a multiple of 320, 640 and 1280, the channels of a norm's group, found 3", None),
    ],
)
def test_a_sentence_and_its_parts_are_translated(english: str, chinese: str | None) -> None:
    translated = said(english, "zh")
    assert chinese is None or translated == chinese
    left = re.sub(r'`[^`]*`|"[^"]*"|unet\.a|\ben\b|\bzh\b|SD', "", translated)
    assert CHINESE.search(left)
    assert not re.search("[A-Za-z]{2,}", left)


def test_what_has_no_translation_is_said_in_english() -> None:
    for text in ("some exception of another library", "no such thing: 3\n  and more", ""):
        assert said(text, "zh") == text
    foreign = "running `a` failed: ValueError: not enough values to unpack"
    assert "not enough values to unpack" in said(foreign, "zh")


def test_what_stands_in_quotes_is_never_translated() -> None:
    assert said("did you mean `nothing`?", "zh") == "是否想写 `nothing`？"


def test_values_to_be_typed_stay_as_they_are() -> None:
    said_so = said("expected module, part, block or mbw; found `x`", "zh")
    assert said_so == "应为 module、part、block 或 mbw；实际为 `x`"


def test_english_stays_as_it_is() -> None:
    assert said("expected an int, found 3", "en") == "expected an int, found 3"


def test_holes_are_filled_by_number() -> None:
    template = Template.of("no `{}` in {}", "{1}: {0}", "")
    assert template.fillings("no `a` in b in c") == ["a", "b in c"]
    assert template.fillings("no `a`") is None
    assert template.filled(["a", "b"]) == "b: a"


@pytest.mark.parametrize(
    "arguments",
    [
        ("trace", "nix"),
        ("trac",),
        ("trace", "--heigth", "3"),
        ("trace", "-f", "xml"),
        ("trace", "sd15", "more", "still"),
        ("trace", "--depth", "x"),
        ("compare",),
        ("show",),
        ("diff", "a"),
        ("log", "-n", "0"),
        ("check", "--ignore", "none"),
        ("trace", "--set", "block_out_channels=3"),
    ],
)
@pytest.mark.parametrize("from_environment", [True, False])
def test_errors_are_in_the_language(unetscope, monkeypatch, arguments, from_environment) -> None:
    if from_environment:
        monkeypatch.setenv("UNETSCOPE_LANG", "zh")
    else:
        arguments = ("--lang", "zh", *arguments)
    result = unetscope(*arguments)
    assert result.code == 2
    assert "错误：" in result.err
    said_in_words = re.sub(
        r"`[^`]*`|'[^']*'|\"[^\"]*\"|[\w./]*[._-][\w./-]*|\([^)]*\)", "", result.err
    )
    assert not re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", said_in_words), result.err


def test_settings_name_the_language(unetscope, monkeypatch, tmp_path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.unetscope]\nlang = "zh"\n')
    monkeypatch.chdir(tmp_path)
    assert unetscope("show", "nix").err.startswith("错误：")
    assert unetscope("show", "nix", "--lang", "en").err.startswith("error: ")
    (tmp_path / "pyproject.toml").write_text('[tool.unetscope]\nlang = "xx"\n')
    assert unetscope("trace", "nix").err.startswith("error: ")


def test_a_language_that_is_none_is_refused_in_english(unetscope) -> None:
    result = unetscope("trace", "--lang", "xx")
    assert (result.code, result.err[:7]) == (2, "error: ")


@pytest.mark.parametrize("command", ["trace", "check", "lock", "diff", "log", "show", "list", None])
def test_help_is_in_the_language(unetscope, monkeypatch, command) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    help_of = [command] if command else []
    english = unetscope(*help_of, "--help").out
    chinese = unetscope("--lang", "zh", *help_of, "--help").out
    assert english.startswith("\n") or "Usage:" in english
    assert "用法：" in chinese
    assert "…" not in chinese
    assert not re.search(r"\b[a-z]+ [a-z]+ [a-z]+ [a-z]+\b", re.sub(r"[│╭╮╰╯─\n]", " ", chinese))
    assert unetscope(*help_of, "--help").out == english


def test_findings_follow_the_language_in_every_format(unetscope) -> None:
    command = ("check", "sd15", "--set", "block_out_channels=[320]", "--set", "norm_num_groups=7")
    english = {
        name: unetscope(*command, "-f", name).out for name in ("json", "sarif", "github", "csv")
    }
    for name, out in english.items():
        chinese = unetscope(*command, "--lang", "zh", "-f", name).out
        assert not CHINESE.search(out)
        assert CHINESE.search(chinese) or "\\u" in chinese
        assert "list-length" in chinese


def test_rules_are_in_the_language(unetscope) -> None:
    for line in unetscope("check", "--list-rules", "--lang", "zh", "-f", "csv").out.splitlines()[
        1:
    ]:
        assert CHINESE.search(line.split(",", 3)[3]), line
