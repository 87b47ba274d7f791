"""Draw the README's picture: a real run in a real terminal, as SVG.

python .github/picture.py   # writes .github/trace.svg
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 120
COMMAND = "unetscope trace sd15 --block up_blocks.0 --sections ledger,steps"


def run(command: str) -> str:
    """What `command` prints on a terminal, colours included."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    binary = Path(sys.executable).parent / "unetscope"
    with subprocess.Popen(
        [str(binary), *command.split()[1:]],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env=environment,
    ):
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 65536):
                printed += chunk
        except OSError:  # the terminal is gone: the process has ended
            pass
    return printed.decode().replace("\r\n", "\n")


def main() -> None:
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text(f"$ {COMMAND}", style="bold"))
    console.print(Text.from_ansi(run(COMMAND)))
    svg = console.export_svg(title="unetscope", unique_id="unetscope")
    svg = re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)  # no fonts from elsewhere
    Path(__file__).with_name("trace.svg").write_text(svg)


if __name__ == "__main__":
    main()
