"""The arguments of the original networks, read as options of ours.

Each option remembers the argument that it comes from, so that an error points into the file.
Source: the published `config.json` of the models whose original files are published too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unetscope.config.dialects.compvis_arguments import (
    IGNORED,
    Arguments,
    ControlNetArguments,
    OriginalNetwork,
    UNetArguments,
)
from unetscope.config.dialects.compvis_rules import NORM_GROUPS, reads_heads_upsample
from unetscope.findings import Path

SDXL_CONTEXTS = (2048, 1280)
"""Dimensions of the text in SDXL's base and refiner, which read a pooled text and time ids too."""
SDXL_TIME_ID = 256
"""Dimension of each embedded time id."""
SDXL_SIZE = 128
"""Latents of the 1024 x 1024 pixels that SDXL was trained on, which its files do not give."""


@dataclass
class Translation:
    """What the arguments of a network mean here.

    Attributes:
        network: in the original file.
        values: the options of the family.
        origins: for an option or an entry of one, where the argument stands that it comes from.
        notes: remarks on arguments that mean nothing here.
    """

    network: OriginalNetwork
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def family(self) -> str:
        """The published class."""
        if self.network.is_control_net:
            return "ControlNetModel"
        return "UNet2DConditionModel" if self.network.has_transformers else "UNet2DModel"

    def put(self, name: str, value: Any, argument: str) -> None:
        """Set an option that comes from an argument."""
        self.put_from(name, value, self.network.argument(argument))

    def put_from(self, name: str, value: Any, origin: Path) -> None:
        """Set an option; entries of a list come from entries of a list, where there is one."""
        self.values[name] = value
        self.origins[name,] = origin
        if isinstance(value, list):
            for index in range(len(value)):
                self.origins[name, index] = (*origin, index)


def translated(network: OriginalNetwork) -> Translation:
    """The options that arguments without problems mean."""
    arguments = network.arguments
    made = Translation(network, notes=notes_on(network, arguments))
    _shape(made, arguments)
    if network.has_transformers:
        _transformers(made, arguments)
    else:
        _attentions(made, arguments)
    if isinstance(arguments, ControlNetArguments):
        made.put("conditioning_channels", arguments.hint_channels, "hint_channels")
    else:
        made.put("out_channels", arguments.out_channels, "out_channels")
        _classes(made, arguments)
    return made


def _shape(made: Translation, arguments: Arguments) -> None:
    """Channels, layers, which levels attend, and what changes the resolution."""
    made.put("in_channels", arguments.in_channels, "in_channels")
    attention = "CrossAttn" if made.network.has_transformers else "Attn"
    guided = arguments.resblock_updown and len(arguments.channel_mult) > 1
    down, up = ("ResnetDown", "ResnetUp") if guided else ("Down", "Up")
    sampled = "sample" if guided else ""
    down_types = [
        f"{attention}DownBlock2D" if attends else f"{down}{sampled}Block2D"
        for attends in arguments.attending
    ]
    made.put("down_block_types", down_types, "attention_resolutions")
    if not made.network.is_control_net:
        up_types = [
            f"{attention}UpBlock2D" if attends else f"{up}{sampled}Block2D"
            for attends in reversed(arguments.attending)
        ]
        made.put("up_block_types", up_types, "attention_resolutions")
    if guided and not made.network.has_transformers:
        made.put("downsample_type", "resnet", "resblock_updown")
        made.put("upsample_type", "resnet", "resblock_updown")
    says_mult = "channel_mult" in made.network.params
    origin = "channel_mult" if says_mult else "model_channels"
    made.put("block_out_channels", list(arguments.channels), origin)
    made.put("layers_per_block", _plain(arguments.num_res_blocks), "num_res_blocks")
    if arguments.dropout:
        made.put("dropout", arguments.dropout, "dropout")
    if arguments.use_scale_shift_norm:
        made.put("resnet_time_scale_shift", "scale_shift", "use_scale_shift_norm")


