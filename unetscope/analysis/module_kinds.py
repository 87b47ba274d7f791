"""The kinds of modules that articles on Stable Diffusion's UNet draw, found in any traced network.

They are found by what the modules do: GSC by the data flow, self- and cross-attention by what the
queries attend to, resamplers by the resolution, blocks by what they hold and where they stand.
Kinds nest in each other; `finest` divides a network so that each module has one.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from unetscope.analysis.anatomy import anatomy, is_layer, named_part
from unetscope.analysis.attention import Attention, Reading, attentions
from unetscope.analysis.control import blocks, steering_blocks
from unetscope.analysis.graph import Graph
from unetscope.analysis.network import Network
from unetscope.analysis.partition import OTHER, nearest
from unetscope.ops import OpKind, operation
from unetscope.record import Op

GSC = "GSC"
"""The article's name of GroupNorm, SiLU and a convolution in sequence."""

MODULE_KINDS = (
    *(GSC, "DownSample", "UpSample", "ResNetBlock", "SelfAttention", "CrossAttention"),
    *("FeedForward", "BasicTransformerBlock", "SpatialTransformer"),
    *("DownBlock", "UpBlock_X", "CrossAttnDownBlock_X", "CrossAttnUpBlock_X", "CrossAttnMidBlock"),
    *("AttnDownBlock_X", "AttnUpBlock_X", "MidBlock", "AttnMidBlock"),
)
"""The first fourteen are the article's; the others are blocks that Stable Diffusion does not have:
with self-attention alone, and a middle block without attention."""

FINEST = (
    *("ResNetBlock", "SelfAttention", "CrossAttention", "FeedForward", "SpatialTransformer"),
    *("DownSample", "UpSample", OTHER),
)
"""The kinds of `finest`. Of a `SpatialTransformer` only what is in none of its attentions and
feed-forwards counts."""

# These return what they are given, at most in another type.
_PASSING = (OpKind.DROPOUT, OpKind.CAST, OpKind.COPY)
_SUFFIXES = {"encoder": "DownBlock", "middle": "MidBlock", "decoder": "UpBlock"}


@dataclass(frozen=True)
class Occurrence:
    """One place where a kind occurs.

    Attributes:
        kind: one of `MODULE_KINDS`.
        modules: the paths of the modules that it consists of: one, or the layers of a GSC.
        resnets: of a block, the number of ResNets in it: the X of its name.
    """

    kind: str
    modules: tuple[str, ...]
    resnets: int | None = None


def module_kinds(network: Network) -> tuple[Occurrence, ...]:
    """Every place where a kind occurs, in the order of `MODULE_KINDS`, then of the calls.

    A module that is called twice occurs once.
    """
    attending = attentions(network)
    found = [
        *_gsc(network),
        *_units(network),
        *_attending(network, attending),
        *_blocks(network, attending),
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda each: MODULE_KINDS.index(each.kind)))


def around(found: Sequence[Occurrence]) -> dict[str, list[str]]:
    """For each kind that occurs, the kinds of the smallest modules around its occurrences.

    Args:
        found: all that `module_kinds` finds in a network.
    """
    known = {each.modules[0]: each.kind for each in found if len(each.modules) == 1}
    outer: dict[str, set[str]] = {each.kind: set() for each in found}
    for each in found:
        kind = nearest(each.modules[-1].rpartition(".")[0], known)
        if kind is not None:
            outer[each.kind].add(kind)
    return {kind: sorted(kinds, key=MODULE_KINDS.index) for kind, kinds in outer.items()}


def finest(network: Network) -> dict[str, str]:
    """The kind of every module, by path: of the smallest module of `FINEST` around it."""
    known = {
        occurrence.modules[0]: occurrence.kind
        for occurrence in module_kinds(network)
        if occurrence.kind in FINEST
    }
    return {path: nearest(path, known) or OTHER for path in network.modules}


def _gsc(network: Network) -> Iterator[Occurrence]:
    """GroupNorm, SiLU and a convolution, each of which takes what the one before made."""
    graph = network.graph
    for index, op in enumerate(network.trace.ops):
        if graph.kinds[index] is not OpKind.CONVOLUTION or op.step is None:
            continue
        activated = _unpassed(graph, op.inputs[0])
        activation = graph.op(activated)
        if activation is None or not _is_silu(graph, activation):
            continue
        norm = graph.op(_unpassed(graph, activation.inputs[0]))
        if norm is not None and operation(norm.name).name == "group_norm":
            paths = [network.path(call) for call in (norm.step, op.step) if call is not None]
            yield Occurrence(GSC, tuple(paths))


