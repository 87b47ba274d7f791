"""Which option most likely made a forward pass fail, from the module that failed."""

from __future__ import annotations

import re

# The first pattern that matches a module's path decides.
_LIKELY = (
    (r"\.attn2\.(to_[kv]|norm_cross)$|\.(add_[kv]_proj|norm_cross)$", "cross_attention_dim"),
    (r"^encoder_hid_proj|^add_embedding\.(image|text|pool|norm1)", "encoder_hid_dim"),
    (r"^controlnet_cond_embedding", "conditioning_channels"),
    (r"\.attn\d(\.|$)|\.attentions\.\d+\.(to_|group_norm)", "attention_head_dim"),
    (r"add_embedding|class_embedding", "projection_class_embeddings_input_dim"),
    (r"time_emb_proj$|^time_embedding", "time_embedding_dim"),
    (r"norm", "norm_num_groups"),
    (r"^conv_in$", "in_channels"),
    (r"^up_blocks\.\d+(\.resnets\.\d+)?", "layers_per_block"),
    (r"^(down_blocks|mid_block)", "block_out_channels"),
)


def likely_key(path: str) -> str | None:
    """The option of `unet` that a failure in the module at `path` most likely comes from."""
    return next((key for pattern, key in _LIKELY if re.search(pattern, path)), None)
