"""The spellings of a drawing: the same things in each, and hostile names as text."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from test_layouts import sheet_of

from unetscope.drawing.colors import PARTS
from unetscope.drawing.figure import Arc, Block, Figure, NoU
from unetscope.drawing.forms import FORMS, drawn, form_of
from unetscope.drawing.heat import HEAT
from unetscope.drawing.mermaid import mermaid, too_large
from unetscope.drawing.nodes import ink
from unetscope.drawing.sheet import Sheet
from unetscope.drawing.tikz import tikz
from unetscope.errors import UnetscopeError
from unetscope.views.draw import drawing
from unetscope.views.view import View
from unetscope.wording import harmless

HOSTILE = (
    "<b>&amp;</b>",
    '"]; click A "javascript:alert(1)"; x["',
    "]]>\nend",
    "\u202eevil\u2066",
    "\\end{document}",
    "\\N\\l\\n|{a}",
    "$x_1^2$~#&%",
    "$$x$$ `b` __i__ **s**",
    '%%{init: {"theme": "x"}}%%',
    "#quot;#35;&lt;",
    "fa:fa-car",
    "ﬂ°°60¶ß",
    "1. item",
    "- item",
    "end",
    "σé中文→",
    "😀⚡",
)
FALLBACK = NoU.LEVELS


def network(names: tuple[str, ...], no_u: NoU | None = None) -> Sheet:
    """A U of one level with so many blocks, a failed one and skips in and out of order."""
    half = len(names) // 2
    blocks = [
        Block(name, 1, "encoder" if at < half else "decoder", 0, (3, 8, 8), (3, 8, 8), 5, 7)
        for at, name in enumerate(names)
    ]
    blocks[-1] = blocks[-1]._replace(failed=True)
    arcs = tuple(Arc(at, at, len(names) - 1 - at, (3, 8, 8), at == 1) for at in range(half))
    handed = frozenset(range(1, len(names)))
    figure = Figure(tuple(blocks), arcs, ((8, 8),), no_u, 1000, 1000, (), handed)
    return replace(sheet_of(figure, names[0]), notes=names)


@pytest.fixture(params=[None, FALLBACK], ids=["u", "columns"])
def hostile(request) -> Sheet:
    return network(HOSTILE, request.param)


def texts_of_svg(sheet: Sheet) -> list[str]:
    root = ET.fromstring(drawn(sheet, "svg"))
    return [each.text or "" for each in root.iter() if each.tag.endswith("text")]


def said(texts: list[str]) -> str:
    """What is said, however it is broken into lines."""
    return re.sub(r"\s|\u200b", "", "".join(texts))


def check_names(texts: list[str], sheet: Sheet) -> None:
    whole = said(texts)
    for block in sheet.figure.blocks:
        assert said([harmless(block.name)]) in whole, block.name


def test_svg(hostile: Sheet) -> None:
    check_names(texts_of_svg(hostile), hostile)


COMMANDS = {
    *("documentclass", "usepackage", "begin", "end", "def", "let", "relax", "ifx", "else", "fi"),
    *("undefined", "tikzpicture", "unetscopeend", "definecolor", "useasboundingbox", "path"),
    *("node", "fontsize", "ttfamily", "bfseries", "selectfont", "providecommand", "ifdefined"),
    *("unetscopechar", "Umathchar", "char", "frenchspacing"),
}
SIGNS = {"rightarrow": "→", "cdot": "·"}
TOKEN = re.compile(r"\{\\char(\d+)\}|\\([A-Za-z]+)|\\(.)|([{}$&#^_~%])|([^\\])", re.DOTALL)


def read_tex(text: str) -> str:
    """What TeX would print of text in a node; fails where a sign is one of TeX's own."""
    numbers = re.sub(r"\\unetscopechar\{([0-9A-F]+)\}", lambda m: chr(int(m[1], 16)), text)
    read, depth = "", 0
    for number, command, sign, special, other in TOKEN.findall(numbers):
        depth += {"{": 1, "}": -1}.get(special, 0)
        assert depth >= 0, text
        assert special in ("", "{", "}", "$", "~"), text
        read += chr(int(number)) if number else SIGNS[command] if command else sign or other
        read += " " if special == "~" else ""
    assert not depth, text
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    return read


