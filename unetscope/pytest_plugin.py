"""A pytest fixture that holds a model to its lock; pytest loads this file wherever it runs.

So nothing but pytest is imported until a test asks for the fixture.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unetscope.lock import Lock
    from unetscope.rules.gate import Gate

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

    The lock lies beside the test's file, unless its path is absolute. `fail_on="breaking"` lets
    pass what is less than that, as in `unetscope diff`; without it, even another name of a module
    fails. Everything else after the lock is `forward`'s, as in `unetscope.trace`; a `Trace` in the
    model's place takes nothing more. The test fails with what changed, and if there is no lock.

    `pytest --update-architecture` writes the lock instead, and the folders around it. Two networks
    that one run would write into one lock fail.
    """

    def check(
        model_or_trace: Any,
        lock: str | Path,
        /,
        *args: Any,
        fail_on: str = "cosmetic",
        **kwargs: Any,
    ) -> None:
        from unetscope.errors import UnetscopeError
        from unetscope.rules.gate import Gate, severity
        from unetscope.wording import pasted

        path = request.path.parent / lock
        try:
            gate = Gate(severity(str(fail_on)))
        except UnetscopeError as error:
            pytest.fail(f"fail_on: {error}", pytrace=False)
        made = _digest(model_or_trace, args, kwargs)
        try:
            if request.config.getoption(UPDATE):
                _write(path, made, request)
                return
            complaint = _complaint(path, made, gate)
        except UnetscopeError as error:
            pytest.fail(str(error), pytrace=False)
        if complaint:
            command = pasted("pytest", UPDATE, _named(request))
            pytest.fail(
                f"{complaint.rstrip()}\n\nIf it is meant so: {command}",
                pytrace=False,
            )

    return check


def _named(request: pytest.FixtureRequest) -> str:
    """The test as pytest takes it where it was started."""
    path, _, inside = str(request.node.nodeid).partition("::")
    with suppress(ValueError):  # no path leads from one drive of Windows to another
        path = Path(os.path.relpath(request.path, request.config.invocation_params.dir)).as_posix()
    return f"{path}::{inside}"


def _digest(model_or_trace: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Lock:
    from unetscope import Trace, load, trace

    if not isinstance(model_or_trace, Trace):
        return load(trace(model_or_trace, *args, **kwargs)).lock()
    if args or kwargs:
        raise TypeError("assert_architecture: a Trace has its inputs already, and takes no others")
    return load(model_or_trace).lock()


def _complaint(path: Path, made: Lock, gate: Gate) -> str:
    """What is wrong with the lock, or what changed since; empty if the gate lets it pass.

    Raises:
        NewerError: a newer unetscope wrote the lock.
    """
    from unetscope.api import diff, load
    from unetscope.errors import UnetscopeError
    from unetscope.files.versioned import NewerError
    from unetscope.render import render
    from unetscope.views import diff as views
    from unetscope.words import Words

    if not path.exists():
        return f"there is no lock {path}"
    try:
        found = replace(diff(load(path), load(made)), old=path.name, new="the model")
    except NewerError:
        raise
    except UnetscopeError as error:
        return error.located
    judgement = gate.judge(found)
    if not judgement.breaches:
        return ""
    said = Words("en")
    tables = [views.summary(judgement, said), *views.changes(found.changes, said, said.changes)]
    return render(tables, "terminal")


def _write(path: Path, made: Lock, request: pytest.FixtureRequest) -> None:
    """Write the lock, and the folders around it, if it holds anything else.

    Raises:
        UnetscopeError: another network of this run was written there, or it cannot be written.
    """
    from unetscope.errors import UnetscopeError
    from unetscope.files.locks import dumps, is_written
    from unetscope.files.writing import write

    content = dumps(made)
    digest = sha256(content).hexdigest()
    known, _, test = _first_writer(path, digest, request).partition(" ")
    if known != digest:
        raise UnetscopeError(
            f"{path}: {test} wrote another network into this lock",
            hint="give each network a lock of its own",
        )
    if not is_written(path, content):
        write(path, content, folders=True)


def _first_writer(path: Path, digest: str, request: pytest.FixtureRequest) -> str:
    """The digest of the network that this run wrote first into a lock, and the test that did.

    The workers of pytest-xdist share what is noted.
    """
    notes: Path = request.getfixturevalue("tmp_path_factory").getbasetemp()
    if hasattr(request.config, "workerinput"):
        notes = notes.parent
    name = sha256(os.fsencode(path.resolve())).hexdigest()
    note = notes / f"unetscope-{name}"
    text = f"{digest} {request.node.nodeid}"
    own = notes / f"{note.name}-{os.getpid()}"
    own.write_text(text, encoding="utf-8", errors="backslashreplace")
    try:
        note.hardlink_to(own)  # at once and with its content, or not at all
    except FileExistsError:
        return note.read_text(encoding="utf-8")
    finally:
        own.unlink()
    return text
