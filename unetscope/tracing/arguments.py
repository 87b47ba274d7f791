"""The arguments of a function by the names that its signature gives them.

So `torch.cat([a, b], 1)`, `dim=1` and `dim=-3` are told alike, and an argument is left out only
where it equals the default that torch itself has. Signatures of functions written in C++ are
ATen's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from unetscope.ops import OpKind, operation
from unetscope.tracing.contents import PLAIN_TYPES, leaves

_IRRELEVANT = frozenset(
    {"device", "layout", "pin_memory", "out", "memory_format", "inplace", "requires_grad"}
)
"""Arguments that say where or how something is kept, not what it is."""
_DIMS = frozenset(
    {
        *("dim", "dims", "dim0", "dim1", "dim2", "axis", "axes", "axis0", "axis1", "start_dim"),
        *("end_dim", "source", "destination"),
    }
)
"""Arguments that count dims, from the end if they are negative."""
_DOCUMENTED = {
    ("arange", "start"): 0,
    ("var", "correction"): 1,
    ("std", "correction"): 1,
    ("pad", "value"): 0,
    ("norm", "p"): 2,
    ("interpolate", "align_corners"): False,
    ("grid_sample", "align_corners"): False,
    ("affine_grid", "align_corners"): False,
}
"""Defaults that torch's documentation states and ATen's signatures do not."""
_OF_GRADIENTS = {
    ("embedding", "padding_idx"),
    ("embedding", "scale_grad_by_freq"),
    ("embedding", "sparse"),
}
"""Arguments that only a backward pass reads."""
_OF_TRAINING = frozenset({"p", "dropout", "dropout_p", "momentum"})
"""Arguments that do nothing where `training` is not true."""
_REQUIRED = object()
_ABSENT = object()


class Argument(NamedTuple):
    """An argument of a call."""

    name: str
    """Its parameter's; empty for an operand of an operator, and where it is not known."""
    value: Any
    unclear: bool = False
    """Whether another tensor may stand before it and does not: `y` in `clamp(x, max=y)`."""


class _Parameter(NamedTuple):
    """A parameter of a signature."""

    name: str
    default: Any = _REQUIRED
    kind: str = ""
    """ATen's type: `Tensor`, `List[int]`, `number`; empty if the signature is Python's."""
    length: int | None = None
    """Of a list that may be given as one number for all."""
    keyword: bool = False
    """Whether it is given by name alone."""


def told(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Tensor], str]:
    """What a call is given: its tensors, in the order of the signature, and all else in words.

    Arguments at their defaults are left out, and so is what is only written to, `out=`.

    Args:
        name: the function, as in `Op.name`.
        function: as a `TorchFunctionMode` is given it.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """
    key, tensors = _key(name, function, args, kwargs)
    known = _KNOWN.get(key)
    if known is not None:
        places, words = known
        return [tensors[place] for place in places], words
    arguments = _bound(function, args, kwargs)
    given = leaves(*(each.value for each in arguments))
    words = _detail(name, arguments)
    if key is not None:
        if len(_KNOWN) == _MOST_KNOWN:
            _KNOWN.clear()
        order = {id(tensor): place for place, tensor in enumerate(tensors)}
        _KNOWN[key] = tuple(order[id(tensor)] for tensor in given), words
    return given, words


_KNOWN: dict[Any, tuple[tuple[int, ...], str]] = {}
"""What `told` says of calls that differ in nothing but which tensors they are given: the places of
those that it names among all of them, and the words."""
_MOST_KNOWN = 20_000


def _key(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Any, list[Tensor]]:
    """All of a call that `told` looks at, and its tensors; None for a call that is told apart.

    That is one with arguments of other types, and one that is given one tensor twice.
    """
    tensors: list[Tensor] = []
    parts: list[Any] = [name, function, len(args), *kwargs]
    for value in (*args, *kwargs.values()):
        kind = type(value)
        if kind in PLAIN_TYPES:
            parts += (kind, value)
        elif kind is Tensor or kind is nn.Parameter:
            parts.append(Tensor)
            tensors.append(value)
        elif kind is tuple or kind is torch.Size or kind is list:
            if any(type(item) is not int for item in value):
                return None, tensors
            parts += (kind, tuple(value))
        else:
            return None, tensors
    if tensors:
        first = tensors[0]
        if len({id(tensor) for tensor in tensors}) < len(tensors) or first.is_nested:
            return None, tensors
        parts.append(first.shape)
    return tuple(parts), tensors


