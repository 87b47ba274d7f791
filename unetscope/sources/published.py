"""UNets of diffusers that no family here covers, built by diffusers from their `config.json`.

The classes are those of a table: a file chooses among them, and can name no other code.
Source of their inputs: the `forward` of each class, diffusers 0.42.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec
from unetscope.sources.inputs import Given

if TYPE_CHECKING:
    from torch import nn

FRAMES = 16
"""Frames of a video, where the config has no `num_frames`."""
_TOKENS = 77
_SIDE = 64


@dataclass(frozen=True)
class Published:
    """A `config.json` of a class of `CLASSES`.

    Attributes:
        name: of the network.
        kind: the class.
        options: of its constructor.
    """

    name: str
    kind: str
    options: Mapping[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """The file in the form of a config."""
        return {"name": self.name, "family": self.kind, "unet": dict(self.options)}

    @property
    def builder(self) -> str:
        """What builds it: `diffusers 0.42.1`.

        Raises:
            UnetscopeError: it is not installed.
        """
        if find_spec("diffusers") is None:
            raise UnetscopeError(
                f"no family here covers {self.kind}, and diffusers, which has it, is not installed",
                hint="pip install 'unetscope[diffusers]'",
            )
        return f"diffusers {version('diffusers')}"

    def make(self) -> nn.Module:
        """The network."""
        from unetscope.sources.torchvision_operators import define_missing

        define_missing()
        import diffusers

        model: nn.Module = getattr(diffusers, self.kind).from_config(dict(self.options))
        return model

    def inputs(self, model: Any, dtype: str, sizes: Mapping[str, int | None]) -> Given:
        """What it is given where the user describes nothing; `sizes` may be None each."""
        return Given((), CLASSES[self.kind](_Sizes(model.config, dtype, sizes)))


def find(reference: str) -> Published | None:
    """The network of a file or folder in diffusers' form, if its class is one of `CLASSES`.

    Raises:
        ConfigError: there is no such file, or it is no JSON.
    """
    from unetscope.config.dialects import diffusers
    from unetscope.config.document import read
    from unetscope.config.files import locate, split_part

    name, part = split_part(reference)
    if part is not None:
        return None
    path = locate(name)
    if path.suffix.lower() != ".json":
        return None
    data = read(path).data
    kind = data.get(diffusers.CLASS_KEY) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in CLASSES:
        return None
    options = {key: value for key, value in data.items() if not key.startswith("_")}
    return Published(diffusers.name_of(path), kind, options)


class _Sizes:
    """Sizes of the inputs: the user's, else the config's, else what is usual."""

    def __init__(self, config: Any, dtype: str, sizes: Mapping[str, int | None]) -> None:
        self.config = config
        self.dtype = dtype
        side = config.get("sample_size") or _SIDE
        rows, columns = (side, side) if isinstance(side, int) else side
        self.batch = sizes.get("batch") or 1
        self.image = (sizes.get("height") or rows, sizes.get("width") or columns)
        self.tokens = sizes.get("tokens") or _TOKENS
        self.frames: int = config.get("num_frames") or FRAMES

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
        return self.of(self.config["in_channels"], self.frames, *self.image)


def _of_1d(sizes: _Sizes) -> dict[str, Any]:
    length = sizes.image[1]
    return {"sample": sizes.of(sizes.config["in_channels"], length), "timestep": sizes.time}


def _of_3d(sizes: _Sizes) -> dict[str, Any]:
    text = sizes.of(sizes.tokens, sizes.config["cross_attention_dim"])
    return {"sample": sizes.video, "timestep": sizes.time, "encoder_hidden_states": text}


def _of_motion(sizes: _Sizes) -> dict[str, Any]:
    """As pipelines do: the text once for each frame."""
    shape = (sizes.batch * sizes.frames, sizes.tokens, sizes.config["cross_attention_dim"])
    return {**_of_3d(sizes), "encoder_hidden_states": TensorSpec(shape, sizes.dtype)}


def _of_image_to_video(sizes: _Sizes) -> dict[str, Any]:
    width = sizes.config["cross_attention_dim"]
    return {
        **_of_3d(sizes),
        "fps": sizes.time,
        "image_latents": sizes.video,
        "image_embeddings": sizes.of(width),
    }


def _of_spatio_temporal(sizes: _Sizes) -> dict[str, Any]:
    """Frames before channels; the image's embedding is one token, the added ids are three."""
    config = sizes.config
    ids = config["projection_class_embeddings_input_dim"] // config["addition_time_embed_dim"]
    return {
        "sample": sizes.of(sizes.frames, config["in_channels"], *sizes.image),
        "timestep": sizes.time,
        "encoder_hidden_states": sizes.of(1, config["cross_attention_dim"]),
        "added_time_ids": sizes.of(ids),
    }


def _of_kandinsky_3(sizes: _Sizes) -> dict[str, Any]:
    return {
        "sample": sizes.of(sizes.config["in_channels"], *sizes.image),
        "timestep": sizes.time,
        "encoder_hidden_states": sizes.of(sizes.tokens, sizes.config["encoder_hid_dim"]),
        "encoder_attention_mask": sizes.of(sizes.tokens),
    }


def _of_stable_cascade(sizes: _Sizes) -> dict[str, Any]:
    config = sizes.config
    found = {
        "sample": sizes.of(config["in_channels"], *sizes.image),
        "timestep_ratio": sizes.of(),
        "clip_text_pooled": sizes.of(1, config["clip_text_pooled_in_channels"]),
    }
    if config["clip_text_in_channels"] and config["clip_image_in_channels"]:
        found["clip_text"] = sizes.of(sizes.tokens, config["clip_text_in_channels"])
        found["clip_img"] = sizes.of(1, config["clip_image_in_channels"])
    if config["effnet_in_channels"]:
        found["effnet"] = sizes.of(config["effnet_in_channels"], *sizes.image)
    return found


CLASSES: Mapping[str, Callable[[_Sizes], dict[str, Any]]] = {
    "I2VGenXLUNet": _of_image_to_video,
    "Kandinsky3UNet": _of_kandinsky_3,
    "StableCascadeUNet": _of_stable_cascade,
    "UNet1DModel": _of_1d,
    "UNet3DConditionModel": _of_3d,
    "UNetMotionModel": _of_motion,
    "UNetSpatioTemporalConditionModel": _of_spatio_temporal,
}
"""The classes that diffusers builds, and the inputs of each."""
