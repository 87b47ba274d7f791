"""The modules in the blocks of diffusion transformers, in their authors' names and in diffusers'.

Sources: black-forest-labs/flux and flux2, Stability-AI/sd3.5, Wan-Video/Wan2.1,
Tencent/HunyuanVideo, Tongyi-MAI/Z-Image, AIDC-AI/Ovis-Image, meituan-longcat/LongCat-Image;
huggingface/diffusers, `models/transformers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unetscope.checkpoints.lora.layers import Layer

Channels = dict[str, tuple[int, int]]


def _stack(
    path: str, count: int, block: Mapping[str, tuple[int, int]]
) -> Iterator[tuple[str, Layer]]:
    """Equal blocks, numbered from 0."""
    for number in range(count):
        for name, (inputs, outputs) in block.items():
            yield f"{path}.{number}.{name}", Layer(inputs, outputs)


def transformers() -> Iterator[tuple[str, list[tuple[str, Layer]]]]:
    """The transformers, each in its authors' names and in diffusers'."""
    yield "Flux.1", [*_flux(3072, 19, 38, modulated=True)]
    yield "LongCat-Image", [*_flux(3072, 10, 20, modulated=True)]
    yield "Ovis-Image", [*_flux(3072, 6, 27, modulated=True, gated=2)]
    yield "Chroma", [*_flux(3072, 19, 38, modulated=False)]
    for name, width, double, single in (
        ("Flux.2 dev", 6144, 8, 48),
        ("Flux.2 Klein 4B", 3072, 5, 20),
        ("Flux.2 Klein 9B", 4096, 8, 24),
    ):
        yield name, [*_flux2(width, double, single)]
    yield "SD3 medium", [*_sd3(1536, 24)]
    yield "SD3.5 medium", [*_sd3(1536, 24, twice=13)]
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
    yield "DiT-XL", [*_stack("transformer_blocks", 28, _one_attention(1152, 4608))]
    yield "CogVideoX 2B", [*_stack("transformer_blocks", 30, _attention("attn1", 1920))]
    yield "CogVideoX 5B", [*_stack("transformer_blocks", 42, _attention("attn1", 3072))]
    yield "Z-Image", [*_stack("layers", 30, _z_image(3840, 10240))]


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


def _one_attention(width: int, inner: int) -> Channels:
    return {**_attention("attn1", width), **_inner("ff", width, inner)}


def _flux(
    width: int, double: int, single: int, *, modulated: bool, gated: int = 1
) -> Iterator[tuple[str, Layer]]:
    """The blocks of Flux.1, and of what was made of it with fewer of them or with gates in them."""
    inner = 4 * width
    gates = {f"mlp.{end}_proj": (width, inner) for end in ("gate", "up")}
    gates["mlp.down_proj"] = (inner, width)
    stream = {
        "attn.qkv": (width, 3 * width),
        "attn.proj": (width, width),
        **({"mlp.0": (width, inner), "mlp.2": (inner, width)} if gated == 1 else gates),
        **({"mod.lin": (width, 6 * width)} if modulated else {}),
    }
    both = {f"{side}_{name}": size for side in ("img", "txt") for name, size in stream.items()}
    one = {"linear1": (width, 3 * width + gated * inner), "linear2": (width + inner, width)}
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
            **_inner("ff", width, inner, gated=gated),
            **_inner("ff_context", width, inner, gated=gated),
            **(norms if modulated else {}),
        },
    )
    yield from _stack(
        "single_transformer_blocks",
        single,
        {
            **{f"attn.to_{end}": (width, width) for end in "qkv"},
            "proj_mlp": (width, gated * inner),
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


def _sd3(width: int, count: int, twice: int = 0) -> Iterator[tuple[str, Layer]]:
    """SD3's blocks, of which the last hands no text on; `twice` of them attend a second time."""
    for number in range(count):
        last, second = number == count - 1, number < twice
        norm = (width, (9 if second else 6) * width)
        norm_context = (width, (2 if last else 6) * width)
        stream = {
            "attn.qkv": (width, 3 * width),
            "attn.proj": (width, width),
            "mlp.fc1": (width, 4 * width),
            "mlp.fc2": (4 * width, width),
        }
        own: Channels = {f"x_block.{name}": size for name, size in stream.items()}
        theirs = {f"context_block.{n}": s for n, s in stream.items() if not last or "qkv" in n}
        own |= {"x_block.adaLN_modulation.1": norm}
        own |= {"context_block.adaLN_modulation.1": norm_context}
        diffusers = {
            **_attention("attn", width, added=True),
            **_inner("ff", width, 4 * width),
            **({} if last else _inner("ff_context", width, 4 * width)),
            "norm1.linear": norm,
            "norm1_context.linear": norm_context,
        }
        if last:
            del diffusers["attn.to_add_out"]
        if second:
            own |= {"x_block.attn2.qkv": (width, 3 * width), "x_block.attn2.proj": (width, width)}
            diffusers |= _attention("attn2", width)
        for path, block in (("joint_blocks", own | theirs), ("transformer_blocks", diffusers)):
            for name, channels in block.items():
                yield f"{path}.{number}.{name}", Layer(*channels)


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
