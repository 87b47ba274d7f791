"""A pass that goes on behind a fault."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from unetscope.families import build
from unetscope.families.article_003 import SimpleUNetConfig
from unetscope.families.family import Family
from unetscope.tracing.faults import faults, lenient_norms

AS_WRITTEN = Path(__file__).parents[1] / "configs" / "article_003_as_written.yaml"


def told(findings):
    return [(finding.id, finding.module, finding.message) for finding in findings]


def on_meta(make):
    with torch.device("meta"):
        return make()


def test_one_cause_in_three_layers():
    """The up block's ResBlock is given 128 + 64 channels; what follows is not to blame."""
    config = SimpleUNetConfig(up_res_channels="doubled")
    network = on_meta(lambda: build("SimpleUNet", config))
    given = {
        "x": torch.empty(1, 4, 16, 16, device="meta"),
        "t": torch.empty(1, dtype=torch.int64, device="meta"),
    }
    assert told(faults(network, given)) == [
        (
            "forward",
            "up1.res",
            "up1.res: expected 192 channels, as they come in, found layers built for 128: "
            "norm1, conv1, skip",
        )
    ]


def test_no_fault():
    network = on_meta(lambda: nn.Sequential(nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4)))
    assert faults(network, {"input": torch.empty(1, 3, 8, 8, device="meta")}) == []


def test_two_causes_and_the_shape_that_is_declared():
    """A layer that is given the wrong channels still makes as many as it says."""
    layers = [nn.Conv2d(4, 8, 3, stride=2), nn.Conv2d(8, 6, 1), nn.Conv2d(5, 2, 1), nn.ReLU(),
              nn.Flatten(2), nn.Linear(9, 7), nn.LayerNorm(7), nn.LayerNorm(3)]  # fmt: skip
    network = on_meta(lambda: nn.Sequential(*[layer.to("meta") for layer in layers]))
    expected = "expected {} channels, as they come in, found layers built for {}: {}"
    assert told(faults(network, {"input": torch.empty(1, 3, 7, 7, device="meta")})) == [
        ("forward", "", expected.format(3, 4, "0")),
        ("forward", "", expected.format(6, 5, "2")),
        ("forward", "", expected.format(7, 3, "7")),
    ]


def test_norms_that_cannot_be_grouped():
    """They are built all the same, and torch is as strict as ever afterwards."""
    with lenient_norms() as ungrouped:
        network = nn.Sequential(
            nn.GroupNorm(8, 4), nn.GroupNorm(2, 4), nn.GroupNorm(8, 4),
            nn.GroupNorm(num_groups=3, num_channels=8),
        )  # fmt: skip
    expected = "{}: expected groups that divide {} channels, found {}"
    assert told(ungrouped(network)) == [
        ("groups", "0", expected.format("0, 2", 4, 8)),
        ("groups", "3", expected.format("3", 8, 3)),
    ]
    with pytest.raises(ValueError, match="divisible by num_groups"):
        nn.GroupNorm(8, 4)


@pytest.fixture
def without_rules(monkeypatch):
    """The article's networks are built whatever their options say."""
    monkeypatch.setattr(Family, "findings", lambda *_: iter(()))


@pytest.mark.usefixtures("without_rules")
def test_what_no_rule_foresaw_is_found_by_building_and_running(check):
    """What the rules say of the article's network is what happens to it."""
    done = check(AS_WRITTEN)
    assert done.code == 1
    assert "error [groups] down1.res.norm1: expected groups that divide 4 channels, found 8" in (
        done.out
    )
    assert "error [forward] up1.res: expected 192 channels" in done.out
    assert "built for 128: norm1, conv1, skip" in done.out
    assert done.out.endswith("Errors: 2. Warnings: 0.\n")


def test_what_cannot_be_built_is_a_finding(check, monkeypatch, narrow):
    def fail(*_):
        raise ValueError("no such network")

    monkeypatch.setattr(Family, "build", fail)
    done = check(narrow())
    assert done.code == 1
    assert "error [build] it cannot be built: no such network" in done.out
