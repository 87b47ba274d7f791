"""Running commands for the data they print."""

from __future__ import annotations

import json

import pytest

from unetscope import cli


@pytest.fixture
def data(capsys):
    """A function that runs `unetscope ARGUMENTS` and returns what it prints as JSON."""

    def run(*arguments):
        assert cli.run([*map(str, arguments), "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run
