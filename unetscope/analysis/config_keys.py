"""Which options of a config shape a module: a table of roles, without torch.

For layers it names the options that set their channels and settings; for a module that holds
others, those that decide what it holds. A container is shaped by all that shapes what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WIDTH = ("block_out_channels",)
_TEMB = (*_WIDTH, "time_embedding_dim", "time_embedding_type")
_ADDED = ("addition_embed_type", "projection_class_embeddings_input_dim")
_BLOCK = ("block_out_channels", "layers_per_block")
_UP = (*_BLOCK, "up_layers_per_block")
_TOLD = "resnet_time_scale_shift"
_ATTENTION = (*_WIDTH, "attention_head_dim")
_TRANSFORMER = ("transformer_layers_per_block", "use_linear_projection", "dual_cross_attention")
_SIN = ("flip_sin_to_cos", "freq_shift")

# The index of a list is N; roles are tried in order.
ROLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"conv_in", ("in_channels", *_WIDTH, "conv_in_kernel")),
    (r"conv_out", (*_WIDTH, "out_channels", "conv_out_kernel")),
    (r"conv_norm_out", (*_WIDTH, "norm_num_groups", "norm_eps")),
    (r"conv_act", ("act_fn",)),
    (r"time_proj", (*_WIDTH, "time_embedding_type", *_SIN)),
    (r"time_embedding\.linear_1", _TEMB),
    (r"time_embedding\.linear_2", _TEMB),
    (r"time_embedding\.cond_proj", (*_WIDTH, "time_embedding_type", "time_cond_proj_dim")),
    (r"time_embedding\.act", ("act_fn",)),
    (r"time_embedding\.post_act", ("timestep_post_act",)),
    (r"time_embed_act", ("time_embedding_act_fn",)),
    (r"class_embedding\.linear_1", ("class_embed_type", _ADDED[1], *_TEMB)),
    (r"class_embedding\.linear_2", ("class_embed_type", *_TEMB)),
    (r"class_embedding", ("class_embed_type", "num_class_embeds", *_TEMB)),
    (r"add_time_proj", ("addition_embed_type", "addition_time_embed_dim", *_SIN)),
    (r"add_embedding\.linear_1", (*_ADDED, *_TEMB)),
    (r"add_embedding\.linear_2", ("addition_embed_type", *_TEMB)),
    (r"encoder_hid_proj", ("encoder_hid_dim", "encoder_hid_dim_type", "cross_attention_dim")),
    (r"down_blocks\.N", ("down_block_types", *_BLOCK)),
    (r"up_blocks\.N", ("up_block_types", *_UP)),
    (r"mid_block", ("mid_block_type", *_WIDTH)),
    (r"mid_block\.resnets\.N", (*_WIDTH, "mid_block_scale_factor", _TOLD)),
    (r".*\.resnets\.N", (_TOLD,)),
    # Which skip a ResNet of the decoder is joined with depends on how many there are.
    (r"up_blocks\.N\.resnets\.N\.norm1", (*_UP, "norm_num_groups", "norm_eps")),
    (r"up_blocks\.N\.resnets\.N\.conv(1|_shortcut)", _UP),
    (r".*\.resnets\.N\.norm[12]", (*_WIDTH, "norm_num_groups", "norm_eps")),
    (r".*\.resnets\.N\.conv(1|2|_shortcut)", _WIDTH),
    (r".*\.resnets\.N\.time_emb_proj", (*_TEMB, "class_embeddings_concat", _TOLD)),
    (r".*\.resnets\.N\.nonlinearity", ("act_fn",)),
    (r".*\.resnets\.N\.dropout", ("dropout",)),
    (r".*\.downsamplers\.N", ("downsample_padding",)),
    (r".*\.downsamplers\.N\.conv", (*_WIDTH, "downsample_padding")),
    (r".*\.upsamplers\.N\.conv", _WIDTH),
    (r"up_blocks\.N\.attentions\.N", (*_TRANSFORMER, "reverse_transformer_layers_per_block")),
    (r"mid_block\.attentions\.N", (*_TRANSFORMER, "transformer_layers_per_mid_block")),
    (r".*\.attentions\.N", _TRANSFORMER),
    (r".*\.attentions\.N\.norm", (*_WIDTH, "norm_num_groups")),
    (r".*\.attentions\.N\.proj_(in|out)", (*_WIDTH, "use_linear_projection")),
    (r".*\.transformer_blocks\.N", ("only_cross_attention", "attention_type")),
    (r".*\.transformer_blocks\.N\.norm[123]", _WIDTH),
    (r".*\.attn[12]", _ATTENTION),
    (r".*\.attn1\.to_[kv]", (*_WIDTH, "only_cross_attention", "cross_attention_dim")),
    (r".*\.attn2\.to_[kv]", (*_WIDTH, "cross_attention_dim")),
    (r".*\.attn[12]\.(to_q|to_out\.0)", _WIDTH),
    (r".*\.ff\.net\.(0\.proj|2)", _WIDTH),
)
"""Path of a module -> the options of `UNet2DConditionModel` that shape it."""

_PATTERNS = [(re.compile(pattern), keys) for pattern, keys in ROLES]
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")


def config_keys(path: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The options that shape a module.

    Args:
        path: of a module of the `UNet2DConditionModel` family.
        paths: of all modules of the network.
    """
    found: dict[str, None] = {}
    inside = [p for p in paths if p == path or not path or p.startswith(f"{path}.")]
    for role in dict.fromkeys(map(_role, inside)):
        for pattern, keys in _PATTERNS:
            if pattern.fullmatch(role):
                found.update(dict.fromkeys(keys))
                break
    return tuple(found)


def _role(path: str) -> str:
    """A path without the indices that only tell alike modules apart."""
    return _NUMBER.sub(lambda m: m[0] if _is_literal(path, m.start()) else "N", path)


def _is_literal(path: str, at: int) -> bool:
    """Whether an index says what a layer is: of a feed-forward's net, and of what follows it."""
    return path[: at - 1].endswith((".net", "to_out"))
