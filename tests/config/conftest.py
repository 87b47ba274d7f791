from __future__ import annotations

import textwrap

import pytest

from unetscope import config
from unetscope.errors import ConfigError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder):
    """Write a file of the working directory; returns its name."""

    def write(text, name="x.yaml"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return name

    return write


@pytest.fixture
def refusal():
    """What is said of a config that is refused."""

    def refusal(reference, **arguments):
        with pytest.raises(ConfigError) as caught:
            config.load(reference, **arguments)
        assert caught.value.exit_code == 2
        return str(caught.value)

    return refusal
