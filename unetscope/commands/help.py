"""Help in the language of the command line: what Typer prints, with all its texts translated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from typer.core import TyperCommand, TyperGroup

from unetscope.commands.language import language, said
from unetscope.words import Language

TITLES = (
    "ARGUMENTS_PANEL_TITLE",
    "OPTIONS_PANEL_TITLE",
    "COMMANDS_PANEL_TITLE",
    "DEFAULT_STRING",
    "ENVVAR_STRING",
    "REQUIRED_LONG_STRING",
)
"""Typer's own texts in help, as its module `rich_utils` calls them."""
MAKER = "_make_rich_text"
"""What makes them texts, there."""
USAGE = "Usage:"


class Command(TyperCommand):
    """A command whose help is in the language of the command line."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        with _titles():
            TyperCommand.format_help(translated(self, ctx), ctx, formatter)

    def get_usage(self, ctx: Any) -> str:
        """The first line of help."""
        return super().get_usage(ctx).replace(USAGE, said(USAGE), 1)


class Group(TyperGroup):
    """The command that holds the others, likewise."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        with _titles():
            TyperGroup.format_help(translated(self, ctx), ctx, formatter)

    def get_usage(self, ctx: Any) -> str:
        """The first line of help."""
        return super().get_usage(ctx).replace(USAGE, said(USAGE), 1)


def translated(command: Any, ctx: Any) -> Any:
    """A copy of a command whose texts are in the language of the command line."""
    if language() == Language.en:
        return command
    own_help = command.get_help_option(ctx)
    command = _with_help(command)
    command.params = [_with_help(parameter) for parameter in command.params]
    command._help_option = own_help and _with_help(own_help)
    for name, inner in getattr(command, "commands", {}).items():
        command.commands = {**command.commands, name: _with_help(inner)}
    return command


def _with_help(thing: Any) -> Any:
    """A copy of a command or parameter with its own texts in that language."""
    thing = copy(thing)
    for text in ("help", "short_help", "epilog", "rich_help_panel"):
        value = getattr(thing, text, None)
        if isinstance(value, str):
            setattr(thing, text, "\n\n".join(said(" ".join(p.split())) for p in paragraphs(value)))
    return thing


def paragraphs(text: str) -> list[str]:
    """What stands between empty lines."""
    return text.strip().split("\n\n")


def _folded(make: Callable[..., Any]) -> Callable[..., Any]:
    """What makes a text of help; Rich cuts off a line without spaces unless the text says fold."""

    def made(*args: Any, **settings: Any) -> Any:
        text = make(*args, **settings)
        text.overflow = "fold"
        return text

    return made


@contextmanager
def _titles() -> Iterator[None]:
    """Let Typer's own texts be in that language, and lines be broken where it has no spaces."""
    from typer import rich_utils

    if language() == Language.en:
        yield
        return
    before = {name: getattr(rich_utils, name) for name in (*TITLES, MAKER)}
    try:
        for name in TITLES:
            setattr(rich_utils, name, said(before[name]))
        setattr(rich_utils, MAKER, _folded(before[MAKER]))
        yield
    finally:
        for name, text in before.items():
            setattr(rich_utils, name, text)
