from __future__ import annotations

import textwrap

import pytest


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
