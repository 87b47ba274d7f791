"""The `unetscope` command: `python -m unetscope` is the same."""

from __future__ import annotations

import gc
import os
import sys

# A command is one short run: collecting garbage while torch is imported costs a tenth of it.
gc.disable()


def main() -> None:
    """Run the command line and leave with its exit code."""
    from unetscope.cli import run

    try:
        code = run()
    except KeyboardInterrupt:
        code = 130  # as shells count a process that was interrupted
    # torch's teardown takes a quarter of the time of `import torch`, and nothing needs it.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
