"""Dimensions of the tokens of known text encoders, by which the encoder of a UNet is recognised.

Sources: the encoders' own published configs (`hidden_size`, `d_model`, `width`).
"""

from __future__ import annotations

TEXT_DIMS = {
    512: "CLIP ViT-B/32, or the class labels of latent diffusion",
    640: "OpenCLIP ViT-B/16-plus",
    768: "CLIP ViT-L/14, BERT base or T5 base",
    1024: "OpenCLIP ViT-H/14, BERT large, XLM-R large or T5 large",
    1280: "OpenCLIP ViT-bigG/14, or latent diffusion's BERT",
    1408: "EVA CLIP ViT-g/14",
    1664: "OpenCLIP ViT-bigG/14's image tokens",
    2048: "SDXL's two encoders side by side (768 + 1280), or T5 XL",
    2304: "Gemma 2 2B",
    3584: "Qwen2.5 7B",
    4096: "T5 XXL, ChatGLM3 6B or Llama 7B",
}
"""Dimension of a token, and which encoders give them."""


def nearest_dim(dim: int) -> int:
    """The known dimension that is nearest."""
    return min(TEXT_DIMS, key=lambda known: abs(known - dim))
