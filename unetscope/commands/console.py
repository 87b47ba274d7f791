"""stdout is data, stderr is talk: the only place that writes to either."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from unetscope.render import Style
    from unetscope.table import Table

_quiet = False
_verbose = False


def quieten(wanted: bool) -> bool:
    """Say nothing on stderr but errors."""
    global _quiet
    _quiet = _quiet or wanted
    return wanted


def loosen(wanted: bool) -> bool:
    """Say more on stderr."""
    global _verbose
    _verbose = _verbose or wanted
    return wanted


def say(text: str) -> None:
    """Tell the user something that is no data."""
    if not _quiet:
        print(text, file=sys.stderr)


def whisper(text: str) -> None:
    """Tell it only with `--verbose`."""
    if _verbose and not _quiet:
        print(text, file=sys.stderr)


@contextmanager
def progress(what: str, steps: int) -> Iterator[Callable[[], None]]:
    """Show on stderr how far something long is; what this yields is called after each step."""
    from rich.console import Console
    from rich.progress import Progress

    shown = not _quiet and sys.stderr.isatty()
    if not shown:
        say(what)
    # A thread that refreshes would disturb what is timed.
    with Progress(
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not shown,
    ) as bar:
        task = bar.add_task(what, total=steps)
        bar.refresh()
        yield lambda: bar.update(task, advance=1, refresh=True)


def fail(error: UnetscopeError) -> None:
    """Say what went wrong, and what might help."""
    sys.stdout.flush()
    print(f"error: {error}", file=sys.stderr)


def style() -> Style:
    """How stdout wants its text: as wide as the terminal and in colour, or neither."""
    from unetscope.render import Style

    terminal = sys.stdout.isatty()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Style(
        width=shutil.get_terminal_size().columns if terminal else None,
        color=terminal and not plain,
    )


def is_narrow(format: str, columns: int) -> bool:
    """Whether tables in the terminal's form would go to one with fewer than `columns`."""
    return format == "terminal" and (style().width or columns) < columns


def emit(text: str, output: Path | None = None) -> None:
    """Write data to stdout, or to a file, whole or not at all.

    Raises:
        UnetscopeError: the file cannot be written.
    """
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write(output, text.encode())


def show(
    tables: Sequence[Table],
    format: str,
    output: Path | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """Render tables for stdout or a file, with other names for modules if there are any."""
    from unetscope.render import Style, render

    if names:
        from unetscope.views.naming import renamed

        tables = renamed(tables, names)
    emit(render(tables, format, Style() if output else style()), output)


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        UnetscopeError: it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnetscopeError(f"cannot write `{path}`: {error.strerror or error}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
