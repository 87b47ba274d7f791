"""`unetscope draw`: where a drawing goes, in which form."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from unetscope.drawing.forms import FORMS, form_of

LOCK = Path(__file__).parents[2] / "configs/locks/article_003.lock"


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


@pytest.mark.parametrize("suffix", [".tex", ".mmd", ".gv", ".svg"])
def test_each_suffix_tells_a_form(unetscope, tmp_path, suffix) -> None:
    picture = tmp_path / f"a{suffix}"
    assert unetscope("draw", "article_003", "-o", picture, "--heat", "macs").code == 0
    form = form_of(suffix)
    done = unetscope("draw", "article_003", "-f", form, "--heat", "macs")
    assert picture.read_text(encoding="utf-8") == done.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-o", "a.jpg"), "files of drawings: .txt, .svg, .png, .tex"),
        (("--heat", "cost"), "expected params, macs, bytes, held"),
        (("-f", "jpg"), "expected terminal, svg, png, tikz, mermaid, dot"),
    ],
)
def test_what_is_not_drawn(unetscope, tmp_path, monkeypatch, options, told) -> None:
    monkeypatch.chdir(tmp_path)
    done = unetscope("draw", "article_003", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert told in done.err
    assert not list(tmp_path.iterdir())


def test_what_github_does_not_show_is_said(unetscope, tmp_path) -> None:
    done = unetscope("draw", "sd15", "-f", "mermaid", "--detail", "op")
    assert done.code == 0
    assert "note: GitHub, and Mermaid by default, draw no " in done.err
    assert f"this one has {len(done.out):,} characters, 22 edges" in done.err
    small = unetscope("draw", "article_003", "-o", tmp_path / "a.mmd", "--detail", "op")
    assert (small.code, small.err) == (0, "")


def test_png_is_for_files_and_pipes(unetscope, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    done = unetscope("draw", "article_003", "-o", tmp_path / "a.png")
    assert (done.code, done.out) == (2, "")
    assert "pip install 'unetscope[png]'" in done.err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = unetscope("draw", "article_003", "-f", "png")
    assert (done.code, done.out) == (2, "")
    assert "-o FILE.png" in done.err
    assert not list(tmp_path.iterdir())


def test_two_networks(unetscope, tmp_path) -> None:
    done = unetscope("draw", "article_003", "article_002")
    assert done.code == 0
    assert done.out.startswith("Simplified UNet -> ")
    assert {line[0] for line in done.out.splitlines() if line} >= {"━", "┈"}
    saved = tmp_path / "t.json"
    assert unetscope("trace", "article_003", "--sections", "model", "--save", saved).code == 0
    said = " ".join(unetscope("draw", "article_003", saved).out.split())
    assert "is the same network" in said
    assert "仅" in unetscope("draw", "article_003", "article_002", "--lang", "zh").out


@pytest.mark.parametrize("form", ["svg", "tikz", "mermaid", "dot"])
def test_two_networks_in_each_form(unetscope, form) -> None:
    done = unetscope("draw", "article_003", "article_002", "-f", form)
    assert done.code == 0
    assert "here only in" in done.out
    assert "param-added" in done.out


@pytest.mark.parametrize(
    "given",
    [
        ("article_003", "article_003", "article_003"),
        ("article_003", "article_002", "--heat", "macs"),
        ("article_003", "article_002", "--detail", "op"),
        ("article_003", LOCK),
        (LOCK, "article_003"),
    ],
)
def test_what_is_not_drawn_of_two(unetscope, given) -> None:
    done = unetscope("draw", *given)
    assert (done.code, done.out) == (2, "")
    assert "hint: " in done.err


def test_a_controlnet_is_named(unetscope) -> None:
    steered = unetscope("draw", "sd15", "--controlnet", "controlnet_sd15")
    assert steered.code == 0
    assert "What steers the UNet is not drawn: controlnet." in steered.out
    assert "steers" not in unetscope("draw", "sd15").out


def test_both_languages(unetscope) -> None:
    assert "编码器" in unetscope("draw", "article_003", "--lang", "zh").out
    assert "编码器" in unetscope("draw", "article_003", "--lang", "zh", "-f", "svg").out


def test_a_saved_trace_is_drawn_without_torch(unetscope, tmp_path) -> None:
    saved = tmp_path / "t.json"
    assert unetscope("trace", "article_003", "--sections", "model", "--save", saved).code == 0
    forms = [form for form in FORMS if form != "png" or find_spec("resvg_py")]
    script = f"""
import sys
from unetscope import cli
for form in {forms!r}:
    cli.run(["draw", {str(saved)!r}, "-f", form])
    print("<>", flush=True)
cli.run(["draw", {str(saved)!r}, "--detail", "op", "--heat", "held"])
cli.run(["draw", {str(saved)!r}, {str(saved)!r}])
print("torch" in sys.modules, "rich" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stderr.split()[-2:] == [b"False", b"False"]
    written = done.stdout.split(b"<>\n")
    assert all(len(each) > 200 for each in written[: len(forms)])
    assert ("png" in forms) == (b"\x89PNG\r\n" in done.stdout)
