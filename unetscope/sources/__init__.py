"""What a user may name, and how it becomes a trace, a lock or the header of a checkpoint.

`resolve` is the one way from a name to a `Source`: a config, code, a saved trace, a lock, a
checkpoint, a class that diffusers publishes, or any file at a git revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from unetscope.errors import UnetscopeError
from unetscope.files.reading import is_folder, is_there
from unetscope.sources.request import Request
from unetscope.sources.source import Info, Runnable, Source

__all__ = ["Request", "Runnable", "Source", "fitting", "kind_of", "resolve"]


def _ignored(text: str) -> None:
    """Messages for the user are of no use to a program."""


def resolve(request: Request, info: Info = _ignored) -> Source:
    """What a user named, read and checked.

    Args:
        request: the name, and the options for it.
        info: is called with each message for the user, such as which inputs were guessed.

    Raises:
        UnetscopeError: there is no such thing, it is damaged or describes no network, or one of the
            options has no meaning for it.
    """
    from unetscope.sources.revisions import checked_out, is_revision

    kind = kind_of(request)
    for option in request.given:
        if option not in kind.takes:
            raise kind.refusal(request, option)
    if is_revision(request.source):
        with checked_out(request.source) as found:
            source = resolve(replace(request, source=str(found.file)), found.telling(info))
        return source.at_revision(request.source, found.named)
    if request.trust_code:
        from unetscope.sources.foreign import trusted

        request = trusted(request)
    source = kind(request, info)
    if request.controlnet is None:
        return source
    from unetscope.sources.configs import ConfigNetwork, ControlledNetwork

    assert isinstance(source, ConfigNetwork), "no other kind takes a ControlNet"
    return ControlledNetwork(request, info, source)


def fitting(request: Request, names: Sequence[str]) -> list[Request]:
    """One request for each of several sources, with the options that mean something to it.

    Raises:
        UnetscopeError: an option has no meaning for any of them.
    """
    kinds = [_kind_or_config(replace(request, source=name)) for name in names]
    for option in request.given:
        if kinds and not any(option in kind.takes for kind in kinds):
            raise kinds[0].refusal(replace(request, source=names[0]), option)
    return [
        Request(
            name,
            cache=request.cache,
            **{o: getattr(request, o) for o in request.given if o in kind.takes},
        )
        for name, kind in zip(names, kinds, strict=True)
    ]


def _kind_or_config(request: Request) -> type[Source]:
    """The kind of a source; a config if it is not there, since loading it says what is wrong."""
    try:
        return kind_of(request)
    except UnetscopeError:
        from unetscope.sources.configs import ConfigNetwork

        return ConfigNetwork


def kind_of(request: Request) -> type[Source]:
    """What kind of source a user named; of a file at a revision, of the file.

    Raises:
        UnetscopeError: there is no such file, or it cannot be read.
    """
    from unetscope.checkpoints.files import is_checkpoint
    from unetscope.sources.revisions import checked_out, is_revision
    from unetscope.sources.saved import SavedLock, SavedTrace
    from unetscope.sources.targets import is_target

    name = request.source
    if is_revision(name):
        with checked_out(name) as found:
            return kind_of(replace(request, source=str(found.file)))
    path = Path(name)
    if is_checkpoint(path):
        from unetscope.sources.checkpoint import Checkpoint

        return Checkpoint
    if is_there(path) and not is_folder(path):
        from unetscope.files import locks, traces

        if locks.is_lock(path):
            return SavedLock
        if traces.is_trace(path):
            return SavedTrace
    if request.trust_code or is_target(name):
        from unetscope.sources.foreign import CodeNetwork

        return CodeNetwork
    from unetscope.sources.published import find

    if find(name) is not None:
        from unetscope.sources.foreign import PublishedNetwork

        return PublishedNetwork
    from unetscope.sources.configs import ConfigNetwork

    return ConfigNetwork
