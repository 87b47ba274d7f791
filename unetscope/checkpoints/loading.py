"""What Python would do to load a weights file, beyond the making of tensors. None of it is done."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unetscope.checkpoints.header import Header
from unetscope.wording import listed

_RUNS = re.compile(
    r"(posix|nt|os|subprocess|sys|importlib|runpy|pty|ctypes|socket|shutil|code|pickle)\."
    r"|(builtins|__builtin__)\.(eval|exec|execfile|compile|getattr|open|__import__)$"
)
"""Names by which a pickle runs what it likes; they are told first, however many others there are.
That a name is none of these says nothing for it."""


def loading(header: Header) -> Iterator[str]:
    """What loading a file would import that tensors have no need of, in sentences."""
    if not header.foreign:
        return
    names = sorted(header.foreign, key=lambda name: not _RUNS.match(name))
    told = listed([f"`{name}`" for name in names])
    yield f"to load it would import {told}; nothing of it was run"
    if header.unread and not header.tensors:
        made = listed([f"`{what}`" for what in dict.fromkeys(header.unread.values())])
        yield f"nothing is known of what these make: {made}"
