from __future__ import annotations

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


@pytest.fixture
def write(folder):
    """Write a file of the working directory, values as JSON; returns its name."""

    def write(content, name="config.json"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        path.write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def edited(folder):
    """An original file with one text in it replaced, as `x.yaml`."""

    def edited(name, old, new):
        text = (DATA / f"{name}.yaml").read_text()
        assert text.count(old) == 1
        (folder / "x.yaml").write_text(text.replace(old, new))
        return "x.yaml"

    return edited
