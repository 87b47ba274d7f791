"""The forms of a drawing: one module of this package for each, and what is known of it.

To add one, write a module with a function of its name that takes a `Sheet` and returns the text or
the bytes, and give it a line in `FORMS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.drawing.sheet import Sheet


@dataclass(frozen=True)
class Form:
    """One form.

    Attributes:
        name: what `--format` calls it; its module in this package has the same name, but for the
            terminal's, which is `text`.
        suffixes: of files in it, small letters; an empty one is that of a file without suffix.
    """

    name: str
    suffixes: tuple[str, ...]


FORMS: Mapping[str, Form] = {
    form.name: form
    for form in (
        Form("terminal", (".txt", "")),
        Form("svg", (".svg",)),
        Form("png", (".png",)),
        Form("tikz", (".tex", ".tikz")),
        Form("mermaid", (".mmd", ".mermaid")),
        Form("dot", (".dot", ".gv")),
    )
}
"""Every form by its name."""


def form_of(suffix: str) -> str:
    """The name of the form that a file's suffix tells.

    Raises:
        UnetscopeError: it tells none.
    """
    found = next((form for form in FORMS.values() if suffix.lower() in form.suffixes), None)
    if found is None:
        known = ", ".join(suffix for form in FORMS.values() for suffix in form.suffixes if suffix)
        raise UnetscopeError(
            f"`{suffix}` is the suffix of no form of a drawing",
            hint=f"files of drawings: {known}; `--format` counts before a suffix",
        )
    return found.name


def drawn(sheet: Sheet, form: str) -> str | bytes:
    """A drawing in a form that needs to know nothing of a terminal.

    Raises:
        UnetscopeError: what turns it into a picture is not installed, or cannot.
    """
    written: str | bytes = getattr(import_module(f"unetscope.drawing.{form}"), form)(sheet)
    return written
