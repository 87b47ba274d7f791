"""The arguments of the original networks, read as options of ours.

Each option remembers the argument that it comes from, so that an error points into the file.
Source: the published `config.json` of the models whose original files are published too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec import convert

from unetscope.config.dialects.compvis_arguments import (
    IGNORED,
    Arguments,
    ControlNetArguments,
    Network,
    UNetArguments,
)
from unetscope.findings import Path

SDXL_CONTEXTS = (2048, 1280)
"""Dimensions of the text in SDXL's base and refiner, which read a pooled text and time ids too."""
SDXL_TIME_ID = 256
"""Dimension of each embedded time id."""
SDXL_SIZE = 128
"""Latents of the 1024 x 1024 pixels that SDXL was trained on, which its files do not say."""


@dataclass
class Options:
    """What the arguments mean here.

    Attributes:
        family: the published class.
        values: its options.
        origins: for an option or an entry of one, where the argument stands that it comes from.
        notes: remarks on arguments that mean nothing here.
    """

    family: str
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any, origin: Path) -> None:
        """Set an option; entries of a list come from entries of a list, where there is one."""
        self.values[name] = value
        self.origins[name,] = origin
        if isinstance(value, list):
            for index in range(len(value)):
                self.origins[name, index] = (*origin, index)


def read_options(network: Network) -> Options:
    """The options that arguments without problems mean."""
    arguments = convert(network.params, network.section)
    options = Options(_family(network), notes=_notes(network, arguments))
    _shape(options, network, arguments)
    if network.has_transformers:
        _transformers(options, network, arguments)
    else:
        _attentions(options, network, arguments)
    if isinstance(arguments, ControlNetArguments):
        hint = network.argument("hint_channels")
        options.put("conditioning_channels", arguments.hint_channels, hint)
    else:
        options.put("out_channels", arguments.out_channels, network.argument("out_channels"))
        _classes(options, network, arguments)
    return options


def _family(network: Network) -> str:
    if network.is_control_net:
        return "ControlNetModel"
    return "UNet2DConditionModel" if network.has_transformers else "UNet2DModel"


def _shape(options: Options, network: Network, arguments: Arguments) -> None:
    """Channels, layers, and which levels attend."""
    options.put("in_channels", arguments.in_channels, network.argument("in_channels"))
    kind = "CrossAttn" if network.has_transformers else "Attn"
    attends = [each in arguments.attention_resolutions for each in _factors(arguments)]
    prefixes = [kind if level else "" for level in attends]
    origin = network.argument("attention_resolutions")
    options.put("down_block_types", [f"{prefix}DownBlock2D" for prefix in prefixes], origin)
    if not network.is_control_net:
        up_types = [f"{prefix}UpBlock2D" for prefix in reversed(prefixes)]
        options.put("up_block_types", up_types, origin)
    channels = [mult * arguments.model_channels for mult in arguments.channel_mult]
    channels_key = "channel_mult" if "channel_mult" in network.params else "model_channels"
    options.put("block_out_channels", channels, network.argument(channels_key))
    layers = network.argument("num_res_blocks")
    options.put("layers_per_block", _plain(arguments.num_res_blocks), layers)
    if arguments.dropout:
        options.put("dropout", arguments.dropout, network.argument("dropout"))


def _transformers(options: Options, network: Network, arguments: Arguments) -> None:
    """Attentions to a text; their `attention_head_dim` is the number of heads."""
    channels = options.values["block_out_channels"]
    width = arguments.num_head_channels
    if width > 0:
        heads = [max(each // width, 1) for each in channels]
        options.put("attention_head_dim", heads, network.argument("num_head_channels"))
    else:
        heads_key = network.argument("num_heads")
        options.put("attention_head_dim", arguments.num_heads, heads_key)
    context = arguments.context_dim
    width_key = network.argument("context_dim")
    if context is None:  # each level reads itself once more
        options.put("cross_attention_dim", channels, width_key)
    else:
        one = context[0] if isinstance(context, tuple) else context
        options.put("cross_attention_dim", one, width_key)
    if (depth := _depth(arguments)) != 1:
        depth_key = network.argument("transformer_depth")
        options.put("transformer_layers_per_block", depth, depth_key)
    if arguments.use_linear_in_transformer:
        linear_key = network.argument("use_linear_in_transformer")
        options.put("use_linear_projection", True, linear_key)
    if arguments.disable_self_attentions and any(arguments.disable_self_attentions):
        disabled = list(arguments.disable_self_attentions)
        origin = network.argument("disable_self_attentions")
        options.put("only_cross_attention", disabled, origin)


def _depth(arguments: Arguments) -> int | list[int]:
    """Transformer blocks; a level without transformers may say 0, but has no middle block below."""
    depth = arguments.transformer_depth
    if isinstance(depth, int):
        return depth
    factors = _factors(arguments)
    return [
        each
        if factor in (*arguments.attention_resolutions, factors[-1])
        else max(each, 1)  # read by nothing
        for each, factor in zip(depth, factors, strict=True)
    ]


def _attentions(options: Options, network: Network, arguments: Arguments) -> None:
    """Attentions to the pixels alone; their `attention_head_dim` is the width of a head."""
    width = arguments.num_head_channels
    name = "num_head_channels" if width > 0 else "num_heads"
    options.put("attention_head_dim", width if width > 0 else None, network.argument(name))
    options.notes.append(
        "the original's attentions hold queries, keys and values in one convolution each: as many "
        "parameters, in fewer tensors"
    )


def _classes(options: Options, network: Network, arguments: UNetArguments) -> None:
    classes, width = arguments.num_classes, arguments.adm_in_channels
    origin = network.argument("num_classes")
    if isinstance(classes, int):
        options.put("num_class_embeds", classes, origin)
    elif classes is not None:
        if options.values["cross_attention_dim"] in SDXL_CONTEXTS:
            options.put("addition_embed_type", "text_time", origin)
            options.put("addition_time_embed_dim", SDXL_TIME_ID, origin)
            options.put("sample_size", SDXL_SIZE, origin)
        else:
            options.put("class_embed_type", "projection", origin)
        width_key = network.argument("adm_in_channels")
        options.put("projection_class_embeddings_input_dim", width, width_key)


def _notes(network: Network, arguments: Arguments) -> list[str]:
    ignored = [name for name in network.params if name in IGNORED]
    notes = [f"ignored, as they shape nothing: {', '.join(ignored)}"] if ignored else []
    factors = _factors(arguments)
    dead = [str(each) for each in arguments.attention_resolutions if each not in factors]
    if dead:
        levels = ", ".join(map(str, factors))
        notes.append(f"attention_resolutions {', '.join(dead)}: no level's, which are {levels}")
    if arguments.num_head_channels > 0 and arguments.num_heads > 0:
        notes.append("num_heads is not read beside num_head_channels")
    return notes


def _factors(arguments: Arguments) -> list[int]:
    """How many times smaller each level is than the sample."""
    return [2**level for level in range(len(arguments.channel_mult))]


def _plain(value: int | tuple[int, ...]) -> int | list[int]:
    return list(value) if isinstance(value, tuple) else value
