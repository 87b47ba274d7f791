"""Weights that bitsandbytes packed, whose shapes it describes in texts beside them.

The descriptions are as bitsandbytes 0.50 writes them (`functional.py`, `QuantState.as_dict`).
"""

from __future__ import annotations

import json
from math import prod

import pytest
from checkpoint_files import write

import unetscope
from unetscope.checkpoints import files, parts
from unetscope.sources import Request, resolve

torch = pytest.importorskip("torch")
writer = pytest.importorskip("safetensors.torch")

NARROW = "block_out_channels=[32, 64]", "down_block_types=[DownBlock2D, CrossAttnDownBlock2D]"
NARROW = (*NARROW, "up_block_types=[CrossAttnUpBlock2D, UpBlock2D]", "cross_attention_dim=16")
KINDS = ["nf4", "fp4"]


def described(shape, kind, **more):
    state = {"quant_type": kind, "blocksize": 64, "dtype": "float16", "shape": [*shape], **more}
    return torch.tensor([*json.dumps(state).encode()], dtype=torch.uint8)


def packed(shapes, kind="nf4", state=described):
    """The weights of all linear layers packed, two elements to a byte; the others as they are."""
    found = {}
    for name, shape in shapes.items():
        if len(shape) == 2:
            column = torch.zeros(-(-prod(shape) // 2), 1, dtype=torch.uint8)
            found[name] = column
            found[f"{name}.absmax"] = torch.zeros(-(-prod(shape) // 64), dtype=torch.uint8)
            found[f"{name}.nested_absmax"] = torch.zeros(1)
            found[f"{name}.nested_quant_map"] = torch.zeros(256)
            found[f"{name}.quant_map"] = torch.zeros(16)
            found[f"{name}.quant_state.bitsandbytes__{kind}"] = state(shape, kind)
        else:
            found[name] = torch.zeros(shape, dtype=torch.float16)
    return found


@pytest.fixture(scope="module")
def narrow():
    lock = resolve(Request("sd15", overrides=NARROW)).lock()
    return {tensor.name: tensor.shape for tensor in lock.tensors if tensor.persistent}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "_orig_mod."])
def test_a_network_is_known_by_the_shapes_that_are_described(tmp_path, narrow, kind, prefix):
    path = tmp_path / "m.safetensors"
    writer.save_file(packed({prefix + n: s for n, s in narrow.items()}, kind), path)
    found = unetscope.identify(path)
    assert found.certainty.value == "built"
    (part,) = found.parts
    assert {name: spec.shape for name, spec in part.tensors.items()} == narrow
    assert {spec.dtype for spec in part.tensors.values()} == {"float16", kind.upper()}
    assert not part.doubts
    assert parts.unet(files.read(path)) == (part.tensors, {})


def test_in_several_files(tmp_path, narrow):
    whole = packed(narrow)
    names, index = [*whole], {}
    for number in range(2):
        shard = f"m-0000{number + 1}-of-00002.safetensors"
        own = names[number::2]
        writer.save_file({name: whole[name] for name in own}, tmp_path / shard)
        index |= dict.fromkeys(own, shard)
    path = tmp_path / "m.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": index}))
    assert unetscope.identify(path).certainty.value == "built"


@pytest.mark.parametrize(
    "state",
    [
        lambda shape, kind: described((shape[0], shape[1] + 2), kind),  # other elements
        lambda shape, kind: described((-shape[0], -shape[1]), kind),
        lambda shape, kind: described(shape, kind, more="x" * 1_000),  # longer than is read
        lambda shape, kind: described(shape, kind)[:-1],
        lambda shape, kind: torch.tensor([*b"[" * 900], dtype=torch.uint8),
        lambda shape, kind: torch.tensor([*b'{"shape": [1e3, 16]}'], dtype=torch.uint8),
        lambda shape, kind: torch.zeros(0, dtype=torch.uint8),
    ],
)
def test_a_description_that_is_wrong_tells_no_shape(tmp_path, state):
    path = tmp_path / "m.safetensors"
    writer.save_file(packed({"a.weight": (32, 16), "b.weight": (4,)}, state=state), path)
    (part,) = unetscope.identify(path).parts
    assert part.tensors["a.weight"].shape == (32 * 16,)
    assert any("no header tells more" in doubt for doubt in part.doubts)


def test_an_odd_number_of_elements(tmp_path):
    path = tmp_path / "m.safetensors"
    writer.save_file(packed({"a.weight": (3, 5), "b.weight": (4,)}), path)
    (part,) = unetscope.identify(path).parts
    assert part.tensors["a.weight"].shape == (3, 5)
    assert part.parameters == 15 + 4


def test_holes_describe_nothing(tmp_path):
    """As in a file that keeps its header alone."""
    shapes = {name: (*tensor.shape,) for name, tensor in packed({"a.weight": (32, 16)}).items()}
    path = write(tmp_path / "m.safetensors", shapes)
    assert files.read(path).packed == {}
