"""A pytest fixture that holds a model to its lock; pytest loads this file wherever it runs.

So nothing but pytest is imported until a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unetscope.lock import Lock

UPDATE = "--update-architecture"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `pytest` rewrite the locks."""
    parser.getgroup("unetscope").addoption(
        UPDATE,
        action="store_true",
        help="Write the locks that assert_architecture compares with, instead of comparing.",
    )


@pytest.fixture
def assert_architecture(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`assert_architecture(model, "unet.lock", *args, **kwargs)`: see that they are one network.

    The lock lies beside the test's file, unless its path is absolute. Everything after it is
    `forward`'s, as in `unetscope.trace`; a `Trace` in the model's place takes nothing more. The
    test fails with what changed, even if that is a module's name only, and if there is no lock.
    `pytest --update-architecture` writes the lock instead.
    """

    def check(model_or_trace: Any, lock: str | Path, /, *args: Any, **kwargs: Any) -> None:
        made = _digest(model_or_trace, args, kwargs)
        path = request.path.parent / lock
        if request.config.getoption(UPDATE):
            _write(path, made)
        elif complaint := _complaint(path, made):
            pytest.fail(
                f"{complaint.rstrip()}\n\nIf it is meant so: pytest {UPDATE} {request.node.nodeid}",
                pytrace=False,
            )

    return check


def _digest(model_or_trace: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Lock:
    from unetscope import Trace, load, trace

    if not isinstance(model_or_trace, Trace):
        return load(trace(model_or_trace, *args, **kwargs)).lock()
    if args or kwargs:
        raise TypeError("assert_architecture: a Trace has its inputs already, and takes no others")
    return load(model_or_trace).lock()


def _complaint(path: Path, made: Lock) -> str:
    """What is wrong with the lock, or what changed since; empty if they agree."""
    from unetscope.api import diff, load
    from unetscope.errors import UnetscopeError
    from unetscope.render import render
    from unetscope.rules.gate import Gate
    from unetscope.views import diff as views
    from unetscope.words import Words

    if not path.exists():
        return f"there is no lock {path}"
    try:
        found = replace(diff(load(path), load(made)), old=path.name, new="the model")
    except UnetscopeError as error:
        return f"{error.place}: {error.message}"
    if not found.changes:
        return ""
    said = Words("en")
    summary = views.summary(Gate().judge(found), said)
    return render([summary, *views.changes(found.changes, said, said.changes)], "terminal")


def _write(path: Path, made: Lock) -> None:
    from unetscope.files.locks import dumps, is_written
    from unetscope.files.writing import write

    if not is_written(path, made):
        write(path, dumps(made))
