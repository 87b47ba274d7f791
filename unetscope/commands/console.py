"""stdout is data, stderr is for messages: the only place that writes to either."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unetscope.commands.language import said
from unetscope.commands.waiting import Waiting
from unetscope.errors import UnetscopeError
from unetscope.files.reading import why
from unetscope.wording import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from unetscope.render import Style
    from unetscope.table import About, Table, Value

_SUMMARY = "GITHUB_STEP_SUMMARY"
_quiet = False
_verbose = False
_waiting = Waiting(lambda: not _quiet and sys.stderr is not None and sys.stderr.isatty())


def set_quiet(wanted: bool) -> bool:
    """Print nothing on stderr but errors, from now on."""
    global _quiet
    _quiet = _quiet or wanted
    return wanted


def set_verbose(wanted: bool) -> bool:
    """Print more on stderr, from now on."""
    global _verbose
    _verbose = _verbose or wanted
    return wanted


def info(text: str) -> None:
    """Print what a user may want to know and that is no data."""
    if not _quiet:
        _say(said(text))


def debug(text: str) -> None:
    """Print more of it, with `--verbose` alone."""
    if _verbose:
        info(text)


def tell_missing(sections: Sequence[str], what: str) -> None:
    """Say which sections are not shown, as there is nothing to show in them, if any."""
    if sections:
        info(f"left out, as this {what} has none: {', '.join(sections)}")


def tell_merged(names: Mapping[str, str]) -> None:
    """Say of the originals' names that several modules here share one, if they do."""
    from unetscope.analysis.names import one_to_one

    if len(one_to_one(names)) < len(names):
        info(
            "note: the original holds `to_q`, `to_k` and `to_v` of an attention without a text in "
            "one tensor, `qkv`: each of them is a third of it"
        )


def error(found: UnetscopeError) -> None:
    """Print what went wrong, and what might help; with `--verbose` also what it came from."""
    with suppress(OSError):  # what is left for stdout cannot be written where it is closed
        sys.stdout.flush()
    trace_back(found.__cause__)
    _say(_worded("error", found))


def note(found: UnetscopeError) -> None:
    """Print what went wrong, but did not stop the command."""
    trace_back(found.__cause__)
    if not _quiet:
        _say(_worded("note", found))


def _worded(kind: str, found: UnetscopeError) -> str:
    # Lines of a message that are not its first are set off, whatever they begin with.
    text = said(found.message).replace("\n", "\n  ")
    worded = said(f"{kind}: {{}}").format(f"{found.place}: {text}" if found.place else text)
    return f"{worded}\n{said('hint: {}').format(said(found.hint))}" if found.hint else worded


def fault(found: BaseException) -> None:
    """Print that unetscope itself went wrong; with `--verbose` also where."""
    trace_back(found)
    error(
        UnetscopeError(
            f"a fault of unetscope's own: {type(found).__name__}: {found}".rstrip(": "),
            hint="please report it" if _verbose else "`-v` shows where; please report it",
        )
    )


def trace_back(found: BaseException | None) -> None:
    """Print where an exception was raised, if there is one, with `--verbose` alone."""
    if _verbose and found is not None:
        for line in "".join(traceback.format_exception(found)).splitlines():
            _say(line)


def _say(text: str) -> None:
    """Print on stderr, if anybody can hear it: a command does not fail for want of a listener."""
    if sys.stderr is not None:
        _waiting.hush()
        with suppress(OSError):
            print(message(text), file=sys.stderr)


