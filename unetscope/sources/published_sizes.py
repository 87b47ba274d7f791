"""The sizes of what a class of diffusers is given, by its config and by the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unetscope.errors import Place
from unetscope.families.family import USUAL_SIZE, USUAL_TOKENS
from unetscope.findings import Path
from unetscope.record import TensorSpec

FRAMES = 16
"""Frames of a video, where the config has no `num_frames`."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the inputs: the user's, else the config's, else what is usual.

    Attributes:
        config: the options of the class, all of them.
        dtype: of floating-point inputs.
        given: what the user gave of `batch`, `height`, `width` and `tokens`; each may be None.
        places: where the options stand in a file.
    """

    config: Mapping[str, Any]
    dtype: str
    given: Mapping[str, int | None]
    places: Mapping[Path, Place] = field(default_factory=dict)

    @property
    def batch(self) -> int:
        """The user's, else one."""
        return self.given.get("batch") or 1

    @property
    def frames(self) -> int:
        """Frames of a video: the config's, else as many as are usual and as it takes."""
        usual: int = min(FRAMES, self.config.get("motion_max_seq_length") or FRAMES)
        return self.config.get("num_frames") or usual

    def tokens(self, usual: int = USUAL_TOKENS) -> int:
        """Tokens of a text."""
        return self.given.get("tokens") or usual

    def image(self, usual: tuple[int, int] = USUAL_SIZE) -> tuple[int, int]:
        """Height and width of the sample."""
        side = self.config.get("sample_size")
        rows, columns = (side, side) if isinstance(side, int) else side or usual
        return self.given.get("height") or rows, self.given.get("width") or columns

    def of(self, *shape: int, dtype: str | None = None) -> TensorSpec:
        """A tensor of one batch: `(B, *shape)`."""
        return TensorSpec((self.batch, *shape), dtype or self.dtype)

    @property
    def time(self) -> TensorSpec:
        """`(B,)`."""
        return self.of(dtype="int64")

    @property
    def video(self) -> TensorSpec:
        """`(B, C, F, H, W)`."""
        return self.of(self.config["in_channels"], self.frames, *self.image())

    def picture(self, channels: int, scale: int) -> TensorSpec:
        """The picture that a ControlNet shrinks `scale` times: `(B, C, scale H, scale W)`."""
        return self.of(channels, *(scale * side for side in self.image()))

    def shared(self, kind: Any, **other: Any) -> Any:
        """The options that the class shares with one of our families; `other` instead of some."""
        known = {
            key: _fixed(self.config[key]) for key in kind.__struct_fields__ if key in self.config
        }
        return kind(**{**known, **other})

    def cast(self, tensors: Any) -> Any:
        """The same tensors, those of floats in our dtype."""
        if isinstance(tensors, TensorSpec):
            is_float = tensors.dtype.startswith("float")
            return TensorSpec(tensors.shape, self.dtype) if is_float else tensors
        return {name: self.cast(tensor) for name, tensor in tensors.items()}


def _fixed(value: Any) -> Any:
    return tuple(map(_fixed, value)) if isinstance(value, (list, tuple)) else value


Tensors = dict[str, Any]
"""Arguments of a `forward` by name: specs, lists and mappings of specs, plain values."""
