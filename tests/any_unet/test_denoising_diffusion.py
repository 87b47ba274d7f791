"""denoising-diffusion-pytorch: joins in the root, residuals in the open, a module that joins."""

from __future__ import annotations

import pytest
import torch

package = pytest.importorskip("denoising_diffusion_pytorch")

IMAGE = torch.zeros(1, 3, 16, 16)
TIME = torch.zeros(1, dtype=torch.int64)


@pytest.mark.parametrize("self_condition", [False, True])
def test_unet(traced, self_condition):
    """Each level pushes `block1(x)` and `attn(x) + x`; then `r`, the clone of `init_conv`'s.

    `x = attn(x) + x` is a residual, and the sum is the root's own. Self-conditioning joins zeros.
    """
    found = traced(
        lambda: package.Unet(8, dim_mults=(1, 2), self_condition=self_condition),
        [IMAGE, TIME],
        real=True,
    )
    assert found.pushed == ["+", "downs.1.0", "+", "downs.0.0", "init_conv"]
    assert found.pushes == [4, 3, 2, 1, 0]
    assert set(found.joined_in) == {""}
    operations = [row[1].data for row in found.tables()["steps"].rows]
    assert operations.count("torch.cat") == 5


def test_unet_1d(traced):
    """Its attentions are wrapped in `Residual`, so that the sums are modules' too."""
    from denoising_diffusion_pytorch.denoising_diffusion_pytorch_1d import Unet1D

    found = traced(lambda: Unet1D(8, dim_mults=(1, 2), channels=3), [torch.zeros(1, 3, 16), TIME])
    assert found.pushed == ["downs.1.2", "downs.1.0", "downs.0.2", "downs.0.0", "init_conv"]


def test_karras_unet(traced):
    """`input_block` and each of `downs` push; every `ups` that `needs_skip` has `MPCat` join.

    One block a stage and one downsampling make three of `downs`. `MPCat` scales both sides.
    """
    from denoising_diffusion_pytorch.karras_unet import KarrasUnet

    found = traced(
        lambda: KarrasUnet(
            image_size=16,
            dim=8,
            dim_max=16,
            num_downsamples=1,
            attn_res=(8,),
            attn_dim_head=8,
            num_blocks_per_stage=1,
        ),
        [torch.zeros(1, 4, 16, 16), torch.zeros(1)],
        real=True,
    )
    assert found.pushed == ["downs.2", "downs.1", "downs.0", "input_block"]
    assert set(found.joined_in) == {"skip_mp_cat"}
    assert found.pushes == [3, 2, 1, 0]


def test_u_vit_of_simple_diffusion(traced):
    """Each level pushes `block1(x)` and `attn(block2(x))`; a transformer works on the lowest.

    `r`, the clone of what `init_conv` made, is joined at last.
    """
    from denoising_diffusion_pytorch.simple_diffusion import UViT

    found = traced(
        lambda: UViT(8, dim_mults=(1, 2), vit_depth=1, attn_dim_head=4, attn_heads=2),
        [IMAGE, torch.zeros(1)],
    )
    assert found.pushed == ["downs.1.2", "downs.1.0", "downs.0.2", "downs.0.0", "init_conv"]
    assert found.pushes == [4, 3, 2, 1, 0]
