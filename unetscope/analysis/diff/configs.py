"""What differs in two configs, and which of it most likely caused a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unetscope.analysis.diff.changes import Change, ConfigChange, Diff
from unetscope.analysis.diff.modules import differ
from unetscope.lock import Lock

Path = tuple[str | int, ...]
"""Where a value stands in a config: `("unet", "block_out_channels", 3)`."""

Defaults = Callable[[str], Mapping[str, Any]]
"""What the options of a family are, by its name, where a config leaves them out."""

CONTROLNET = "controlnet"
"""The key under which a UNet's config has that of its ControlNet."""
_SIZES = ("inputs.", "unet.sample_size")


def config_changes(
    old: Mapping[str, Any], new: Mapping[str, Any], defaults: Defaults
) -> tuple[ConfigChange, ...]:
    """The options and inputs of two configs that differ; their names and sources do not count.

    An option that one of them leaves out has its default there. A ControlNet that only one has is
    one value, its name.

    Args:
        old: a config.
        new: another.
        defaults: the options of a family, by its name, that a config may leave out.
    """
    if not old or not new:
        return ()
    left, right = (
        _flat({k: c.get(k, {}) for k in ("family", "unet", "inputs")}) for c in (old, new)
    )
    both = CONTROLNET in old and CONTROLNET in new
    for values, config in ((left, old), (right, new)):
        own = config.get(CONTROLNET, {})
        if both:
            values |= _flat({k: own.get(k, {}) for k in ("family", "unet")}, f"{CONTROLNET}.")
        elif own:
            values[CONTROLNET] = own.get("name")
    keys = [key for key in {**left, **right} if differ(left.get(key), right.get(key))]
    if keys:
        left, right = ({**_left_out(c, defaults), **v} for c, v in ((old, left), (new, right)))
    found = (ConfigChange(key, left.get(key), right.get(key)) for key in keys)
    return tuple(change for change in found if not _same(change.old, change.new))


def _left_out(config: Mapping[str, Any], defaults: Defaults) -> dict[str, Any]:
    """The defaults of a config's family, and of its ControlNet's, by dotted keys."""
    found = {"unet": defaults(config.get("family", ""))}
    if control := config.get(CONTROLNET):
        found[CONTROLNET] = {"unet": defaults(control.get("family", ""))}
    return _flat(found)


def _same(old: object, new: object) -> bool:
    """Whether two values are one: a value for all levels is a list that repeats it."""
    if isinstance(old, list) is not isinstance(new, list):
        items, value = (old, new) if isinstance(old, list) else (new, old)
        return bool(items) and not any(differ(item, value) for item in items)  # type: ignore
    return not differ(old, new)


def _flat(section: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Values by dotted keys; a list is one value."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            found.update(_flat(value, f"{above}{key}."))
        elif value != {}:
            found[f"{above}{key}"] = value
    return found


def cause(change: Change, diff: Diff, new: Lock) -> Path:
    """The value of the new config that most likely caused a change.

    Of the values that differ, one that shapes the module; else the first.

    Args:
        change: one of the diff's, alone or folded.
        diff: with what differs in the configs.
        new: the new network.

    Returns:
        The path of the value, down to the item of a list; empty if the configs do not differ.
    """
    differing = {found.key: found for found in diff.config}
    if not differing:
        return ()
    resized = change.id == "io-resized"
    fitting = [key for key in differing if key.startswith(_SIZES) is resized] or list(differing)
    if len(fitting) > 1:
        shaped = _keys(change, new)
        fitting = [key for key in fitting if key in shaped] or fitting
    return _path(differing[fitting[0]])


def _keys(change: Change, new: Lock) -> set[str]:
    """The values that shape the module of a change, by dotted keys, a list as one value."""
    # Reading what shapes what takes milliseconds, and few diffs ask for a cause.
    from unetscope.analysis.shaped import shaping

    where = change.singles()[0].where
    kinds = {module.path: module.kind for module in new.modules}
    while where and where not in kinds:
        where = where.rpartition(".")[0]
    found = shaping(new.config, kinds, where) if where else None
    if found is None:
        return set()
    options, path = found
    is_control = CONTROLNET in new.config and where.partition(".")[0] == CONTROLNET
    above = f"{CONTROLNET}.unet" if is_control else "unet"
    return {f"{above}.{key.partition('.')[0]}" for key in options.keys(path) or ()}


def _path(found: ConfigChange) -> Path:
    """A value's path, down to the first item that differs."""
    path: list[str | int] = list(found.key.split("."))
    old: Any = found.old
    new: Any = found.new
    while isinstance(old, list) and isinstance(new, list):
        pairs = zip(old, new, strict=False)
        index = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
        if index is None:
            break
        path.append(index)
        old, new = old[index], new[index]
    return tuple(path)


def nearest_place(path: Path, places: Mapping[Path, Any]) -> Any:
    """The place of a value; of one that stands nowhere, of the smallest section around it."""
    while path and path not in places:
        path = path[:-1]
    return places.get(path)
