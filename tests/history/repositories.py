"""Real repositories, each commit with a date of its own, and configs to put into them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from narrow_configs import TINY


@dataclass
class Repository:
    """A repository that tests write to."""

    folder: Path
    minutes: int = 0

    def git(self, *arguments: str, **more: str) -> str:
        """What git prints."""
        self.minutes += 1
        date = f"2024-05-01T{self.minutes // 60:02}:{self.minutes % 60:02}:00+02:00"
        environment = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, **more}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def commit(self, subject: str = "a change", **files: str | None) -> str:
        """Commit all there is, with files of some content (`None`: gone); return the hash."""
        for name, text in files.items():
            path = f"{name}.yaml"
            if text is None:
                (self.folder / path).unlink()
            else:
                self.write(path, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


def layers(count: int) -> str:
    """The tiny network with so many layers a block."""
    return TINY.replace("layers_per_block: 1", f"layers_per_block: {count}")
