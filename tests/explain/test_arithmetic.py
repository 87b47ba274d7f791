"""Formulas come to what torch counts, and channels to what the layers take."""

from math import prod

import pytest
import torch
from diffusers import UNet2DConditionModel

from unetscope.analysis.arithmetic import below, layers, macs, parameter_terms, total
from unetscope.analysis.attention import Reading, attentions
from unetscope.analysis.network import Network
from unetscope.analysis.origins import ChannelSource, Origins
from unetscope.analysis.producers import Producer


@pytest.fixture(scope="module")
def network(sd15):
    return Network(sd15)


@pytest.fixture(scope="module")
def theirs():
    with torch.device("meta"):
        return UNet2DConditionModel(cross_attention_dim=768)


def test_formulas_come_to_the_parameters(network, theirs):
    for path, module in theirs.named_modules():
        own = sum(p.numel() for p in module.parameters(recurse=False))
        terms = parameter_terms(network.modules[path])
        assert total(terms) == own
        assert below(network, path) == sum(p.numel() for p in module.parameters())
        if isinstance(module, torch.nn.Conv2d):
            kernel = (*module.kernel_size, module.in_channels, module.out_channels)
            assert terms[0] == kernel
        if isinstance(module, torch.nn.Linear):
            assert terms[0] == (module.in_features, module.out_features)


def test_layers_add_up_to_their_module(network):
    for path in ("", "up_blocks.2", "mid_block.attentions.0", "up_blocks.2.resnets.0", "conv_in"):
        call = next(i for i, s in enumerate(network.trace.steps) if s.module == path)
        found = layers(network, path)
        assert sum(layer.parameters for layer in found) == below(network, path)
        assert sum(layer.macs for layer in found) == macs(network, call) > 0


def test_products_come_to_the_multiply_adds(network):
    (conv,) = layers(network, "up_blocks.2.resnets.0.conv1")
    # One sample, 32x32 positions, a 3x3 kernel from 1920 to 640 channels.
    assert conv.mac_terms == ((1, 32, 32, 3, 3, 1920, 640),)
    assert prod(conv.mac_terms[0]) == conv.macs
    product = layers(network, "down_blocks.0.attentions.0.transformer_blocks.0.attn2")[3]
    assert product.mac_terms == ((2, 1, 8, 4096, 77, 40),)
    for path in network.modules:
        for layer in layers(network, path) if path.count(".") > 2 else ():
            assert layer.mac_terms is None or total(layer.mac_terms) == layer.macs
            assert layer.parameter_terms is None or total(layer.parameter_terms) == layer.parameters


# Channels


def test_the_channels_of_every_joined_resnet(network):
    origins = Origins(network)
    ups = [p for p, m in network.modules.items() if m.kind == "ResnetBlock2D" and p[:2] == "up"]
    sums = []
    for path in ups:
        step = next(s for s in network.trace.steps if s.module == path)
        carried, skip = origins.sources(step.inputs[0].value)
        expected = network.modules[f"{path}.conv1"].attributes["in_channels"]
        assert carried.channels + skip.channels == expected
        assert carried.push is None
        sums.append(skip.push)
    assert sums == list(range(11, -1, -1))


def test_the_card_s_example(network):
    step = next(s for s in network.trace.steps if s.module == "up_blocks.2.resnets.0")
    expected = (
        ChannelSource(1280, Producer("up_blocks.1.upsamplers.0")),
        ChannelSource(640, Producer("down_blocks.1.attentions.1"), 5),
    )
    origins = Origins(network)
    assert origins.sources(step.inputs[0].value) == expected
    # Norm and activation pass channels on.
    inner = next(s for s in network.trace.steps if s.module == "up_blocks.2.resnets.0.conv1")
    assert origins.sources(inner.inputs[0].value) == expected


def test_inputs_have_their_names(network):
    origins = Origins(network)
    step = next(s for s in network.trace.steps if s.module.endswith("attn2"))
    assert [str(origins.of(argument.value)) for argument in step.inputs] == [
        "down_blocks.0.attentions.0.transformer_blocks.0.norm2",
        "encoder_hidden_states",
    ]


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("up_blocks.2.resnets.0", "up_blocks.2.resnets.0.conv2"),
        ("up_blocks.2", "up_blocks.2.upsamplers.0.conv"),
        ("mid_block.attentions.0", "mid_block.attentions.0.proj_out"),
        ("time_embedding", "time_embedding.linear_2"),
        ("conv_norm_out", None),
    ],
)
def test_the_layer_that_sets_the_channels(network, path, layer):
    call = next(i for i, s in enumerate(network.trace.steps) if s.module == path)
    assert Origins(network).last_layer(call) == layer


# Attention


def test_heads_and_tokens_are_those_of_the_config(network):
    found = {network.path(a.call): a for a in attentions(network)}
    assert len(found) == 32
    for path, attention in found.items():
        width = network.modules[f"{path}.to_q"].attributes["in_features"]
        size = {320: 64, 640: 32, 1280: 8 if path.startswith("mid") else 16}[width]
        assert attention.heads(1) == 8
        assert attention.head_dim == width // 8
        crosses = path.endswith("attn2")
        assert attention.tokens == (size * size, 77 if crosses else size * size)
        assert (attention.reading is Reading.CROSS) is crosses
        assert (attention.key == attention.query) is not crosses
