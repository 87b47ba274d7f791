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
    from msgspec import convert

    from unetscope.checkpoints.inference.published import changes, nearest, options_of
    from unetscope.families import find

    changed = changes(family, options_of(convert(unet, find(family).options)))
    if not changed or len(changed[name := nearest(changed)]) > _MOST_CHANGES:
        return None
    said = {key: unet.get(key, value) for key, value in changed[name].items()}
    return {"extends": name, **({"unet": said} if said else {})}
