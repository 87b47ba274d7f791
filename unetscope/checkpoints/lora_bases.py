"""The modules of networks that people train low-rank additions for, with their channels.

Of a UNet all modules follow from its widths; of a transformer they are one stack or two of equal
blocks. A new network is one more entry of `_bases`.

Sources: the configs of the published models; the names in black-forest-labs/flux,
Stability-AI/sd3.5, Wan-Video/Wan2.1, Tencent/HunyuanVideo and huggingface/diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from unetscope.analysis.names import compvis_names

MODULES = (
    *(("base_model.model.", ""), ("model.diffusion_model.", "network")),
    *(("lora_unet_", "network"), ("lora_prior_unet_", "network"), ("lora_transformer_", "network")),
    *(("lora_te1_", "te1"), ("lora_te2_", "te2"), ("lora_te3_", "te3"), ("lora_te_", "te")),
    *(("lora_prior_te_", "te"), ("lora_t5_", "t5"), ("lycoris_", "network")),
    *(("unet.", "network"), ("transformer.", "network"), ("diffusion_model.", "network")),
    *(("text_encoder.", "text_encoder"), ("text_encoder_2.", "text_encoder_2")),
    *(("text_encoder_3.", "text_encoder_3"), ("text_encoders.clip_l.transformer.", "clip_l")),
    *(
        ("text_encoders.clip_g.transformer.", "clip_g"),
        ("text_encoders.t5xxl.transformer.", "t5xxl"),
    ),
)
"""What stands before the name of a target, and where that target is then."""
_ENCODERS = {768: "CLIP ViT-L/14", 1024: "OpenCLIP ViT-H/14", 1280: "OpenCLIP ViT-bigG/14"}
_ENCODERS |= {4096: "T5-XXL"}
_AREA = 9
"""Cells of the kernels of the convolutions, by which some forms multiply the channels."""


class Layer(NamedTuple):
    """A module that reads and writes channels."""

    inputs: int
    outputs: int
    convolves: bool = False


class Told(NamedTuple):
    """What is told of a target; None where nothing is."""

    inputs: int | None
    outputs: int | None
    convolves: bool | None = None


@dataclass(frozen=True)
class Base:
    """A network that is added to.

    Attributes:
        name: what people call it.
        modules: name, with `_` for every dot and in every dialect -> its channels.
    """

    name: str
    modules: Mapping[str, Layer] = field(repr=False)

    def holds(self, name: str, told: Told) -> bool:
        """Whether a target is a module of it."""
        layer = self.modules.get(name)
        if layer is None:
            return False
        if told.convolves is not None and told.convolves != layer.convolves:
            return False
        inputs = (layer.inputs, layer.inputs * _AREA if layer.convolves else layer.inputs)
        return told.inputs in (None, *inputs) and told.outputs in (None, layer.outputs)


def matches(targets: Mapping[str, Told]) -> tuple[list[Base], list[str]]:
    """The networks that hold the most of the targets, and the targets that the first lacks.

    None, if no network holds half of them.
    """
    best: list[Base] = []
    most = (len(targets) - 1) // 2
    for base in _bases():
        held = sum(base.holds(name, told) for name, told in targets.items())
        if held > most:
            best, most = [base], held
        elif held == most and best:
            best.append(base)
    unmatched = [n for n, told in targets.items() if best and not best[0].holds(n, told)]
    return best, unmatched


def encoder_of(widths: set[int | None]) -> str:
    """The text encoder whose modules read so many channels; empty if it is not known."""
    return _ENCODERS.get(min((width for width in widths if width), default=0), "")


@cache
def _bases() -> tuple[Base, ...]:
    wide = (320, 640, 1280, 1280)
    sd1 = _unet(wide, (1, 1, 1, 0), 1, 768, linear=False)
    sd2 = _unet(wide, (1, 1, 1, 0), 1, 1024)
    sdxl = _unet(wide[:3], (0, 2, 10), 10, 2048, added=2816)
    refiner = _unet((384, 768, 1536, 1536), (0, 4, 4, 0), 4, 1280, added=2560)
    return (
        Base("SD1", _both(sd1)),
        Base("SD2", _both(sd2)),
        Base("SDXL", _both(sdxl)),
        Base("the refiner of SDXL", _both(refiner)),
        Base("AnimateDiff's motion module", _spelled(_motion(wide))),
        *(Base(name, _spelled(dict(modules))) for name, modules in _transformers()),
    )


def _spelled(modules: Mapping[str, Layer]) -> dict[str, Layer]:
    return {name.replace(".", "_"): layer for name, layer in modules.items()}


def _both(modules: Mapping[str, Layer]) -> dict[str, Layer]:
    """A UNet's modules in diffusers' names and in CompVis'."""
    theirs = {name: modules[ours] for ours, name in compvis_names(modules).items()}
    return _spelled(theirs) | _spelled(modules)


