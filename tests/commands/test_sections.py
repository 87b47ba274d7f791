"""`--sections` names what is there, or says that it is not."""

from __future__ import annotations

import pytest
from torch import nn

from unetscope.words import Words


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.leave = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 3, 3)

    def forward(self, x):
        return self.leave(self.enter(x))


PLAIN = (f"{__name__}:Plain", "--input", "1,3,16,16")
COMMANDS = {
    "trace": ("article_003",),
    "memory": ("article_003",),
    "explain": ("article_003", "down1"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("nothing", ["", ",", " , "])
def test_none_is_an_error(unetscope, command, nothing):
    result = unetscope(command, *COMMANDS[command], "--sections", nothing)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: no section is named: expected ")


@pytest.mark.parametrize(
    ("arguments", "missing", "what"),
    [
        (("trace", *PLAIN), "ledger", "network"),
        (("memory", *PLAIN), "skips", "network"),
        (("explain", "article_003", "time_embed"), "attention", "module"),
        (("trace", "sd15", "--block", "mid_block"), "encoder", "block"),
    ],
)
def test_what_is_not_there_is_said(unetscope, arguments, missing, what):
    alone = unetscope(*arguments, "--sections", missing)
    assert (alone.code, alone.out) == (0, "")
    assert alone.err == f"left out, as this {what} has none: {missing}\n"


def test_what_is_not_there_is_said_beside_what_is(unetscope):
    result = unetscope("memory", *PLAIN, "--sections", "weights,skips")
    assert Words("en").weights in result.out
    assert result.err == "left out, as this network has none: skips\n"
    assert unetscope("memory", *PLAIN).err == "", "nobody asked for one"


def test_sections_are_of_one_module(unetscope):
    result = unetscope("explain", "article_003", "down*", "--sections", "channels")
    assert result.code == 0
    assert "modules: `--sections` is of one\n" in result.err
