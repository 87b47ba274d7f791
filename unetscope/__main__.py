"""The `unetscope` command: `python -m unetscope` is the same."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from contextlib import suppress

# A command is one short run: collecting garbage while torch is imported costs a tenth of it.
gc.disable()


_INTERRUPTED = 130
"""Exit code; as shells count a process that was interrupted."""
_PATIENCE = 1.0
"""Seconds in which an interrupt must have stopped the command, or else it is stopped."""
_interrupts = 0


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, _interrupt)
        _open_streams()
        from unetscope.cli import run

        code = run(interrupted=lambda: _interrupts > 0)
    except BaseException:
        if not _interrupts:
            raise
        code = _INTERRUPTED
    code = _INTERRUPTED if _interrupts else code
    # torch's teardown takes a quarter of the time of `import torch`, and nothing needs it.
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def _interrupt(*_: object) -> None:
    """Stop, within a second at most and at once if asked again.

    Some of torch's imports go on after a KeyboardInterrupt, and so does Python itself where one is
    raised in a destructor or in a callback of the garbage collector.
    """
    global _interrupts
    _interrupts += 1
    if _interrupts > 1:
        os._exit(_INTERRUPTED)
    last_resort = threading.Timer(_PATIENCE, os._exit, [_INTERRUPTED])
    last_resort.daemon = True
    last_resort.start()
    sys.unraisablehook = lambda _: None  # it would tell of the interrupt that went nowhere
    raise KeyboardInterrupt


def _open_streams() -> None:
    """See that there are stdout and stderr, and that they take every character.

    If the shell closed one, the next file that is opened would get its number. Closed stderr takes
    everything, closed stdout nothing. What is no terminal gets UTF-8, unless Python was told
    otherwise; what an encoding lacks is written as an escape.
    """
    for number, name, mode in ((1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
            setattr(sys, name, os.fdopen(number, "w", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        chosen = stream.isatty() or "PYTHONIOENCODING" in os.environ
        stream.reconfigure(  # type: ignore[union-attr]
            encoding=None if chosen else "utf-8", errors="backslashreplace"
        )


if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]  # the current folder, where a `torch.py` of the user's may lie
    main()