NODE = re.compile(
    r"\\node\[anchor=(base|base west|base east),text=u\w+,"
    r"font=\\fontsize\{\d+\}\{\d+\}\\ttfamily(?:\\bfseries)?\\selectfont\] at \((.*?)\) \{(.*)\};"
)


def check_tikz(sheet: Sheet) -> None:
    written = tikz(sheet)
    nodes = [NODE.fullmatch(line) for line in written.splitlines() if line.startswith(r"\node")]
    assert [read_tex(node[3]) for node in nodes] == [
        re.sub("  +", " ", t) for t in texts_of_svg(sheet)
    ]
    bare = NODE.sub("", re.sub("^%.*$", "", written, flags=re.MULTILINE))
    assert set(re.findall(r"\\([A-Za-z]+)", bare)) <= COMMANDS
    assert bare.count("{") == bare.count("}")
    assert bare.count(r"\begin{") == bare.count(r"\end{") == 2
    assert ("unetscopechar" in written) == (r'\char"#1\relax\else U+#1' in written)
    used = set(re.findall(r"(?:fill|draw|text)=(\w+)", written))
    assert used == set(re.findall(r"\\definecolor\{(\w+)\}\{HTML\}\{[0-9A-F]{6}\}%", written))


def test_tikz_is_the_svg(hostile: Sheet, sd15) -> None:
    check_tikz(hostile)
    for heat in (None, "params"):
        check_tikz(drawing(View.of(sd15), heat))
    sheet = drawing(View.of(sd15))
    written, root = tikz(sheet), ET.fromstring(drawn(sheet, "svg"))
    bars = [each for each in root.iter() if each.get("class") == "bar"]
    for bar in bars:
        wide, high = float(bar.get("width")), float(bar.get("height"))
        corners = re.findall(r"\((\S+),(\S+)\) rectangle \((\S+),(\S+)\);", written)
        sizes = [(float(c) - float(a), float(d) - float(b)) for a, b, c, d in corners]
        assert any((w, h) == pytest.approx((wide, high)) for w, h in sizes)
    assert f"({root.get('width')},{root.get('height')});" in written


def test_tikz_stays_within_what_tex_can_count() -> None:
    written = tikz(network(tuple(f"block{at}" for at in range(300)), FALLBACK))
    numbers = re.findall(r"\((-?[\d.]+),(-?[\d.]+)\)", written)
    assert max(float(number) for pair in numbers for number in pair) < 8_160  # bp: 8,192 pt
    scale = re.search(r"scale=(0\.\d+)\}", written)
    dashes = re.search(r"dash pattern=on (\S+)bp", written)
    assert scale is not None
    assert dashes is not None
    assert float(dashes[1]) == pytest.approx(5 * float(scale[1]), rel=1e-3)


def test_chinese_needs_a_package_and_other_languages_none(sd15) -> None:
    chinese = tikz(drawing(View.of(sd15, "zh")))
    assert "ctex" in chinese
    assert "pdfLaTeX" not in chinese  # ctex has no fonts that it reads, on Linux
    plain = tikz(drawing(View.of(sd15)))
    assert "ctex" not in plain
    assert "pdfLaTeX" in plain
    assert "ctex" not in tikz(network(("😀", "⚡")))  # nor has it a font for these
    assert plain.isascii()


def has_tex() -> bool:
    """Whether pdfLaTeX is here, with the class and the package that a drawing needs."""
    if not shutil.which("pdflatex") or not shutil.which("kpsewhich"):
        return False
    needed = ["kpsewhich", "standalone.cls", "tikz.sty"]
    return subprocess.run(needed, capture_output=True, check=False).returncode == 0


def test_tikz_says_how_it_fits_on_a_page(sd15) -> None:
    assert r"\resizebox{\linewidth}{!}{\input{FILE}}" in tikz(drawing(View.of(sd15)))
    tall = tikz(network(tuple(f"block{at}" for at in range(30)), FALLBACK))
    assert r"\resizebox*{!}{\textheight}{\input{FILE}}" in tall


