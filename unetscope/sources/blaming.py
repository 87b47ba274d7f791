"""The commit of a history that broke a bound."""

from __future__ import annotations

from collections.abc import Callable

from unetscope.analysis.diff import diff
from unetscope.errors import UnetscopeError
from unetscope.rules.commits import Blame, Commit
from unetscope.rules.gate import Gate
from unetscope.sources.past import Past


def first_bad(past: Past, gate: Gate, after_each: Callable[[], None] = lambda: None) -> Blame:
    """The oldest commit whose network does not pass, compared with what was before all of them.

    Raises:
        UnetscopeError: no commit describes a network.
    """
    history = past.history
    name = history.before or ""
    base = past.network(name) if name else None
    if base is not None:
        judgement = gate.judge(diff(base, base))
        if judgement.breaches:
            return Blame(name, judgement)
    passed: set[object] = set()
    unread: list[Commit] = []
    for commit in reversed(history.commits):
        after_each()
        state, lock = past.state(commit.sha), past.network(commit.sha)
        if state is not None and lock is None:
            unread.append(commit)
        if state is None or lock is None:
            continue
        if base is None:
            base, name = lock, commit.sha
        if state.key not in passed:
            judgement = gate.judge(diff(base, lock))
            if judgement.breaches:
                end = past.network(history.last)
                mended = end is not None and not gate.judge(diff(base, end)).breaches
                return Blame(name, judgement, past.entry(commit), tuple(unread), mended)
            passed.add(state.key)
        unread = []
    if base is None:
        wrong = past.error(unread[-1].sha) if unread else None
        raise UnetscopeError(
            f"no commit of `{history.path}` describes a network",
            hint=None if wrong is None else f"the latest: {wrong.located}",
        )
    return Blame(name, unread=tuple(unread))
