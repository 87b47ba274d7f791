"""The revision that a branch is compared with, and what to fetch where it is not there."""

from __future__ import annotations

import shlex
from pathlib import Path

from unetscope.errors import UnetscopeError, nearest
from unetscope.sources.git import Repository, commit, git
from unetscope.sources.source import Info

AUTO = "auto"
_USUAL = ("main", "master")


def known_commit(revision: str, folder: Path | None = None) -> str:
    """The full hash of the commit that a revision names.

    Args:
        revision: as the user named it.
        folder: of the repository, if not the working folder.

    Raises:
        UnetscopeError: it names none; the hint says what may bring it here.
    """
    found = commit(revision, folder)
    if found is not None:
        return found
    if revision == "HEAD":
        raise UnetscopeError("there is no commit here yet")
    raise UnetscopeError(f"there is no revision `{revision}`", hint=_missing(revision, folder))


def merge_base(base: str, repository: Repository, info: Info) -> tuple[str, str]:
    """The commit at which the branch left its base, and what the base is called.

    Args:
        base: a revision, or `auto` for the default branch of the remote.
        repository: the one around the working folder.
        info: is called with what was taken for `auto`, and of what is not sure.

    Raises:
        UnetscopeError: there is no such revision, or no commit that both have in common.
    """
    if not base:
        raise UnetscopeError("there is no revision ``", hint="`--base main` names one")
    if commit("HEAD") is None:
        raise UnetscopeError("there is no commit here yet, so nothing left a base")
    name = _default(info) if base == AUTO else base
    tip = known_commit(name)
    found = (git("merge-base", tip, "HEAD") or b"").decode().split()
    if not found:
        raise UnetscopeError(
            f"`{name}` and HEAD have no commit in common"
            + (": this clone is shallow" if repository.shallow else ""),
            hint=_deeper() if repository.shallow else "name the branch that HEAD was made from",
        )
    if found[0] != tip:
        info(f"comparing with {found[0][:7]}, where HEAD left {name}")
        if repository.shallow:
            info(f"note: a shallow clone, so that may not be the latest; {_deeper()}")
    return found[0], name


def _default(info: Info) -> str:
    """The default branch of the remote, as far as it is known here."""
    remote = _remote()
    if remote is None:
        raise UnetscopeError(
            "`--base auto`: there is no remote, or several and no `origin`",
            hint="name the base: `--base main`",
        )
    head = git("symbolic-ref", "--quiet", "--short", f"refs/remotes/{remote}/HEAD")
    if head is not None:
        name = head.decode().strip()
    else:
        known = [name for branch in _USUAL if commit(name := f"{remote}/{branch}")]
        if len(known) != 1:
            raise UnetscopeError(
                f"`--base auto`: which branch of `{remote}` is the default is not known here",
                hint=f"`git remote set-head {shlex.quote(remote)} --auto` asks; "
                f"or name it: `--base {remote}/main`",
            )
        name = known[0]
    info(f"the base is {name}")
    return name


def _remote(folder: Path | None = None) -> str | None:
    known = (git("remote", folder=folder) or b"").decode(errors="replace").split()
    return "origin" if "origin" in known else known[0] if len(known) == 1 else None


def _missing(revision: str, folder: Path | None) -> str:
    """What may bring a revision that is not here, or the name that was meant."""
    asked = ("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes")
    listed = git(*asked, folder=folder)
    listed_names = (listed or b"").decode(errors="replace").split()
    known = [ref for ref in listed_names if not ref.endswith("/HEAD")]
    remote, _, branch = revision.partition("/")
    remotes = (git("remote", folder=folder) or b"").decode(errors="replace").split()
    if remote not in remotes:
        elsewhere = [name for name in known if name.partition("/")[2] == revision]
        guess = elsewhere[0] if elsewhere else nearest(revision, known)
        if guess is not None:
            return f"did you mean `{guess}`?"
        if not remotes:
            return "`git log --oneline --all` lists the commits that are here"
        return f"{_deeper(folder)}; in CI, `fetch-depth: 0` of actions/checkout does"
    guess = nearest(revision, (name for name in known if name.startswith(f"{remote}/")))
    meant = f"did you mean `{guess}`? " if guess is not None else ""
    refs = shlex.quote(f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}")
    return (
        f"{meant}`git fetch {_all_history(folder)}{shlex.quote(remote)} {refs}` brings the branch"
    )


def _all_history(folder: Path | None = None) -> str:
    shallow = git("rev-parse", "--is-shallow-repository", folder=folder) or b""
    return "--unshallow " if shallow.strip() == b"true" else ""


def _deeper(folder: Path | None = None) -> str:
    remote = shlex.quote(_remote(folder) or "origin")
    return f"`git fetch {_all_history(folder)}--tags {remote}` brings the history"
