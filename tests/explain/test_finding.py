"""Modules by path, merge block, CompVis name and glob."""

import pytest

from unetscope.analysis.names import compvis_names, find, nearest_names
from unetscope.analysis.network import Network


@pytest.fixture(scope="module")
def network(sd15):
    return Network(sd15)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("up_blocks.2.resnets.0", ["up_blocks.2.resnets.0"]),
        ("up_blocks[2].resnets[0]", ["up_blocks.2.resnets.0"]),
        ("up_blocks.2.resnets[0].conv1.weight", ["up_blocks.2.resnets.0.conv1"]),
        (".", [""]),
        ("IN05", ["down_blocks.1.resnets.1", "down_blocks.1.attentions.1"]),
        ("in05", ["down_blocks.1.resnets.1", "down_blocks.1.attentions.1"]),
        ("IN03", ["down_blocks.0.downsamplers.0"]),
        ("M00", [f"mid_block.{m}" for m in ("resnets.0", "attentions.0", "resnets.1")]),
        ("input_blocks.1.0.in_layers.2", ["down_blocks.0.resnets.0.conv1"]),
        ("input_blocks[1][0].in_layers.2.bias", ["down_blocks.0.resnets.0.conv1"]),
        ("input_blocks.5", ["down_blocks.1.resnets.1", "down_blocks.1.attentions.1"]),
        ("output_blocks.2", ["up_blocks.0.resnets.2", "up_blocks.0.upsamplers.0"]),
        ("middle_block", ["mid_block"]),
        ("time_embed.2", ["time_embedding.linear_2"]),
        ("down_blocks.?.downsamplers.0", [f"down_blocks.{i}.downsamplers.0" for i in range(3)]),
        ("input_blocks.*.0.op", [f"down_blocks.{i}.downsamplers.0.conv" for i in range(3)]),
        ("mid_block.resnets[1].conv[12]", [f"mid_block.resnets.1.conv{i}" for i in (1, 2)]),
        ("no_such_thing", []),
        ("IN12", []),
    ],
)  # fmt: skip
def test_what_names_mean(network, wanted, found):
    assert list(find(network, wanted)) == found


def test_a_glob_finds_all_in_the_order_of_the_modules(network):
    found = find(network, "*.attn2.to_k")
    assert len(found) == 16
    assert list(found) == [path for path in network.modules if path.endswith(".attn2.to_k")]


def test_every_module_is_found_by_its_path_and_by_its_compvis_name(network):
    for path, name in list(compvis_names(network.modules).items())[::7]:
        assert find(network, path) == (path,)
        assert find(network, name) == (path,)


def test_the_nearest_names(network):
    assert "up_blocks.2.resnets.0" in nearest_names(network, "up_block.2.resnets.0")
    assert "down_blocks.0" in nearest_names(network, "Down_Blocks[0")
    assert nearest_names(network, "quux" * 5) == []
