"""Which value of a config a change is laid to."""

import pytest
from small_networks import narrow

from unetscope.analysis.diff import COSTS, diff
from unetscope.analysis.diff.configs import cause, nearest_place


def causes(*overrides):
    """Of each change but the costs: its id, place, and the value it is laid to."""
    old, new = narrow(), narrow(*overrides)
    found = diff(old, new)
    return {(c.id, c.where): cause(c, found, new) for c in found.changes if c.id not in COSTS}


def test_one_value_that_differs_causes_everything():
    assert set(causes("block_out_channels=[8, 24]").values()) == {("unet", "block_out_channels", 1)}


@pytest.mark.parametrize("first", [0, 1])
def test_of_several_the_one_that_shapes_the_module(first):
    overrides = ["in_channels=5", "cross_attention_dim=10"]
    found = causes(*(overrides if first else overrides[::-1]))
    assert found["param-reshaped", "conv_in.weight"] == ("unet", "in_channels")
    assert found["param-reshaped", ""] == ("unet", "cross_attention_dim")


def test_without_a_config_there_is_no_cause():
    old, new = narrow(), narrow("in_channels=5")
    found = diff(old, new)
    without = type(found)(found.old, found.new, found.changes, found.totals)
    assert cause(found.changes[0], without, new) == ()


def test_a_value_that_stands_nowhere_is_laid_to_its_section():
    places = {("unet",): "unet", ("unet", "in_channels"): "in"}
    assert nearest_place(("unet", "in_channels"), places) == "in"
    assert nearest_place(("unet", "dropout"), places) == "unet"
    assert nearest_place(("inputs", "height"), places) is None
