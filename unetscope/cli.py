"""The command line: one name a command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from unetscope.commands import console, language
from unetscope.commands.help import Command, Group
from unetscope.commands.options import MessageOptions, grouped
from unetscope.commands.shells import InstallCompletion, ShowCompletion, prepare
from unetscope.errors import UnetscopeError
from unetscope.files.reading import why
from unetscope.version import __version__

COMMANDS = (
    "trace",
    "skips",
    "draw",
    "params",
    "flops",
    "memory",
    "explain",
    "timesteps",
    "sweep",
    "check",
    "lock",
    "diff",
    "log",
    "compare",
    "identify",
    "list",
    "show",
    "schema",
    "cache",
)
"""In the order in which help lists them: `x_command` of a file called `x` each."""


def app(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """The command line with some commands, whose files alone are imported."""
    made = typer.Typer(
        name="unetscope",
        cls=Group,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_options)
    for name in names:
        file = import_module(f"unetscope.commands.{name}")
        made.command(name, cls=Command)(getattr(file, f"{name}_command"))
    return made


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unetscope {__version__}")
        raise typer.Exit


@grouped
def _options(
    messages: MessageOptions,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    install_completion: InstallCompletion = None,
    show_completion: ShowCompletion = None,
) -> None:
    """See, count and lock the architecture of diffusion UNets."""


_UsageError: Any = typer.BadParameter.__base__  # click's, which some versions of Typer contain


FAULT = 70
"""Exit code of a fault of unetscope's own; `EX_SOFTWARE` of BSD's sysexits.h."""


def run(arguments: list[str] | None = None, interrupted: Callable[[], bool] = lambda: False) -> int:
    """Run one command.

    Args:
        arguments: of the command line, if not the process's.
        interrupted: whether Ctrl-C was pressed; what goes wrong then is no fault.

    Returns:
        Its exit code: 0 fine, 1 a gate found something, 2 not done, 70 a fault of unetscope's own.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    language.begin(arguments)
    try:
        _see_working_directory()
        given = sys.argv[1:] if arguments is None else arguments
        with console.progress(" ".join(given[:2])):
            left = _parser(_commands_in(given))(arguments, standalone_mode=False)
    except _UsageError as error:
        if error.format_message():  # nothing to say where help was printed instead
            console.error(_usage(error))
        return UnetscopeError.exit_code
    except UnetscopeError as error:
        console.error(error)
        return error.exit_code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except (BrokenPipeError, SystemExit):  # while help was printed: Typer exits 1 for it
        console.stop_writing()
        return 0
    except OSError as error:  # such as a full disk
        console.error(UnetscopeError(f"{error.filename or 'stdout'}: {why(error)}"))
        return UnetscopeError.exit_code
    except Exception as error:
        if interrupted():
            raise KeyboardInterrupt from None
        console.fault(error)
        return FAULT
    return left if isinstance(left, int) else 0


@cache
def _parser(names: Sequence[str] = COMMANDS) -> Any:
    """What reads a command line: all options of some commands."""
    prepare()
    return get_command(app(names))


def _commands_in(given: Sequence[str]) -> Sequence[str]:
    """The one that a command line begins with; all where others may be needed to read it."""
    known = bool(given) and given[0] in COMMANDS and "_UNETSCOPE_COMPLETE" not in os.environ
    return (given[0],) if known else COMMANDS


def _see_working_directory() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise UnetscopeError(f"the working directory: {why(error)}") from None


def _usage(error: Any) -> UnetscopeError:
    """A command line that is not understood, and where help is."""
    message = error.format_message()
    path = error.ctx.command_path if error.ctx else "unetscope"
    return UnetscopeError(
        f"{message[:1].lower()}{message[1:]}".rstrip("."),
        hint=f"`{path} -h` lists what there is",
    )
