"""Files that were not written for unetscope, read into the form of a config.

A dialect changes the document alone: values move to our keys, and each keeps the place that it has
in the file. What follows (overrides, rules, sizes) knows of one form only.
"""

from __future__ import annotations

from pathlib import Path as FilePath

from unetscope.config.dialects import diffusers
from unetscope.config.document import Document
from unetscope.errors import ConfigError, Place
from unetscope.wording import shown

OWN_KEYS = ("unet", "extends", "family", "inputs")
"""Any of these, at the top, makes a document one of ours."""
VIDEO_UNETS = ("VideoUNet",)
"""The classes of original files that diffusers publishes and no family here builds."""


def in_our_form(document: Document, path: FilePath, part: str | None = None) -> Document:
    """A config of any of the dialects in the form of ours.

    Args:
        document: what the file holds.
        path: the file.
        part: the key of one network, of a file that holds several.

    Returns:
        A document in the form of a config, or one whose `problems` say why it is none.

    Raises:
        ConfigError: it has no network of that key.
    """
    is_json = path.suffix.lower() == ".json"
    data = document.data if isinstance(document.data, dict) else {}
    is_ours = not data or any(key in data for key in OWN_KEYS)
    if diffusers.CLASS_KEY not in data and not is_ours:
        from unetscope.config.dialects import compvis

        if compvis.is_original(document):
            return compvis.translate(document, path, part)
    if diffusers.CLASS_KEY in data or (is_json and not is_ours):
        document = diffusers.translate(document, path)
    if part is None:
        return document
    raise ConfigError(
        f"there is no #{shown(part)} in it: it holds one network",
        hint="original files of ControlNet hold two, unet_config and control_stage_config",
        place=Place(str(path)),
    )
