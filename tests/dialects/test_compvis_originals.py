"""Networks of original files against the original code: its names, shapes and heads.

`original_unets.json` holds what the published files say of their networks, and what
CompVis/latent-diffusion, openai/guided-diffusion and Stability-AI/generative-models build from it:
counts of parameters and tensors, heads of each attention, and a digest of `NAME SHAPE` of every
parameter, in lines sorted, trailing dimensions of 1 left out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest
import torch

from unetscope.analysis.names import compvis_names
from unetscope.config import load
from unetscope.families import build
from unetscope.sources import published

REFERENCE = Path(__file__).parents[1] / "reference" / "original_unets.json"
ORIGINALS = json.loads(REFERENCE.read_text())


def written(original):
    """The file that describes it."""
    if "flags" in original:
        return original["flags"]
    network = {"target": original["target"], "params": original["params"]}
    return {"model": {"params": {"unet_config": network}}}


def network(file):
    with torch.device("meta"):
        if found := published.find(file):
            return found.make()
        spec = load(file)
        return build(spec.family, spec.unet)


def original_shapes(model, class_embed_type=None):
    """Shapes by the original's names; queries, keys and values in one."""
    shapes = {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}
    names = compvis_names(shapes)
    found = {}
    for name, shape in shapes.items():
        theirs = names[name]
        while len(shape) > 2 and shape[-1] == 1:
            shape = shape[:-1]
        rows = found[theirs][0] if theirs in found else 0
        found[theirs] = (rows + shape[0], *shape[1:])
    return found


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_network_of_the_original_code(name, write):
    original = ORIGINALS[name]
    model = network(write(written(original), "x.yaml"))
    assert sum(tensor.numel() for tensor in model.parameters()) == original["parameters"]
    shapes = original_shapes(model)
    if original.get("params", {}).get("num_classes") == "timestep":  # told by the config alone
        shapes = {key.replace("label_emb.0", "label_emb.1"): shapes[key] for key in shapes}
    assert len(shapes) == original["tensors"]
    lines = "\n".join(sorted(f"{key} {list(shape)}" for key, shape in shapes.items()))
    assert hashlib.sha256(lines.encode()).hexdigest()[:32] == original["names_and_shapes"]
    heads = Counter(str(part.heads) for part in model.modules() if hasattr(part, "heads"))
    assert heads == original["heads"]