def _bound(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> list[Argument]:
    """The arguments of a call that are not at their defaults, in the order of the signature."""
    kinds = tuple(map(_kind, args)), tuple((name, _kind(kwargs[name])) for name in kwargs)
    parameters = _signature(function, *kinds)
    if parameters is None:
        named = [Argument(n, kwargs[n]) for n in sorted(kwargs) if n not in _IRRELEVANT]
        return [*(Argument("", value) for value in args), *named]
    values = _by_name(parameters, args, kwargs, method=_is_method(function))
    modes = [p for p in parameters if p.name in ("training", "train")]
    if modes and not any(values.get(mode.name, mode.default) for mode in modes):
        values = {name: value for name, value in values.items() if name not in _OF_TRAINING}
    row = operation(function.__name__)
    first = next(iter(leaves(*values.values())), None)
    rank = 0 if first is None else first.dim() + (row.name in ("stack", "unsqueeze"))
    found: list[Argument] = []
    kernel: Any = _REQUIRED
    unclear = False
    for parameter in parameters:
        name, default = parameter.name, parameter.default
        value = values.get(name)
        if value is None and (name not in values or default in (None, _REQUIRED)):
            unclear = unclear or default is None
            continue
        if name == "out":
            continue
        # `clamp_max(x, y)` is `clamp(x, max=y)`.
        unclear = unclear or (row.name == "clamp" and name == "max" and "min" not in values)
        if not isinstance(value, Tensor):
            value, default = (_plain(each, parameter, rank) for each in (value, default))
            if name == "unbiased":
                name, value = "correction", int(value)
            unordered = row.kind is OpKind.REDUCTION or row.name == "flip"
            if unordered and name in _DIMS and isinstance(value, tuple):
                value = tuple(sorted(value))
            default = _DOCUMENTED.get((row.name, name), default)
            if row.kind is OpKind.POOLING and name == "stride":
                default = kernel
            if row.kind is OpKind.ATTENTION and name == "scale" and first is not None:
                default = first.shape[-1] ** -0.5
            if row.name == "norm" and value == "fro":
                value = 2
            kernel = value if name == "kernel_size" else kernel
            unread = name in _IRRELEVANT or (row.name, name) in _OF_GRADIENTS
            if unread or _equal(value, default):
                continue
        operand = bool(row.symbols) and len(found) < 2 and not parameter.keyword
        found.append(Argument("" if operand else name, value, unclear))
    return found


def _detail(name: str, arguments: Iterable[Argument]) -> str:
    """The arguments that are no tensors: `dim=1`.

    Where it would not be clear which argument a tensor is, an ellipsis stands for it: behind a
    number, as in `1, …` of `1 - x`, and in `max=…` of `clamp(x, max=y)`.

    Args:
        name: the function, as in `Op.name`.
        arguments: what `_bound` returned.
    """
    row = operation(name)
    exact = row.kind is OpKind.CREATION  # `torch.full(size, 1)` holds integers
    words: list[str] = []
    number_before = False
    shape: Sequence[int] | None = ()
    for place, (key, value, unclear) in enumerate(arguments):
        if isinstance(value, Tensor):
            if place == 0:
                shape = None if value.is_nested else value.shape
            if unclear or number_before:
                words.append(f"{key}=…" if key else "…")
            number_before = False
        elif row.name in ("getitem", "setitem") and place == 1:
            words.append("…" if shape is None else _index(value, shape))
        elif not _holds_tensors_alone(value):
            text = _spell(value, exact=exact)
            text = text.replace(" ", "") if row.name == "einsum" else text
            words.append(f"{key}={text}" if key else text)
            number_before = not key and isinstance(value, (int, float))
    return ", ".join(word for word in words if word)


# Which signature


def _kind(value: Any) -> Any:
    """What overloads of a function tell apart."""
    if isinstance(value, (tuple, list)):
        return tuple(map(_kind, value[:1]))
    return Tensor if isinstance(value, Tensor) else type(value)


@cache
def _signature(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: tuple[tuple[str, Any], ...]
) -> tuple[_Parameter, ...] | None:
    """The signature, or that of its overloads, that fits a call; None if none is known."""
    for parameters in _signatures(function):
        filled = _by_name(parameters, args, dict(kwargs), method=_is_method(function))
        kinds = {parameter.name: parameter.kind for parameter in parameters}
        required = {p.name for p in parameters if p.default is _REQUIRED}
        known = required <= filled.keys() <= kinds.keys()
        if known and all(_fits(kind, kinds[name]) for name, kind in filled.items()):
            return parameters
    return None


def _signatures(function: Callable[..., Any]) -> Iterator[tuple[_Parameter, ...]]:
    schemas = _schemas(function)
    own = _own_parameters(function)
    if own is not None:
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in own):
            # `F.max_pool2d` is one of two functions, as its `return_indices` says.
            own = _own_parameters(getattr(torch.nn.functional, f"_{function.__name__}", None))
        lengths = {a.name: _length(a) for schema in schemas[:1] for a in schema.arguments}
        if own is not None:
            yield tuple(
                _Parameter(
                    _OTHER_NAMES.get(p.name, p.name),
                    _REQUIRED if p.default is p.empty else p.default,
                    length=lengths.get(p.name),
                    keyword=p.kind is p.KEYWORD_ONLY,
                )
                for p in own
            )
        return
    for schema in schemas:
        yield tuple(
            _Parameter(
                _OTHER_NAMES.get(a.name, a.name),
                a.default_value if a.has_default_value() else _REQUIRED,
                str(a.type).removeprefix("Optional[").removesuffix("]" * _is_optional(a)),
                _length(a),
                a.kwarg_only,
            )
            for a in schema.arguments
        )


