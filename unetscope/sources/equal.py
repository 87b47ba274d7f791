"""What tells networks of equal tensors apart, which no header of a weights file can say."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from unetscope.config.writing import spelled

TRAINED_FOR = "what it predicts, noise, velocity or the image: no name and no shape tells it"


@cache
def undecided(networks: tuple[str, ...]) -> tuple[str, ...]:
    """What the names and shapes of published networks leave open, in sentences.

    Args:
        networks: the configs of networks of equal tensors.
    """
    found = list(_differences(networks))
    if len(networks) > 1 and not found:
        found = [f"which of {_listed(networks)} it is: they are one network, with other weights"]
    return (*found, TRAINED_FOR)


def _differences(networks: tuple[str, ...]) -> Iterator[str]:
    """The options and sizes of inputs that differ, each with its values."""
    from unetscope.checkpoints.inference.published import options_of
    from unetscope.config import load

    specs = {name: load(name) for name in networks}
    options: dict[str, dict[str, Any]] = {name: options_of(s.unet) for name, s in specs.items()}
    for key in next(iter(options.values())):
        yield from _cases(key, {name: told.get(key) for name, told in options.items()})
    inputs = {name: spec.inputs for name, spec in specs.items()}
    if any(sizes.height != options[name].get("sample_size") for name, sizes in inputs.items()):
        yield from _cases("height", {name: sizes.height for name, sizes in inputs.items()})
        yield from _cases("width", {name: sizes.width for name, sizes in inputs.items()})
    yield from _cases("tokens", {name: sizes.tokens for name, sizes in inputs.items()})


def _cases(key: str, values: dict[str, Any]) -> Iterator[str]:
    names: dict[str, list[str]] = {}
    for name, value in values.items():
        names.setdefault(spelled(value), []).append(name)
    if len(names) > 1:
        cases = "; ".join(f"{text} in {_listed(those)}" for text, those in names.items())
        yield f"`{key}`: {cases}"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
