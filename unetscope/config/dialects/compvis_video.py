"""The original `VideoUNet` of Stable Video Diffusion, as a class that diffusers publishes.

`UNetSpatioTemporalConditionModel` is the same network with most of the arguments settled.
Source: `sgm/modules/diffusionmodules/video_model.py` in Stability-AI/generative-models, and
`diffusers.UNetSpatioTemporalConditionModel`, 0.42.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unetscope.config.dialects.compvis_arguments import OriginalNetwork, VideoArguments
from unetscope.config.dialects.compvis_rules import expected
from unetscope.config.dialects.compvis_translation import Translation, depths, notes_on
from unetscope.findings import UNSUPPORTED, Finding
from unetscope.wording import found

CLASS = "UNetSpatioTemporalConditionModel"
TIME_ID = 256
"""Dimension of each embedded number beside the time, such as frames a second."""

SETTLED: dict[str, Any] = {
    "disable_temporal_crossattention": False,
    "dropout": 0,
    "extra_ff_mix_layer": True,
    "max_ddpm_temb_period": 10_000,
    "merge_strategy": "learned_with_images",
    "num_classes": "sequential",
    "resblock_updown": False,
    "time_context_dim": None,
    "time_downup": False,
    "use_linear_in_transformer": True,
    "use_scale_shift_norm": False,
    "use_spatial_context": True,
    "video_kernel_size": (3, 1, 1),
}
"""Arguments for which the class has no options, and what it is."""


def video_problems(network: OriginalNetwork, arguments: VideoArguments) -> Iterator[Finding]:
    """What diffusers' class cannot be, of arguments without other problems."""
    for name, value in SETTLED.items():
        given = getattr(arguments, name)
        if given != value:
            said = _spelled(given) if name in network.params else f"none, so {_spelled(given)}"
            hint = f"{CLASS}, which is the nearest, is this alone"
            message = f"expected {_spelled(value)}, found {said}"
            yield UNSUPPORTED.at(network.argument(name), message, hint)
    if isinstance(arguments.num_res_blocks, tuple):
        yield expected(network, "num_res_blocks", "one number, as the original has one")
    if (arguments.adm_in_channels or 0) % TIME_ID:
        what = f"a multiple of {TIME_ID}, the dimension of each number that is embedded"
        yield expected(network, "adm_in_channels", what)


def _spelled(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else found(value)


def video(network: OriginalNetwork) -> Translation:
    """The options that arguments without problems mean."""
    arguments = network.arguments
    assert isinstance(arguments, VideoArguments)
    made = Translation(network, notes=notes_on(network, arguments))
    attending = [f"{'CrossAttn' if each else ''}" for each in arguments.attending]
    down = [f"{each}DownBlockSpatioTemporal" for each in attending]
    up = [f"{each}UpBlockSpatioTemporal" for each in reversed(attending)]
    width, channels = arguments.num_head_channels, list(arguments.channels)
    heads = [max(each // width, 1) for each in channels] if width > 0 else arguments.num_heads
    context = arguments.context_dim
    made.put("in_channels", arguments.in_channels, "in_channels")
    made.put("out_channels", arguments.out_channels, "out_channels")
    made.put("down_block_types", down, "attention_resolutions")
    made.put("up_block_types", up, "attention_resolutions")
    made.put("block_out_channels", channels, "channel_mult")
    made.put("addition_time_embed_dim", TIME_ID, "adm_in_channels")
    vector = arguments.adm_in_channels
    made.put("projection_class_embeddings_input_dim", vector, "adm_in_channels")
    made.put("layers_per_block", arguments.num_res_blocks, "num_res_blocks")
    width_of_text = context[0] if isinstance(context, tuple) else context
    made.put("cross_attention_dim", width_of_text, "context_dim")
    made.put("transformer_layers_per_block", depths(arguments), "transformer_depth")
    made.put("num_attention_heads", heads, "num_head_channels" if width > 0 else "num_heads")
    return made
