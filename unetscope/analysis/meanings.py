"""What a network's inputs and outputs are, as far as their names, shapes and use tell.

Of code whose inputs nobody knows nothing is said: a name such as `x` counts only in a network that
takes a time step, and `t` is one only if sines or cosines of it are computed.
"""

from __future__ import annotations

from math import prod

from unetscope.analysis.network import Network
from unetscope.ops import operation
from unetscope.record import Argument

NOISY_LATENT, LATENT_AND_MORE = "noisy-latent", "noisy-latent-and-more"
NOISY_IMAGE, NOISY_SAMPLE = "noisy-image", "noisy-sample"
TIME, EMBEDDED_TIME = "time-step", "embedded-time-step"
TEXT, TOKEN = "text-tokens", "condition-token"
PREDICTION, STEERING = "prediction", "added-to-the-unet"

_TIMESTEPS = {"timestep", "timesteps", "timestep_img", "timestep_text", "timestep_ratio"}
_PERHAPS_TIMES = {"t", "time", "times", "r"}
_TOKENS = {"encoder_hidden_states", "context", "prompt_embeds", "clip_text"}
_CONDITIONS = {
    "timestep_cond": "time-condition",
    "text_embeds": "pooled-text",
    "clip_text_pooled": "pooled-text",
    "pooled_text_emb": "pooled-text",
    "added_time_ids": "added-numbers",
    "micro_conds": "added-numbers",
    "fps": "frame-rate",
    "image_embeds": "image-embedding",
    "image_embeddings": "image-embedding",
    "clip_img": "image-embedding",
    "image_latents": "image-latent",
    "hint": "hint",
    "controlnet_cond": "hint",
    "attention_mask": "token-mask",
    "encoder_attention_mask": "token-mask",
    "boxes": "object-boxes",
    "positive_embeddings": "object-embeddings",
    "phrases_embeddings": "object-embeddings",
    "masks": "object-mask",
    "phrases_masks": "object-mask",
    "image_masks": "object-mask",
}
"""The last part of an input's name -> what pipelines give there."""
_SIZES = (5, 6)
"""Numbers in SDXL's time ids; the refiner has a score for the target size."""
LATENT = 4
"""Channels of a latent, before others are put beside it."""
_IMAGE = 3


def time_inputs(network: Network) -> tuple[Argument, ...]:
    """The inputs that are a time step, embedded already or not."""
    inputs = network.trace.inputs
    found = [argument for argument in inputs if _last(argument) in _TIMESTEPS]
    perhaps = [argument for argument in inputs if _last(argument) in _PERHAPS_TIMES]
    known = bool(network.trace.config)
    found += [a for a in perhaps if known or _is_waved(network, a.value)]
    return tuple(argument for argument in found if argument.value != network.sample)


def meanings(network: Network) -> tuple[str | None, ...]:
    """What each input is, by a stable name; None where that is not known."""
    times = time_inputs(network)
    if not times:
        return (None,) * len(network.trace.inputs)
    return tuple(_input(network, argument, times) for argument in network.trace.inputs)


def output_meanings(network: Network) -> tuple[str | None, ...]:
    """The same of the outputs."""
    outputs, sample = network.trace.outputs, network.sample
    if sample is None or not time_inputs(network):
        return (None,) * len(outputs)
    if "ControlNet" in network.trace.modules[0].kind:
        return tuple(STEERING if network.is_map(value) else None for value in outputs)
    given = network.spec(sample).shape
    if len(outputs) != 1 or not _alike(given, network.spec(outputs[0]).shape):
        return (None,) * len(outputs)
    return (PREDICTION,)


def _alike(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two maps have one rank and one size, whatever their channels."""
    return (
        len(one) == len(other) >= 3
        and one[-2 if len(one) > 3 else -1 :] == (other[-2 if len(one) > 3 else -1 :])
    )


def _input(network: Network, argument: Argument, times: tuple[Argument, ...]) -> str | None:
    shape, name = network.spec(argument.value).shape, _last(argument)
    if argument.value == network.sample:
        return _sample(network)
    if argument in times:
        return TIME if len(shape) < 2 else EMBEDDED_TIME
    if name in _TOKENS and len(shape) == 3:
        return TEXT if shape[1] > 1 else TOKEN
    if name == "class_labels":
        return _class(network, argument)
    if name == "time_ids":
        return "image-sizes" if shape[-1] in _SIZES else "added-numbers"
    return _CONDITIONS.get(name)


def _sample(network: Network) -> str:
    """By the channels that go in and come out: latents have four, pictures three."""
    assert network.sample is not None
    sample = network.spec(network.sample).shape
    if len(sample) < 4:
        return NOISY_SAMPLE
    made = [network.spec(value).shape for value in network.trace.outputs]
    channels = {shape[1] for shape in made if len(shape) == len(sample)}
    if sample[1] > LATENT and channels == {LATENT}:
        return LATENT_AND_MORE
    return {LATENT: NOISY_LATENT, _IMAGE: NOISY_IMAGE}.get(sample[1], NOISY_SAMPLE)


def _class(network: Network, argument: Argument) -> str:
    """A class, or what is given in its place: a level of noise, or a vector such as an image's."""
    spec = network.spec(argument.value)
    if prod(spec.shape) != spec.shape[0]:
        return "condition-vector"
    config = (network.trace.config or {}).get("unet", {})
    if config.get("class_embed_type") == "timestep":
        return "second-time-step"
    reads_text = any(_last(other) in _TOKENS for other in network.trace.inputs)
    return "class-or-noise-level" if reads_text else "class-label"


def _is_waved(network: Network, value: int) -> bool:
    """Whether sines or cosines are computed from a value."""
    trace, graph = network.trace, network.graph
    return any(
        operation(op.name).name in ("sin", "cos")
        and any(value in graph.back(given) for given in op.inputs)
        for op in trace.ops
    )


def _last(argument: Argument) -> str:
    return argument.name.rpartition(".")[2]
