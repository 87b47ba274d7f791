"""An empty repository, the working folder."""

import pytest
from repositories import Repository


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty repository, the working folder."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    found = Repository(folder)
    found.git("init", "-q", "-b", "main")
    return found