def _unpassed(graph: Graph, value: int) -> int:
    """The value that another one was before dropout and casts."""
    while graph.kind(value) in _PASSING and (given := graph.parents[value]):
        value = given[0]
    return value


def _is_silu(graph: Graph, op: Op) -> bool:
    """Whether a function is `F.silu(x)` or the product of `x * sigmoid(x)`."""
    row = operation(op.name)
    if row.name == "silu":
        return True
    gates = [graph.op(value) for value in op.inputs[1:]]
    return row.kind is OpKind.PRODUCT and any(
        gate is not None
        and operation(gate.name).name == "sigmoid"
        and gate.inputs[0] == op.inputs[0]
        for gate in gates
    )


def _units(network: Network) -> Iterator[Occurrence]:
    """ResNets and resamplers, wherever they stand; a ResNet that resamples is a resampler."""
    for unit in network.units_of(blocks(network)):
        path = (network.path(unit),)
        given, made = network.main_input(unit), network.main_output(unit)
        if is_layer(network, unit):
            yield Occurrence("ResNetBlock", path)
        elif network.resamples(unit) and given is not None and made is not None:
            shrinks = network.size(made) < network.size(given)
            yield Occurrence("DownSample" if shrinks else "UpSample", path)


def _attending(network: Network, attending: Sequence[Attention]) -> Iterator[Occurrence]:
    """Attentions, and the transformer blocks and transformers around them."""
    blocks: dict[int, None] = {}
    for attention in attending:
        kind = "SelfAttention" if attention.reading is Reading.SELF else "CrossAttention"
        yield Occurrence(kind, (network.path(attention.call),))
        block = _transformer_block(network, attention.call, blocks)
        if block is not None:
            blocks[block] = None
    around: dict[int, None] = {}
    for block in blocks:
        yield Occurrence("BasicTransformerBlock", (network.path(block),))
        for child in network.children[block]:
            if _is_feed_forward(network, child):
                yield Occurrence("FeedForward", (network.path(child),))
        call: int | None = block
        while call is not None and network.main_output(call) is None:
            call = network.step(call).parent
        if call is not None and call != network.trunk:
            around[call] = None
    for call in around:
        if network.is_transformer(call):
            yield Occurrence("SpatialTransformer", (network.path(call),))


def _transformer_block(network: Network, attention: int, known: Container[int]) -> int | None:
    """The nearest call around an attention that also calls a feed-forward network."""
    around = network.step(attention).parent
    while around is not None and around != network.trunk:
        if around in known or any(
            _is_feed_forward(network, child) for child in network.children[around]
        ):
            return around
        if any(map(network.is_resnet, network.children[around])):
            return None
        around = network.step(around).parent
    return None


def _is_feed_forward(network: Network, call: int) -> bool:
    """Two linear layers or more on tokens, and no attention."""
    tokens = [value for value in network.step(call).outputs if len(network.spec(value).shape) == 3]
    layers = sum(
        network.graph.kinds[op] is OpKind.LINEAR
        for inner in network.below(call)
        for op in network.ops[inner]
    )
    return bool(tokens) and layers >= 2 and not network.attends(call)


def _blocks(network: Network, attending: Sequence[Attention]) -> Iterator[Occurrence]:
    """Blocks of several ResNets and transformers, by part and by the attention in them."""
    crossing = {a.call for a in attending if a.reading is not Reading.SELF}
    for part, block in _in_parts(network):
        units = network.units(block)
        resnets = sum(is_layer(network, unit) for unit in units)
        if network.is_resnet(block) or network.is_transformer(block) or not resnets:
            continue
        crosses = any(call in crossing for call in network.below(block))
        name = "CrossAttn" if crosses else "Attn" if network.attends(block) else ""
        kind = name + _SUFFIXES[part]
        kind = kind if kind in MODULE_KINDS else f"{kind}_X"
        yield Occurrence(kind, (network.path(block),), resnets)


def _in_parts(network: Network) -> Iterator[tuple[str, int]]:
    """Blocks with the part that they belong to; those of what steers the UNet, by their names."""
    for part, calls in vars(anatomy(network)).items():
        yield from ((part, block) for block in calls if part in _SUFFIXES)
    for block in steering_blocks(network):
        if (named := named_part(network, block)) is not None:
            yield named, block
