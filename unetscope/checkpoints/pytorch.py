"""Files that `torch.save` wrote: the structure of their pickle, which is never executed.

Since torch 1.6 such a file is a zip archive with `data.pkl` and one entry for each storage. Before,
it was a row of pickles: a magic number, the version, the machine, the value and the keys of the
storages, which follow.

Source: PyTorch, `torch/serialization.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from unetscope.checkpoints import archive, state_dicts
from unetscope.checkpoints.header import Header
from unetscope.checkpoints.machine import CutShortError
from unetscope.checkpoints.pickled import Unpickled, unpickled
from unetscope.checkpoints.rebuilding import Held, rebuild
from unetscope.checkpoints.stored import Stored

LARGEST_PICKLE = 32_000_000
"""The most bytes of a pickle that are read; a checkpoint of 2,000 tensors has some 400,000."""

_FIRST = 2**20
_MAGIC = 0x1950A86A20F9469CFC6C
_ZIP, _LEGACY, _PICKLE = "PyTorch (zip)", "PyTorch (legacy)", "a pickle"
T = TypeVar("T")


def read_zip(file: Stored) -> Header:
    """The header of a checkpoint that is a zip archive.

    Raises:
        UnetscopeError: it is none, is damaged, or is larger than the bounds.
    """
    entries = archive.entries(file)
    names = [name for name in entries if name.rpartition("/")[2] == "data.pkl"]
    if not names:
        file.damaged("a zip archive without `data.pkl`: not a checkpoint of PyTorch's")
    folder = names[0][: -len("data.pkl")]
    data = archive.content(file, entries[names[0]], LARGEST_PICKLE)
    header, tensors = _understood(file, _ZIP, lambda: unpickled(data, 0, rebuild))
    for storage in dict.fromkeys(held.storage for held in tensors if held.storage):
        entry = entries.get(f"{folder}data/{storage.key}")
        if entry is None or entry.size < storage.nbytes:
            file.damaged(f"a damaged checkpoint: the storage {storage.key[:80]!a} is not all there")
    return header


def read_pickle(file: Stored) -> Header:
    """The header of a checkpoint that begins with a pickle.

    Raises:
        UnetscopeError: it is none, is damaged, or is larger than the bounds.
    """
    length = _FIRST
    while True:
        data = file.read(0, min(length, file.size, LARGEST_PICKLE))
        try:
            return _pickles(file, data)
        except CutShortError:
            if len(data) == file.size:
                file.damaged("cut short: its pickle breaks off")
            if len(data) == LARGEST_PICKLE:
                file.damaged(f"a pickle of more than {LARGEST_PICKLE:,} bytes, the bound for one")
            length *= 8


def _pickles(file: Stored, data: bytes) -> Header:
    """The header, from as many bytes of the file as are there.

    Raises:
        CutShortError: more are needed.
    """
    first = _followed(file, lambda: unpickled(data, 0, rebuild))
    if first.value != _MAGIC or type(first.value) is not int:
        return _understood(file, _PICKLE, lambda: first)[0]

    def value() -> Unpickled:
        version = unpickled(data, first.end, rebuild)
        machine = unpickled(data, version.end, rebuild)
        return unpickled(data, machine.end, rebuild)

    found = _followed(file, value)
    keys = _followed(file, lambda: unpickled(data, found.end, rebuild))
    header, tensors = _understood(file, _LEGACY, lambda: found)
    storages = {held.storage.key: held.storage.nbytes for held in tensors if held.storage}
    # Each storage follows its length, in eight bytes.
    if keys.end + sum(size + 8 for size in storages.values()) > file.size:
        file.damaged("cut short: its storages end past the end of the file")
    return header


def _followed(file: Stored, follow: Callable[[], T]) -> T:
    try:
        return follow()
    except CutShortError:
        raise
    except (ValueError, RecursionError) as error:
        file.damaged(f"a damaged pickle: {error}")


def _understood(
    file: Stored, form: str, follow: Callable[[], Unpickled]
) -> tuple[Header, list[Held]]:
    """The header of the value in a pickle, and its tensors."""

    def understand() -> tuple[Header, list[Held]]:
        try:
            found = follow()
        except CutShortError:
            if form == _ZIP:
                file.damaged("a damaged pickle: it breaks off")
            raise
        header = Header(form, {}, imports=found.imports)
        return header, state_dicts.fill(header, found.value)

    return _followed(file, understand)
