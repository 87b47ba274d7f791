"""What is said to shape a module is what changes it."""

from __future__ import annotations

from random import Random

import pytest
from perturbed_bases import cut, seeds
from perturbing import observe
from shaped_data import defaults, regenerated

from unetscope.analysis.shaped import OWN, Shaping, data, shaping
from unetscope.config import shipped
from unetscope.families import FAMILIES, find
from unetscope.files import locks
from unetscope.sources import Request, resolve


def named(tree):
    """Every option that a tree of roles names."""
    own = tree if isinstance(tree, str) else tree.get(OWN, "")
    found = {told.removeprefix("+").partition("@")[0] for told in own.split()}
    if isinstance(tree, dict):
        found |= {name for key, each in tree.items() if key != OWN for name in named(each)}
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_every_option_of_every_family_is_accounted_for(family):
    of_family = data()[family]
    lists = [named(of_family["modules"]), of_family["shapes_nothing"], of_family["not_decided"]]
    every = [option for options in lists for option in options]
    again = "run python tests/explain/shaped_data.py"
    assert sorted(every) == sorted(of_family["options"]), again
    assert list(of_family["options"].items()) == list(defaults(family).items()), again


def test_the_data_is_what_is_seen():
    assert regenerated("SimpleUNet") == data()["SimpleUNet"]


def missing(base, seen):
    """What changed a module of a base and is not named for it."""
    options_of = Shaping(base.family, base.options, seen.kinds)
    lacking = set()
    for path, changes in seen.changes.items():
        keys = options_of.keys(path)
        options = {key.partition(".")[0] for key in keys}
        for change in changes:
            is_list = isinstance(base.value(change.option), list)
            key = f"{change.option}.{change.entry}" if is_list and change.length else change.option
            if key not in keys and (change.option not in keys or key == change.option):
                lacking.add((path, key, change.option in options))
    return lacking


def test_every_module_of_every_shipped_network_has_a_role():
    for path in sorted((shipped()["sd15"].parent / "locks").glob("*.lock")):
        lock = locks.load(path)
        found = shaping(lock.config, {module.path: module.kind for module in lock.modules}, "")
        assert found is not None, path
        assert found[0].keys("") is not None, path


@pytest.mark.parametrize(
    ("family", "count"), [("UNet2DConditionModel", 5), ("UNet2DModel", 5), ("ControlNetModel", 5)]
)
def test_what_changes_a_module_is_named_for_it(family, count):
    base = cut(next(seeds(family)), 3)
    drawn = Random(family).sample(sorted(base.keys), count)
    seen = observe(base, {*find(family).channel_keys[:1], *drawn})
    assert seen.changes
    assert missing(base, seen) == set()


def named_for(trace):
    """A function from a path to the options named for the module there."""
    kinds = {module.path: module.kind for module in trace.modules}

    def of(path):
        shaping_of, inner = shaping(trace.config, kinds, path)
        return shaping_of.keys(inner)

    return of


def test_entries_of_lists(sd15):
    of = named_for(sd15)
    assert of("conv_in") == ("in_channels", "block_out_channels.0", "conv_in_kernel")
    assert of("conv_norm_out") == ("block_out_channels.0", "norm_num_groups", "norm_eps")
    # What comes in is the level's above, what goes out its own.
    conv1 = of("down_blocks.2.resnets.0.conv1")
    assert conv1[:2] == ("block_out_channels.1", "block_out_channels.2")
    assert "block_out_channels.1" not in of("down_blocks.2.resnets.1.conv1")
    # Up blocks are counted from the lowest resolution up.
    assert "block_out_channels.2" in of("up_blocks.1.resnets.1.conv2")
    assert "up_block_types.1" in of("up_blocks.1.attentions.0.proj_in")
    assert "down_block_types.1" not in of("up_blocks.1.attentions.0.proj_in")


def test_a_container_is_shaped_by_all_that_shapes_what_is_in_it(sd15):
    of = named_for(sd15)
    for path in [module.path for module in sd15.modules][::7]:
        above = path.rpartition(".")[0]
        named_above = set(of(above))
        for key in of(path):
            assert {key, key.partition(".")[0]} & named_above, (path, key)


def test_a_controlnet_and_its_unet_have_their_own_options():
    of = named_for(resolve(Request("sd15", controlnet="controlnet_sd15")).trace())
    assert "conditioning_channels" in of("controlnet.controlnet_cond_embedding.conv_in")
    assert of("unet.conv_in")[0] == "in_channels"


def test_a_module_that_was_never_seen_is_not_explained():
    options = Shaping("SimpleUNet", {}, {"": "", "down1": "DownBlock", "down1.other": "Conv3d"})
    assert options.keys("down1.other") is None
    assert options.keys("down1") is None
    assert shaping({"family": "Another", "unet": {}}, {}, "") is None
