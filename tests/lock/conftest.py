"""A project with a narrow config, and commands run as a shell would see them."""

from __future__ import annotations

import pytest
from narrow_configs import NARROW


@pytest.fixture
def unetscope(unetscope, monkeypatch):
    """Commands outside a GitHub job, whatever runs the tests."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return unetscope


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with one config, `configs/unet.yaml`, in which commands run."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "unet.yaml").write_text(NARROW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def change(project):
    """A function that changes one line of the config."""

    def run(old, new):
        path = project / "configs" / "unet.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return run
