"""`unetscope sweep`: stdout, stderr and exit code."""

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from unetscope.errors import UnetscopeError
from unetscope.sources import Request, resolve
from unetscope.sources.configs import ConfigNetwork
from unetscope.sources.sweeping import combinations, sweep


def rows(result):
    assert result.code == 0, result.err
    return json.loads(result.out)["sweep"]["rows"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64", [64]),
        ("32,64,96", [32, 64, 96]),
        ("32..128:32", [32, 64, 96, 128]),
        ("1..4", [1, 2, 3, 4]),
        ("32..100:32, 128", [32, 64, 96, 128]),
        ("64,32,64", [64, 32]),
    ],
)
def test_how_sizes_are_written(text, expected):
    assert combinations({"height": text}) == [{"height": size} for size in expected]


@pytest.mark.parametrize("text", ["", "x", "0", "-8", "8..", "8..4", "8..16:0", "1:2", "1,,2", "٣"])
def test_what_is_no_size(text):
    with pytest.raises(UnetscopeError, match="--tokens: expected sizes such as"):
        combinations({"tokens": text})


def test_too_many_sizes():
    with pytest.raises(UnetscopeError, match="more than 10,000"):
        combinations({"height": "1..999999999999"})
    with pytest.raises(UnetscopeError, match="1,000,000 sizes are too many"):
        combinations({"height": "1..1000", "width": "1..1000"})


def test_every_combination(unetscope):
    result = unetscope("sweep", "sd15", "--height", "16,32", "--tokens", "1..2", "-f", "json")
    found = rows(result)
    assert result.err == ""
    assert [(row["height"], row["tokens"]) for row in found] == [(16, 1), (16, 2), (32, 1), (32, 2)]
    for row in found:
        assert row["width"] == 64
        assert row["parameters"] == 859_520_964
        parts = [value for key, value in row.items() if key.endswith("_macs")]
        assert sum(parts) == row["macs"]
        attention = row["self_attention_macs"] + row["cross_attention_macs"]
        assert row["attention_share"] == pytest.approx(attention / row["macs"])


def test_a_point_is_what_flops_says(unetscope):
    (point,) = rows(unetscope("sweep", "sd15", "--height", "40", "-f", "json"))
    flops = json.loads(unetscope("flops", "sd15", "--height", "40", "-f", "json").out)
    assert point["macs"] == flops["flops"]["total"]["macs"]


def test_csv(unetscope):
    result = unetscope("sweep", "sd15", "--batch", "1..3", "--height", "16", "-f", "csv")
    table = list(csv.DictReader(io.StringIO(result.out)))
    macs = [int(row["macs"]) for row in table]
    assert macs == [macs[0], 2 * macs[0], 3 * macs[0]]


def test_attentions_share_is_seen_to_grow(unetscope):
    result = unetscope("sweep", "sd15", "--height", "32..128:32", "--plot")
    assert result.code == 0
    lines = [line for line in result.out.splitlines() if "GMACs" in line]
    assert len(lines) == 4
    shares = [line.count("▒") / (line.count("█") + line.count("▒")) for line in lines]
    lengths = [line.count("█") + line.count("▒") for line in lines]
    assert shares == sorted(shares)
    assert lengths == sorted(lengths)
    assert shares[-1] == pytest.approx(0.27, abs=0.03)
    assert all(len(line) <= 80 for line in lines)


def test_svg(unetscope, tmp_path):
    path = tmp_path / "x.svg"
    result = unetscope("sweep", "sd15", "--height", "32,64,128", "--plot", "-o", path)
    assert (result.code, result.out) == (0, "")
    svg = "{http://www.w3.org/2000/svg}"
    image = ElementTree.fromstring(path.read_text())
    boxes = [box for box in image.iter(f"{svg}rect") if box.find(f"{svg}title") is not None]
    heights = [float(box.get("height")) for box in boxes]
    rest, attention = heights[::2], heights[1::2]
    assert rest[2] / rest[0] == pytest.approx(4, rel=0.05)
    assert attention[2] / attention[0] > 14  # self-attention alone: 16
    texts = [text.text for text in image.iter(f"{svg}text")]
    assert {"32", "64", "128", "401.6 GMACs", "15.7 %", "Height"} <= set(texts)


def test_a_size_that_the_network_cannot_take(unetscope):
    flags = "--set", "conv_in_kernel=2", "--width", "16"
    assert unetscope("sweep", "sd15", *flags, "--height", "17").code == 0
    result = unetscope("sweep", "sd15", *flags, "--height", "17,16")
    assert (result.code, result.out) == (2, "")
    assert "--height 16: inputs.height: the network cannot take a sample of 16x16" in result.err
    assert "hint: " in result.err


def test_errors(unetscope):
    bad = unetscope("sweep", "sd15", "--height", "wide")
    assert (bad.code, bad.out) == (2, "")
    assert "found `wide`" in bad.err
    drawn = unetscope("sweep", "sd15", "--height", "8", "--plot", "-f", "json")
    assert (drawn.code, drawn.out) == (2, "")
    assert "hint" in drawn.err


def test_the_network_is_built_and_traced_once(monkeypatch):
    done = []
    for name in ("build", "run"):
        original = getattr(ConfigNetwork, name)

        def counted(self, *args, original=original, name=name):
            done.append(name)
            return original(self, *args)

        monkeypatch.setattr(ConfigNetwork, name, counted)
    sizes = combinations({"height": "32..64:8", "width": "32,64"})
    assert len(sweep(resolve(Request("bk_sdm_tiny")), sizes)) == 10
    assert done == ["build", "run"]
