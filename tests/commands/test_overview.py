"""`unetscope trace` begins with an overview: it adds up, and what it says to type works."""

import json
import shlex

import pytest
import torch
from torch import nn

OVERVIEW = ("model", "io", "parts", "verdict", "next")

CODE = (
    "denoising_diffusion_pytorch:Unet",
    "--kwargs",
    "{dim: 8}",
    "--input",
    "x=1,3,16,16",
    "--input",
    "time=1:int64",
)


class Beside(nn.Module):
    """A UNet with layers outside its parts: one that scores, one that nothing calls."""

    def __init__(self):
        super().__init__()
        self.conv_in = nn.Conv2d(3, 8, 3, padding=1)
        self.down = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.mid = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.conv_out = nn.Conv2d(16, 3, 1)
        self.score = nn.Linear(8, 5)
        self.idle = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.ones(7))

    def forward(self, x):
        skip = self.conv_in(x)
        mid = self.mid(self.down(skip))
        return self.conv_out(torch.cat([self.up(mid), skip], 1)), self.score(mid.mean((2, 3)))


def tables(unetscope, *arguments):
    result = unetscope("trace", *arguments, "-f", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


@pytest.mark.parametrize(("form", "most"), [("terminal", 50), ("markdown", 60)])
def test_it_is_how_the_whole_begins(unetscope, form, most):
    whole = unetscope("trace", "article_003", "-f", form).out
    overview = unetscope("trace", "article_003", "--overview", "-f", form).out
    assert whole.startswith(overview)
    assert 20 <= overview.count("\n") <= most
    assert whole.count("last-in-first-out") == 1


def test_json_holds_every_section(unetscope):
    whole = tables(unetscope, "article_003")
    overview = tables(unetscope, "article_003", "--overview")
    assert list(overview) == ["format_version", "provenance", *OVERVIEW]
    assert overview.items() <= whole.items()
    assert (
        whole["verdict"].items()
        >= {
            key: value for key, value in whole["ledger"].items() if key not in ("title", "rows")
        }.items()
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("sd15", "--controlnet", "controlnet_sd15"),
        ("article_002",),
        CODE,
        (f"{__name__}:Beside", "--input", "1,3,16,16"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_parts_add_up(unetscope, arguments):
    found = tables(unetscope, *arguments, "--sections", "model,parts")
    model, parts = found["model"], found["parts"]
    for key in ("parameters", "macs"):
        amounts = [row[key] for row in parts["rows"]]
        assert sum(amounts) == parts["total"][key] == model[key]


def test_what_is_in_no_part_is_elsewhere(unetscope):
    rows = tables(unetscope, f"{__name__}:Beside", "--input", "1,3,16,16", "--sections", "parts")
    rows = rows["parts"]["rows"]
    last = rows[-1]
    assert last["part"] == "other"
    assert set(last["modules"]) >= {"idle", "Beside"}
    assert last["parameters"] >= 4 * 4 + 4 + 7
    assert sum("score" in row["modules"] for row in rows) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("article_003", "--height", "32", "--set", "norm_groups=4"),
        ("sd15", "--names", "compvis", "--set", "block_out_channels=[32, 32, 32, 32]"),
        CODE,
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_it_says_to_type_works_on_the_same_network(unetscope, arguments):
    found = tables(unetscope, *arguments, "--sections", "next,model")
    commands = [row["command"] for row in found["next"]["rows"]]
    assert 3 <= len(commands) <= 5
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "unetscope"
        done = unetscope(*words)
        assert done.code == 0, (command, done.err)
        assert done.out
    _name, source, *rest = shlex.split(commands[0])[1:]
    options = [word for word in rest if word != "--all-joins"]
    assert tables(unetscope, source, *options, "--sections", "model")["model"] == found["model"]


@pytest.mark.parametrize("other", [("--sections", "ledger"), ("--block", "up1")])
def test_it_is_of_the_whole_network(unetscope, other):
    result = unetscope("trace", "article_003", "--overview", *other)
    assert (result.code, result.out) == (2, "")
    assert f"leave out `{other[0]}`" in result.err


def test_the_verdict_is_on_the_whole_network_whichever_block_is_shown(unetscope):
    sections = ("--sections", "verdict", "-f", "json")
    whole = unetscope("trace", "article_003", *sections)
    for block in ("time_embed", "up1"):
        assert unetscope("trace", "article_003", "--block", block, *sections).out == whole.out
