"""The blocks of encoder, middle and decoder, side by side.

The tables of the article on Stable Diffusion's UNet: where nothing changes, the encoder shows one
value and the decoder an arrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unetscope.analysis.anatomy import is_layer
from unetscope.analysis.network import Network
from unetscope.table import Cell, Column, Kind, Part, Table
from unetscope.views.about import TEXT
from unetscope.views.view import Dim, View


def encoder(view: View) -> list[Table]:
    """The down blocks: type, size, channels, ResNets, transformers, inputs."""
    words = view.words
    titles = (words.size_halved, words.channels_doubled)
    return _blocks(view, "encoder", view.anatomy.encoder, words.down_block, titles)


def decoder(view: View) -> list[Table]:
    """The up blocks side by side; `+ x` stands for the channels of the skips."""
    words = view.words
    titles = (words.size_doubled, words.channels_halved)
    return _blocks(view, "decoder", view.anatomy.decoder, words.up_block, titles)


def _blocks(
    view: View, part: str, blocks: Sequence[int], label: str, titles: tuple[str, str]
) -> list[Table]:
    network, words = view.network, view.words
    down = part == "encoder"
    rows = []
    for number, block in enumerate(blocks, 1):
        given, made = network.main_input(block), network.main_output(block)
        if given is None or made is None or not view.shows(block):
            continue
        given = network.before_join(given)
        before, after = network.size(given), network.size(made)
        channels_in, channels_out = (network.spec(v).shape[1] for v in (given, made))
        if down:
            scaled, widened = _half(before, after), channels_out == 2 * channels_in
        else:
            scaled, widened = _half(after, before), 2 * channels_out == channels_in
        shapes = view.dims(given), view.dims(made)
        units = list(network.units_of([block]))
        plain = sum(map(network.is_plain_attention, units))
        rows.append(
            (
                Cell.of(label.format(number), data=network.path(block)),
                Cell.of(network.module(block).kind, code=True),
                _flag(view, scaled),
                _change(shapes[0][2:], shapes[1][2:], Kind.SIZE, arrow=not down),
                _flag(view, widened),
                _channels(view, block, shapes[0][1], shapes[1][1], arrow=not down),
                _count(sum(is_layer(network, unit) for unit in units)),
                _count(sum(map(network.is_transformer, units)) - plain),
                _count(plain),
                _main_inputs(view, block),
            )
        )
    if not rows:
        return []
    scaled_key, widened_key = (
        ("size_halved", "channels_doubled") if down else ("size_doubled", "channels_halved")
    )
    columns = (
        Column("block", words.compared),
        Column("block_type", words.module_type),
        Column(scaled_key, titles[0]),
        Column("size", words.size_change, keys=("size_before", "size_after")),
        Column(widened_key, titles[1]),
        Column(
            "channels",
            words.channel_change,
            keys=("channels_before", "channels_after", "skips_joined"),
        ),
        Column("resnets", words.resnets),
        Column("transformers", words.transformers),
        Column("attentions", words.plain_attentions),
        Column("main_inputs", words.main_inputs),
    )
    title = words.encoder_blocks if down else words.decoder_blocks
    table = Table(part, title, columns, tuple(rows), transposed=True)
    if table.is_blank("transformers"):  # people need not read that there are none
        shown = (replace(c, read=c.read and c.key != "transformers") for c in table.columns)
        table = replace(table, columns=tuple(shown))
    return [table.without("attentions") if table.is_blank("attentions") else table]


def _half(large: Sequence[int], small: Sequence[int]) -> bool:
    """Whether every spatial dim was halved; a rest rounds up."""
    return large != small and all(
        new == -(-old // 2) for old, new in zip(large, small, strict=True)
    )


def _flag(view: View, value: bool) -> Cell:
    return Cell.of(view.words.yes if value else view.words.no, data=value)


def _count(number: int) -> Cell:
    """A block without any stands out."""
    return Cell.of(number, strong=number == 0)


def _change(before: Sequence[Dim], after: Sequence[Dim], kind: Kind, *, arrow: bool) -> Cell:
    data = (list(before), list(after))
    if before == after and not arrow:
        return Cell.of(before, kind, data=data)
    return Cell((Part(before, kind), Part(" -> "), Part(after, kind)), data)


def _channels(view: View, block: int, before: Dim, after: Dim, *, arrow: bool) -> Cell:
    joins = _joins(view, block)
    data = (before, after, joins)
    if joins:
        return Cell((Part(before), Part(" + x -> "), Part(after)), data)
    if before == after and not arrow:
        return Cell.of(before, data=data)
    return Cell((Part(before), Part(" -> "), Part(after)), data)


def _joins(view: View, block: int) -> bool:
    """Whether a skip is joined in a block, or to what the block is then given."""
    return view.network.joins_in(block) or view.network.takes_join(block)


def _main_inputs(view: View, block: int) -> Cell:
    """What a block reads: the feature map, a vector such as time, tokens such as text, skips."""
    network = view.network
    main = network.main_input(block)
    found = set()
    for argument in network.step(block).inputs:
        if argument.value == main:
            found.add("image")
        elif argument.value in view.skipped:
            found.add("skip")
        else:
            found.add(_conditioning(network, argument.value))
    if _joins(view, block):
        found.add("skip")
    names = view.words.block_inputs
    order = [key for key in names if key in found]
    return Cell((Part(view.words.listed.join(names[key] for key in order)),), order)


def _conditioning(network: Network, value: int) -> str:
    """What a block is conditioned on, by the inputs of the network that it was computed from.

    Vectors, and what comes from one number for each sample, are called the time. Several tokens are
    text if they come from an input of such a name, as `encoder_hidden_states` is in diffusers; one
    token is an image or a class as often.
    """
    shape = network.spec(value).shape
    past = set(network.graph.back(value, along=network.graph.content))
    if network.of_sample(value):
        return "other"
    sources = [argument for argument in network.trace.inputs if argument.value in past]
    ranks = {len(network.spec(argument.value).shape) for argument in sources}
    if len(shape) == 2 or (ranks and max(ranks) < 2):
        return "time"
    if sources and all("mask" in argument.name for argument in sources):
        return "mask"
    if len(shape) != 3:
        return "other"
    text = shape[1] > 1 and any(TEXT.search(argument.name) for argument in sources)
    return "text" if text else "context"


def middle(view: View) -> list[Table]:
    """The middle block: what goes in, which layers, what comes out."""
    network, words = view.network, view.words
    tables = []
    for block in view.anatomy.middle:
        given, made = network.main_input(block), network.main_output(block)
        if given is None or made is None or not view.shows(block):
            continue
        names = [_unit(view, unit) for unit in network.units_of([block])]
        layers = Cell.of(", ".join(f"1 x {name}" for name in names), data=names)
        columns = (
            Column("block", words.path, code=True),
            Column("block_type", words.module_type, code=True),
            Column("input_shape", words.input_dims, Kind.TUPLE, code=True),
            Column("layers", words.layers),
            Column("output_shape", words.output_dims, Kind.TUPLE, code=True),
        )
        row = (
            network.path(block),
            network.module(block).kind,
            view.dims(given),
            layers,
            view.dims(made),
        )
        tables.append(Table("middle", words.middle_block, columns, (row,), facts=True))
    return tables


def _unit(view: View, unit: int) -> str:
    if is_layer(view.network, unit):
        return "ResNet"
    if view.network.is_plain_attention(unit):
        return view.words.one_attention
    if view.network.is_transformer(unit):
        return "Transformer"
    if view.network.resamples(unit):
        return view.words.resampler
    return view.network.module(unit).kind
