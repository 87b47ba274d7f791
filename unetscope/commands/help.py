"""The commands of Typer, with pages of help that are ours."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from unetscope.commands import console
from unetscope.commands.help_page import page, paragraphs
from unetscope.errors import UnetscopeError


class Command(TyperCommand):
    """A command whose help is a `page`."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        ctx.color = console.wants_color()
        formatter.write(page(self, ctx))

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002
        """Its first sentence, whole: shells cut it where they have no room."""
        return paragraphs(self.help)[0]


class Group(TyperGroup):
    """The command that holds the others, likewise; alone, it shows its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options before the command."""
        if not args and not ctx.resilient_parsing:
            console.emit(f"{page(self, ctx)}\n")
            raise typer.Exit(UnetscopeError.exit_code)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        ctx.color = console.wants_color()
        formatter.write(page(self, ctx))
