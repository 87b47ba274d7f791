"""A table of before, after and the ids that are expected, with rows that expect nothing."""

from collections import Counter

import pytest
from small_networks import Chain, Listed, SmallUNet, conv, locked, narrow
from torch import nn

from unetscope.analysis.diff import COSTS, SEVERITIES, ChangeSeverity, diff


def ids(old, new):
    """How many changes there are of each id, costs left aside."""
    return dict(Counter(c.id for c in diff(old, new).changes if c.id not in COSTS))


class Padded(nn.Module):
    def __init__(self, amount):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)
        self.amount = amount

    def forward(self, x):
        return nn.functional.pad(self.conv(x), (self.amount,) * 4)


def block(*names):
    layers = {"conv": conv(4, 4), "extra": conv(4, 4, 1)}
    return Chain(names, **{name: layers[name] for name in names})


CASES = {
    "nothing": (lambda: SmallUNet(), lambda: SmallUNet(), {}),
    "a wider level": (
        lambda: SmallUNet(8),
        lambda: SmallUNet(12),
        {"param-reshaped": 2},  # those of 8 -> 12 alone, and those that 16 -> 24 too
    ),
    "one more layer": (
        lambda: Chain(["a"], a=conv(4, 4)),
        lambda: Chain(["a", "b"], a=conv(4, 4), b=conv(4, 4)),
        {"param-added": 1},
    ),
    "one layer less": (
        lambda: Chain(["a", "b"], a=conv(4, 4), b=conv(4, 4)),
        lambda: Chain(["a"], a=conv(4, 4)),
        {"param-removed": 1},
    ),
    "a layer that is not called any more": (
        lambda: Chain(["a", "b"], a=conv(4, 4), b=conv(4, 4)),
        lambda: Chain(["a"], a=conv(4, 4), b=conv(4, 4)),
        {"op-changed": 1},
    ),
    "a layer that is called twice": (
        lambda: Chain(["a"], a=conv(4, 4)),
        lambda: Chain(["a", "a"], a=conv(4, 4)),
        {"op-changed": 1},
    ),
    "another order of calls": (
        lambda: Chain(["a", "b"], a=conv(4, 4), b=conv(4, 4, 1)),
        lambda: Chain(["b", "a"], a=conv(4, 4), b=conv(4, 4, 1)),
        {"flow-changed": 1},
    ),
    "another activation": (
        lambda: Chain(["a", "act"], a=conv(4, 4), act=nn.SiLU()),
        lambda: Chain(["a", "act"], a=conv(4, 4), act=nn.GELU()),
        {"op-changed": 1, "class-renamed": 1},
    ),
    "an activation that was not there": (
        lambda: Chain(["a"], a=conv(4, 4)),
        lambda: Chain(["a", "act"], a=conv(4, 4), act=nn.SiLU()),
        {"op-changed": 1},
    ),
    "another eps": (
        lambda: nn.GroupNorm(2, 4, eps=1e-5),
        lambda: nn.GroupNorm(2, 4, eps=1e-6),
        {"attr-changed": 1},
    ),
    "other groups": (
        lambda: nn.GroupNorm(2, 4),
        lambda: nn.GroupNorm(4, 4),
        {"attr-changed": 1},
    ),
    "another padding mode": (
        lambda: nn.Conv2d(4, 4, 3, padding=1),
        lambda: nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
        {"attr-changed": 1, "op-changed": 1},
    ),
    "another number in a function": (
        lambda: SmallUNet(half=0.5),
        lambda: SmallUNet(half=0.25),
        {"op-changed": 1},
    ),
    "another padding in a function": (
        lambda: Padded(1),
        lambda: Padded(2),
        {"attr-changed": 1, "io-reshaped": 1},
    ),
    "a skip joined elsewhere": (
        lambda: SmallUNet(joins=(1, 0)),
        lambda: SmallUNet(joins=(0, 1)),
        {"skip-repaired": 1, "flow-changed": 1},
    ),
    "a skip on the other side of its join": (
        lambda: SmallUNet(flipped=False),
        lambda: SmallUNet(flipped=True),
        {"skip-reordered": 1, "flow-changed": 1},
    ),
    "no bias": (
        lambda: nn.Conv2d(4, 4, 3),
        lambda: nn.Conv2d(4, 4, 3, bias=False),
        {"param-removed": 1},
    ),
    "another output": (
        lambda: nn.Conv2d(4, 4, 3),
        lambda: nn.Conv2d(4, 5, 3),
        {"param-reshaped": 1, "io-reshaped": 1},
    ),
    "a layer that moves into another block": (
        lambda: Chain(["a", "b"], a=block("conv", "extra"), b=block("conv")),
        lambda: Chain(["a", "b"], a=block("conv"), b=block("conv", "extra")),
        {"module-moved": 1, "op-changed": 2},
    ),
    "a layer that another block runs at the same place": (
        lambda: Chain(["a", "b"], a=block("conv", "extra"), b=block("conv")),
        lambda: Chain(["a", "b"], a=block("conv"), b=block("extra", "conv")),
        {"module-renamed": 1},
    ),
    "a list in another order": (
        lambda: Listed([conv(4, 4), conv(4, 6), conv(6, 4)]),
        lambda: Listed([conv(6, 4), conv(4, 6), conv(4, 4)], order=[2, 1, 0]),
        {"module-renamed": 1},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_table(case):
    before, after, expected = CASES[case]
    found = ids(locked(before()), locked(after()))
    assert found == expected


def test_ids_have_a_class_each_and_the_worst_come_first():
    classes = list(SEVERITIES.values())
    assert classes == sorted(classes, reverse=True)
    assert set(classes) == set(ChangeSeverity)


def test_another_size_is_cost_alone():
    found = diff(narrow(), narrow(height=32, batch=2))
    assert {change.id for change in found.changes} == {"io-resized", "macs", "activation-memory"}
    assert found.worst is ChangeSeverity.COST


def test_a_width_is_one_line_a_block():
    found = diff(narrow(), narrow("block_out_channels=[8, 24]"))
    reshaped = [change for change in found.changes if change.id == "param-reshaped"]
    assert [change.where for change in reshaped] == [
        "down_blocks.1",
        "mid_block",
        "up_blocks.0",
        "up_blocks.1",
    ]
    assert all(change.parts for change in reshaped)
    assert {part.id for change in reshaped for part in change.parts} == {"param-reshaped"}
    assert {change.id for change in found.changes} == {"param-reshaped", *COSTS}


def test_one_layer_more_takes_none_away():
    found = diff(narrow(), narrow("layers_per_block=2"))
    assert {c.id for c in found.changes} >= {"param-added", "skip-added", "params"}
    assert not [c for c in found.changes if c.id in ("param-removed", "op-changed")]


def test_the_config_says_what_differs():
    found = diff(narrow(), narrow("norm_eps=1e-4"))
    assert [(c.key, c.old, c.new) for c in found.config] == [("unet.norm_eps", 1e-5, 1e-4)]


def test_equal_tensors_and_another_number_of_heads():
    found = diff(narrow(), narrow("attention_head_dim=4"))
    behaviour = [c for c in found.changes if c.severity is ChangeSeverity.BEHAVIOURAL]
    assert [(c.id, c.about, c.old, c.new) for c in behaviour] == [("attr-changed", "heads", 2, 4)]
    assert found.worst is ChangeSeverity.BEHAVIOURAL