@pytest.mark.skipif(not has_tex(), reason="no TeX with standalone and tikz")
@pytest.mark.parametrize("within", [False, True], ids=["alone", "input"])
def test_tikz_compiles(tmp_path, within) -> None:
    names = tuple(name for name in HOSTILE if "中" not in name)
    (tmp_path / "unet.tex").write_text(tikz(network(names)), encoding="utf-8")
    around = "\\documentclass{article}\\usepackage{tikz}\\begin{document}\n"
    around += "\\noindent\\resizebox{\\linewidth}{!}{\\input{unet}}\n\\end{document}"
    (tmp_path / "paper.tex").write_text(around, encoding="utf-8")
    options = ["-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape"]
    command = ["pdflatex", *options, "paper" if within else "unet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert not re.search("LaTeX Font Warning|Overfull|Missing character", done.stdout), done.stdout[
        -2000:
    ]


LABEL = r'"((?:[^"\\#<>&;`$|{}\[\]]|<br>|#\d+;)*)"'
MERMAID = (
    r"flowchart (?:TD|LR)",
    rf"  subgraph r\d+\[{LABEL}\]",
    rf"    b\d+\[{LABEL}\]",
    r"  end",
    r"  b\d+ ==> b\d+",
    rf"  b\d+ -\.?->\|{LABEL}\| b\d+",
    r"  linkStyle \d+ stroke:#\w+",
    rf"  (?:k\d+|said)\[{LABEL}\]",
    r"  style \w+ (?:[\w-]+:[\w# -]+,?)+",
)


def test_mermaid(hostile: Sheet) -> None:
    texts = []
    for line in str(drawn(hostile, "mermaid")).splitlines():
        match = next((found for p in MERMAID if (found := re.fullmatch(p, line))), None)
        assert match is not None, line
        for label in match.groups():
            plain = label.replace("<br>", "\n")
            texts.append(re.sub(r"#(\d+);", lambda found: chr(int(found[1])), plain))
    check_names(texts, hostile)
    whole = "".join(texts)
    assert not re.search(r"\$\$|fa:fa-|ﬂ°|¶ß|\\n", whole)  # Mermaid reads these in entities too


def test_what_mermaid_refuses(sd15) -> None:
    inside = {d: drawing(View.of(sd15), detail=d) for d in ("block", "layer", "op")}
    told = {d: too_large(mermaid(sheet), sheet) for d, sheet in inside.items()}
    assert told["block"] is told["layer"] is None
    assert told["op"] is not None
    assert f"{len(mermaid(inside['op'])):,} characters, 22 edges" in told["op"].message
    assert "--detail" in str(told["op"].hint)


@pytest.mark.parametrize(("blocks", "edges"), [(334, 500), (336, 503)])
def test_mermaid_draws_500_edges(blocks, edges) -> None:
    sheet = network(tuple("abc"[at % 3] for at in range(blocks)))
    assert len(sheet.figure.arcs) + len(sheet.figure.handed) == edges
    found = too_large("flowchart TD", sheet)
    assert (found is not None) == (edges > 500)
    assert found is None or "--detail" not in str(found.hint)


def test_rows_in_mermaid_are_not_padded(sd15) -> None:
    sheet = drawing(View.of(sd15), detail="layer")
    for line in mermaid(sheet).splitlines():
        rows = line.split("<br>")[1:]
        assert not any(re.search(r"[^;](?:#160;){3}|(?:#160;| )$", row) for row in rows)
    assert "<br>#160;#160;conv1#160;#160;320#160;#160;0.9 %<br>" in mermaid(sheet)
    assert "  style b1 text-align:left\n" in mermaid(sheet)


STRING = r'"((?:[^"\\]|\\.)*)"'
VALUE = rf"(?:{STRING}|[\w.]+)"
ATTRIBUTES = rf"\[\w+={VALUE}(?:, \w+={VALUE})*\]"
DOT = (
    r"digraph \{",
    rf"  (?:graph|node|edge|\w\d+) {ATTRIBUTES}",
    rf"  \w\d+(?: -> \w\d+)+ {ATTRIBUTES}",
    r"  \{ rank=same;(?: \w\d+;)+ \}",
    r"\}",
)


