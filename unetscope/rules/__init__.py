"""What `check` finds in configs and networks, and the gate of `diff` and `lock`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unetscope.errors import UnetscopeError, did_you_mean
from unetscope.findings import RULES, Rule


def every_rule() -> Mapping[str, Rule]:
    """All rules by id: importing the modules that hold them registers them."""
    from unetscope import families
    from unetscope.rules import surprises, traced  # noqa: F401

    families.every()
    return RULES


def known_ids(ids: Iterable[object]) -> frozenset[str]:
    """Ids of rules, as a user wrote them.

    Raises:
        UnetscopeError: there is no rule of one of them.
    """
    known, found = every_rule(), set()
    for name in ids:
        if not isinstance(name, str) or name not in known:
            raise UnetscopeError(
                f"there is no finding {f'`{name}`' if isinstance(name, str) else repr(name)}",
                hint=did_you_mean(str(name), known) or "`unetscope check --list-rules` lists them",
            )
        found.add(name)
    return frozenset(found)
