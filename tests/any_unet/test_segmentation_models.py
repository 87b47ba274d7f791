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
    """`x_i_j` joins `features[j + 1]` to what lies below it.

    In `blocks`: `x_j_j` takes `features[j]` and joins `features[j + 1]`, for j in 0..3. In the
    decoder: before `x_i_j` come `x_{i+1}_j` … `x_j_j` and `features[j + 1]`. Each but the first was
    used to compute it (`x_j_j` stands in what made `x_{i+1}_j`), so they are its skips:
    (i, j) = (0, 1), (1, 2), (2, 3) have 1, (0, 2) and (1, 3) have 2, (0, 3) has 3.
    What `x_i_j` then joins to `x_i_{j-1}` is that concatenation, which came from elsewhere.
    """
    found = traced(unet("UnetPlusPlus"), [IMAGE])
    in_blocks = [(f"decoder.blocks.x_{j}_{j}", LEVELS[j]) for j in range(4)]
    nodes = {j: f"decoder.blocks.x_{j}_{j}" for j in (1, 2, 3)}
    in_decoder = [
        *LEVELS[1:],
        *(nodes[2], LEVELS[2], nodes[3], LEVELS[3]),
        *("decoder.blocks.x_2_3", nodes[3], LEVELS[3]),
    ]
    assert list(zip(found.joined_in, found.pushed, strict=True)) == [
        *in_blocks,
        *(("decoder", name) for name in in_decoder),
    ]
    ledger = found.tables()["ledger"].data
    assert (ledger["pushed"], ledger["popped"], ledger["last_in_first_out"]) == (7, 14, False)
    # By then `x_2_2` was newer than `relu`, `x_3_3` newer than both of the others.
    assert ledger["out_of_order_pops"][0] == 3


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


def test_pyramids_join_what_was_computed_beside(traced):
    """FPN adds `conv(skip)`, a new feature of the encoder's, to the decoder: by the rule none."""
    assert traced(unet("FPN"), [IMAGE]).pushed == []
