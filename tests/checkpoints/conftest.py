"""Tensors of Stable Diffusion 1.5, and `unetscope diff` as a shell would see it."""

from __future__ import annotations

import pytest
from checkpoint_files import ROOT

from unetscope import cli
from unetscope.analysis.names import compvis_names
from unetscope.files import locks


@pytest.fixture(scope="session")
def sd15_shapes():
    """Stable Diffusion 1.5's tensors in diffusers' names."""
    lock = locks.load(ROOT / "configs" / "locks" / "sd15.lock")
    return {tensor.name: tensor.shape for tensor in lock.tensors}


@pytest.fixture(scope="session")
def sd15_compvis(sd15_shapes):
    """The same in CompVis' names."""
    names = compvis_names(sd15_shapes)
    return {names[name]: shape for name, shape in sd15_shapes.items()}


@pytest.fixture
def diff(capsys, monkeypatch):
    """A function that runs `unetscope diff ARGUMENTS`: exit code, stdout, stderr."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*arguments, command="diff"):
        code = cli.run([command, *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
