"""What a user asks for: a source by name, and how its network is to be built and run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

SIZES = ("batch", "height", "width", "tokens")
"""The sizes of a network's inputs, by field of `Request`."""

FLAGS = {
    "overrides": "--set",
    **{size: f"--{size}" for size in SIZES},
    "device": "--device",
    "dtype": "--dtype",
    "inputs": "--input",
    "input_file": "--input-file",
    "kwargs": "--kwargs",
    "controlnet": "--controlnet",
    "trust_code": "--trust-code",
}
"""Field of `Request` -> the option of the command line that sets it."""


@dataclass(frozen=True)
class Request:
    """A source and the options for it.

    Attributes:
        source: a config, the name of a shipped one, a saved trace, a lock, a checkpoint, a file at
            a git revision, or code: `pkg.module:attr`.
        overrides: `KEY=VALUE` each, for `unet`.
        batch: instead of the config's.
        height: of the sample, instead of the config's.
        width: of the sample, instead of the config's.
        tokens: of the text, instead of the config's.
        device: meta, cpu or cuda.
        dtype: element type of weights and inputs, by torch's name.
        inputs: what `forward` takes, each as `--input` describes it.
        input_file: more of them, in YAML.
        kwargs: arguments of a class or factory, in YAML.
        controlnet: the config of a ControlNet that steers the UNet.
        trust_code: whether the class that a file names as `_target_` may run.
        cache: whether what an earlier run found may be taken, and what this one finds be kept.
    """

    source: str
    overrides: Sequence[str] = ()
    batch: int | None = None
    height: int | None = None
    width: int | None = None
    tokens: int | None = None
    device: str = "meta"
    dtype: str = "float32"
    inputs: Sequence[str] = ()
    input_file: Path | None = None
    kwargs: str | None = None
    controlnet: str | None = None
    trust_code: bool = False
    cache: bool = True

    def at(self, sizes: Mapping[str, int]) -> Request:
        """The same request at other sizes of the inputs."""
        return replace(self, **sizes)  # type: ignore[arg-type]

    @property
    def given(self) -> tuple[str, ...]:
        """The fields that differ from their defaults, beside those that any source takes."""
        options = (field for field in fields(self) if field.name not in ("source", "cache"))
        return tuple(f.name for f in options if getattr(self, f.name) != f.default)

    @property
    def changes(self) -> dict[str, Any]:
        """What makes the network another one than its source says, as a trace keeps it."""
        return {"overrides": tuple(self.overrides), "arguments": self.kwargs or ""}

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes that are given."""
        found = {name: getattr(self, name) for name in SIZES}
        return {name: size for name, size in found.items() if size is not None}

    @property
    def typed(self) -> tuple[str, ...]:
        """The words for it on a command line: the source, then the options that are given."""
        words = [self.source]
        for name in self.given:
            value = getattr(self, name)
            if value is True:
                words.append(FLAGS[name])
                continue
            for each in value if isinstance(value, tuple | list) else [value]:
                words += [FLAGS[name], str(each)]
        return tuple(words)