def _schemas(function: Callable[..., Any]) -> Sequence[Any]:
    """The schemas that torch has for a function, a kernel or an operator of any library."""
    if isinstance(function, torch._ops.OpOverload):
        return [function._schema]
    known = torch._C._jit_get_schemas_for_operator
    if isinstance(function, torch._ops.OpOverloadPacket):
        return known(function._qualified_op_name)
    name = function.__name__
    return known(f"aten::{name}") or known(f"aten::{name.strip('_')}")


def _own_parameters(function: Any) -> list[inspect.Parameter] | None:
    """The parameters of a function written in Python; None if it is, or wraps, one of C++."""
    if not inspect.isfunction(function):
        return None
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:
        return None


def _is_method(function: Callable[..., Any]) -> bool:
    """Whether a function is a method of `Tensor` that is written in C++."""
    return hasattr(function, "__objclass__")


def _length(argument: Any) -> int | None:
    """Of a list that may be given as one number for all."""
    length: int | None = argument.N
    return length


def _is_optional(argument: Any) -> bool:
    return str(argument.type).startswith("Optional[")


def _by_name(
    parameters: Sequence[_Parameter],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    method: bool,
) -> dict[str, Any]:
    """The values of a call's arguments, or their kinds, by name; one too many by its number."""
    positional = [parameter for parameter in parameters if not parameter.keyword]
    if method:  # `x.where(mask, y)` is `torch.where(mask, x, y)`
        positional.sort(key=lambda parameter: parameter.name != "input")
    last = len(positional) - 1
    if len(args) > len(positional) and positional and positional[-1].kind == "List[int]":
        args = (*args[:last], tuple(args[last:]))  # `x.view(2, 3)`
    names = [p.name for p in positional] + [str(n) for n in range(len(positional), len(args))]
    found = dict(zip(names, args, strict=False))
    found.update((_OTHER_NAMES.get(name, name), value) for name, value in kwargs.items())
    return found


