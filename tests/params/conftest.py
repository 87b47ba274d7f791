from __future__ import annotations

import json

import msgspec
import pytest
import torch
from networks import Foreign, Shared, foreign_inputs

from unetscope import load as loaded
from unetscope.render import render
from unetscope.tracing import trace
from unetscope.views.params import Choice, params
from unetscope.views.view import View


@pytest.fixture(scope="session")
def narrow_trace(tmp_path_factory):
    """Traces the config with the given options."""
    folder = tmp_path_factory.mktemp("configs")

    def make(options):
        path = folder / "narrow.json"
        path.write_bytes(
            msgspec.json.encode(
                {"unet": options, "inputs": {"height": 16, "width": 16, "tokens": 5}}
            )
        )
        return loaded(str(path)).trace()

    return make


@pytest.fixture(scope="session")
def foreign():
    with torch.device("meta"):
        return trace(Foreign(), foreign_inputs())


@pytest.fixture(scope="session")
def shared():
    with torch.device("meta"):
        return trace(Shared(), [torch.zeros(2, 3)])


@pytest.fixture
def table():
    """The table of a trace's parameters, as json holds it; other tables under their keys."""

    def make(trace, **choice):
        return json.loads(render(params(View.of(trace), Choice(**choice)), "json"))

    return make
