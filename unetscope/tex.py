"""Text as TeX reads it, with the signs that it would take for commands spelled out."""

from __future__ import annotations

import re

NBSP = "\u00a0"
"""A space that TeX keeps."""
_SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "_%&#${}"},
    # What fonts of seven bits spell otherwise, or packages for languages make a command of.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"{\char34}",
    # What a `\\` or a command before it would take for an argument.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    NBSP: "~",
    "…": r"\ldots{}",
    "–": "--",
    **{
        sign: f"${command}$"
        for sign, command in {
            "−": "-",
            "×": r"\times",
            "·": r"\cdot",
            "±": r"\pm",
            "≤": r"\le",
            "≥": r"\ge",
            "≠": r"\ne",
            "≈": r"\approx",
            "→": r"\rightarrow",
            "←": r"\leftarrow",
            "π": r"\pi",
            "->": r"\rightarrow",
        }.items()
    },
}
_TYPED = set("\\~^_${}<>|`")
_SPECIAL = re.compile(
    "|".join(map(re.escape, _SIGNS))
    + r"""| [ ]{2,}             # of which TeX would keep one
      | ([-,'])(?=\1)         # two of which are one sign
      | (?<![\w.])-(?=\d)     # a minus
    """,
    re.VERBOSE,
)


def escaped(text: str, *, typed: bool = False) -> str:
    """A line of text for TeX; what is not ASCII stays, but for signs that mathematics has.

    Args:
        text: what is to be read.
        typed: whether its font is a typewriter's: those have all of ASCII in its places, where
            commands for signs go to fonts of mathematics, whose signs are of other widths.
    """
    return _SPECIAL.sub(lambda match: _sign(match, typed), text)


def _sign(match: re.Match[str], typed: bool) -> str:
    found = match[0]
    if typed and found in _TYPED:
        return f"{{\\char{ord(found)}}}"
    if found in _SIGNS:
        return _SIGNS[found]
    if match[1]:
        return f"{found}{{}}"
    return "$-$" if found == "-" else "~" * len(found)
