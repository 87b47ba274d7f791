"""What the pipelines of diffusers give to each class that it builds, at the sizes of its config.

Source: the pipelines and the `forward` of each class, diffusers 0.42.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from unetscope.families.diffusers.controlnet import ControlNetConfig
from unetscope.families.diffusers.inputs import (
    condition_inputs,
    controlnet_inputs,
    unet2d_inputs,
)
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig
from unetscope.families.family import USUAL_SIZE
from unetscope.findings import WIRING
from unetscope.record import TensorSpec
from unetscope.sources.published_sizes import Sizes, Tensors

_CASCADE = 10.67
"""Pixels of a sample for each pixel of the small one that it is drawn from (Würstchen)."""
_DRAWN_FROM = (24, 24)
"""The small sample of a picture of 1024 x 1024: it is compressed 42 times."""
_HORIZON = 32
"""Steps that are planned at once (`ValueGuidedRLPipeline`)."""


def of_model(model: Any, dtype: str, given: Mapping[str, int | None]) -> Tensors | None:
    """What a model of diffusers is given; None for any other, or one with its own `forward`."""
    kind: Any
    for kind in type(model).__mro__:
        known = CLASSES.get(kind.__name__) or _OF_FAMILIES.get(kind.__name__)
        if known is not None and kind.__module__.startswith("diffusers."):
            is_its_own = type(model).forward is kind.forward
            return known.inputs(Sizes(model.config, dtype, given)) if is_its_own else None
    return None


def _of_2d(sizes: Sizes, **other: Any) -> Tensors:
    """The sample, the time, the text, and each condition that the options ask for."""
    unet = sizes.shared(UNet2DConditionConfig, **other)
    found = condition_inputs(unet, sizes.batch, sizes.image(), sizes.tokens())
    tensors: Tensors = sizes.cast(found)
    if "gligen" in tensors:
        tensors["cross_attention_kwargs"] = {"gligen": tensors.pop("gligen")}
    return tensors


def _of_classes(sizes: Sizes) -> Tensors:
    found = unet2d_inputs(sizes.shared(UNet2DConfig), sizes.batch, sizes.image(), 0)
    tensors: Tensors = sizes.cast(found)
    return tensors


def _of_controlnet(sizes: Sizes) -> Tensors:
    config = sizes.shared(ControlNetConfig)
    found = controlnet_inputs(config, sizes.batch, sizes.image(), sizes.tokens())
    tensors: Tensors = sizes.cast(found)
    return tensors


def _of_controlnet_union(sizes: Sizes) -> Tensors:
    """One picture, of the first of the kinds that it was trained for."""
    config = sizes.config
    scale = _halvings(config["conditioning_embedding_out_channels"])
    return {
        **_of_2d(sizes),
        "controlnet_cond": [sizes.picture(config["conditioning_channels"], scale)],
        "control_type": sizes.of(config["num_control_type"]),
        "control_type_idx": [0],
    }


def _of_controlnet_xs(sizes: Sizes) -> Tensors:
    scale = _halvings(sizes.config["ctrl_conditioning_embedding_out_channels"])
    picture = sizes.picture(sizes.config["ctrl_conditioning_channels"], scale)
    return {**_of_2d(sizes, in_channels=4), "controlnet_cond": picture}


def _halvings(channels: Any) -> int:
    """Pixels of a picture for each pixel after convolutions of which each but the first halves."""
    factor: int = 2 ** (len(channels) - 1)
    return factor


def _of_sparse_controlnet(sizes: Sizes) -> Tensors:
    """The frames that are given are latents, or pictures that it shrinks; a mask says which."""
    config = sizes.config
    simple = config["use_simplified_condition_embedding"]
    scale = 1 if simple else _halvings(config["conditioning_embedding_out_channels"])
    frames = (sizes.frames, *(scale * side for side in sizes.image()))
    return {
        **_of_motion(sizes),
        "controlnet_cond": sizes.of(config["conditioning_channels"], *frames),
        "conditioning_mask": sizes.of(1, *frames),
    }


def _of_adapter(sizes: Sizes) -> Tensors:
    """The picture, which is its sample: of 512 pixels (SD 1.5), or 1024 (SDXL)."""
    side = USUAL_SIZE[0] * sizes.config["downscale_factor"]
    return {"x": sizes.of(sizes.config["in_channels"], *sizes.image((side, side)))}


def _of_dreamlite(sizes: Sizes) -> Tensors:
    """The picture to edit, or zeros, stands right of the sample; ids are a width and a height."""
    tensors = _of_2d(sizes)
    if sizes.given.get("width") is None:
        batch, channels, height, width = tensors["sample"].shape
        tensors["sample"] = TensorSpec((batch, channels, height, 2 * width), sizes.dtype)
    if sizes.config["addition_embed_type"] == "time":
        ids = sizes.config["projection_class_embeddings_input_dim"]
        each = sizes.config["addition_time_embed_dim"]
        tensors["added_cond_kwargs"] = {"time_ids": sizes.of(ids // each)}
    mask = sizes.of(sizes.tokens(), dtype="int64")
    return {**tensors, "timestep": sizes.of(), "encoder_attention_mask": mask}


def _of_audio(sizes: Sizes) -> Tensors:
    """A spectrogram of 64 mels, which the autoencoder shrinks four times; up to two texts.

    Of the transformers after each ResNet, the first two read what GPT-2 wrote in eight tokens, the
    others T5's text; those without a dimension read the sample.
    """
    dims = sizes.config["cross_attention_dim"]
    first = dims[0] if isinstance(dims, (list, tuple)) else dims
    each = first if isinstance(first, (list, tuple)) else [first]
    read = [[dim for dim in part if dim is not None] for part in (each[:2], each[2:])]
    tensors = _of_2d(sizes, cross_attention_dim=1)
    channels = sizes.config["in_channels"]
    height, width = sizes.config.get("sample_size") or 256, 16
    size = sizes.given.get("height") or height, sizes.given.get("width") or width
    tensors["sample"] = sizes.of(channels, *size)
    del tensors["encoder_hidden_states"]
    written = 8 if read[1] else sizes.tokens()
    tensors["encoder_hidden_states"] = sizes.of(written, read[0][0]) if read[0] else None
    if read[1]:
        tensors["encoder_hidden_states_1"] = sizes.of(sizes.tokens(), read[1][0])
        tensors["encoder_attention_mask_1"] = sizes.of(sizes.tokens(), dtype="int64")
    return tensors


def _of_flat(sizes: Sizes) -> Tensors:
    """A text's code, of as many dims as its channels are written with (Versatile Diffusion)."""
    channels = sizes.config["in_channels"]
    code = channels if isinstance(channels, (list, tuple)) else (channels, 4, 1)
    return {**_of_2d(sizes, in_channels=1), "sample": sizes.of(*code)}


