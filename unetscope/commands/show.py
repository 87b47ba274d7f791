"""`unetscope show CONFIG`: a config as it is resolved."""

from __future__ import annotations

from collections.abc import Sequence

from unetscope.commands import console
from unetscope.commands.options import (
    Batch,
    Config,
    Height,
    Output,
    Overrides,
    Quiet,
    Tokens,
    Verbose,
    Width,
)


def show_config(
    reference: str,
    *,
    overrides: Sequence[str] = (),
    batch: int | None = None,
    height: int | None = None,
    width: int | None = None,
    tokens: int | None = None,
) -> str:
    """The YAML of a config with `extends`, overrides and flags worked in.

    Args:
        reference: a path, or the name of a shipped config.
        overrides: `KEY=VALUE` each, for `unet`.
        batch: instead of the config's.
        height: of the sample, instead of the config's.
        width: of the sample, instead of the config's.
        tokens: of the text, instead of the config's.

    Raises:
        ConfigError: the config is missing or describes no network.
    """
    from unetscope.commands.passes import say_notes
    from unetscope.config import load
    from unetscope.config.writing import to_yaml

    spec = load(
        reference, overrides=overrides, batch=batch, height=height, width=width, tokens=tokens
    )
    say_notes(spec)
    return to_yaml(spec.resolved)


def show_command(
    config: Config,
    overrides: Overrides = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print a config as YAML with `extends`, overrides and flags worked in."""
    text = show_config(
        config,
        overrides=tuple(overrides or ()),
        batch=batch,
        height=height,
        width=width,
        tokens=tokens,
    )
    console.emit(text, output)
