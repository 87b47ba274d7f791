"""`unetscope diff --base origin/main configs/`: everything that a branch changed, in one report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from unetscope.commands import console
from unetscope.errors import UnetscopeError
from unetscope.sources.request import Request

if TYPE_CHECKING:
    from unetscope.analysis.diff import Change, Diff
    from unetscope.api import Architecture
    from unetscope.commands.options import ChangeOptions
    from unetscope.errors import Place
    from unetscope.record import Trace
    from unetscope.rules.branch import Report, Row
    from unetscope.rules.gate import Gate
    from unetscope.sources.branch import Branch
    from unetscope.sources.compared import Compared
    from unetscope.table import Picture


LARGEST_SUMMARY = 340_000
"""Characters, of three bytes at most, that GitHub takes as the summary of a step."""
ANY_CONFIG = "config.yaml"
"""A name that stands for all configs where options are checked."""


def are_revisions(names: Sequence[str]) -> bool:
    """Whether the first two names are revisions, and neither is anything else.

    Raises:
        UnetscopeError: one of them is, and the other is not.
    """
    found = [_is_revision(name) for name in names[:2]]
    if len(found) < 2 or found[0] == found[1]:
        return len(found) == 2 and found[0]
    (revision, other) = names[:2] if found[0] else (names[1], names[0])
    raise UnetscopeError(
        f"`{revision}` is a revision, and `{other}` is none",
        hint=f"name a file there, such as `{revision}:configs/unet.yaml`, or two revisions; "
        f"`unetscope diff --base {revision}` compares all that changed since",
    )


def _is_revision(name: str) -> bool:
    from unetscope.config.files import shipped
    from unetscope.files.reading import is_there
    from unetscope.sources.git import commit

    if ":" in name or is_there(Path(name)) or name.removesuffix(".yaml") in shipped():
        return False
    try:
        return commit(name) is not None
    except UnetscopeError:  # no git, or no repository
        return False


@dataclass(frozen=True)
class Comparison:
    """How all networks of a branch are compared.

    Attributes:
        request: the options for each.
        gate: what may pass.
        verify: where both networks run for real, if they shall.
        renaming: gives the modules of a diff other names, if they shall have any.
        drawing: draws two traces, with what they come from, as one picture, if that is wanted.
    """

    request: Request
    gate: Gate
    verify: str | None
    renaming: Callable[[Diff, Architecture, Architecture], Diff] | None
    drawing: Callable[[Trace, Trace, tuple[str, str]], Picture] | None = None

    def of_branch(self, base: str | None, given: Sequence[str]) -> Report:
        """What changed in the networks of some folders and files.

        Args:
            base: what the branch was made from; None if two revisions are compared.
            given: the folders and files, behind the two revisions if there are any.

        Raises:
            UnetscopeError: there is no such base or revision, or nothing that was named.
        """
        from unetscope.rules.branch import Report
        from unetscope.sources.branch import Branch, pairs
        from unetscope.sources.chosen import Chosen
        from unetscope.sources.compared import compared
        from unetscope.sources.settings import configs_of

        if base is None:
            branch, paths = Branch.between(*given[:2]), given[2:]
        else:
            branch, paths = Branch.since(base, console.info), given
        chosen = Chosen(tuple(paths) or configs_of(Path.cwd()), branch.repository)
        found = pairs(branch, chosen)
        if not found:
            raise UnetscopeError(
                f"no config and no lock in {', '.join(chosen.names)}, here or at {branch.base}",
                hint="name folders, files or globs: `configs/`, `'models/**/unet*.yaml'`",
            )
        rows: list[Row] = []
        told: set[str] = set()
        networks = "network" if len(found) == 1 else "networks"
        with console.progress(f"comparing {len(found)} {networks}", len(found)) as advance:
            for one in compared(branch, found, self.request, console.info):
                rows.append(row := self._row(one, branch))
                # What is wrong with a base is wrong with all its heirs.
                if row.unreadable and row.error is not None and str(row.error) not in told:
                    console.error(row.error)
                    told.add(str(row.error))
                advance()
        return Report(branch.base, rows)

    def _row(self, found: Compared, branch: Branch) -> Row:
        from unetscope.rules.branch import Status

        row = found.row
        if row.status is Status.UNCHANGED:
            return row
        if row.status is Status.UNREADABLE:
            return _at_home(row, branch)
        try:
            row, diff, own = self._diff(found)
        except UnetscopeError as error:
            return _at_home(replace(row, status=Status.UNREADABLE, error=error), branch)

        def place(change: Change) -> Place | None:
            return _place(own.get(id(change), change), found, diff, branch)

        gate = self.gate
        if row.came:  # there is nothing to be relative to
            absolute = {cost: bound for cost, bound in gate.bounds.items() if not bound.base}
            gate = replace(gate, bounds=absolute)
        picture = self._picture(found) if row.judgement is None and diff.changes else None
        return replace(row, judgement=gate.judge(diff), place=place, picture=picture)

    def _picture(self, found: Compared) -> Picture | None:
        """Both networks in one drawing; none of those that are not both there to be traced."""
        if self.drawing is None or found.old is None or found.new is None:
            return None
        try:
            sources = found.old.name, found.row.path
            return self.drawing(found.old.trace(), found.new.trace(), sources)
        except UnetscopeError:  # a lock holds no trace
            return None

    def _diff(self, found: Compared) -> tuple[Row, Diff, dict[int, Change]]:
        """What changed; and each change under the names that the network itself has.

        Raises:
            UnetscopeError: the new network cannot run.
        """
        from unetscope import api
        from unetscope.analysis.diff import COSTS, Diff, Total
        from unetscope.rules.branch import Status

        row, old, of_file = found.row, found.old, tuple(_of_file(found.row))
        before, after = row.was or row.path, row.path
        if found.new is None:
            return row, Diff(before, after, of_file, ()), {}
        totals = found.new.lock().totals
        if old is not None:
            try:
                old.lock()
            except UnetscopeError as error:
                row, old = replace(row, status=Status.MENDED, error=error), None
        if old is None:
            numbers = totals.parameters, totals.macs, totals.activation_bytes
            same = tuple(Total(cost, n, n) for cost, n in zip(COSTS, numbers, strict=True))
            return row, Diff(before, after, (), same), {}
        networks = api.Architecture(old), api.Architecture(found.new)
        diff = api.diff(*networks, verify=self.verify, progress=console.progress)
        diff = replace(diff, old=old.name, new=after)
        shown = diff if self.renaming is None else self.renaming(diff, *networks)
        own = dict(zip(map(id, shown.changes), diff.changes, strict=True))
        return row, replace(shown, changes=(*shown.changes, *of_file)), own


def _at_home(row: Row, branch: Branch) -> Row:
    """The same, with the place of its error from the working folder."""
    if row.error is not None and row.error.place is not None:
        row.error.place = branch.shown(row.error.place) or row.error.place
    return row


def _of_file(row: Row) -> Iterator[Change]:
    """What became of the file, as a change."""
    from unetscope.analysis.diff import Change
    from unetscope.rules.branch import Status

    match row.status:
        case Status.TEXT:
            yield Change("text-changed", "", "")
        case Status.RENAMED:
            yield Change("network-renamed", row.was, row.path)
        case Status.DELETED:
            yield Change("network-deleted", row.path, None)


def _place(change: Change, found: Compared, diff: Diff, branch: Branch) -> Place | None:
    """The line that most likely caused a change; the first of its config if that is elsewhere."""
    from unetscope.errors import Place
    from unetscope.rules.branch import Status

    if found.row.status is Status.DELETED:
        return None
    place = None if found.new is None else found.new.place_of(change, diff)
    shown = None if place is None else branch.shown(place)
    return shown or Place(found.row.path, 1)


def show(
    report: Report,
    written: ChangeOptions,
    output: Path | None,
    file: Path | None,
    *,
    names: bool,
) -> None:
    """Write a report as was asked for, and add it to the summary of a GitHub job if this is one.

    Args:
        report: of the branch.
        written: the form and the language.
        output: a file, instead of stdout.
        file: where the comment of a pull request is written to as well.
        names: whether people also want the old and the new name of each tensor.
    """
    from unetscope.files.writing import write
    from unetscope.render import FORMATS, Reader, Style
    from unetscope.render.comment import comment
    from unetscope.views.branch import tables
    from unetscope.views.branch_findings import most_annotations
    from unetscope.words import Words

    words = Words(written.lang)
    format_ = FORMATS[written.format]
    remark = tables(report, words, Reader.REVIEWERS, names=names)
    style = Style(language=written.lang)
    if format_.reader is Reader.REVIEWERS:
        console.emit(comment(remark, style), output)
    else:
        found = tables(report, words, format_.reader, names=names, every=written.shows_every)
        if format_.name == "github":
            found = [most_annotations(table, words) for table in found]
        console.show(found, format_.name, output, language=written.lang)
    if file is not None:
        write(file, comment(remark, style).encode())
    summary = [replace(table, anchor="") for table in remark]
    console.add_text_to_job(comment(summary, style, LARGEST_SUMMARY))