def _of_1d(sizes: Sizes) -> Tensors:
    """Sound; or plans, whose config tells the length of a sound, which is the default."""
    config = sizes.config
    _check_time_of_1d(sizes)
    plans = config["mid_block_type"] in ("MidResTemporalBlock1D", "ValueFunctionMidBlock1D")
    length = _HORIZON if plans else sizes.image()[1]
    sample = sizes.of(config["in_channels"], sizes.given.get("width") or length)
    return {"sample": sample, "timestep": sizes.time}


def _check_time_of_1d(sizes: Sizes) -> None:
    """See that the first block, where it reads the embedded time, has channels for it.

    Files of older releases mean 16 channels of time, which was no option then.

    Raises:
        ConfigError: it has not.
    """
    config = sizes.config
    extra, width = config["extra_in_channels"], config["block_out_channels"][0]
    is_fourier = config["time_embedding_type"] == "fourier"
    time = (config.get("time_embedding_dim") or 2 * width) if is_fourier else width
    reads = "DownBlock1DNoSkip" in config["down_block_types"][:1]
    if reads and not config["use_timestep_embedding"] and extra != time:
        message = f"expected {time}, the dimension of the embedded time, found {extra}"
        fits = is_fourier and extra > 0 and extra % 2 == 0
        hint = f"time_embedding_dim: {extra}" if fits else f"extra_in_channels: {time}"
        joins = "DownBlock1DNoSkip joins it to the sample"
        raise WIRING.at(("extra_in_channels",), message, f"{joins}; `{hint}` fits").error(
            sizes.places
        )


