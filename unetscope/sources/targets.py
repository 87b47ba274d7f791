"""`pkg.module:attr`: a model of any code, imported because the user typed its name.

Nothing else is ever imported: not what a config, a saved trace or a checkpoint names.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from unetscope.errors import Place, UnetscopeError, did_you_mean, nearest
from unetscope.files.reading import is_there
from unetscope.sources.torchvision_operators import lend_missing
from unetscope.turns import turn

if TYPE_CHECKING:
    from torch import nn

_TARGET = re.compile(r"(?P<module>[^\W\d]\w*(\.\w+)*):(?P<attribute>[^\W\d]\w*(\.\w+)*)")
_FILE = re.compile(r"(?P<path>[^:]+)\.py:(?P<attribute>[\w.]+)")


def is_target(source: str) -> bool:
    """Whether a user named code, and no file of that name.

    Raises:
        UnetscopeError: it is a file's path before a colon, where a module's name belongs.
    """
    if is_there(Path(source)):
        return False
    if match := _FILE.fullmatch(source):
        module = ".".join(part for part in Path(match["path"]).parts if part not in (".", "/"))
        raise UnetscopeError(
            f"`{source}`: expected a module before the colon, found a file",
            hint=f"write `{module}:{match['attribute']}`; modules are found from this folder",
        )
    return _TARGET.fullmatch(source) is not None


def maker(source: str, kwargs: str | None) -> Callable[[], nn.Module]:
    """What makes the model: the class or factory with its arguments, or one that is there.

    The module is imported here; modules beside the current folder are found.

    Args:
        source: `pkg.module:attr`.
        kwargs: arguments of a class or factory, a mapping in YAML.

    Raises:
        UnetscopeError: there is no such module or attribute, importing it failed, or it does not
            take these arguments.
    """
    from torch import nn

    found = _attribute(source)
    arguments = _arguments(kwargs)
    if isinstance(found, nn.Module):
        if arguments:
            raise UnetscopeError(
                f"`{source}` is a model that is there already: it takes no --kwargs",
                hint="name a class or a factory",
            )
        return lambda: _copied(found)
    if not callable(found):
        raise UnetscopeError(
            f"`{source}`: expected a model, a class or a factory, found {_kind(found)}"
        )
    _check(source, found, arguments)

    def make() -> nn.Module:
        made = found(**arguments)
        if not isinstance(made, nn.Module):
            raise UnetscopeError(f"`{source}` made {_kind(made)}, not an nn.Module")
        return made

    return make


@contextmanager
def foreign(doing: str) -> Iterator[None]:
    """Run other people's code: what it prints is talk, what it raises is said in one line.

    Raises:
        UnetscopeError: it raised something.
    """
    try:
        with turn(), redirect_stdout(sys.stderr):
            yield
    except UnetscopeError:
        raise
    except (Exception, SystemExit) as error:
        message = f"{doing} failed: {type(error).__name__}: {error}".rstrip(": ")
        raise UnetscopeError(message, place=where(error)) from error


def where(error: BaseException) -> Place | None:
    """The innermost line of other people's code that an error came through."""
    if isinstance(error, SyntaxError) and error.filename:
        return Place(error.filename, error.lineno, error.offset)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        name = frame.filename.replace("\\", "/")
        if not re.search(r"/torch/|/unetscope/|/importlib/|/contextlib\.py$|^<", name):
            return Place(frame.filename, frame.lineno)
    return None


def _copied(model: nn.Module) -> nn.Module:
    """A copy, so that the model keeps its weights; itself where its tensors cannot be copied."""
    from unetscope.tracing.lazy import copied

    try:
        return copied(model, model)
    except RuntimeError:
        return model


def _attribute(source: str) -> Any:
    module, _, attribute = source.partition(":")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    importlib.invalidate_caches()
    lend_missing()
    try:
        with foreign(f"importing `{module}`"):
            holder: Any = importlib.import_module(module)
    except UnetscopeError as error:
        missing = error.__cause__
        names = missing.name if isinstance(missing, ModuleNotFoundError) else None
        if names and f"{module}.".startswith(f"{names}."):
            raise _no_module(module, names) from None
        raise
    passed = module
    for name in attribute.split("."):
        try:
            with foreign(f"looking for `{name}` in `{passed}`"):
                holder = getattr(holder, name)
        except UnetscopeError as error:
            if not isinstance(error.__cause__, AttributeError):
                raise
            known = [other for other in dir(holder) if not other.startswith("_")]
            raise UnetscopeError(
                f"no `{name}` in `{passed}`", hint=did_you_mean(name, known)
            ) from None
        passed = f"{passed}.{name}"
    return holder


def _no_module(module: str, missing: str) -> UnetscopeError:
    """That the part `missing` of a module's name is not there, and what is."""
    package, _, name = missing.rpartition(".")
    paths = getattr(sys.modules.get(package), "__path__", None) if package else None
    known = {found.name for found in iter_modules(paths if package else None)}
    close = nearest(name, known)
    whole = f"{package}.{close}" if package else close
    return UnetscopeError(
        f"no module `{missing}`" + ("" if missing == module else f", so no `{module}`"),
        hint=f"did you mean `{whole}`?"
        if close
        else "modules are found from the current folder and among what is installed",
    )


def _arguments(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    from unetscope.config.document import parse

    place = Place("--kwargs")
    data = parse(text, str(place)).data
    if not isinstance(data, Mapping):
        raise UnetscopeError(
            f"expected a mapping in YAML, found `{text}`",
            hint="for example --kwargs '{in_channels: 1, features: [8, 16]}'",
            place=place,
        )
    return dict(data)


def _check(source: str, factory: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """See that a class or factory takes these arguments, where its signature tells."""
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        known = signature.parameters
        unknown = [name for name in arguments if name not in known]
        close = did_you_mean(unknown[0], known) if unknown else None
        names = ", ".join(
            name if p.default is inspect.Parameter.empty else f"{name}={p.default!r}"
            for name, p in known.items()
        )
        hint = close or f"it takes {names or 'none'}"
        raise UnetscopeError(
            f"`{source}` does not take these arguments: {error}",
            hint=hint if arguments else f"{hint}; give them as --kwargs '{{NAME: VALUE}}'",
            place=Place("--kwargs"),
        ) from None


def _kind(found: Any) -> str:
    name = type(found).__name__
    return f"the module `{found.__name__}`" if inspect.ismodule(found) else f"`{name}`"
