"""`unetscope draw`: where a drawing goes, in which form."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_a_drawing_on_stdout(unetscope) -> None:
    done = unetscope("draw", "article_003")
    assert done.code == 0
    assert "down1" in done.out
    assert "#0 64x64x64" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert "─" not in unetscope("draw", "article_003", "--ascii").out


def test_the_suffix_tells_the_form(unetscope, tmp_path) -> None:
    picture, plain = tmp_path / "a.svg", tmp_path / "a.txt"
    assert unetscope("draw", "article_003", "-o", picture).code == 0
    assert picture.read_text(encoding="utf-8") == unetscope("draw", "article_003", "-f", "svg").out
    assert unetscope("draw", "article_003", "-o", plain).code == 0
    assert plain.read_text(encoding="utf-8") == unetscope("draw", "article_003").out


@pytest.mark.parametrize("options", [("-o", "a.png"), ("--heat", "macs"), ("-f", "png")])
def test_what_is_not_drawn(unetscope, tmp_path, monkeypatch, options) -> None:
    monkeypatch.chdir(tmp_path)
    done = unetscope("draw", "article_003", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert not list(tmp_path.iterdir())


def test_both_languages(unetscope) -> None:
    assert "编码器" in unetscope("draw", "article_003", "--lang", "zh").out
    assert "编码器" in unetscope("draw", "article_003", "--lang", "zh", "-f", "svg").out


def test_a_saved_trace_is_drawn_without_torch(unetscope, tmp_path) -> None:
    saved = tmp_path / "t.json"
    assert unetscope("trace", "article_003", "--sections", "model", "--save", saved).code == 0
    for form in ("terminal", "svg"):
        script = (
            "import sys; from unetscope import cli; "
            f"cli.run(['draw', {str(saved)!r}, '-f', {form!r}]); "
            "print('torch' in sys.modules, 'rich' in sys.modules, file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stderr.split()[-2:] == ["False", "False"]
        assert done.stdout