def _of_3d(sizes: Sizes) -> Tensors:
    return {**_of_2d(sizes), "sample": sizes.video}


def _of_motion(sizes: Sizes) -> Tensors:
    """As pipelines do: the text once for each frame."""
    tensors = _of_3d(sizes)
    _, *text = tensors["encoder_hidden_states"].shape
    shape = (sizes.batch * sizes.frames, *text)
    return {**tensors, "encoder_hidden_states": TensorSpec(shape, sizes.dtype)}


def _of_image_to_video(sizes: Sizes) -> Tensors:
    """The image's embedding is one token."""
    return {
        **_of_3d(sizes),
        "fps": sizes.time,
        "image_latents": sizes.video,
        "image_embeddings": sizes.of(1, sizes.config["cross_attention_dim"]),
    }


def _of_spatio_temporal(sizes: Sizes) -> Tensors:
    """Frames before channels; the image's embedding is one token, the added ids are three."""
    config = sizes.config
    ids = config["projection_class_embeddings_input_dim"] // config["addition_time_embed_dim"]
    dim = config["cross_attention_dim"]
    return {
        "sample": sizes.of(sizes.frames, config["in_channels"], *sizes.image()),
        "timestep": sizes.time,
        "encoder_hidden_states": sizes.of(1, dim[0] if isinstance(dim, (list, tuple)) else dim),
        "added_time_ids": sizes.of(ids),
    }


def _of_kandinsky_3(sizes: Sizes) -> Tensors:
    """A picture of 1024 pixels, shrunk eight times; the text is padded to 128 tokens."""
    tokens = sizes.tokens(128)
    return {
        "sample": sizes.of(sizes.config["in_channels"], *sizes.image((128, 128))),
        "timestep": sizes.time,
        "encoder_hidden_states": sizes.of(tokens, sizes.config["encoder_hid_dim"]),
        "encoder_attention_mask": sizes.of(tokens, dtype="int64"),
    }


def _of_stable_cascade(sizes: Sizes) -> Tensors:
    """The prior draws the small sample, from which the decoder draws the large one."""
    config = sizes.config
    decodes = config["effnet_in_channels"]
    image = sizes.image((256, 256) if decodes else _DRAWN_FROM)
    found = {
        "sample": sizes.of(config["in_channels"], *image),
        "timestep_ratio": sizes.of(),
        "clip_text_pooled": sizes.of(1, config["clip_text_pooled_in_channels"]),
    }
    if config["clip_text_in_channels"] and config["clip_image_in_channels"]:
        found["clip_text"] = sizes.of(sizes.tokens(), config["clip_text_in_channels"])
        found["clip_img"] = sizes.of(1, config["clip_image_in_channels"])
    if decodes:
        found["effnet"] = sizes.of(decodes, *_small(image))
    return found


def _small(image: tuple[int, int]) -> list[int]:
    """Height and width of the small sample that a large one is drawn from."""
    return [max(1, round(side / _CASCADE)) for side in image]


def _of_wuerstchen_prior(sizes: Sizes) -> Tensors:
    return {
        "x": sizes.of(sizes.config["c_in"], *sizes.image(_DRAWN_FROM)),
        "r": sizes.of(),
        "c": sizes.of(sizes.tokens(), sizes.config["c_cond"]),
    }


