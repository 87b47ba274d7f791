"""What the `forward` of other people's code is given: `--input`, `--input-file`, or a guess.

Everything here is a description: a `TensorSpec` stands for the tensor that is made of it later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from unetscope.dtypes import is_dtype
from unetscope.errors import Place, UnetscopeError, did_you_mean
from unetscope.record import TensorSpec

LARGEST = 2**40
"""Elements that one input may have."""

_NAMED = re.compile(r"(?:(?P<name>[^\W\d]\w*(?:\.\w+)*))?(?P<plain>:?)=(?P<value>.*)", re.DOTALL)
_COMMON = ("float32", "float16", "bfloat16", "float64", "int64", "int32", "uint8", "bool")
_SHAPE = re.compile(r"(?P<dims>[\s\d,()\[\]]*)(?::(?P<dtype>\w*))?", re.ASCII)
_EXAMPLE = "for example --input 1,3,256,256, --input t=1:int64 or --input scale:=0.5"
_DTYPES = {"int": "int64", "long": "int64", "float": "float32", "half": "float16"}


@dataclass(frozen=True)
class Given:
    """The arguments of one call of `forward`.

    Attributes:
        args: the positional ones.
        kwargs: those by name.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None

    def __bool__(self) -> bool:
        return bool(self.args or self.kwargs)


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The tensors in a nested input, and its plain values, each by the name `--input` knows it by.

    A list or mapping without a tensor is one plain value.
    """
    entries = dict(enumerate(value)) if isinstance(value, (tuple, list)) else value
    inside = list(entries.items()) if isinstance(entries, Mapping) else []
    found = [leaf for key, entry in inside for leaf in leaves(entry, f"{name}.{key}".lstrip("."))]
    if any(isinstance(leaf, TensorSpec) for _, leaf in found):
        yield from found
    else:
        yield name, value


def given(texts: Sequence[str], file: Path | None, dtype: str) -> Given:
    """The arguments that a user wrote; those of `--input` come before those of the file.

    Args:
        texts: of `--input`: `[NAME=]SHAPE[:DTYPE]` for a tensor, `NAME:=VALUE` for a plain value
            in YAML. A dotted name is an entry of a dict, or of a tuple if it ends in a number.
        file: YAML: a list of positional arguments or a mapping of named ones.
        dtype: of tensors whose element type is not given.

    Raises:
        UnetscopeError: one is not of that form, or is given twice.
    """
    from unetscope.config.document import DEEPEST

    args, kwargs = ([], {}) if file is None else _read(file, dtype)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for text in texts:
        match = _NAMED.fullmatch(text)
        if match is None:
            positional.append(_tensor(text, dtype, Place(f"--input {text}")))
            continue
        place = Place(f"--input {text}")
        value = match["value"]
        made = _plain(value, place) if match["plain"] else _tensor(value, dtype, place)
        if match["name"] is None:
            positional.append(made)
            continue
        levels = match["name"].split(".")
        if len(levels) > DEEPEST:
            message = f"nested deeper than {DEEPEST} levels, the bound for an input"
            raise UnetscopeError(message, place=place)
        _enter(named, levels, made, place)
    kwargs = {**kwargs, **{name: _numbered(value) for name, value in named.items()}}
    return Given((*positional, *args[len(positional) :]), kwargs)


def _enter(named: dict[str, Any], path: list[str], value: Any, place: Place) -> None:
    for name in path[:-1]:
        named = named.setdefault(name, {})
        if not isinstance(named, dict):
            raise UnetscopeError(f"`{name}` was given as a whole already", place=place)
    if path[-1] in named:
        raise UnetscopeError(f"`{'.'.join(path)}` is given twice", place=place)
    named[path[-1]] = value


def _numbered(value: Any) -> Any:
    """Dicts whose keys count from 0 as tuples."""
    if not isinstance(value, dict):
        return value
    entries = {key: _numbered(entry) for key, entry in value.items()}
    if list(entries) and sorted(entries) == sorted(map(str, range(len(entries)))):
        return tuple(entries[str(index)] for index in range(len(entries)))
    return entries


def _plain(text: str, place: Place) -> Any:
    from unetscope.config.document import parse

    return parse(text, str(place)).data


def _tensor(text: str, dtype: str, place: Place) -> TensorSpec:
    from unetscope.config.document import LONGEST_NUMBER

    match = _SHAPE.fullmatch(text.strip())
    if match is None or (not match["dims"].strip() and not match["dtype"]):
        raise UnetscopeError(
            f"expected a shape such as 1,3,256,256, found `{text}`", hint=_EXAMPLE, place=place
        )
    kind = (match["dtype"] or dtype).removeprefix("torch.")
    kind = _DTYPES.get(kind, kind)
    if not is_dtype(kind):
        raise UnetscopeError(
            f"unknown element type `{kind}`",
            hint=did_you_mean(kind, _COMMON) or f"such as {', '.join(_COMMON)}",
            place=place,
        )
    dims = re.findall(r"\d+", match["dims"])
    if any(len(dim) > LONGEST_NUMBER for dim in dims) or prod(map(int, dims)) > LARGEST:
        raise UnetscopeError(f"more than {LARGEST:,} elements, the bound for an input", place=place)
    return TensorSpec(tuple(map(int, dims)), kind)


def _read(file: Path, dtype: str) -> tuple[list[Any], dict[str, Any]]:
    """The positional and the named arguments of an input file."""
    from unetscope.config.document import parse
    from unetscope.config.files import read_text

    data = parse(read_text(file), str(file)).data
    place = Place(str(file))
    if isinstance(data, list):
        return [_value(item, dtype, place) for item in data], {}
    if isinstance(data, dict):
        return [], {name: _value(item, dtype, place) for name, item in data.items()}
    raise UnetscopeError(
        "expected a mapping of inputs by name, or a list of them",
        hint='for example `x: {shape: [1, 3, 256, 256]}` or `t: "1:int64"`',
        place=place,
    )


def _value(item: Any, dtype: str, place: Place) -> Any:
    """An entry of an input file: `{shape: [1, 3], dtype: float32}` and "1,3:int64" are tensors."""
    if isinstance(item, dict) and "shape" in item and set(item) <= {"shape", "dtype"}:
        shape = item["shape"]
        dims = shape if isinstance(shape, list) else [shape]
        text = f"({','.join(map(str, dims))}):{item.get('dtype') or dtype}"
        return _tensor(text, dtype, place)
    if isinstance(item, dict):
        return {name: _value(entry, dtype, place) for name, entry in item.items()}
    if isinstance(item, list):
        return [_value(entry, dtype, place) for entry in item]
    is_shape = isinstance(item, str) and _SHAPE.fullmatch(item) and re.search(r"\d", item)
    return _tensor(item, dtype, place) if is_shape else item
