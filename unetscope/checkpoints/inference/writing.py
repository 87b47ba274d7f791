"""An inferred config as the YAML that a person would write."""

from __future__ import annotations

from typing import Any

from unetscope.checkpoints.identified import Inferred

_ALWAYS = (
    *("in_channels", "out_channels", "down_block_types", "mid_block_type", "up_block_types"),
    *("block_out_channels", "layers_per_block", "attention_head_dim", "cross_attention_dim"),
)
"""Options that are written even where they are the default."""
_MOST_CHANGES = 2
"""Options by which a config may differ from the published one that it extends."""
_INHERITED = frozenset({"sample_size", "upcast_attention"})
"""Options that shape nothing, and are a published network's where a config extends it."""


def to_yaml(inferred: Inferred) -> str:
    """The shortest config that says the same, with what was set by convention in comments.

    Where a published network differs in one or two options, the config extends it.
    """
    from unetscope.config.writing import to_yaml as written

    family, unet = inferred.config["family"], dict(inferred.config["unet"])
    inputs = inferred.config.get("inputs", {})
    config = _extending(family, unet) or {"family": family, "unet": _without_defaults(family, unet)}
    if inputs:
        config["inputs"] = dict(inputs)
    said = config.get("unet", {})
    comments = [each for each in inferred.conventions if _is_about(each, said)]
    return (
        "".join(f"# {line}\n" for line in comments) + ("\n" if comments else "") + written(config)
    )


def _is_about(convention: str, options: dict[str, Any]) -> bool:
    """Whether a convention tells of an option that is written."""
    keys = convention.partition(":")[0].split(", ")
    return any(key in options for key in keys)


def _without_defaults(family: str, unet: dict[str, Any]) -> dict[str, Any]:
    from unetscope.families import defaults, find

    usual = defaults(family)
    order = find(family).options.__struct_fields__
    return {
        key: unet[key]
        for key in order
        if key in unet and (key in _ALWAYS or unet[key] != usual.get(key, ...))
    }


def _extending(family: str, unet: dict[str, Any]) -> dict[str, Any] | None:
    """The config as a change of the published network that is nearest; None if none is near."""
    from msgspec import convert, to_builtins

    from unetscope.config.files import heirs, read_index, shipped
    from unetscope.config.loading import load
    from unetscope.families import find

    wanted = to_builtins(convert(unet, find(family).options))
    index = read_index()
    best: tuple[int, int, str] | None = None
    changes: dict[str, dict[str, Any]] = {}
    for name in shipped():
        if index.get(name, {}).get("family") != family:
            continue
        there = to_builtins(load(name).unet)
        changes[name] = {
            key: unet.get(key, value)
            for key, value in wanted.items()
            if there[key] != value and key not in _INHERITED
        }
        rank = (len(changes[name]), -heirs()[name], name)
        if len(changes[name]) <= _MOST_CHANGES and (best is None or rank < best):
            best = rank
    if best is None:
        return None
    said = {"unet": changes[best[2]]} if changes[best[2]] else {}
    return {"extends": best[2], **said}