def _unet(
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    middle: int,
    context: int,
    *,
    linear: bool = True,
    added: int = 0,
) -> dict[str, Layer]:
    """The modules of a UNet with two ResNets a level, in diffusers' names.

    Args:
        widths: channels of each level.
        depths: blocks in each transformer of a level; 0 for none.
        middle: blocks in the transformer of the middle.
        context: channels of the text.
        linear: whether transformers are entered by linear layers or by convolutions.
        added: channels of the second conditioning, such as sizes and the pooled text.
    """
    first, last, time = widths[0], widths[-1], 4 * widths[0]
    found = {
        "conv_in": Layer(4, first, True),
        "conv_out": Layer(first, 4, True),
        "time_embedding.linear_1": Layer(first, time),
        "time_embedding.linear_2": Layer(time, time),
    }
    if added:
        found["add_embedding.linear_1"] = Layer(added, time)
        found["add_embedding.linear_2"] = Layer(time, time)

    def resnet(path: str, inputs: int, outputs: int) -> None:
        found[f"{path}.conv1"] = Layer(inputs, outputs, True)
        found[f"{path}.conv2"] = Layer(outputs, outputs, True)
        found[f"{path}.time_emb_proj"] = Layer(time, outputs)
        if inputs != outputs:
            found[f"{path}.conv_shortcut"] = Layer(inputs, outputs, True)

    def transformer(path: str, width: int, depth: int) -> None:
        found.update(_transformer(path, width, depth, context, linear) if depth else {})

    skips, channels = [first], first
    for level, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        block = f"down_blocks.{level}"
        for layer in range(2):
            resnet(f"{block}.resnets.{layer}", channels, width)
            transformer(f"{block}.attentions.{layer}", width, depth)
            channels = width
            skips.append(channels)
        if level + 1 < len(widths):
            found[f"{block}.downsamplers.0.conv"] = Layer(width, width, True)
            skips.append(channels)
    for layer in range(2):
        resnet(f"mid_block.resnets.{layer}", last, last)
    transformer("mid_block.attentions.0", last, middle)
    for level, (width, depth) in enumerate(zip(widths[::-1], depths[::-1], strict=True)):
        block = f"up_blocks.{level}"
        for layer in range(3):
            resnet(f"{block}.resnets.{layer}", channels + skips.pop(), width)
            transformer(f"{block}.attentions.{layer}", width, depth)
            channels = width
        if level + 1 < len(widths):
            found[f"{block}.upsamplers.0.conv"] = Layer(width, width, True)
    return found


def _transformer(path: str, width: int, depth: int, context: int, linear: bool) -> dict[str, Layer]:
    found = {f"{path}.{end}": Layer(width, width, not linear) for end in ("proj_in", "proj_out")}
    for number in range(depth):
        block = f"{path}.transformer_blocks.{number}"
        for attention, reads in (("attn1", width), ("attn2", context)):
            found[f"{block}.{attention}.to_q"] = Layer(width, width)
            found[f"{block}.{attention}.to_k"] = Layer(reads, width)
            found[f"{block}.{attention}.to_v"] = Layer(reads, width)
            found[f"{block}.{attention}.to_out.0"] = Layer(width, width)
        found[f"{block}.ff.net.0.proj"] = Layer(width, 8 * width)
        found[f"{block}.ff.net.2"] = Layer(4 * width, width)
    return found


def _motion(widths: tuple[int, ...]) -> dict[str, Layer]:
    places = [(f"down_blocks.{n}", width, 2) for n, width in enumerate(widths)]
    places += [(f"up_blocks.{n}", width, 3) for n, width in enumerate(widths[::-1])]
    places.append(("mid_block", widths[-1], 1))
    return {
        f"{block}.motion_modules.{number}.temporal_transformer.transformer_blocks.0."
        f"attention_blocks.{attention}.{end}": Layer(width, width)
        for block, width, count in places
        for number in range(count)
        for attention in range(2)
        for end in ("to_q", "to_k", "to_v", "to_out.0")
    }


