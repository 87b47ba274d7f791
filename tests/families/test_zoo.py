"""Every shipped config is the published network, to the last parameter and multiplication."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import diffusers
import pytest
import torch

from unetscope.analysis.cost import Cost
from unetscope.analysis.network import Network
from unetscope.config import load, shipped
from unetscope.config.files import read_index
from unetscope.families import FAMILIES, build
from unetscope.ops import operation
from unetscope.sources import Request, resolve
from unetscope.sources.index import entry
from unetscope.tracing import devices, trace

REFERENCE = Path(__file__).parents[1] / "reference"
# Built with diffusers 0.42.1 and torch 2.13 on the meta device; FLOPs by torch's FlopCounterMode.
PUBLISHED = json.loads((REFERENCE / "published_unets.json").read_text())


def test_every_published_network_is_shipped():
    assert set(PUBLISHED) <= set(shipped())


@pytest.mark.parametrize("name", PUBLISHED)
def test_tensors_and_modules(name):
    facts, spec = PUBLISHED[name], load(name)
    ours = devices.build(lambda: build(spec.family, spec.unet), "meta", "float32")
    with torch.device("meta"):
        options = {k: v for k, v in facts["config"].items() if not k.startswith("_")}
        theirs = getattr(diffusers, facts["class"])(**options)
    assert spec.family == facts["class"]
    for named in ("named_parameters", "named_buffers"):
        assert [(n, p.shape) for n, p in getattr(ours, named)()] == [
            (n, p.shape) for n, p in getattr(theirs, named)()
        ]
    assert [(n, type(m).__name__) for n, m in ours.named_modules()] == [
        (n, type(m).__name__) for n, m in theirs.named_modules()
    ]
    assert sum(p.numel() for p in ours.parameters()) == facts["params"]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert len(ours.state_dict()) == facts["n_tensors"]
    assert Counter(type(m).__name__ for m in ours.modules()) == facts["module_histogram"]


def saved_tensors(recorded):
    """The names of the tensors that a trace says a state_dict holds."""
    return [
        f"{module.path}.{tensor.name}".lstrip(".")
        for module in recorded.modules
        for tensor in (*module.parameters, *module.buffers)
        if tensor.persistent
    ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_inputs_output_residuals_and_flops(name):
    facts, spec = PUBLISHED[name], load(name)
    network = devices.build(lambda: build(spec.family, spec.unet), "meta", "float32")
    inputs = devices.zeros(spec.tensors(), "meta", "float32")
    given = {key: value for key, value in facts["inputs"].items() if value is not None}
    for key, shape in given.items():
        value = inputs[key]
        if isinstance(shape, dict):
            assert {k: list(v.shape) for k, v in value.items()} == shape
        else:  # "scalar" and "int:[1]"
            assert list(value.shape) == (shape if isinstance(shape, list) else [1])
    assert set(inputs) == set(given)

    residuals = []
    network.conv_in.register_forward_hook(lambda _m, _i, out: residuals.append(list(out.shape)))
    for block in network.down_blocks:
        block.register_forward_hook(
            lambda _m, _i, out: residuals.extend(t if t is None else list(t.shape) for t in out[1])
        )
    recorded = trace(network, kwargs=inputs)
    outputs = [recorded.values[value].spec.shape for value in recorded.outputs]
    assert list(map(list, outputs)) == facts["outputs"]
    assert saved_tensors(recorded) == list(network.state_dict())
    assert residuals == facts["residuals"]
    assert all(operation(op.name).known for op in recorded.ops)
    assert 2 * Cost(Network(recorded)).total == facts["flops"]
    # If not: `python -m unetscope.sources.index` writes it anew.
    assert read_index()[name] == entry(spec, shipped()[name], recorded)


def test_the_index_has_every_config_and_is_true_of_those_without_published_facts():
    index = read_index()
    assert list(index) == list(shipped())
    for name in set(index) - set(PUBLISHED):
        traced = resolve(Request(name)).trace()
        assert index[name] == entry(load(name), shipped()[name], traced)


def test_every_family_has_a_config():
    assert {load(name).family for name in shipped()} >= set(FAMILIES)
