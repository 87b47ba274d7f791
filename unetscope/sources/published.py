"""UNets of diffusers that no family here covers, built by diffusers from their `config.json`.

The classes are those of a table: a file chooses among them, and can name no other code.
Source of their inputs: the `forward` of each class, diffusers 0.42.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from math import prod
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, filterwarnings

from unetscope.errors import ConfigError, Place, UnetscopeError
from unetscope.findings import TOO_LARGE, Path, place_of
from unetscope.record import TensorSpec
from unetscope.sources.inputs import LARGEST, Given
from unetscope.units import shape

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
        places: where each of them stands.
        notes: what of the file was left out.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    places: Mapping[Path, Place]
    notes: tuple[str, ...] = ()

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
        """The network.

        Raises:
            ConfigError: an option is unknown, or not of its type or within its bounds.
        """
        from unetscope.config.sections import check_section
        from unetscope.sources.published_options import section
        from unetscope.sources.torchvision_operators import lend_missing

        lend_missing()
        import diffusers

        constructor = getattr(diffusers, self.kind)
        for finding in check_section(dict(self.options), section(constructor), ()):
            raise finding.error(self.places)
        model: nn.Module = constructor.from_config(dict(self.options))
        return model

    def inputs(self, model: Any, dtype: str, sizes: Mapping[str, int | None]) -> Given:
        """What it is given where the user describes nothing; `sizes` may be None each.

        Raises:
            UnetscopeError: one of them is too large.
        """
        found = CLASSES[self.kind](_Sizes(model.config, dtype, sizes))
        for name, tensor in found.items():
            if prod(tensor.shape) > LARGEST:
                message = f"expected at most {LARGEST:,} elements, found {shape(tensor.shape)}"
                raise TOO_LARGE.at((name,), message).error(self.places)
        return Given((), found)

    @contextmanager
    def refusing(self, doing: str) -> Iterator[None]:
        """Say what the class raises in one message, at the option that most likely led to it.

        Raises:
            UnetscopeError: it raised something, or is too large.
        """
        from unetscope.sources.published_options import suspect
        from unetscope.sources.targets import foreign
        from unetscope.tracing.limits import bounded

        try:
            with foreign(doing), bounded(self._too_large), catch_warnings():
                filterwarnings("ignore", "Initializing zero-element tensors")
                yield
        except UnetscopeError as error:
            cause = error.__cause__
            if isinstance(cause, ConfigError):
                raise cause from None
            if cause is None:
                raise
            said = " ".join(f"{type(cause).__name__}: {cause}".split())
            key = suspect(said, self.options)
            error.place = place_of(() if key is None else (key,), self.places)
            raise

    def _too_large(self) -> ConfigError:
        """That there are too many modules, at the option that most likely asks for them."""
        from unetscope.sources.published_options import most_layers
        from unetscope.tracing.limits import MOST_MODULES

        key = most_layers(self.options)
        message = f"expected a network of at most {MOST_MODULES:,} modules, found more"
        return TOO_LARGE.at((key,) if key else (), message).error(self.places)


def find(reference: str) -> Published | None:
    """The network of a file or folder in diffusers' form, if its class is one of `CLASSES`.

    Raises:
        ConfigError: there is no such file, or it is no JSON.
    """
    from unetscope.config.dialects import diffusers
    from unetscope.config.document import read
    from unetscope.config.files import locate, split_part

    name, part = split_part(reference)
    path = locate(name)
    if path.suffix.lower() != ".json":
        return _of_original(path, part)
    if part is not None:
        return None
    document = read(path)
    data = document.data
    kind = data.get(diffusers.CLASS_KEY) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in CLASSES:
        return None
    options = {key: value for key, value in data.items() if not diffusers.is_ignored(key)}
    return Published(diffusers.name_of(path), kind, options, document.places)


def _of_original(path: FilePath, part: str | None) -> Published | None:
    """The network of an original YAML file, if diffusers publishes its class."""
    from unetscope.config.dialects import compvis
    from unetscope.config.dialects.compvis_arguments import VIDEO_UNETS
    from unetscope.config.document import read
    from unetscope.config.files import read_text

    if not any(name in read_text(path) for name in VIDEO_UNETS):
        return None
    found = compvis.published(read(path), path, part)
    if found is None:
        return None
    for problem in found.problems:
        raise problem.error(found.places)
    return Published(path.stem, found.data["family"], found.data["unet"], found.places, found.notes)


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