def _of_wuerstchen(sizes: Sizes) -> Tensors:
    image = sizes.image((256, 256))
    return {
        "x": sizes.of(sizes.config["c_in"], *image),
        "r": sizes.of(),
        "effnet": sizes.of(sizes.config["effnet_embd"], *_small(image)),
        "clip": sizes.of(sizes.tokens(), sizes.config["clip_embd"]),
    }


def _of_uvit(sizes: Sizes) -> Tensors:
    """Ids of a codebook; sizes, crop and aesthetic score are the five micro-conditions."""
    config = sizes.config
    return {
        "input_ids": sizes.of(*sizes.image(), dtype="int64"),
        "encoder_hidden_states": sizes.of(sizes.tokens(), config["encoder_hidden_size"]),
        "pooled_text_emb": sizes.of(config["cond_embed_dim"]),
        "micro_conds": sizes.of(config["micro_cond_embed_dim"] // config["micro_cond_encode_dim"]),
    }


def _of_unidiffuser(sizes: Sizes) -> Tensors:
    """An image's latents, its CLIP code and a text, which are drawn together."""
    config = sizes.config
    tokens = sizes.tokens(config["num_text_tokens"])
    found = {
        "latent_image_embeds": sizes.of(config["in_channels"], *sizes.image()),
        "image_embeds": sizes.of(1, config["clip_img_dim"]),
        "prompt_embeds": sizes.of(tokens, config["text_dim"]),
        "timestep_img": sizes.time,
        "timestep_text": sizes.time,
    }
    if config["use_data_type_embedding"]:
        found["data_type"] = sizes.of(dtype="int32")
    return found


@dataclass(frozen=True)
class Known:
    """What is known of a class.

    Attributes:
        inputs: what its pipelines give to it.
        module: the module that holds it.
    """

    inputs: Callable[[Sizes], Tensors]
    module: str = "diffusers"


_PIPELINES = "diffusers.pipelines"
_DEPRECATED = f"{_PIPELINES}.deprecated"

CLASSES: Mapping[str, Known] = {
    "AudioLDM2UNet2DConditionModel": Known(_of_audio, f"{_PIPELINES}.audioldm2.modeling_audioldm2"),
    "ControlNetUnionModel": Known(_of_controlnet_union),
    "DreamLiteUNetModel": Known(_of_dreamlite),
    "I2VGenXLUNet": Known(_of_image_to_video),
    "Kandinsky3UNet": Known(_of_kandinsky_3),
    "SparseControlNetModel": Known(_of_sparse_controlnet),
    "StableCascadeUNet": Known(_of_stable_cascade),
    "T2IAdapter": Known(_of_adapter),
    "UNet1DModel": Known(_of_1d),
    "UNet3DConditionModel": Known(_of_3d),
    "UNetControlNetXSModel": Known(_of_controlnet_xs),
    "UNetFlatConditionModel": Known(
        _of_flat, f"{_DEPRECATED}.versatile_diffusion.modeling_text_unet"
    ),
    "UNetMotionModel": Known(_of_motion),
    "UNetSpatioTemporalConditionModel": Known(_of_spatio_temporal),
    "UniDiffuserModel": Known(_of_unidiffuser, f"{_DEPRECATED}.unidiffuser.modeling_uvit"),
    "UVit2DModel": Known(_of_uvit),
    "WuerstchenDiffNeXt": Known(
        _of_wuerstchen, f"{_DEPRECATED}.wuerstchen.modeling_wuerstchen_diffnext"
    ),
    "WuerstchenPrior": Known(
        _of_wuerstchen_prior, f"{_DEPRECATED}.wuerstchen.modeling_wuerstchen_prior"
    ),
}
"""The classes that diffusers builds from a file: UNets, and what feeds the levels of a UNet."""

_OF_FAMILIES: Mapping[str, Known] = {
    "ControlNetModel": Known(_of_controlnet),
    "UNet2DConditionModel": Known(_of_2d),
    "UNet2DModel": Known(_of_classes),
}
"""Those that our families build from a file, and that code may take from diffusers too."""
