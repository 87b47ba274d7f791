"""Names and shapes of what embeds the conditions of diffusers' UNets."""

from __future__ import annotations

from unetscope.families.diffusers.inputs import HINT_CHANNELS
from unetscope.families.diffusers.listed import Listed
from unetscope.families.diffusers.supported import needed
from unetscope.families.diffusers.unet2d import UNet2DConfig
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

HINT_WIDTHS = (3, 16, 16, 32, 32, 96, 96, 256, HINT_CHANNELS)
"""Channels of a hint between the convolutions that shrink it."""
IMAGE_TOKENS = {"image_proj": 32, "text_image_proj": 10}
"""Tokens that an image's vector becomes."""
BOX_FEATURES = 64
"""Sines and cosines of the box of one of GLIGEN's objects."""
GATE_HIDDEN = 512


def add_conditions(add: Listed, config: UNet2DConditionConfig | UNet2DConfig) -> None:
    """Lists what makes a vector of the time and of all that is added to it, and tokens."""
    time = config.time_embed_dim
    if isinstance(config, UNet2DConfig):
        if config.time_embedding_type == "fourier":
            add["time_proj.weight"] = (config.block_out_channels[0],)
        elif config.time_embedding_type == "learned":
            steps = needed(config.num_train_timesteps)
            add["time_proj.weight"] = (steps, config.block_out_channels[0])
        add.mlp("time_embedding", config.timestep_input_dim, time)
        if config.class_embed_type == "timestep":
            add.mlp("class_embedding", config.timestep_input_dim, time)
        elif config.class_embed_type is None and config.num_class_embeds is not None:
            add["class_embedding.weight"] = (config.num_class_embeds, time)
        return
    if config.time_embedding_type == "fourier":
        add["time_proj.weight"] = (time // 2,)
    add.mlp("time_embedding", config.timestep_input_dim, time)
    if config.time_cond_proj_dim is not None:
        shape = (config.timestep_input_dim, config.time_cond_proj_dim)
        add["time_embedding.cond_proj.weight"] = shape
    _add_classes(add, config, time)
    _add_addition(add, config, time)
    _add_tokens(add, config)


def _add_classes(add: Listed, config: UNet2DConditionConfig, time: int) -> None:
    dim = config.projection_class_embeddings_input_dim
    match config.class_embed_type:
        case "timestep":
            add.mlp("class_embedding", config.timestep_input_dim, time)
        case "projection":
            add.mlp("class_embedding", needed(dim), time)
        case "simple_projection":
            add.linear("class_embedding", needed(dim), time)
        case None if config.num_class_embeds is not None:
            add["class_embedding.weight"] = (config.num_class_embeds, time)


def _add_addition(add: Listed, config: UNet2DConditionConfig, time: int) -> None:
    path, read = "add_embedding", config.cross_attention_dim
    match config.addition_embed_type:
        case "text_time":
            add.mlp(path, needed(config.projection_class_embeddings_input_dim), time)
        case "text":
            given = config.encoder_hid_dim or read
            assert isinstance(given, int)
            add.norm(f"{path}.norm1", given)
            add[f"{path}.pool.positional_embedding"] = (1, given)
            for part in ("k_proj", "q_proj", "v_proj"):
                add.linear(f"{path}.pool.{part}", given, given)
            add.linear(f"{path}.proj", given, time)
            add.norm(f"{path}.norm2", time)
        case "text_image":
            assert isinstance(read, int)
            add.linear(f"{path}.text_proj", read, time)
            add.norm(f"{path}.text_norm", time)
            add.linear(f"{path}.image_proj", read, time)
        case "image" | "image_hint" as kind:
            add.linear(f"{path}.image_proj", needed(config.encoder_hid_dim), time)
            add.norm(f"{path}.image_norm", time)
            for index in range(len(HINT_WIDTHS) - 1) if kind == "image_hint" else ():
                given, made = HINT_WIDTHS[index : index + 2]
                add.conv(f"{path}.input_hint_block.{2 * index}", given, made)


def _add_tokens(add: Listed, config: UNet2DConditionConfig) -> None:
    kind, path, read = config.token_projection, "encoder_hid_proj", config.cross_attention_dim
    if kind is None:
        return
    given = needed(config.encoder_hid_dim)
    assert isinstance(read, int)
    match kind:
        case "text_proj":
            add.linear(path, given, read)
        case "text_image_proj":
            add.linear(f"{path}.image_embeds", read, IMAGE_TOKENS[kind] * read)
            add.linear(f"{path}.text_proj", given, read)
        case "image_proj":
            add.linear(f"{path}.image_embeds", given, IMAGE_TOKENS[kind] * read)
            add.norm(f"{path}.norm", read)


def add_gates(add: Listed, dim: int, *, with_images: bool) -> None:
    """Lists what makes tokens of GLIGEN's objects."""
    path = "position_net"
    for part in ("linears_text", "linears_image") if with_images else ("linears",):
        add.linear(f"{path}.{part}.0", dim + BOX_FEATURES, GATE_HIDDEN)
        add.linear(f"{path}.{part}.2", GATE_HIDDEN, GATE_HIDDEN)
        add.linear(f"{path}.{part}.4", GATE_HIDDEN, dim)
    for part in ("text", "image") if with_images else ("positive",):
        add[f"{path}.null_{part}_feature"] = (dim,)
    add[f"{path}.null_position_feature"] = (BOX_FEATURES,)
