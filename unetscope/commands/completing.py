"""What TAB offers, without importing torch: of what is not known without it, nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import typer

from unetscope.errors import UnetscopeError

Completing = Callable[[str], list[str]]
Names = Callable[[], Iterable[str]]


def one(names: Names) -> Completing:
    """Completes one of some names."""

    def complete(started: str) -> list[str]:
        return _starting(names(), started)

    return complete


def several(names: Names) -> Completing:
    """Completes the last of names that are separated by commas, with those not yet given."""

    def complete(started: str) -> list[str]:
        before, comma, last = started.rpartition(",")
        given = before.split(",")
        return [f"{before}{comma}{n}" for n in _starting(names(), last) if n not in given]

    return complete


def registry(name: str) -> Names:
    """The names in a table of another module, `pkg.module:TABLE`, which is imported when asked."""

    def names() -> Iterable[str]:
        found: Iterable[str] = resolve_name(name)
        return found

    return names


def _starting(names: Iterable[str], started: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(started)]


def configs(started: str) -> list[str]:
    """The shipped configs and the files here whose names begin so.

    What is in other folders, or behind a `~`, the shell completes.
    """
    from unetscope.config.files import shipped

    if set(started) & set("/\\~$:"):
        return []
    return _starting([*shipped(), *_files(hidden=started.startswith("."))], started)


def _files(*, hidden: bool) -> list[str]:
    with suppress(OSError), os.scandir() as found:
        there = sorted((each.name, each.is_dir()) for each in found)
        return [name + "/" * folder for name, folder in there if hidden or not name.startswith(".")]
    return []


def controlnets(started: str) -> list[str]:
    """The same, of configs those of ControlNets."""
    from unetscope.config.files import read_index

    others = {name for name, about in read_index().items() if "ControlNet" not in about["family"]}
    return [name for name in configs(started) if name not in others]


def revisions() -> list[str]:
    """The branches and tags of the repository here."""
    from unetscope.sources.git import git

    with suppress(UnetscopeError):
        return ["HEAD", *(git("for-each-ref", "--format=%(refname:short)") or b"").decode().split()]
    return []


def compared(started: str) -> list[str]:
    """What `diff` takes: configs, files, and revisions that begin so."""
    found = configs(started)
    return [*found, *_starting(revisions(), started)] if started else found


def range_(started: str) -> list[str]:
    """Revisions on both sides of two dots."""
    before, dots, last = started.rpartition("..")
    return [f"{before}{dots}{name}" for name in _starting(revisions(), last)]


def severities() -> list[str]:
    """What `--fail-on` takes."""
    from unetscope.analysis.diff import ChangeSeverity

    return ["none", *(each.name.lower() for each in ChangeSeverity)]


def rules() -> Iterable[str]:
    """The ids of what `check` finds."""
    from unetscope.rules import every_rule

    return every_rule()


def overrides(context: typer.Context, started: str) -> list[str]:
    """Keys of the config that is named, with `=`, and places in their values: `widths.3=`."""
    from unetscope.config.loading import document_of
    from unetscope.config.sections import DEFAULT_FAMILY, keys_of
    from unetscope.families import find

    with suppress(UnetscopeError):
        data = document_of(_network(context)).data
        options: Any = find(data.get("family", DEFAULT_FAMILY)).options
        keys = keys_of(options)
        written = data["unet"]
        found = {name: written.get(name, key.default) for name, key in keys.items()}
        return [
            path
            for name, value in found.items()
            for path in _paths(name, value, started)
            if path.startswith(started)
        ]
    return []


def _paths(path: str, value: Any, started: str) -> Iterator[str]:
    """`path=` and, if there is something in its value, `path.` or what is behind it."""
    yield f"{path}="
    inner: Mapping[Any, Any] = {}
    if isinstance(value, (list, tuple)):
        inner = dict(enumerate(value))
    elif isinstance(value, dict):
        inner = value
    if inner and not started.startswith(f"{path}."):
        yield f"{path}."
    elif inner:
        for key, item in inner.items():
            yield from _paths(f"{path}.{key}", item, started)


def modules(context: typer.Context, started: str) -> list[str]:
    """Paths of the named network's modules that begin so, down to the next dot."""
    with suppress(UnetscopeError, OSError):
        return _level(_modules(_network(context)), started)
    return []


def networks_or_modules(started: str) -> list[str]:
    """What `explain` takes first: a network or, of the usual one, a module."""
    from unetscope.sources.settings import default_config

    found = configs(started)
    with suppress(UnetscopeError, OSError):
        usual = default_config(lambda _: None)
        return [*found, *_level(_modules(usual), started)] if started else found
    return found


def _level(paths: Iterable[str], started: str) -> list[str]:
    """The paths that begin so, cut behind the next dot; a path of no module keeps the dot."""
    known = set(paths)
    found: dict[str, None] = {}
    for path in paths:
        if path and path.startswith(started):
            end = path.find(".", len(started))
            cut = path if end < 0 else path[:end]
            found[cut if cut in known else f"{cut}."] = None
    return list(found)


def _network(context: typer.Context) -> str:
    """The network that the command line names so far, else what is usual here.

    Where an option waits for its value, the arguments before it are not told apart yet.
    """
    from unetscope.sources.settings import default_config

    arguments = [p.name for p in context.command.params if p.param_type_name == "argument"]
    given = context.params.get(arguments[0] or "") if arguments else None
    given = given or context.args
    name = given[0] if isinstance(given, (list, tuple)) and given else given
    return name if isinstance(name, str) else default_config(lambda _: None)


def _modules(network: str) -> list[str]:
    """The modules of a network as its lock has them, or what an earlier run kept of it."""
    from unetscope.config.files import locate, split_part
    from unetscope.files import locks, traces
    from unetscope.sources.settings import lock_of

    path = Path(network)
    if path.is_file() and traces.is_trace(path):
        return [step.module for step in traces.load(path).steps]
    if not (path.is_file() and locks.is_lock(path)):
        path = lock_of(locate(split_part(network)[0]))
    if path.is_file():
        return [module.path for module in locks.load(path).modules if module.calls]
    return _kept(network)


def _kept(network: str) -> list[str]:
    from unetscope.sources import Request, resolve
    from unetscope.sources.remembered import Remembered

    source = resolve(Request(network))
    trace = source.kept() if isinstance(source, Remembered) else None
    return [] if trace is None else list(dict.fromkeys(step.module for step in trace.steps))
