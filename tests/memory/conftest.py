"""A network that computes in milliseconds."""

from __future__ import annotations

import pytest
from narrow_configs import OBLONG

NARROW = OBLONG.replace("height: 8, width: 12", "height: 16, width: 24")


@pytest.fixture
def narrow(tmp_path):
    path = tmp_path / "narrow.yaml"
    path.write_text(NARROW)
    return path
