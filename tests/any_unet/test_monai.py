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

    What `contiguous` copies after its attentions is the same tensor.
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
        "down_blocks.2.attentions.0",
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
    # What stands between the last push and the first join goes down a level or comes back up.
    assert found.parts["encoder"][-1] == "down_layers.3"
    assert (found.parts["middle"], found.parts["decoder"][0]) == ([], "up_samples.0")


def test_dropout_on_the_way_hands_skips_through(traced):
    """VNet drops channels of its skips by `Dropout3d`, even of images, where it makes views."""
    found = traced(lambda: nets.VNet(spatial_dims=2), [image()], real=True)
    assert found.pushed == ["down_tr128", "down_tr64", "down_tr32", "in_tr"]


def test_dense_joins(traced):
    """`BasicUNetPlusPlus.forward` names each node: `upcat_i_j` joins the j before it on its level.

    `cat([x_0_0, x_0_1], dim=1)`, which it joins, is a part of the same join. Each of its operands
    was pushed and meets what came up from below: 4 + 3 * 2 + 2 * 3 + 4 = 20 of 10 tensors.
    """
    found = traced(
        lambda: nets.BasicUNetPlusPlus(2, 1, 2, features=(4, 4, 8, 16, 32, 4)), [image()]
    )
    nodes = [(i, j) for j in range(1, 5) for i in range(5 - j)]
    assert found.edges == sorted(
        (f"upcat_{i}_{k}" if k else f"conv_{i}_0", f"upcat_{i}_{j}")
        for i, j in nodes
        for k in range(j)
    )
    ledger = found.tables()["ledger"].data
    assert (ledger["pushed"], ledger["popped"], ledger["last_in_first_out"]) == (20, 20, False)


def test_swin_unetr(traced):
    """It asks `.item()` of its rates, so it is built on the CPU; five features are joined.

    `decoder5` joins `hidden_states_out[3]` as it is; `encoder4`, `encoder3`, `encoder2` convolve
    those before it and `encoder1` the image on the short way, while the Swin transformer goes down.
    """
    found = traced(
        lambda: nets.SwinUNETR(1, 2, spatial_dims=2, feature_size=12), [torch.zeros(1, 1, 64, 64)]
    )
    stages = [f"swinViT.layers{stage}.0" for stage in (3, 2, 1)]
    assert found.pushed == [*stages, "swinViT.patch_embed", "x_in"]
    assert found.joined_in == [f"decoder{index}" for index in (5, 4, 3, 2, 1)]
    assert found.pushes == [4, 3, 2, 1, 0]


def test_unetr(traced):
    """Of twelve blocks `hidden_states_out[9]`, `[6]` and `[3]` are brought up; so is the image.

    All blocks work at a sixteenth: the features are raised to the resolutions of their joins.
    """
    found = traced(
        lambda: nets.UNETR(
            1, 2, SIDE, feature_size=4, hidden_size=12, mlp_dim=12, num_heads=2, spatial_dims=2
        ),
        [image()],
    )
    assert found.pushed == ["vit.blocks.9", "vit.blocks.6", "vit.blocks.3", "x_in"]
    assert found.joined_in == [f"decoder{index}" for index in (5, 4, 3, 2)]
    assert found.pushes == [3, 2, 1, 0]


def test_nnu_net(traced):
    """DynUNet's `DynUNetSkipLayer`: `upsample(nextout, downout)`; its bottleneck is not joined."""
    found = traced(
        lambda: nets.DynUNet(
            2, 1, 2, [3] * 4, (1, 2, 2, 2), [2] * 3, filters=(4, 8, 8, 8), res_block=True
        ),
        [image()],
    )
    assert found.pushed == ["downsamples.1", "downsamples.0", "input_block"]
    assert found.joined_in == ["upsamples.0", "upsamples.1", "upsamples.2"]
    assert found.parts["middle"] == ["bottleneck"]
    assert found.parts["decoder"][0] == "upsamples.0"


def test_sums_of_anisotropic_levels(traced):
    """AHNet adds `fm3`, `fm2`, `fm1`, `pool_x` and `conv_x`; what it pools at last are branches."""
    found = traced(
        lambda: nets.AHNet(spatial_dims=2, upsample_mode="bilinear", psp_block_num=2),
        [torch.zeros(1, 1, 128, 128)],
    )
    assert found.pushed == ["layer3", "layer2", "layer1", "maxpool", "relu"]
    assert set(found.joined_in) == {""}


def test_med_next(traced):
    """`x = x + enc_outputs[-(i + 1)]`, one for each of four stages; its blocks are residual."""
    one = [1] * 4
    found = traced(
        lambda: nets.MedNeXt(
            2, 4, blocks_down=one, blocks_bottleneck=1, blocks_up=one, decoder_expansion_ratio=one,
            encoder_expansion_ratio=one, bottleneck_expansion_ratio=1,
        ),
        [image()],
    )  # fmt: skip
    assert found.pushed == [f"enc_stages.{index}" for index in (3, 2, 1, 0)]
    assert set(found.joined_in) == {""}


@pytest.mark.parametrize("concat", [False, True], ids=["sums", "concatenations"])
def test_registration(traced, concat):
    """RegUNet pushes each `encode_conv`; the mean of its top and its bottom is no third skip."""
    found = traced(
        lambda: nets.RegUNet(
            2, 1, 4, 2, concat_skip=concat, extract_levels=(0, 2), out_channels=2, pooling=True
        ),
        [image()],
    )
    assert found.pushed == ["encode_convs.1", "encode_convs.0"]


WITHOUT = {
    "HighResNet": lambda: nets.HighResNet(2, 1, 2),
    "AutoEncoder": lambda: nets.AutoEncoder(2, 1, 1, (4, 8, 16), (2, 2, 2), num_res_units=2),
    "DenseNet": lambda: nets.DenseNet(2, 1, 2, 8, 4, (2, 3, 2)),
    "ResNet": lambda: nets.ResNet(
        "basic", [1, 1, 1, 1], [4, 8, 8, 16], spatial_dims=2, n_input_channels=1
    ),
    "SEResNet": lambda: nets.SENet(
        2, 1, "se_resnet_bottleneck", (1, 1, 1, 1), 1, 16, inplanes=64, dropout_prob=None
    ),
    "AutoencoderKL": lambda: nets.AutoencoderKL(
        2, 1, 1, (1, 1), (4, 8), (False, True), norm_num_groups=2
    ),
    "ViT": lambda: nets.ViT(1, SIDE, 8, 12, 12, 3, 2, classification=True, spatial_dims=2),
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT)
def test_networks_without_skips(traced, name):
    """What they join is residual, dense or a context; no `forward` keeps a finer feature."""
    assert traced(WITHOUT[name], [image()]).edges == []
