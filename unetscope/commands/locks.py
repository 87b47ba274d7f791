"""Writing the locks of several configs, and checking them: what became of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unetscope.analysis.diff import ChangeSeverity
from unetscope.api import Architecture, diff, load
from unetscope.commands import console
from unetscope.errors import UnetscopeError
from unetscope.files.locks import holds, is_written
from unetscope.files.reading import is_file
from unetscope.files.versioned import NewerError
from unetscope.files.writing import write
from unetscope.rules.gate import Gate
from unetscope.rules.locks import Row, Staleness, State
from unetscope.sources.settings import lock_of
from unetscope.wording import harmless, pasted

if TYPE_CHECKING:
    from unetscope.sources import Request


def check_all(requests: Sequence[Request], places: Mapping[str, Path]) -> list[Row]:
    """Compare the lock of each config with what it would be written as."""
    return _each("checking", requests, places, _checked)


def write_all(requests: Sequence[Request], places: Mapping[str, Path], folders: bool) -> list[Row]:
    """Write the lock of each config that is not what it would be written as.

    Args:
        requests: the configs.
        places: the lock of each, in their order.
        folders: whether folders around a lock are made where they are missing.
    """

    def written(unet: Architecture, row: Row) -> Row:
        return _written(unet, row, folders)

    return _each("locking", requests, places, written)


def _each(
    verb: str,
    requests: Sequence[Request],
    places: Mapping[str, Path],
    one: Callable[[Architecture, Row], Row],
) -> list[Row]:
    """What became of each lock; a config that cannot be locked does not stop the others."""
    if not requests:
        return []
    rows = []
    noun = "config" if len(requests) == 1 else "configs"
    with console.progress(f"{verb} {len(requests)} {noun}", len(requests)) as advance:
        for request, path in zip(requests, places.values(), strict=True):
            row = Row(str(path), State.CURRENT, (request.source,))
            try:
                rows.append(one(Architecture.of(request, console.info), row))
            except UnetscopeError as error:
                console.error(error)
                newer = isinstance(error, NewerError)
                state = State.UNREADABLE if newer else State.UNCHECKED
                rows.append(replace(row, state=state, error=error))
            advance()
    return rows


def _written(unet: Architecture, row: Row, folders: bool) -> Row:
    path = Path(row.lock)

    def say(error: UnetscopeError) -> None:
        if is_file(path):
            console.info(f"{error.located}; it is written anew")

    text = unet.source.lock_text()
    if is_written(path, text, say):
        console.debug(f"unchanged {harmless(row.lock)}")
        return row
    write(path, text, folders=folders)
    console.info(f"wrote {harmless(row.lock)}")
    return replace(row, state=State.WRITTEN)


def _checked(unet: Architecture, row: Row) -> Row:
    path, command = Path(row.lock), _command(unet, Path(row.lock))
    if not path.exists():
        unet.lock()
        return replace(row, state=State.MISSING, command=command)
    if holds(path, unet.source.lock_text()):
        console.debug(f"unchanged {harmless(row.lock)}")
        return row
    try:
        written = load(str(path))
    except NewerError:
        raise
    except UnetscopeError as error:
        if command is not None:
            error.hint = f"`{command}` writes a new one"
        console.error(error)
        return replace(row, state=State.UNREADABLE, error=error)
    stale = replace(row, state=State.STALE, command=command)
    found = diff(written, unet)
    if not found.changes:
        same = written.lock() == unet.lock()
        return replace(stale, staleness=Staleness.LAYOUT if same else Staleness.CONFIG)
    place = unet.source.place_of
    return replace(
        stale,
        staleness=Staleness.NETWORK,
        # Whatever a change is, the lock is to say it.
        judgement=Gate(ChangeSeverity.COSMETIC).judge(found),
        place=lambda change: place(change, found),
    )


def _command(unet: Architecture, path: Path) -> str | None:
    """What writes the lock; None if options were given, which such a line would have to repeat."""
    source = unet.source
    if source.request.given:
        return None
    usual = source.file is not None and lock_of(source.file) == path
    return pasted("unetscope", "lock", source.name, *(() if usual else ("-o", str(path))))
