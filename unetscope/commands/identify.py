"""`unetscope identify`: what weights files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import TableOptions, grouped
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.checkpoints.identified import Identified
    from unetscope.table import Value
    from unetscope.views.identify import Row
    from unetscope.words import Words

    Meant = Mapping[str, UnetscopeError | None]


@examples(
    ("unetscope identify model.safetensors", "All that is known of one file, with the evidence."),
    ("unetscope identify loras/ *.safetensors", "One row a file, as soon as it is known."),
    (
        "unetscope identify model.safetensors --yaml -o found.yaml",
        "A config that has exactly these tensors, which every command takes.",
    ),
)
@grouped
def identify_command(
    written: TableOptions,
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Weights: safetensors, GGUF, what torch.save wrote, the index of several files, a "
            "pipeline of diffusers; a folder with any of them, or a glob.",
        ),
    ],
    yaml: Annotated[
        bool, typer.Option("--yaml", help="The config of the network of one file, instead.")
    ] = False,
) -> None:
    """Say what weights files are: a fact, how certain it is, and the evidence for it.

    Exact: the names and shapes are those of published networks. Built: a config was read off them,
    and the network that it describes has exactly these tensors. Near: the nearest published
    network, and how it differs. Component: a LoRA, a part of a pipeline or a UNet of other code,
    known by what it holds. Only headers are read, and nothing that a file names is run.

    Exit 0, whatever the files are; 2: one of them cannot be read.
    """
    from unetscope.checkpoints.gathering import gathered
    from unetscope.words import Words

    meant = gathered(names)
    if yaml:
        _write_config(written, list(meant))
    elif len(meant) == 1:
        _tell(written, meant, Words(written.lang))
    else:
        _list(written, meant, Words(written.lang))


def _rows(meant: Meant) -> Iterator[Row]:
    """What each file is, as soon as that is known."""
    from unetscope.sources.identifying import identify
    from unetscope.views.identify import Row

    for name, error in meant.items():
        found: Identified | UnetscopeError
        try:
            found = error or identify(name)
        except UnetscopeError as wrong:
            found = wrong
        yield Row(name, found)


def _tell(written: TableOptions, meant: Meant, words: Words) -> None:
    """All that is known of one file.

    Raises:
        UnetscopeError: it cannot be read.
    """
    from unetscope.render import FORMATS, Reader
    from unetscope.views import identify as views

    (row,) = _rows(meant)
    if isinstance(row.found, UnetscopeError):
        raise row.found
    for_programs = FORMATS[written.format].reader is Reader.PROGRAMS
    tables = [views.files([row], words)] if for_programs else views.card(row, words)
    if written.format == "json":
        tables.append(views.parts(row.found.parts, words))
    written.show(tables)


def _list(written: TableOptions, meant: Meant, words: Words) -> None:
    """A row for each of several files.

    Raises:
        UnetscopeError: at the end, if one cannot be read.
    """
    from unetscope.views import identify as views

    unreadable = 0

    def rows() -> Iterator[tuple[Value, ...]]:
        nonlocal unreadable
        for row in _rows(meant):
            unreadable += isinstance(row.found, UnetscopeError)
            yield views.row(row, words)
            advance()

    with console.progress(f"reading {len(meant):,} files", len(meant)) as advance:
        table = views.files([], words)
        samples = views.samples(list(meant), words)
        console.stream(table, rows(), samples, written.format, written.output, written.lang)
    if unreadable:
        raise UnetscopeError(f"{unreadable} of {len(meant)} could not be read")


def _write_config(written: TableOptions, names: Sequence[str]) -> None:
    """The config of the network of one file, which has exactly its tensors.

    Raises:
        UnetscopeError: there are several files, or it holds no such network.
    """
    if len(names) != 1:
        raise UnetscopeError(f"`--yaml` writes one config, and there are {len(names)} files")
    from unetscope.sources.checkpoint import config_text

    console.emit(config_text(names[0]), written.output)