def _stack(
    path: str, count: int, block: Mapping[str, tuple[int, int]]
) -> Iterator[tuple[str, Layer]]:
    """Equal blocks, numbered from 0."""
    for number in range(count):
        for name, (inputs, outputs) in block.items():
            yield f"{path}.{number}.{name}", Layer(inputs, outputs)


def _transformers() -> Iterator[tuple[str, list[tuple[str, Layer]]]]:
    """The transformers, each in its authors' names and in diffusers'."""
    yield "Flux.1", [*_flux(3072, 19, 38, modulated=True)]
    yield "Chroma", [*_flux(3072, 19, 38, modulated=False)]
    for name, width, double, single in (
        ("Flux.2 dev", 6144, 8, 48),
        ("Flux.2 Klein 4B", 3072, 5, 20),
        ("Flux.2 Klein 9B", 4096, 8, 24),
    ):
        yield name, [*_flux2(width, double, single)]
    yield "SD3 medium", [*_sd3(1536, 24)]
    yield "SD3.5 large", [*_sd3(2432, 38)]
    for name, width, inner, count in (
        ("Wan 2.1 1.3B", 1536, 8960, 30),
        ("Wan 2.2 5B", 3072, 14336, 30),
        ("Wan 14B", 5120, 13824, 40),
    ):
        yield name, [*_wan(width, inner, count)]
    yield "HunyuanVideo", [*_hunyuan(3072, 20, 40)]
    yield "Qwen-Image", [*_stack("transformer_blocks", 60, _qwen(3072))]
    yield "LTX-Video", [*_stack("transformer_blocks", 28, _two_attentions(2048, 2048, 8192))]
    yield "PixArt", [*_stack("transformer_blocks", 28, _two_attentions(1152, 1152, 4608))]
    yield "CogVideoX 2B", [*_stack("transformer_blocks", 30, _attention("attn1", 1920))]
    yield "CogVideoX 5B", [*_stack("transformer_blocks", 42, _attention("attn1", 3072))]
    yield "Z-Image", [*_stack("layers", 30, _z_image(3840, 10240))]


Channels = dict[str, tuple[int, int]]


def _attention(name: str, width: int, reads: int | None = None, added: bool = False) -> Channels:
    """An attention in diffusers' names; with a second stream, if that is added to it."""
    reads = reads or width
    found = {
        f"{name}.to_q": (width, width),
        f"{name}.to_k": (reads, width),
        f"{name}.to_v": (reads, width),
        f"{name}.to_out.0": (width, width),
    }
    if added:
        ends = ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
        found |= {f"{name}.{end}": (width, width) for end in ends}
    return found


def _inner(name: str, width: int, inner: int, *, gated: int = 1) -> Channels:
    """A feed-forward network in diffusers' names."""
    return {f"{name}.net.0.proj": (width, gated * inner), f"{name}.net.2": (inner, width)}


def _two_attentions(width: int, reads: int, inner: int) -> Channels:
    return {
        **_attention("attn1", width),
        **_attention("attn2", width, reads),
        **_inner("ff", width, inner),
    }


def _flux(width: int, double: int, single: int, *, modulated: bool) -> Iterator[tuple[str, Layer]]:
    inner = 4 * width
    stream = {
        "attn.qkv": (width, 3 * width),
        "attn.proj": (width, width),
        "mlp.0": (width, inner),
        "mlp.2": (inner, width),
        **({"mod.lin": (width, 6 * width)} if modulated else {}),
    }
    both = {f"{side}_{name}": size for side in ("img", "txt") for name, size in stream.items()}
    one = {"linear1": (width, 3 * width + inner), "linear2": (width + inner, width)}
    yield from _stack("double_blocks", double, both)
    yield from _stack(
        "single_blocks",
        single,
        {**one, **({"modulation.lin": (width, 3 * width)} if modulated else {})},
    )
    norms = {"norm1.linear": (width, 6 * width), "norm1_context.linear": (width, 6 * width)}
    yield from _stack(
        "transformer_blocks",
        double,
        {
            **_attention("attn", width, added=True),
            **_inner("ff", width, inner),
            **_inner("ff_context", width, inner),
            **(norms if modulated else {}),
        },
    )
    yield from _stack(
        "single_transformer_blocks",
        single,
        {
            **{f"attn.to_{end}": (width, width) for end in "qkv"},
            "proj_mlp": (width, inner),
            "proj_out": (width + inner, width),
            **({"norm.linear": (width, 3 * width)} if modulated else {}),
        },
    )


