"""Which of a command's sections are wanted."""

from __future__ import annotations

from collections.abc import Collection

from unetscope.errors import UnetscopeError, nearest


def choose(names: str | None, sections: Collection[str]) -> list[str]:
    """The sections in a comma-separated list, or all of `sections`.

    Raises:
        UnetscopeError: a name is no section.
    """
    if names is None:
        return list(sections)
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in sections:
            close = nearest(name, sections)
            raise UnetscopeError(
                f"no section `{name}`: expected {', '.join(sections)}",
                hint=f"did you mean `{close}`?" if close else None,
            )
    return chosen
