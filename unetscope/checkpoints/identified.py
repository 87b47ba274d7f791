"""What is known of a weights file: how certain, on what evidence, and what cannot be known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from unetscope.record import TensorSpec


class Certainty(Enum):
    """How sure an answer is, the surest first."""

    EXACT = "exact"
    """The same names and shapes as these published networks have, in one dialect of names."""
    RENAMED = "exact up to names"
    """The same shapes as theirs, one to one, under names that are translated."""
    BUILT = "built"
    """No published network, but one was built from an inferred config, and every name and shape
    is equal."""
    NEAR = "near"
    """The nearest published network, and how it differs."""
    COMPONENT = "component"
    """Known by its evidence, and no config describes it: a part of a pipeline, what is added to
    one, or a UNet of other code."""
    UNKNOWN = "unknown"
    """What it looks like, and what decided against it."""


@dataclass(frozen=True)
class Part:
    """One network, or one addition to a network, in a weights file.

    Attributes:
        kind: `unet`, `controlnet`, `autoencoder`, `text encoder`, `image encoder`, `transformer`
            (a DiT), `lora`, `embedding`, `t2i adapter`, `ip adapter`, `motion module`, `upscaler`,
            `averaged weights`, `optimizer`, `other`.
        name: what it is, where that is known: `CLIP ViT-L/14`, `Flux.1`, `LoKr of SDXL`.
        prefix: what stands before its names in the file: `model.diffusion_model.`.
        tensors: its tensors, named without the prefix, of the shapes that they have when used:
            what is stored quantised or flattened has its own shape, if that can be told.
        nbytes: bytes as they are stored.
        evidence: sentences, each with the names and shapes that decided.
        doubts: what cannot be told from the file, in sentences.
    """

    kind: str
    name: str
    prefix: str
    tensors: Mapping[str, TensorSpec] = field(repr=False)
    nbytes: int
    evidence: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Elements of its tensors."""
        return sum(spec.numel for spec in self.tensors.values())

    @property
    def dtypes(self) -> Counter[str]:
        """How many of its elements are of each type; `Q4_K` and such where they are packed."""
        found = Counter[str]()
        for spec in self.tensors.values():
            found[spec.dtype] += spec.numel
        return found


@dataclass(frozen=True)
class Inferred:
    """A config that was read off names and shapes.

    Attributes:
        config: what a YAML file of unetscope holds, complete: `{"family": …, "unet": {…}}`.
        dialect: whose names the tensors bear: `diffusers`, `CompVis`, `ADM`, `DDPM`.
        conventions: options that no shape tells, and the convention by which each was set, in
            sentences: the heads of attention where their width is not in any shape.
        names: the name in the file of each of diffusers' names.
        shapes: the shape under each of diffusers' names, as a network of these has it.
    """

    config: Mapping[str, Any]
    dialect: str
    conventions: tuple[str, ...]
    names: Mapping[str, str] = field(repr=False)
    shapes: Mapping[str, tuple[int, ...]] = field(repr=False)


@dataclass(frozen=True)
class Identified:
    """The answer for one file.

    Attributes:
        certainty: how sure it is.
        label: the answer in a few words: `sd20, sd21, sd21_base`, `SDXL LoRA`, `unknown`.
        networks: the published networks (names of shipped configs) that it equals, or is nearest
            to.
        parts: all that the file holds, the largest first.
        inferred: the config of its UNet, if one was inferred.
        differences: how it differs from the nearest network, in sentences.
        evidence: what decided, in sentences.
        undecided: what the bytes cannot tell: the prediction type, the sample size.
        contradictions: where the file's metadata and its shapes disagree, in sentences.
        missing: what a loader of whole pipelines would not find, in sentences.
        loading: what Python would import to load the file that tensors have no need of, and what
            in it was therefore not looked into, in sentences.
    """

    certainty: Certainty
    label: str
    networks: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    inferred: Inferred | None = None
    differences: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    loading: tuple[str, ...] = ()
