"""Ids of repositories of a model hub, `owner/name`: which shipped config is of that model."""

from __future__ import annotations

import re
from collections.abc import Mapping

from unetscope.errors import nearest
from unetscope.wording import series

_ID = re.compile(r"(?:https?://[\w.-]+/)?(?P<owner>\w[\w.-]*)/(?P<name>\w[\w.-]*)/?", re.ASCII)
_FILES = (".yaml", ".yml", ".json")


def instead(reference: str, sources: Mapping[str, str], *, beside: bool) -> str | None:
    """What to do instead of naming a repository; None if the reference is no id of one.

    Args:
        reference: what is neither a file nor a shipped config.
        sources: the name of each shipped config -> the repository that it is from.
        beside: whether the owner is a folder here, so that a file in it may be meant.
    """
    found = _ID.fullmatch(reference)
    if not found or reference.endswith(_FILES):
        return None
    owner, name = found["owner"].casefold(), found["name"].casefold()
    own = [config for config, source in sources.items() if source.casefold() == f"{owner}/{name}"]
    if own:
        return f"{_shipped(own)} of that model"
    alike = [c for c, source in sources.items() if source.casefold().endswith(f"/{name}")]
    if alike:
        return f"{_shipped(alike)} of {sources[alike[0]]}, which has the same name"
    if beside:
        return None
    close = nearest(name, sources)
    other = f"did you mean `{close}`? Else download" if close else "download"
    return f"{other} the model's unet/config.json (or config.json), and name that file"


def _shipped(configs: list[str]) -> str:
    names = series(f"`{config}`" for config in configs)
    return f"{names} {'are shipped configs' if len(configs) > 1 else 'is the shipped config'}"