def _flux2(width: int, double: int, single: int) -> Iterator[tuple[str, Layer]]:
    inner = 3 * width
    stream = {
        "attn.qkv": (width, 3 * width),
        "attn.proj": (width, width),
        "mlp.0": (width, 2 * inner),
        "mlp.2": (inner, width),
    }
    both = {f"{side}_{name}": size for side in ("img", "txt") for name, size in stream.items()}
    one = (width, 3 * width + 2 * inner), (width + inner, width)
    yield from _stack("double_blocks", double, both)
    yield from _stack("single_blocks", single, {"linear1": one[0], "linear2": one[1]})
    forward = {
        f"{name}.{end}": size
        for name in ("ff", "ff_context")
        for end, size in (("linear_in", (width, 2 * inner)), ("linear_out", (inner, width)))
    }
    yield from _stack(
        "transformer_blocks", double, {**_attention("attn", width, added=True), **forward}
    )
    yield from _stack(
        "single_transformer_blocks",
        single,
        {"attn.to_qkv_mlp_proj": one[0], "attn.to_out": one[1]},
    )


def _sd3(width: int, count: int) -> Iterator[tuple[str, Layer]]:
    stream = {
        "attn.qkv": (width, 3 * width),
        "attn.proj": (width, width),
        "mlp.fc1": (width, 4 * width),
        "mlp.fc2": (4 * width, width),
        "adaLN_modulation.1": (width, 6 * width),
    }
    both = {f"{side}_block.{name}": s for side in ("x", "context") for name, s in stream.items()}
    yield from _stack("joint_blocks", count, both)
    yield from _stack(
        "transformer_blocks",
        count,
        {
            **_attention("attn", width, added=True),
            **_inner("ff", width, 4 * width),
            **_inner("ff_context", width, 4 * width),
            "norm1.linear": (width, 6 * width),
            "norm1_context.linear": (width, 6 * width),
        },
    )


def _wan(width: int, inner: int, count: int) -> Iterator[tuple[str, Layer]]:
    ends = {
        "self_attn": ("q", "k", "v", "o"),
        "cross_attn": ("q", "k", "v", "o", "k_img", "v_img"),
    }
    block = {f"{name}.{end}": (width, width) for name, found in ends.items() for end in found}
    yield from _stack("blocks", count, {**block, "ffn.0": (width, inner), "ffn.2": (inner, width)})
    sees = {"attn2.add_k_proj": (width, width), "attn2.add_v_proj": (width, width)}
    yield from _stack(
        "blocks",
        count,
        {
            **_attention("attn1", width),
            **_attention("attn2", width),
            **sees,
            **_inner("ffn", width, inner),
        },
    )


def _hunyuan(width: int, double: int, single: int) -> Iterator[tuple[str, Layer]]:
    inner = 4 * width
    stream = {
        "attn_qkv": (width, 3 * width),
        "attn_proj": (width, width),
        "mlp.fc1": (width, inner),
        "mlp.fc2": (inner, width),
        "mod.linear": (width, 6 * width),
    }
    both = {f"{side}_{name}": size for side in ("img", "txt") for name, size in stream.items()}
    one = {
        "linear1": (width, 3 * width + inner),
        "linear2": (width + inner, width),
        "modulation.linear": (width, 3 * width),
    }
    yield from _stack("double_blocks", double, both)
    yield from _stack("single_blocks", single, one)
    # In diffusers' names its blocks are those of Flux.1, one more and two more of them.
    theirs = ("transformer_blocks.", "single_transformer_blocks.")
    for name, layer in _flux(width, double, single, modulated=True):
        if name.startswith(theirs):
            yield name, layer


def _qwen(width: int) -> Channels:
    return {
        **_attention("attn", width, added=True),
        **_inner("img_mlp", width, 4 * width),
        **_inner("txt_mlp", width, 4 * width),
        "img_mod.1": (width, 6 * width),
        "txt_mod.1": (width, 6 * width),
    }


def _z_image(width: int, inner: int) -> Channels:
    return {
        **_attention("attention", width),
        "attention.qkv": (width, 3 * width),
        "attention.out": (width, width),
        "feed_forward.w1": (width, inner),
        "feed_forward.w2": (inner, width),
        "feed_forward.w3": (width, inner),
        "adaLN_modulation.0": (256, 4 * width),
    }
