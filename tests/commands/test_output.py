"""What the output looks like where no option says it: suffixes, languages, colours."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from unetscope.commands import console

PARAMS = ("params", "article_003")


@pytest.mark.parametrize(
    ("suffix", "format_"),
    [
        (".json", "json"),
        (".csv", "csv"),
        (".md", "markdown"),
        (".html", "html"),
        (".HTM", "html"),
        (".txt", "terminal"),
        ("", "terminal"),
    ],
)
def test_the_suffix_of_a_file_tells_its_format(unetscope, folder, suffix, format_):
    for order in (("-o", f"x{suffix}", *PARAMS[1:]), (*PARAMS[1:], "-o", f"x{suffix}")):
        assert unetscope("params", *order).code == 0
        expected = unetscope(*PARAMS, "-f", format_).out
        assert (folder / f"x{suffix}").read_text(encoding="utf-8") == expected


def test_a_format_that_is_given_counts_first(unetscope, folder):
    assert unetscope(*PARAMS, "-o", "x.json", "-f", "terminal").code == 0
    assert (folder / "x.json").read_text(encoding="utf-8") == unetscope(*PARAMS).out


def test_findings_and_changes_have_more(unetscope, folder):
    assert unetscope("check", "article_003", "-o", "x.sarif").code == 0
    assert json.loads((folder / "x.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert unetscope("diff", "article_003", "article_003", "-o", "x.xml").code == 0
    assert ElementTree.parse(folder / "x.xml").getroot().tag == "testsuites"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((*PARAMS, "-o", "x.sarif"), "`.sarif` means the format sarif, which cannot hold this"),
        (("diff", "sd15", "sd15", "-o", "x.csv"), "`.csv` means the format csv, which cannot hold"),
        ((*PARAMS, "-o", "x.svg"), "x.svg: tables are no image"),
        (("diff", "article_003", "article_003", "-o", "x.svg"), "x.svg: tables are no image"),
        (("sweep", "--plot", "-o", "x.png"), "x.png: `--plot` draws text and SVG"),
        (("sweep", "--plot", "-o", "x.md"), "`--plot` draws text and SVG, not markdown"),
    ],
)
def test_a_suffix_of_what_cannot_be_written(unetscope, folder, arguments, expected):
    result = unetscope(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {expected}")
    assert not list(folder.iterdir())


def test_a_lock_is_a_lock_whatever_it_is_called(unetscope, folder):
    assert unetscope("lock", "article_003", "-o", "x.json").code == 0
    assert (folder / "x.json").read_text(encoding="utf-8").startswith("unetscope lock, format")


def test_the_language_of_a_project_and_of_a_person(unetscope, folder, monkeypatch):
    english, chinese = (unetscope(*PARAMS, "--lang", lang).out for lang in ("en", "zh"))
    assert english != chinese
    (folder / "pyproject.toml").write_text("[tool.unetscope]\nlang = 'zh'\n")
    assert unetscope(*PARAMS).out == chinese
    monkeypatch.setenv("UNETSCOPE_LANG", "en")
    assert unetscope(*PARAMS).out == english
    monkeypatch.setenv("UNETSCOPE_LANG", "zh")
    assert unetscope(*PARAMS, "--lang", "en").out == english


def test_a_language_that_there_is_not(unetscope, folder, monkeypatch):
    (folder / "pyproject.toml").write_text("[tool.unetscope]\nlang = ['zh']\n")
    result = unetscope(*PARAMS)
    assert (result.code, result.out) == (2, "")
    assert "pyproject.toml:2: tool.unetscope.lang: expected en, zh, found a list of 1" in result.err
    monkeypatch.setenv("UNETSCOPE_LANG", "de")
    result = unetscope(*PARAMS)
    assert (result.code, result.out) == (2, "")
    assert "'UNETSCOPE_LANG'): expected en, zh; found `de`" in result.err


def test_a_project_that_never_says_unetscope_may_say_what_it_likes(unetscope, folder):
    (folder / "pyproject.toml").write_text("[project\n")
    assert unetscope(*PARAMS).code == 0


def test_colours_that_are_wanted_or_not(unetscope, folder, monkeypatch):
    plain = unetscope(*PARAMS).out
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in unetscope(*PARAMS).out
    unetscope(*PARAMS, "-o", "x.txt")
    assert (folder / "x.txt").read_text(encoding="utf-8") == plain, "a file is no terminal"
    monkeypatch.setenv("TERM", "dumb")
    assert console.style().color, "it was asked for"
    monkeypatch.setenv("NO_COLOR", "1")
    assert unetscope(*PARAMS).out == plain
    monkeypatch.setenv("FORCE_COLOR", "")
    assert unetscope(*PARAMS).out == plain
