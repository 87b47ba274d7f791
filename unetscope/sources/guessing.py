"""The inputs that a `forward` most likely wants, for a model that is named without any."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from shlex import quote
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError, nearest
from unetscope.record import TensorSpec
from unetscope.sources.inputs import Given, leaves

if TYPE_CHECKING:
    from torch import nn

_TIMES = {"t", "time", "times", "timestep", "timesteps"}
_TEXTS = {"encoder_hidden_states", "context"}
_SIDE = 64
_TOKENS = 77
_MOST_SHOWN = 6


def check(model: nn.Module, described: Given) -> None:
    """See that `forward` takes what it is given.

    Raises:
        UnetscopeError: an argument is missing, unknown or given twice.
    """
    signature = _signature(model)
    if signature is None:
        return
    try:
        signature.bind(*described.args, **(described.kwargs or {}))
    except TypeError as error:
        unknown = [name for name in described.kwargs or {} if name not in signature.parameters]
        close = nearest(unknown[0], signature.parameters) if unknown else None
        said = f"did you mean `{close}`?\n      " if close else ""
        raise UnetscopeError(
            f"{_spelled(model)} does not take these inputs: {error}",
            hint=f"{said}{_example(model)}",
        ) from None


def by_position(model: nn.Module, described: Given) -> tuple[Given, dict[str, str]]:
    """The same arguments where names that `forward` does not have give way to those in their place.

    Returns:
        The arguments; and the names that gave way, each with the one that stands for it.
    """
    signature = _signature(model)
    parameters = signature.parameters if signature else {}
    given = described.kwargs or {}
    kinds = {parameter.kind for parameter in parameters.values()}
    if not parameters or inspect.Parameter.VAR_KEYWORD in kinds:
        return described, {}
    free = [name for name in parameters if name not in given]
    renamed: dict[str, str] = {}
    for place, name in enumerate(given, len(described.args)):
        here = list(parameters)[place : place + 1]
        if name not in parameters and here and here[0] in free:
            free.remove(here[0])
            renamed[name] = here[0]
    named = {renamed.get(name, name): value for name, value in given.items()}
    return Given(described.args, named), renamed


def guess(model: nn.Module, dtype: str, sizes: Mapping[str, int]) -> Given:
    """The required inputs of `forward`, from its parameters' names and the first convolution.

    Args:
        model: any module.
        dtype: of the sample and of text.
        sizes: of `batch`, `height`, `width` and `tokens` those that are known.

    Raises:
        UnetscopeError: they cannot be guessed.
    """
    found = {}
    for position, name in enumerate(_required(model)):
        spec = _likely(model, name, position, dtype, sizes)
        if spec is None:
            raise UnetscopeError(
                f"{_spelled(model)}: what it wants as `{name}` cannot be guessed",
                hint=_example(model),
            )
        found[name] = spec
    if not found:
        raise UnetscopeError(
            f"{_spelled(model)}: what it wants cannot be guessed",
            hint="describe each input: --input 1,3,256,256 or --input x=1,3,256,256",
        )
    return Given((), found)


def spell(described: Given) -> str:
    """Inputs as the command line takes them."""
    named = list(leaves(described.kwargs or {})) if described.kwargs else []
    options = [*(("", value) for value in described.args), *named]
    return " ".join(f"--input {quote(_spelled_input(name, value))}" for name, value in options)


def _spelled_input(name: str, value: Any) -> str:
    if not isinstance(value, TensorSpec):
        return f"{name}:={json.dumps(value)}"
    dims = ",".join(map(str, value.shape)) or "()"
    described = dims if value.dtype == "float32" else f"{dims}:{value.dtype}"
    return f"{name}={described}" if name else described


def _likely(
    model: nn.Module, name: str, position: int, dtype: str, sizes: Mapping[str, int]
) -> TensorSpec | None:
    batch = sizes.get("batch") or 1
    if name in _TIMES:
        return TensorSpec((batch,), "int64")
    if name in _TEXTS:
        width = _setting(model, "cross_attention_dim")
        return width and TensorSpec((batch, sizes.get("tokens") or _TOKENS, width), dtype)
    first = _first_convolution(model)
    if position > 0 or first is None:
        return None
    channels, dims = first
    side = _setting(model, "sample_size") or _setting(model, "image_size") or _SIDE
    spatial = [side] * dims
    for axis, size in ((-2, sizes.get("height")), (-1, sizes.get("width"))):
        if size is not None and dims >= -axis:
            spatial[axis] = size
    return TensorSpec((batch, channels, *spatial), dtype)


def _setting(model: nn.Module, name: str) -> Any:
    """An attribute of the model or of its config that is a number."""
    for holder in (model, getattr(model, "config", None)):
        value = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _first_convolution(model: nn.Module) -> tuple[int, int] | None:
    """Input channels and number of spatial dims of the first convolution; None if it is lazy."""
    from torch import nn

    dims = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
    for module in model.modules():
        for kind, count in dims.items():
            if isinstance(module, kind):
                return (module.in_channels, count) if module.in_channels else None
    return None


def _signature(model: nn.Module) -> inspect.Signature | None:
    try:
        return inspect.signature(model.forward)
    except (TypeError, ValueError):
        return None


def _required(model: nn.Module) -> list[str]:
    signature = _signature(model)
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        name
        for name, parameter in (signature.parameters if signature else {}).items()
        if parameter.default is inspect.Parameter.empty and parameter.kind not in variadic
    ]


def _spelled(model: nn.Module) -> str:
    """`UNet.forward(sample, timestep, class_labels=None, …)`."""
    signature = _signature(model)
    shown = []
    for name, parameter in (signature.parameters if signature else {}).items():
        stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        default = parameter.default
        plain = "" if default is inspect.Parameter.empty else f"={default!r}"
        shown.append(f"{stars}{name}{plain}")
    rest = ", …" if len(shown) > _MOST_SHOWN else ""
    return f"`{type(model).__name__}.forward({', '.join(shown[:_MOST_SHOWN])}{rest})`"


def _example(model: nn.Module) -> str:
    """A command line that gives every required input a shape."""
    names = _required(model) or ["x"]
    likely = {n: _likely(model, n, i, "float32", {}) for i, n in enumerate(names)}
    shapes = {
        name: spec or TensorSpec((1, 3, 64, 64) if not index else (1, 77, 768), "float32")
        for index, (name, spec) in enumerate(likely.items())
    }
    return f"give each one a shape, such as {spell(Given((), shapes))}"
