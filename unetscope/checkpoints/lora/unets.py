"""The modules of UNets, and of the motion modules that are put between them.

Sources: huggingface/diffusers, `unet_2d_condition.py`; guoyww/AnimateDiff, `motion_module.py`.
"""

from __future__ import annotations

from unetscope.checkpoints.lora.layers import Layer

Depth = int | tuple[int, ...]


def unet(
    widths: tuple[int, ...],
    depths: tuple[Depth, ...],
    middle: int,
    context: int,
    *,
    decoder: tuple[Depth, ...] | None = None,
    linear: bool = True,
    added: int = 0,
) -> dict[str, Layer]:
    """The modules of a UNet with two ResNets a level, in diffusers' names.

    Args:
        widths: channels of each level.
        depths: blocks in each transformer of a level, or in all of them; 0 for none.
        middle: blocks in the transformer of the middle, which without one is a single ResNet.
        context: channels of the text.
        decoder: the depths of the decoder from its first level on; mirrored, if None.
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
            transformer(f"{block}.attentions.{layer}", width, _at(depth, layer))
            channels = width
            skips.append(channels)
        if level + 1 < len(widths):
            found[f"{block}.downsamplers.0.conv"] = Layer(width, width, True)
            skips.append(channels)
    for layer in range(2 if middle else 1):
        resnet(f"mid_block.resnets.{layer}", last, last)
    transformer("mid_block.attentions.0", last, middle)
    decoder = depths[::-1] if decoder is None else decoder
    for level, (width, depth) in enumerate(zip(widths[::-1], decoder, strict=True)):
        block = f"up_blocks.{level}"
        for layer in range(3):
            resnet(f"{block}.resnets.{layer}", channels + skips.pop(), width)
            transformer(f"{block}.attentions.{layer}", width, _at(depth, layer))
            channels = width
        if level + 1 < len(widths):
            found[f"{block}.upsamplers.0.conv"] = Layer(width, width, True)
    return found


def _at(depth: Depth, layer: int) -> int:
    return depth if isinstance(depth, int) else depth[layer]


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


def motion(widths: tuple[int, ...]) -> dict[str, Layer]:
    """The attentions of AnimateDiff's motion modules."""
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
