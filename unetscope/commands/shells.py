"""Completion in a shell: what it runs when somebody presses TAB.

The scripts stand instead of Typer's, which hide files behind other names, take `=` and `:` for the
end of a word in bash, and put a space behind what goes on. All ask as fish does, for `Lines`, and
name files where there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer import _completion_classes as classes
from typer import _completion_shared as typers

from unetscope.commands import console
from unetscope.commands.help_page import paragraphs
from unetscope.commands.language import said
from unetscope.commands.options import one_of

_BASH = r"""
%(complete_func)s() {
    local value word=${COMP_LINE:0:COMP_POINT}
    word=${word##*[[:space:]]}
    local before=${word%%"$2"}  # bash completes what is behind the last = or :
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        value=${value#"$before"}
        [[ $value == *[^[:alnum:]_./=,:@%%+~^-]* ]] && printf -v value %%q "$value"
        [[ -n $value ]] && COMPREPLY+=("$value")
    done < <(env %(autocomplete_var)s=complete_fish \
        _TYPER_COMPLETE_ARGS="${COMP_LINE:0:COMP_POINT}" "$1" 2>/dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=./] ]] && compopt -o nospace
    return 0
}

complete -o default -F %(complete_func)s %(prog_name)s
"""
_ZSH = r"""
#compdef %(prog_name)s

%(complete_func)s() {
    local line value
    local -a whole open
    for line in "${(@f)$(env %(autocomplete_var)s=complete_fish \
        _TYPER_COMPLETE_ARGS="${(j: :)words[1,CURRENT-1]} $PREFIX" %(prog_name)s 2>/dev/null)}"; do
        value=${line%%%%$'\t'*}
        line=${value//:/\\:}${${line#$value}/$'\t'/:}
        case $value in
            '') ;;
            *[=./]) open+=("$line") ;;
            *) whole+=("$line") ;;
        esac
    done
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    if (( $#whole + $#open )); then
        _describe '%(prog_name)s' whole -- open -S ''
    else
        _files
    fi
}

if [[ $funcstack[1] == _%(prog_name)s ]]; then
    %(complete_func)s "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = r"""
function %(complete_func)s
    set -l word (commandline -ct)
    set -l option (string match -r -- '^--[^=]+=' $word)
    set -l found (env %(autocomplete_var)s=complete_fish \
        _TYPER_COMPLETE_ARGS=(commandline -cp) %(prog_name)s 2>/dev/null)
    if string length -q -- $found
        printf "$option%%s\n" $found
    else
        __fish_complete_path $word
    end
end

complete --command %(prog_name)s --no-files --arguments "(%(complete_func)s)"
"""
_OWN = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
SHELLS = (*_OWN, "powershell", "pwsh")


class Lines(classes.FishComplete):
    """What there is to offer: a line for each value, with a tab before what is said of it."""

    def complete(self) -> str:
        """The lines; Typer's would break what is said at the width of a terminal."""
        found = self.get_completions(*self.get_completion_args())
        helps = (" ".join(paragraphs(offer.help)) for offer in found)
        return "\n".join(f"{o.value}\t{said(h)}".strip() for o, h in zip(found, helps, strict=True))


def prepare() -> None:
    """Let the shells ask, and have our scripts."""
    classes.FishComplete = Lines  # type: ignore[misc]
    classes.completion_init()
    typers._completion_scripts.update(_OWN)


def _leaving(
    act: Callable[[str], str],
) -> Callable[[typer.Context, str | None], str | None]:
    """The callback of an option that does something for a shell, prints a text, and leaves."""

    def done(context: typer.Context, shell: str | None) -> str | None:
        if shell is not None and not context.resilient_parsing:
            console.emit(f"{act(shell)}\n")
            raise typer.Exit
        return shell

    return done


def _script(shell: str) -> str:
    script: str = typers.get_completion_script(
        prog_name="unetscope", complete_var="_UNETSCOPE_COMPLETE", shell=shell
    )
    return script


def _install(shell: str) -> str:
    _, path = typers.install(shell=shell, prog_name="unetscope")
    return f"{path} completes what {shell} reads from now on: start it anew"


def _option(name: str, help: str, act: Callable[[str], str]) -> Any:
    return typer.Option(
        name,
        help=help,
        callback=_leaving(act),
        is_eager=True,
        rich_help_panel="Completion",
        **{**one_of(SHELLS), "metavar": "SHELL"},
    )


InstallCompletion = Annotated[
    str | None,
    _option(
        "--install-completion",
        "Let TAB complete commands, options and values in a shell: bash, zsh, fish, powershell or "
        "pwsh.",
        _install,
    ),
]
ShowCompletion = Annotated[
    str | None,
    _option("--show-completion", "Print the script that does so, to install it yourself.", _script),
]
