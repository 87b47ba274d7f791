"""What is shown on a terminal while a command takes its time: after two seconds, and not before.

Elsewhere than on a terminal nothing moves, so nothing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock, Timer
from time import monotonic
from typing import TYPE_CHECKING

from unetscope.commands.language import said
from unetscope.wording import harmless

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0
"""Seconds in which nothing is shown."""


class Waiting:
    """One line on stderr: what is done, how far it is, and for how long it has been going on."""

    def __init__(self, may_show: Callable[[], bool]) -> None:
        """Ask `may_show` each time whether somebody would see the line, and wants to."""
        self._may_show = may_show
        self._lock = RLock()  # a timer shows the line while the command goes on
        self._timer: Timer | None = None
        self._line: Progress | None = None
        self._what = ""
        self._done, self._steps = 0, 0
        self._since = 0.0

    @contextmanager
    def on(self, what: str, steps: int = 0) -> Iterator[Callable[[], None]]:
        """Show that something is being done for as long as the context lasts.

        Within another, it takes that one's place.

        Args:
            what: in a few words.
            steps: how many it has; 0 if nobody knows.

        Yields:
            What is called after each step. Between steps nothing moves then, as a thread would
            disturb what is timed.
        """
        before = self._what, self._done, self._steps, self._since
        self._begin(what, 0, steps, monotonic())
        try:
            yield self._advance
        finally:
            self._begin(*before)

    def hush(self) -> None:
        """Clear the line, since something else is about to be printed; it may come again."""
        with self._lock:
            self._begin(self._what, self._done, self._steps, self._since)

    def _begin(self, what: str, done: int, steps: int, since: float) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._line is not None:
                self._line.stop()
                self._line = None
            self._what, self._done, self._steps, self._since = what, done, steps, since
            if what and self._may_show():
                self._timer = Timer(PATIENCE, self._show)
                self._timer.daemon = True
                self._timer.start()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._line is not None or not self._what or not self._may_show():
                return
            counted = [BarColumn(), TextColumn("{task.completed}/{task.total}")]
            self._line = Progress(
                *([] if self._steps else [SpinnerColumn("line")]),
                TextColumn("{task.description}", markup=False),
                *(counted if self._steps else []),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                auto_refresh=not self._steps,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            task = self._line.add_task(
                harmless(said(self._what)), total=self._steps or None, completed=self._done
            )
            self._line.tasks[task].start_time = self._since
            self._line.start()
            self._line.refresh()

    def _advance(self) -> None:
        with self._lock:
            self._done += 1
            if self._line is not None:
                self._line.update(self._line.task_ids[0], completed=self._done, refresh=True)