def _transformers(made: Translation, arguments: Arguments) -> None:
    """Attentions to a text; their `attention_head_dim` is the number of heads."""
    channels = made.values["block_out_channels"]
    head_dim = arguments.num_head_channels
    if head_dim > 0:
        heads = [max(each // head_dim, 1) for each in channels]
        made.put("attention_head_dim", heads, "num_head_channels")
    else:
        made.put("attention_head_dim", arguments.num_heads, "num_heads")
    context = arguments.context_dim
    if context is None:
        context = channels  # each level reads itself once more
    elif isinstance(context, tuple):
        context = context[0]
    made.put("cross_attention_dim", context, "context_dim")
    if (depth := depths(arguments)) != 1:
        made.put("transformer_layers_per_block", depth, "transformer_depth")
    if arguments.use_linear_in_transformer:
        made.put("use_linear_projection", True, "use_linear_in_transformer")
    if arguments.disable_self_attentions and any(arguments.disable_self_attentions):
        disabled = list(arguments.disable_self_attentions)
        made.put("only_cross_attention", disabled, "disable_self_attentions")


def depths(arguments: Arguments) -> int | list[int]:
    """Transformer blocks at each level; the middle block has as many as the last one says."""
    depth, middle = arguments.transformer_depth, arguments.transformer_depth_middle
    if isinstance(depth, int):
        if middle in (None, depth):
            return depth
        depth = (depth,) * len(arguments.channel_mult)
    *levels, last = depth
    # A level without transformers may say 0, which is read by nothing.
    found = [
        each if attends else max(each, 1)
        for each, attends in zip(levels, arguments.attending, strict=False)
    ]
    return [*found, last if middle is None else middle]


def _attentions(made: Translation, arguments: Arguments) -> None:
    """Attentions to the pixels alone; their `attention_head_dim` is the channels of a head."""
    width, number = arguments.num_head_channels, arguments.num_heads
    if width > 0:
        made.put("attention_head_dim", width, "num_head_channels")
    elif number == 1:
        made.put("attention_head_dim", None, "num_heads")
    else:
        widths = [max(channels // number, 1) for channels in arguments.channels]
        *levels, last = zip(widths, arguments.attending, strict=True)
        read = {last[0], *(each for each, attends in levels if attends)}
        made.put("attention_head_dim", widths if len(read) > 1 else last[0], "num_heads")
    if arguments.use_scale_shift_norm:
        made.put("attn_norm_num_groups", NORM_GROUPS, "use_scale_shift_norm")
    made.notes.append(
        "the original's attentions hold queries, keys and values in one convolution each: as many "
        "parameters, in fewer tensors"
    )


def _classes(made: Translation, arguments: UNetArguments) -> None:
    if isinstance(arguments.num_classes, int):
        made.put("num_class_embeds", arguments.num_classes, "num_classes")
    elif arguments.num_classes == "timestep":
        made.put("class_embed_type", "timestep", "num_classes")
    elif arguments.num_classes == "continuous":
        made.put("class_embed_type", "simple_projection", "num_classes")
        made.put("projection_class_embeddings_input_dim", 1, "num_classes")
    elif arguments.num_classes is not None:
        if made.values["cross_attention_dim"] in SDXL_CONTEXTS:
            made.put("addition_embed_type", "text_time", "num_classes")
            made.put("addition_time_embed_dim", SDXL_TIME_ID, "num_classes")
            made.put("sample_size", SDXL_SIZE, "num_classes")
        else:
            made.put("class_embed_type", "projection", "num_classes")
        vector_dim = arguments.adm_in_channels
        made.put("projection_class_embeddings_input_dim", vector_dim, "adm_in_channels")


def notes_on(network: OriginalNetwork, arguments: Arguments) -> list[str]:
    """What of the arguments means nothing here."""
    ignored = [name for name in network.params if name in IGNORED]
    notes = [f"ignored, as they shape nothing: {', '.join(ignored)}"] if ignored else []
    factors = arguments.factors
    dead = [str(each) for each in arguments.attention_resolutions if each not in factors]
    if dead:
        levels = ", ".join(map(str, factors))
        notes.append(f"attention_resolutions {', '.join(dead)}: no level's, which are {levels}")
    if arguments.num_head_channels > 0 and arguments.num_heads > 0:
        notes.append("num_heads is not read beside num_head_channels")
    if arguments.num_heads_upsample != -1 and not reads_heads_upsample(network, arguments):
        notes.append("num_heads_upsample is not read: only attentions with num_heads alone do so")
    vector = getattr(arguments, "adm_in_channels", None)
    if vector is not None and getattr(arguments, "num_classes", None) != "sequential":
        notes.append("adm_in_channels is not read without num_classes: sequential")
    return notes


def _plain(value: int | tuple[int, ...]) -> int | list[int]:
    return list(value) if isinstance(value, tuple) else value
