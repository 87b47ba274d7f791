"""Running commands in this process, as a shell would see them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from unetscope import cli
from unetscope.commands import console


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def unetscope(capsys, monkeypatch):
    """A function that runs `unetscope ARGUMENTS` and returns its `Result`."""

    def run(*arguments):
        monkeypatch.setattr(console, "_quiet", False)
        monkeypatch.setattr(console, "_verbose", False)
        code = cli.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return run
