"""The embedding of the time, against formulas of our own and diffusers' function."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
import xml.etree.ElementTree as ET

import pytest
import torch
from diffusers.models.embeddings import get_timestep_embedding

OWN = """
import math, torch
from torch import nn
class Alternating(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("rates", torch.tensor([[1.0, 0.25, 0.01]]))
    def forward(self, t):
        angles = t[:, None] * self.rates
        return torch.stack([torch.sin(angles), torch.cos(angles)], -1).flatten(1)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 3, 1)
        self.embed, self.mlp = Alternating(), nn.Linear(6, 8)
    def time(self, t):
        return self.embed(t)
    def forward(self, x, t):
        return self.out(self.conv(x) + self.mlp(self.time(t))[:, :, None, None])
class InTheBody(Net):
    def time(self, t):
        rates = torch.exp(-math.log(10000) * torch.arange(3, device=t.device) / 3)
        return torch.cat([torch.cos(t[:, None] * rates), torch.sin(t[:, None] * rates)], 1)
class Learned(Net):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(1000, 6)
"""
GIVEN = ("--input", "x=1,3,8,8", "--input", "t=1:int64")


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "waving_nets.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield "waving_nets"
    sys.modules.pop("waving_nets", None)


def values(done) -> list[list[float]]:
    assert done.code == 0, done.err
    _, *rows = csv.reader(io.StringIO(done.out))
    return [[float(field) for field in row[1:]] for row in rows]


AT = (0, 1, 10, 100, 999)
SHOWN = ("--at", ",".join(map(str, AT)), "--channels", "all", "-f", "csv", "--sections", "values")


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ("sd15", {"embedding_dim": 320, "flip_sin_to_cos": True, "downscale_freq_shift": 0}),
        ("ddpm_cifar10_32", {"embedding_dim": 128, "downscale_freq_shift": 1}),
        ("article_003", {"embedding_dim": 64, "downscale_freq_shift": 1}),
    ],
)
def test_values_are_those_of_diffusers(unetscope, config, options):
    shown = torch.tensor(values(unetscope("timesteps", config, *SHOWN)))
    known = get_timestep_embedding(torch.tensor(AT), **options)
    rounding = 999 * 2 * torch.finfo().eps  # of the largest angle
    torch.testing.assert_close(shown.T, known, atol=rounding, rtol=0)


@pytest.mark.parametrize(
    ("config", "order", "last"), [("sd15", "cos-sin", 160), ("article_003", "sin-cos", 31)]
)
def test_which_come_first_and_how_fast_they_are(unetscope, config, order, last):
    done = unetscope("timesteps", config, "--channels", "all", "-f", "json")
    found = json.loads(done.out)
    layer, rows = found["layer"], found["frequencies"]["rows"]
    assert layer["order"] == order
    half = layer["channels"] // 2
    for index, row in enumerate(rows):
        frequency = 10_000 ** -((index % half) / last)
        assert math.isclose(row["frequency_rad_per_step"], frequency, rel_tol=1e-4)
        assert math.isclose(row["period_steps"], 2 * math.pi / frequency, rel_tol=1e-4)
        assert row["function"].startswith(order.split("-")[index >= half])
    for row in found["similarity"]["rows"]:
        angles = [row["distance_steps"] * each["frequency_rad_per_step"] for each in rows[:half]]
        mean = sum(map(math.cos, angles)) / half
        assert row["lowest"] == pytest.approx(mean, abs=1e-4)
        assert row["highest"] == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(
    ("net", "layer", "order", "rates"),
    [
        ("Net", "embed", "sin-cos-alternating", [1, 1, 0.25, 0.25, 0.01, 0.01]),
        ("InTheBody", "", "cos-sin", [10_000 ** -(k / 3) for k in (0, 1, 2, 0, 1, 2)]),
    ],
)
def test_own_code(unetscope, own, net, layer, order, rates):
    done = unetscope("timesteps", f"{own}:{net}", *GIVEN, "--channels", "all", "-f", "json")
    found = json.loads(done.out)
    assert found["layer"] | {"path": layer, "order": order} == found["layer"]
    frequencies = [row["frequency_rad_per_step"] for row in found["frequencies"]["rows"]]
    assert frequencies == pytest.approx(rates, rel=1e-4)


def test_drawn_frequencies_are_said_to_be_drawn(unetscope):
    done = unetscope("timesteps", "sd_x2_latent_upscaler", "--channels", "0", "--lang", "zh")
    assert done.code == 0, done.err
    assert "频率是参数" in done.out


@pytest.mark.parametrize("name", ["article_002", "Learned"])
def test_no_such_layer_is_2(unetscope, own, name):
    source = (f"{own}:Learned", *GIVEN) if name == "Learned" else (name,)
    done = unetscope("timesteps", *source)
    assert (done.code, done.out) == (2, "")
    assert "no sines or cosines of an input (B,)" in done.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--at", "soon"),
        ("--at", "nan"),
        ("--channels", "64"),
        ("--channels", "-1"),
        ("--layer", "mid"),
        ("--sections", "value"),
        ("--plot", "-f", "json"),
    ],
)
def test_bad_options_are_2(unetscope, wrong):
    done = unetscope("timesteps", "article_003", *wrong)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")


def test_plots(unetscope, tmp_path):
    text = unetscope("timesteps", "article_003", "--plot").out
    assert all(len(line) <= 80 for line in text.splitlines() if "▄" in line)
    constant = next(line for line in text.splitlines() if "cos(0.0001 t)" in line)
    assert set(constant.split("  ")[-1]) == {"▇"}
    image = tmp_path / "embedding.svg"
    assert unetscope("timesteps", "article_003", "--plot", "-o", image).code == 0
    lines = [e for e in ET.parse(image).iter() if e.tag.endswith("polyline")]
    assert [len(line.attrib["points"].split()) for line in lines] == [1000] * 6
