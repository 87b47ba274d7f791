import pytest
from narrow_configs import OBLONG


@pytest.fixture
def narrow(tmp_path):
    path = tmp_path / "narrow.yaml"
    path.write_text(OBLONG)
    return path
