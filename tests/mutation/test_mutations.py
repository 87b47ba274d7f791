"""What changes a network is found, and what only rewrites it is not: a few cases of each kind.

`python benchmarks/mutations.py` tries many more and holds the scores against their targets.
"""

from __future__ import annotations

import re

import pytest
from mutation_edits import mutants
from mutation_judge import Truth, judged, subject
from mutation_rewrites import algebra, spellings
from mutation_scores import NETWORKS, mutated, reconfigured, rewritten

from unetscope.analysis.diff import diff

# The scores that hold today. They may only get better: what mends `diff` lowers these numbers.
MUTANTS = {"functional": 24, "modular": 12, "tokens": 12, "waves": 12}
"""How many mutants of each network are tried."""
MISSED = {"functional": 0, "modular": 0, "tokens": 0, "waves": 0}
"""Of these, those that change the network and are not found, at most."""
SPELLINGS = 2
"""False alarms at other spellings, at most."""
ALGEBRA = 34
"""False alarms at what takes a law of arithmetic or of shapes to see, at most."""
CONFIGS = {"article_003": 0, "ddpm_cifar10_32": 0}
"""Of 12 changes of each config, those that are judged wrong, at most."""

SOURCE = """
import torch
from torch import nn

def inputs(draw):
    return {"x": draw(2, 3)}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.register_buffer("scale", torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, x):
        return self.layer(x) * self.scale + x.sin()
"""
TRUTHS = {
    Truth.BREAKS: ("nn.Linear(3, 3)", "nn.Linear(3, 3, bias=False)"),
    Truth.RESULT: ("x.sin()", "x.cos()"),
    Truth.VALUES: ("2.0", "4.0"),
    Truth.SAME: ("x.sin()", "torch.sin(x)"),
}


def told(found):
    return "\n".join(map(str, found))


@pytest.mark.parametrize("name", NETWORKS)
def test_what_changes_a_network_is_found(name):
    score = mutated(name, MUTANTS[name], seed=4)
    assert len(score.changed) >= MUTANTS[name] / 2
    assert len(score.missed) <= MISSED[name], told(score.missed)


def test_another_spelling_is_no_change():
    score = rewritten(spellings())
    assert len(score.tried) >= 200
    assert score.of(Truth.SAME) == score.tried, "a rewrite that changes results"
    assert len(score.alarms) <= SPELLINGS, told(score.alarms)


def test_algebra_is_a_change_at_most_where_it_was():
    score = rewritten(algebra())
    assert score.of(Truth.SAME) == score.tried, "a rewrite that changes results"
    assert len(score.alarms) <= ALGEBRA, told(score.alarms)


@pytest.mark.parametrize("name", CONFIGS)
def test_changes_of_configs_are_judged_right(name):
    score = reconfigured(name, count=12, seed=1)
    wrong = [*score.missed, *score.misjudged, *score.alarms]
    assert len(wrong) <= CONFIGS[name], told(wrong)


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_judge_knows_what_a_change_does(truth):
    old, new = TRUTHS[truth]
    assert judged(subject(SOURCE), subject(SOURCE.replace(old, new))).truth is truth


def test_edits_are_drawn_alike_and_none_is_the_source():
    drawn = [mutant.source for mutant in mutants(SOURCE, seed=1)]
    assert drawn == [mutant.source for mutant in mutants(SOURCE, seed=1)]
    assert len(drawn) == len(set(drawn)) > 50


@pytest.mark.parametrize("name", NETWORKS)
def test_other_names_of_modules_are_cosmetic(name):
    source = NETWORKS[name].read_text(encoding="utf-8")
    old = subject(source)
    names = {part for module in old.lock.modules for part in module.path.split(".")}
    for each in sorted(names):
        if each.isidentifier():
            source = re.sub(rf"(?<=self\.){each}\b", f"{each}_too", source)
    found = diff(old.lock, subject(source).lock)
    assert {change.id for change in found.changes} <= {"module-renamed"}