_OTHER_NAMES = {"self": "input", "axis": "dim", "keepdims": "keepdim"}
_SCALARS = {
    bool: ("bool", "number"),
    int: ("int", "number", "float", "List[int]", "List[float]"),
    float: ("float", "number", "List[float]"),
    complex: ("number", "complex"),
    str: ("str",),
    torch.dtype: ("int",),
    Tensor: ("Tensor",),
}
"""The types of ATen's that take a value of Python's."""


def _fits(kind: Any, wanted: str) -> bool:
    """Whether a parameter takes a value; None is left out, as each optional one takes it."""
    if isinstance(kind, tuple):
        inside = wanted.removeprefix("List[").removesuffix("]").removeprefix("Optional[")
        return not wanted or (wanted.startswith("List[") and (not kind or _fits(kind[0], inside)))
    return not wanted or kind not in _SCALARS or wanted in _SCALARS[kind]


# How values are told


def _plain(value: Any, parameter: _Parameter, rank: int) -> Any:
    """A value as every way to give it comes out: lists of one length, dims counted from 0."""
    if isinstance(value, (tuple, list)):
        value = tuple(value)
        if parameter.length == 1 and len(value) == 1:
            value = value[0]
    elif parameter.length and parameter.length > 1 and isinstance(value, (int, float)):
        value = (value,) * parameter.length
    elif parameter.kind == "List[int]" and not parameter.length and isinstance(value, int):
        value = (value,)
    if parameter.name not in _DIMS:
        return value
    if isinstance(value, tuple):
        return tuple(_counted(dim, rank) for dim in value)
    return _counted(value, rank)


def _counted(dim: Any, rank: int) -> Any:
    negative = isinstance(dim, int) and dim < 0 <= dim + rank
    return dim + rank if negative else dim


def _equal(value: Any, default: Any) -> bool:
    """Whether a value is the default; `True` and `1` are not the same setting."""
    return isinstance(value, bool) == isinstance(default, bool) and value == default


def _holds_tensors_alone(value: Any) -> bool:
    return _listed(value) and bool(value) and all(isinstance(item, Tensor) for item in value)


def _listed(value: Any) -> bool:
    return isinstance(value, (tuple, list))


def _spell(value: Any, *, exact: bool = False) -> str:
    """A value that is no tensor, the same on every device, and `2.0` as `2` unless `exact`."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 and not exact:
        return str(int(value))
    if value is None or isinstance(value, (bool, int, float, str)):
        return str(value)
    if isinstance(value, (tuple, list)):
        return f"({', '.join(_spell(item, exact=exact) for item in value)})"
    if isinstance(value, Tensor):
        return "…"
    if isinstance(value, torch.SymInt):
        return "ragged"
    if isinstance(value, (torch.dtype, torch.memory_format)):
        return str(value).removeprefix("torch.")
    return type(value).__name__


def _index(index: Any, shape: Sequence[int]) -> str:
    """What stands in the brackets of `x[…]`: `:, 0:8`; empty where it is all of `x`."""
    items = list(index) if isinstance(index, tuple) else [index]
    taken = sum(_dims_of(item) for item in items)
    if not any(item is Ellipsis for item in items):
        items.append(Ellipsis)
    place = next(i for i, item in enumerate(items) if item is Ellipsis)
    items[place : place + 1] = [slice(None)] * (len(shape) - taken)
    words: list[str] = []
    dim = 0
    for item in items:
        size = shape[dim] if dim < len(shape) else 0
        if isinstance(item, slice):
            start, stop, step = item.indices(size)
            whole = (start, stop, step) == (0, size, 1)
            words.append(":" if whole else f"{start}:{stop}" + (f":{step}" if step != 1 else ""))
        elif isinstance(item, int) and not isinstance(item, bool):
            words.append(str(item % size if size else item))
        else:
            words.append(_spell(item))
        dim += _dims_of(item)
    while words and words[-1] == ":":
        words.pop()
    return ", ".join(words)


def _dims_of(item: Any) -> int:
    """How many dims an item of an index stands for."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    mask = isinstance(item, Tensor) and item.dtype in (torch.bool, torch.uint8)
    return item.dim() if mask else 1
