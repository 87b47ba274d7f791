"""segmentation-models-pytorch: features in a list, consumed in reverse; added; densely joined.

Its encoders return the image, then one feature a level; its decoders drop the image, by
`features[1:]`, and turn the list round. ResNet's levels are `relu` (a half), `layer1` (a quarter) …
`layer4`, which is where the decoder begins: four skips are left.
"""

from __future__ import annotations

import pytest
import torch

smp = pytest.importorskip("segmentation_models_pytorch")

IMAGE = torch.zeros(1, 3, 64, 64)
LEVELS = ["encoder.layer3", "encoder.layer2", "encoder.layer1", "encoder.relu"]


def unet(kind="Unet", encoder="resnet18", **more):
    return lambda: getattr(smp, kind)(encoder, encoder_weights=None, **more)


def test_unet(traced):
    found = traced(unet(), [IMAGE], real=True)
    assert found.pushed == LEVELS
    assert found.joined_in == [f"decoder.blocks.{index}" for index in range(4)]
    assert found.pushes == [3, 2, 1, 0]


def test_its_levels_are_the_blocks(traced):
    parts = {row[0].data: row[1].data for row in traced(unet(), [IMAGE]).tables()["parts"].rows}
    assert parts["encoder"][-4:] == [f"encoder.layer{number}" for number in (1, 2, 3, 4)]
    assert parts["decoder"] == [f"decoder.blocks.{index}" for index in range(5)]
    assert parts["exit"] == ["segmentation_head"]
    assert "middle" not in parts  # `decoder.center` is an Identity


def test_attention_beside_the_join(traced):
    """`scse` gates what was joined, and its halves are added at one resolution: no skips."""
    found = traced(unet(decoder_attention_type="scse"), [IMAGE])
    assert found.pushed == LEVELS


def test_linknet_adds(traced):
    """Each of its blocks returns `self.block(x) + skip`; the last has none."""
    found = traced(unet("Linknet"), [IMAGE], real=True)
    assert found.pushed == LEVELS
    assert {found.network.join(skip).name for skip in found.record.skips} == {"+"}


def test_manet_weighs_what_it_joins(traced):
    """Its decoder's own features are gated by the skip before the two are joined."""
    found = traced(unet("MAnet"), [IMAGE])
    assert found.pushed == LEVELS


def test_unet_plus_plus_joins_densely(traced):
    """`x_i_j` joins `features[j + 1]` and the nodes of its level to what lies below it.

    In `blocks`: `x_j_j` takes `features[j]` and joins `features[j + 1]`, for j in 0..3. Then
    `x_i_j` joins to the upsampled `x_i_{j-1}` the concatenation of `x_{i+1}_j` … `x_j_j` and
    `features[j + 1]`: nodes of one level, each of which met its own way up. One concatenation of
    another is one join: 4 + 3 * 2 + 2 * 3 + 1 * 4 = 20 pops of 10 tensors.
    """
    found = traced(unet("UnetPlusPlus"), [IMAGE])
    node = "decoder.blocks.x_{}_{}".format
    assert found.edges == sorted(
        (pushed, node(i, j))
        for j in range(4)
        for i in range(j + 1)
        for pushed in (LEVELS[j], *(node(k, j) for k in range(i + 1, j + 1)))
    )
    ledger = found.tables()["ledger"].data
    assert (ledger["pushed"], ledger["popped"], ledger["last_in_first_out"]) == (20, 20, False)


def test_encoders_of_other_kinds(traced):
    """EfficientNet's blocks have residuals, squeeze and excite, and names of their own."""
    found = traced(unet(encoder="efficientnet-b0"), [IMAGE])
    assert len(found.pushed) == 4
    assert all(name.startswith("encoder._") for name in found.pushed)
    assert found.pushes == [3, 2, 1, 0]


def test_residuals_around_attention_that_pools_its_keys_are_none(traced):
    """SegFormer's encoder has three levels beside its last; half the image is a dummy, empty."""
    found = traced(unet(encoder="mit_b0"), [IMAGE])
    assert found.joined_in == [f"decoder.blocks.{index}" for index in range(3)]
    shapes = [found.network.spec(skip.value).shape for skip in found.record.skips]
    assert shapes == [(1, 160, 4, 4), (1, 64, 8, 8), (1, 32, 16, 16)]


@pytest.mark.parametrize("policy", ["add", "cat"])
def test_pyramids(traced, policy):
    """FPN adds `skip_conv(skip)` to the interpolated level above; its levels merge as branches."""
    found = traced(unet("FPN", decoder_merge_policy=policy), [IMAGE])
    assert found.pushed == LEVELS[:3]
    assert found.joined_in == ["decoder.p4", "decoder.p3", "decoder.p2"]


def test_pyramids_below_pooled_features(traced):
    """UPerNet's levels pass a norm and a convolution; what PSP pools from the deepest is no skip.

    Its levels, brought to one size at last, are branches: none meets a way that was below it.
    """
    found = traced(unet("UPerNet"), [IMAGE])
    assert found.pushed == LEVELS[:3]
    assert found.joined_in == [f"decoder.fpn_lateral_blocks.{index}" for index in range(3)]


def test_deeplab(traced):
    """`block1(features[2])` joins the upsampled ASPP in V3+; in V3 nothing does."""
    found = traced(unet("DeepLabV3Plus"), [IMAGE])
    assert found.edges == [("encoder.layer1", "decoder")]
    assert traced(unet("DeepLabV3"), [IMAGE]).edges == []


def test_pooled_ways_beside_a_feature_are_branches(traced):
    assert traced(unet("PSPNet"), [IMAGE]).edges == []


def test_pyramid_attention(traced):
    """PAN: two skips inside of its attention, which is a small U, then one a level above it.

    `layer4` works at the resolution of `layer3` (`encoder_output_stride=16`), and the attention's
    own result stays there by its middle way: what `gau3` adds to it is a residual.
    """
    found = traced(unet("PAN"), [torch.zeros(1, 3, 256, 256)])
    assert list(zip(found.pushed, found.joined_in, strict=True)) == [
        ("decoder.fpa.down2", "decoder.fpa"),
        ("decoder.fpa.down1", "decoder.fpa"),
        ("encoder.layer2", "decoder.gau2"),
        ("encoder.layer1", "decoder.gau1"),
    ]


def test_all_levels_in_one_join(traced):
    """SegFormer's head brings four levels to a quarter: three meet what was lower than they."""
    found = traced(unet("Segformer", "mit_b0"), [IMAGE])
    assert found.joined_in == ["decoder"] * 3
    shapes = {found.network.spec(skip.value).shape[1] for skip in found.record.skips}
    assert shapes == {160, 64, 32}


def test_hidden_states_at_four_resolutions(traced):
    """DPT reassembles blocks of a ViT, then fuses them from coarse to fine: three skips."""
    found = traced(
        unet("DPT", "tu-vit_tiny_patch16_224", decoder_intermediate_channels=(8,) * 4,
             decoder_fusion_channels=8, dynamic_img_size=True),
        [IMAGE],
    )  # fmt: skip
    assert found.joined_in == [f"decoder.fusion_blocks.{index}" for index in (1, 2, 3)]
    blocks = [int(name.removeprefix("encoder.model.blocks.")) for name in found.pushed]
    assert blocks == sorted(blocks, reverse=True)
