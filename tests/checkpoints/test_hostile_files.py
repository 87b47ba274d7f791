"""Files made to hang, to fill memory or to lead elsewhere; and the prefixes of the wild."""

import json
import os
import tracemalloc

import pytest
from checkpoint_files import write

from unetscope.checkpoints import files, parts
from unetscope.checkpoints.stored import opened
from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec


def entry(n):
    return f'"t{n}":{{"dtype":"U8","shape":[],"data_offsets":[{n},{n + 1}]}}'


BOMBS = {
    "a million tensors": lambda: ",".join(map(entry, range(1_000_000))),
    "lists in lists": lambda: '"a":' + "[" * 20_000_000,
    "many small values": lambda: '"a":{' + ",".join(['"":1'] * 5_000_000) + "}",
    "many tensors in other words": lambda: ",".join(f'"{n}":{{"a":0}}' for n in range(1_000_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_large_headers_are_refused_in_little_memory(tmp_path, name):
    path = tmp_path / "m.safetensors"
    with path.open("wb") as file:
        text = f"{{{BOMBS[name]()}}}".encode()
        file.write(len(text).to_bytes(8, "little") + text + bytes(1_000_000))
    del text
    tracemalloc.start()
    with pytest.raises(UnetscopeError, match=r"at most 100,000|damaged header"):
        files.read(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 200e6


def test_metadata_beyond_the_bound_are_named(tmp_path):
    path, keys = tmp_path / "m.safetensors", ",".join(f'"{n}":""' for n in range(400_000))
    text = f'{{"__metadata__":{{{keys}}},{entry(0)}}}'.encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(1))
    header = files.read(path)
    assert header == {"t0": TensorSpec((), "uint8")}
    assert header.metadata == {}
    assert header.unread == {"__metadata__": f"{len(keys) + 2:,} bytes"}


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(bytes(100))
    with opened(path) as file:
        os.truncate(path, 50)
        with pytest.raises(UnetscopeError, match="cut short while it was read"):
            file.read(0, 100)


@pytest.fixture
def index(tmp_path):
    def made(folder, shard):
        folder.mkdir(exist_ok=True)
        path = folder / "diffusion_pytorch_model.safetensors.index.json"
        path.write_text(json.dumps({"weight_map": {"a": shard}}))
        return path

    return made


def test_a_shard_that_is_a_link_out_of_the_folder(tmp_path, index):
    path = index(tmp_path / "model", "one.safetensors")
    write(tmp_path / "elsewhere.safetensors", {"a": (1,)})
    (path.parent / "one.safetensors").symlink_to("../elsewhere.safetensors")
    with pytest.raises(UnetscopeError, match="outside of its folder"):
        files.read(path)


def test_the_links_of_the_cache_of_the_hub(tmp_path, index):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    real = index(blobs, "one.safetensors")
    snapshot.mkdir()
    write(blobs / "0123", {"a": (1,)})
    (snapshot / real.name).symlink_to(real)
    (snapshot / "one.safetensors").symlink_to(blobs / "0123")
    assert files.read(snapshot) == {"a": TensorSpec((1,), "float32")}


def test_a_pipe_is_not_waited_for(tmp_path, index):
    path = index(tmp_path / "model", "one.safetensors")
    os.mkfifo(path.parent / "one.safetensors")
    with pytest.raises(UnetscopeError, match="no regular file"):
        files.read(path)
    with (
        pytest.raises(UnetscopeError, match="no regular file"),
        opened(path.parent / "one.safetensors"),
    ):
        pass


def test_an_index_with_a_tensor_twice(tmp_path, index):
    path = index(tmp_path / "model", "one.safetensors")
    write(path.parent / "one.safetensors", {"a": (1,)})
    path.write_text('{"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}}')
    with pytest.raises(UnetscopeError, match="`a` occurs twice"):
        files.read(path)


UNETS = {
    "CompVis": (
        *("input_blocks.0.0.weight", "input_blocks.1.0.a"),
        *("output_blocks.0.0.in_layers.0.weight", "out.2.weight"),
    ),
    "diffusers": (
        *("conv_in.weight", "down_blocks.0.resnets.0.conv1.weight"),
        *("up_blocks.0.resnets.0.conv1.weight", "conv_out.weight"),
    ),
}
VAE = (
    "encoder.conv_in.weight",
    "encoder.down_blocks.0.a",
    "decoder.conv_in.weight",
    "decoder.up_blocks.0",
)


@pytest.mark.parametrize("dialect", UNETS)
@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "model.diffusion_model.",
        "net.",
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "model.model.",
        "unet.",
        "model._orig_mod.diffusion_model.",
        "transformer.module.",
    ],
)
def test_the_unet_is_found_under_any_prefix(dialect, prefix):
    spec = TensorSpec((1,), "float32")
    names = [*(prefix + name for name in UNETS[dialect])]
    names += (
        [f"ema_model.{name}" for name in UNETS[dialect]] if prefix not in ("", "_orig_mod.") else []
    )
    names += [f"vae.{name}" for name in VAE] if prefix not in ("", "_orig_mod.") else []
    own, others = parts.unet(dict.fromkeys(names, spec))
    assert own.keys() == set(UNETS[dialect])
    assert sum(others.values()) == len(names) - len(own)


def test_other_networks_keep_their_names():
    spec = TensorSpec((1,), "float32")
    names = dict.fromkeys(("model.a", "model.b"), spec)
    assert parts.unet(names) == (names, {})
    wrapped = dict.fromkeys(("module.a", "module.b._orig_mod.c"), spec)
    assert parts.unet(wrapped)[0].keys() == {"a", "b.c"}