def stop_writing() -> None:
    """Send the rest of stdout nowhere: whoever reads it has had enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def progress(what: str, steps: int = 0) -> AbstractContextManager[Callable[[], None]]:
    """Show on a terminal, after a while, how far something is or, without steps, that it goes on.

    What the context yields is called after each step.
    """
    return _waiting.on(what, steps)


def style() -> Style:
    """How stdout wants its text: as wide as the terminal and in colour, or neither.

    See `wants_color`.
    """
    from unetscope.render import Style

    terminal = sys.stdout.isatty()
    return Style(
        width=shutil.get_terminal_size().columns if terminal else None,
        color=wants_color(),
        ascii=not draws_lines(),
    )


def draws_lines() -> bool:
    """Whether stdout can hold the characters that draw boxes."""
    try:
        "│▶→╌".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def wants_color() -> bool:
    """Whether stdout wants colour: `NO_COLOR` and, after it, `FORCE_COLOR` go before what it is."""
    understood = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    wanted = bool(os.environ.get("FORCE_COLOR")) or understood
    return wanted and not os.environ.get("NO_COLOR")


def emit(data: str | bytes, output: Path | None = None) -> None:
    """Write data to stdout, or to a file, whole or not at all.

    Raises:
        UnetscopeError: it cannot be written.
    """
    if output is None:
        _waiting.hush()
        try:
            if isinstance(data, str):
                sys.stdout.write(data)
            else:
                sys.stdout.buffer.write(data)
            sys.stdout.flush()
        except BrokenPipeError:  # a gate's exit code still counts
            stop_writing()
        except OSError as error:
            raise UnetscopeError(f"cannot write to stdout: {why(error)}") from None
    else:
        from unetscope.files.writing import write

        write(output, data.encode() if isinstance(data, str) else data)


def is_job() -> bool:
    """Whether this runs in a job of GitHub's, which shows a summary."""
    return bool(os.environ.get(_SUMMARY))


def add_to_job(tables: Sequence[Table], language: str) -> None:
    """Add tables to what GitHub shows below a job's log, if this runs in one.

    Raises:
        UnetscopeError: the file that GitHub names cannot be written.
    """
    from unetscope.render import Style, render

    if os.environ.get(_SUMMARY):
        add_text_to_job(render(tables, "markdown", Style(language=language)))


def add_text_to_job(text: str) -> None:
    """Add Markdown to it; see `add_to_job`."""
    summary = os.environ.get(_SUMMARY)
    if not summary:
        return
    try:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UnetscopeError(f"cannot write `{summary}`: {why(error)}") from None


def show(
    tables: Sequence[Table],
    format: str,
    output: Path | None = None,
    names: Mapping[str, str] | None = None,
    language: str = "en",
    about: About | None = None,
) -> None:
    """Render tables for stdout or a file, with other names for modules if there are any.

    What they are about stands above them; of csv, which has no room for it, it goes to stderr.

    Raises:
        UnetscopeError: the file is called as an image is, or cannot be written.
    """
    from unetscope.render import FORMATS, PLAIN, render

    if output is not None and output.suffix.lower() == ".svg":
        suffixes = ", ".join(suffix for one in FORMATS.values() for suffix in one.suffixes[:1])
        raise UnetscopeError(
            f"{output}: tables are no image",
            hint=f"files of tables: {suffixes}; `unetscope sweep --plot` draws SVG",
        )
    if names:
        from unetscope.views.naming import renamed

        tables = renamed(tables, names)
    where = replace(PLAIN if output else style(), language=language)
    text = render(tables, format, where, about)
    if about is not None and format == "csv":
        info(about.text)
    emit(text, output)


def stream(
    table: Table,
    rows: Iterable[tuple[Value, ...]],
    samples: Table,
    format: str,
    output: Path | None,
    language: str,
) -> None:
    """Write a table whose rows take their time, each as soon as it is there, where that is read.

    That is in a terminal, and in csv.

    Args:
        table: the table, without rows.
        rows: its rows.
        samples: rows as wide as can be expected.
        format: of the output.
        output: a file, instead of stdout.
        language: of the words.

    Raises:
        UnetscopeError: as `show`.
    """
    from unetscope.render import STREAMED, streamed

    watched = format == "csv" or sys.stdout.isatty()
    if output is not None or format not in STREAMED or not watched:
        show([replace(table, rows=tuple(rows))], format, output, language=language)
        return
    where = replace(style(), language=language)
    for piece in streamed(table, rows, samples, format, where):
        emit(piece)