def test_dot(hostile: Sheet) -> None:
    texts = []
    for line in str(drawn(hostile, "dot")).splitlines():
        assert any(re.fullmatch(pattern, line) for pattern in DOT), line
        for label in re.findall(rf"label={STRING}", line):
            assert not re.search(r"(?<!\\)(?:\\\\)*\\[^\\nl\"]", label), label
            assert not re.search(r"&(?!amp;)", label)
            plain = re.sub(r"\\(.)", lambda f: "\n" if f[1] in "nl" else f[1], label)
            texts.append(plain.replace("&amp;", "&"))
    check_names(texts, hostile)


@pytest.mark.parametrize("form", ["mermaid", "dot"])
def test_graphs_have_all_blocks_and_skips(sd15, form) -> None:
    sheet = drawing(View.of(sd15))
    written = str(drawn(sheet, form))
    for block in sheet.figure.blocks[:-1]:
        assert block.name in written
    ends = {(arc.start, arc.end) for arc in sheet.figure.arcs}
    skip = (
        r"b(\d+) -->\|.*\| b(\d+)" if form == "mermaid" else r"b(\d+) -> b(\d+) \[constraint=false"
    )
    assert {(int(a), int(b)) for a, b in re.findall(skip, written)} == ends
    assert "time_embedding" in written
    assert written == drawn(drawing(View.of(sd15)), form)
    hot = str(drawn(drawing(View.of(sd15), "macs"), form))
    assert HEAT[-1] in hot
    assert "24.6 %" in hot


def test_what_is_written_on_a_colour_can_be_read() -> None:
    for color in (*PARTS.values(), *HEAT):
        light = luminance(color)
        letters = luminance(ink(color))
        contrast = (max(light, letters) + 0.05) / (min(light, letters) + 0.05)
        assert contrast >= 4.5, color


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_suffixes_tell_one_form_each() -> None:
    every = [suffix for form in FORMS.values() for suffix in form.suffixes]
    assert len(every) == len(set(every))
    assert form_of(".TEX") == "tikz"
    with pytest.raises(UnetscopeError) as raised:
        form_of(".jpg")
    assert all(suffix in raised.value.hint for suffix in every)


def test_png_is_the_svg_in_pixels(sd15) -> None:
    pytest.importorskip("resvg_py")
    sheet = drawing(View.of(sd15))
    picture = drawn(sheet, "png")
    assert isinstance(picture, bytes)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    root = ET.fromstring(drawn(sheet, "svg"))
    sides = struct.unpack(">II", picture[16:24])
    assert sides == pytest.approx(
        [2 * float(root.get(side)) for side in ("width", "height")], abs=2
    )


def fails_as_png(sheet: Sheet) -> str:
    with pytest.raises(UnetscopeError) as raised:
        drawn(sheet, "png")
    return f"{raised.value.message} {raised.value.hint}"


def test_png_without_the_extra(sd15, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert "unetscope[png]" in fails_as_png(drawing(View.of(sd15)))


def test_png_says_what_it_would_not_show(sd15, monkeypatch) -> None:
    resvg = pytest.importorskip("resvg_py")
    with monkeypatch.context() as patched:
        patched.setattr("unetscope.drawing.png._MOST", 1_000_000)
        assert "too many" in fails_as_png(drawing(View.of(sd15)))
    real = resvg.svg_to_bytes

    def without_cyrillic(*, svg_string: str, **options: object) -> bytes:
        return real(svg_string=svg_string.replace("ф", "\U0010ffff"), **options)

    monkeypatch.setattr(resvg, "svg_to_bytes", without_cyrillic)
    assert "no font that is installed has ф" in fails_as_png(network(("ф", "b")))
    monkeypatch.setattr(resvg, "svg_to_bytes", lambda **_: b"")
    assert "none of its fonts is installed" in fails_as_png(drawing(View.of(sd15)))
