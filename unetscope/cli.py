"""The command line: one line a command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from unetscope.commands import console, language
from unetscope.commands.cache import cache_command
from unetscope.commands.check import check_command
from unetscope.commands.compare import compare_command
from unetscope.commands.diff import diff_command
from unetscope.commands.draw import draw_command
from unetscope.commands.explain import explain_command
from unetscope.commands.flops import flops_command
from unetscope.commands.help import Command, Group
from unetscope.commands.list import list_command
from unetscope.commands.lock import lock_command
from unetscope.commands.log import log_command
from unetscope.commands.memory import memory_command
from unetscope.commands.options import MessageOptions, grouped
from unetscope.commands.params import params_command
from unetscope.commands.schema import schema_command
from unetscope.commands.shells import InstallCompletion, ShowCompletion, prepare
from unetscope.commands.show import show_command
from unetscope.commands.skips import skips_command
from unetscope.commands.sweep import sweep_command
from unetscope.commands.timesteps import timesteps_command
from unetscope.commands.trace import trace_command
from unetscope.errors import UnetscopeError
from unetscope.files.reading import why
from unetscope.version import __version__

app = typer.Typer(
    name="unetscope",
    cls=Group,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("trace", cls=Command)(trace_command)
app.command("skips", cls=Command)(skips_command)
app.command("draw", cls=Command)(draw_command)
app.command("params", cls=Command)(params_command)
app.command("flops", cls=Command)(flops_command)
app.command("memory", cls=Command)(memory_command)
app.command("explain", cls=Command)(explain_command)
app.command("timesteps", cls=Command)(timesteps_command)
app.command("sweep", cls=Command)(sweep_command)
app.command("check", cls=Command)(check_command)
app.command("lock", cls=Command)(lock_command)
app.command("diff", cls=Command)(diff_command)
app.command("log", cls=Command)(log_command)
app.command("compare", cls=Command)(compare_command)
app.command("list", cls=Command)(list_command)
app.command("show", cls=Command)(show_command)
app.command("schema", cls=Command)(schema_command)
app.command("cache", cls=Command)(cache_command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"unetscope {__version__}")
        raise typer.Exit


@app.callback()
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
            left = _parser(_command_in(given))(arguments, standalone_mode=False)
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
def _parser(name: str | None = None) -> Any:
    """What reads a command line: all options of all commands, or of one, which is sooner made."""
    prepare()
    chosen = copy(app)
    chosen.registered_commands = [
        command for command in app.registered_commands if name in (None, command.name)
    ]
    return get_command(chosen)


def _command_in(given: Sequence[str]) -> str | None:
    """The command that a command line begins with; None where others may be needed to read it."""
    first = given[0] if given else None
    known = any(command.name == first for command in app.registered_commands)
    return first if known and "_UNETSCOPE_COMPLETE" not in os.environ else None


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
