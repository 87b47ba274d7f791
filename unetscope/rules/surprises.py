"""What a config may say, but hardly means. Each rule is one function of the configured network.

A rule that is written here runs: `check` asks the registry for those that take a `Configured`. What
may surprise in the options of one family stands in its folder. Each is silent on what is published,
unless that too is odd.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unetscope.config.spec import Inputs
from unetscope.errors import Place
from unetscope.families.family import ALIGNED, Family, Options
from unetscope.findings import RULES, Check, Finding, Path, Severity, layer_of, rule
from unetscope.record import TensorSpec
from unetscope.wording import joined

TEXT_DIMS = {
    512: "CLIP ViT-B/32, or the class labels of latent diffusion",
    640: "OpenCLIP ViT-B/16-plus",
    768: "CLIP ViT-L/14, BERT base or T5 base",
    1024: "OpenCLIP ViT-H/14, BERT large, XLM-R large or T5 large",
    1280: "OpenCLIP ViT-bigG/14, or latent diffusion's BERT",
    1408: "EVA CLIP ViT-g/14",
    1664: "OpenCLIP ViT-bigG/14's image tokens",
    2048: "SDXL's two encoders side by side (768 + 1280), or T5 XL",
    2304: "Gemma 2 2B",
    3584: "Qwen2.5 7B",
    4096: "T5 XXL, ChatGLM3 6B or Llama 7B",
}
"""Dimension of a token -> the text encoders that give such tokens.

Sources: the encoders' own published configs (`hidden_size`, `d_model`, `width`).
"""


@dataclass(frozen=True)
class Configured:
    """A network as its config describes it, where it is plain which network is meant.

    Attributes:
        family: of the network.
        unet: the options.
        inputs: what it is given.
        places: where the config writes each key, those of configs that it extends included.
        name: that it gives the network; empty if it gives none.
    """

    family: Family[Any]
    unet: Options
    inputs: Inputs
    places: Mapping[Path, Place]
    name: str = ""


def surprises(network: Configured) -> Iterator[Finding]:
    """What the static rules find; of several findings at one key, the first."""
    found: set[Path] = set()
    for each in RULES.values():
        if isinstance(each, Check) and not each.traced:
            findings = [finding for finding in each(network) if finding.path not in found]
            found |= {finding.path for finding in findings}
            yield from findings
    for finding in network.family.surprises(network.unet):
        yield finding.within("unet")


@rule(
    "text-width",
    Severity.WARNING,
    "No known text encoder gives tokens of so many channels.",
)
def text_width(network: Configured) -> Iterator[Finding]:
    """The tokens that the network is given come from an encoder that somebody trained."""
    inputs, family = network.inputs, network.family
    size = (inputs.height, inputs.width)
    tensors = family.inputs(network.unet, inputs.batch, size, inputs.tokens)
    given = tensors.get("encoder_hidden_states", tensors.get("context"))
    if not isinstance(given, TensorSpec) or (width := given.shape[-1]) in TEXT_DIMS:
        return
    key = next(k for k in family.text_keys if _is_or_holds(getattr(network.unet, k), width))
    near = min(TEXT_DIMS, key=lambda known: abs(known - width))
    yield text_width.at(
        ("unet", key),
        f"no known text encoder gives tokens of {width} channels",
        hint=f"the nearest are {near}: {TEXT_DIMS[near]}",
    )


def _is_or_holds(value: object, width: int) -> bool:
    return value == width or (isinstance(value, tuple) and width in value)


@rule(
    "width-not-8",
    Severity.WARNING,
    "A number of channels is no multiple of 8, which tensor cores want.",
)
def width_not_8(network: Configured) -> Iterator[Finding]:
    """The dims of matrices in half precision are multiples of 8."""
    for key in network.family.channel_keys:
        value = getattr(network.unet, key)
        entries = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for index, width in entries:
            if isinstance(width, int) and width % ALIGNED:
                below = width // ALIGNED * ALIGNED
                near = f"{below} or {below + ALIGNED}" if below else str(ALIGNED)
                yield width_not_8.at(
                    ("unet", key) if index is None else ("unet", key, index),
                    f"{width} channels are no multiple of {ALIGNED}, so that tensor cores are "
                    "used badly or not at all",
                    hint=f"{near} would fit",
                )


@rule("odd-size", Severity.WARNING, "A feature map with an odd side is halved.")
def odd_size(network: Configured) -> Iterator[Finding]:
    """A map with an odd side loses half a pixel when it is halved."""
    sizes, inputs, written = network.family.sizes, network.inputs, network.places
    if not sizes.takes(network.unet, (inputs.height, inputs.width)):
        return  # an error says so
    for key, side in (("height", inputs.height), ("width", inputs.width)):
        sides = sizes.maps(network.unet, side)
        level = next((i for i, of_level in enumerate(sides[:-1]) if of_level % 2), None)
        if level is None:
            continue
        implied = ("inputs", key) not in written and ("unet", "sample_size") in written
        factor = 2 ** (len(sides) - 1)
        near = [n for n in (side // factor * factor, (side // factor + 1) * factor) if n]
        yield odd_size.at(
            ("unet", "sample_size") if implied else ("inputs", key),
            f"a {key} of {side} makes feature maps of {joined(sides)}: {sides[level]} is odd, "
            f"and is halved to {sides[level + 1]}",
            hint=f"multiples of {factor}, such as {' or '.join(map(str, near))}, halve evenly",
        )
        if implied and inputs.height == inputs.width:
            return


@rule(
    "size-as-before",
    Severity.WARNING,
    "Another `sample_size` leaves the inputs of the extended config as they are.",
)
def size_as_before(network: Configured) -> Iterator[Finding]:
    """`sample_size` is the size of the inputs only where no `inputs` say it."""
    key, places = ("unet", "sample_size"), network.places
    sides = [("inputs", "height"), ("inputs", "width")]
    later = layer_of(key, places) > max(layer_of(side, places) for side in sides)
    said = getattr(network.unet, "sample_size", None)
    wanted = tuple(said) if isinstance(said, (tuple, list)) else (said, said)
    found = network.inputs.height, network.inputs.width
    if later and said is not None and wanted != found and any(side in places for side in sides):
        yield size_as_before.at(
            key,
            f"the inputs stay {found[0]} x {found[1]}: `inputs` says so in what this changes",
            hint="`inputs.height` and `inputs.width`, or `--height` and `--width`, change them",
        )
