"""MONAI: nested skip modules, gates, padding on the way, and networks in one and three dims."""

from __future__ import annotations

import pytest
import torch

nets = pytest.importorskip("monai.networks.nets")

SIDE = 32


def image(dims=2, channels=1):
    return torch.zeros(1, channels, *[SIDE] * dims)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_unet_of_nested_modules(traced, dims):
    """`Sequential(down, SkipConnection(inner), up)`: one skip a level, the bottom has none."""
    found = traced(
        lambda: nets.UNet(dims, 1, 2, channels=(4, 8, 16), strides=(2, 2)), [image(dims)], real=True
    )
    assert found.pushed == ["model.1.submodule.0", "model.0"]
    assert found.joined_in == ["model.1.submodule.1", "model.1"]
    assert found.pushes == [1, 0]
    parts = {row[0].data: row[1].data for row in found.tables()["parts"].rows}
    assert parts["middle"] == ["model.1.submodule.1.submodule"]
    assert parts["decoder"] == ["model.1.submodule.2", "model.2"]


def test_its_residual_units_hold_no_skips(traced):
    found = traced(
        lambda: nets.UNet(2, 1, 2, channels=(4, 8, 16, 32), strides=(2, 2, 2), num_res_units=2),
        [image()],
    )
    assert len(found.pushed) == 3
    assert "+" not in {found.network.join(skip).name for skip in found.record.skips}


@pytest.mark.parametrize("side", [32, 36], ids=["even", "odd"])
def test_basic_unet(traced, side):
    """`forward` names them: x0 … x3 are joined, x4 is the bottom. Odd sizes are padded."""
    found = traced(
        lambda: nets.BasicUNet(2, 1, 2, features=(4, 4, 8, 16, 32, 4)),
        [torch.zeros(1, 1, side, side)],
        real=True,
    )
    assert found.pushed == ["down_3", "down_2", "down_1", "conv_0"]
    assert found.joined_in == ["upcat_4", "upcat_3", "upcat_2", "upcat_1"]


def test_gated_skips(traced):
    """Each `AttentionLayer` joins `x * psi(x, decoder)`: still the encoder's x."""
    found = traced(
        lambda: nets.AttentionUnet(2, 1, 2, channels=(4, 8, 16), strides=(2, 2)),
        [image()],
        real=True,
    )
    assert found.pushed == ["model.1.submodule.0", "model.0"]
    assert found.joined_in == ["model.1.submodule.1", "model.1"]


def test_diffusion_model(traced):
    """As diffusers': conv_in, then each level's blocks and downsampler; 1 + 3 * 1 + 2 are popped.

    `contiguous` follows its attentions, and makes a tensor of its own.
    """
    found = traced(
        lambda: nets.DiffusionModelUNet(
            2,
            1,
            1,
            num_res_blocks=1,
            channels=(8, 8, 16),
            attention_levels=(False, False, True),
            norm_num_groups=4,
            num_head_channels=4,
        ),
        [image()],
        {"timesteps": torch.zeros(1, dtype=torch.int64)},
        real=True,
    )
    assert found.pushed == [
        "Tensor.contiguous in down_blocks.2",
        "down_blocks.1.downsampler",
        "down_blocks.1.resnets.0",
        "down_blocks.0.downsampler",
        "down_blocks.0.resnets.0",
        "conv_in",
    ]
    assert found.joined_in == [f"up_blocks.{index // 2}" for index in range(6)]


def test_additions_of_a_root(traced):
    """SegResNet: `x = up(x) + down_x[i + 1]`, one for each of three levels above the last."""
    found = traced(lambda: nets.SegResNet(2, init_filters=8), [image()])
    assert found.pushed == ["down_layers.2", "down_layers.1", "down_layers.0"]
    assert found.joined_in == ["", "", ""]


def test_dropout_on_the_way_hands_skips_through(traced):
    """VNet drops channels of its skips by `Dropout3d`, even of images, where it makes views."""
    found = traced(lambda: nets.VNet(spatial_dims=2), [image()], real=True)
    assert found.pushed == ["down_tr128", "down_tr64", "down_tr32", "in_tr"]


def test_dense_joins(traced):
    """`BasicUNetPlusPlus.forward` names each node; of `cat([x_0_0, x_0_1], dim=1)` one is a skip.

    Each `upcat_i_1` joins its level (4), `upcat_i_2` adds one of two (3), `upcat_i_3` two of three
    (2 * 2) and `upcat_0_4` three of four: 14 of 7 tensors, as in segmentation-models-pytorch.
    """
    found = traced(
        lambda: nets.BasicUNetPlusPlus(2, 1, 2, features=(4, 4, 8, 16, 32, 4)), [image()]
    )
    ledger = found.tables()["ledger"].data
    assert (ledger["pushed"], ledger["popped"]) == (7, 14)


def test_networks_whose_constructor_looks_at_values_are_built_on_the_cpu(traced):
    """SwinUNETR asks `.item()` of its rates. Its skips pass convolutions, `hidden_states[3]` none.

    `enc0 = encoder1(x_in)` and so on are new features beside the ones that the decoder was
    computed from; `decoder5` joins what `layers3` was given, and `encoder10` goes on from there.
    """
    found = traced(
        lambda: nets.SwinUNETR(1, 2, spatial_dims=2, feature_size=12), [torch.zeros(1, 1, 64, 64)]
    )
    assert found.joined_in == ["decoder5"]
