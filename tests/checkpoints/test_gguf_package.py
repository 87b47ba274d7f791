"""GGUF files that the package of the format's authors writes, as its own reader reads them."""

from __future__ import annotations

import pytest

import unetscope
from unetscope.checkpoints import files
from unetscope.checkpoints.known import in_original_names
from unetscope.dtypes import nbytes
from unetscope.sources import Request, resolve

gguf = pytest.importorskip("gguf")
np = pytest.importorskip("numpy")

NARROW = "block_out_channels=[32, 64]", "down_block_types=[DownBlock2D, CrossAttnDownBlock2D]"
NARROW = (*NARROW, "up_block_types=[CrossAttnUpBlock2D, UpBlock2D]", "cross_attention_dim=32")


def write(path, shapes, kind):
    """A file as converters of UNets make them: matrices are quantised, all else is not.

    What no row of blocks holds is flattened, with its shape beside it.
    """
    writer = gguf.GGUFWriter(path, "sd1")
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    for name, shape in shapes.items():
        numel = int(np.prod(shape))
        if len(shape) == 1 or numel % elements:
            writer.add_tensor(name, np.zeros(shape, np.float32))
            continue
        if shape[-1] % elements or len(shape) > 2:
            writer.add_array(f"comfy.gguf.orig_shape.{name}", [*shape])
            shape = (numel // elements, elements)
        packed = np.zeros((shape[0], shape[1] // elements * size), np.uint8)
        writer.add_tensor(name, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("kind", gguf.GGMLQuantizationType, ids=lambda kind: kind.name)
def test_every_type(tmp_path, kind):
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "sd1")
    writer.add_tensor("w", np.zeros((3, 2 * size), np.uint8), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    spec = files.read(tmp_path / "m.gguf")["w"]
    assert spec.shape == (3, 2 * elements)
    assert spec.nbytes == nbytes(spec.dtype, spec.numel) == 3 * 2 * size


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q4_K", "NVFP4"])
@pytest.mark.parametrize("names", ["diffusers", "original"])
def test_a_network_is_known_however_it_is_packed(tmp_path, kind, names):
    lock = resolve(Request("sd15", overrides=NARROW)).lock()
    shapes = {tensor.name: tensor.shape for tensor in lock.tensors if tensor.persistent}
    if names == "original":
        shapes = in_original_names(shapes)
    path = tmp_path / "m.gguf"
    write(path, shapes, gguf.GGMLQuantizationType[kind])

    header = files.read(path)
    assert {name: spec.shape for name, spec in header.items()} == shapes
    theirs = {tensor.name: int(tensor.n_bytes) for tensor in gguf.GGUFReader(path).tensors}
    assert {name: spec.nbytes for name, spec in header.items()} == theirs
    assert {spec.dtype for spec in header.values()} == {kind, "float32"}
    found = unetscope.identify(path)
    assert found.certainty.value == "built"
    assert found.inferred.config["unet"]["block_out_channels"] == [32, 64]


@pytest.mark.parametrize("alignment", [1, 8, 4096])
def test_metadata_of_every_kind(tmp_path, alignment):
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "t5encoder")
    writer.add_custom_alignment(alignment)
    writer.add_token_list([f"<{number}>" for number in range(70_000)])
    writer.add_token_scores([0.5] * 70_000)
    writer.add_array("nested", [[1, 2], [3]])
    writer.add_array("deeper", [[["a"], ["b", "c"]]])
    writer.add_array("flags", [True, False])
    writer.add_float64("wide", 1.5)
    writer.add_int8("narrow", -3)
    writer.add_tensor("w", np.zeros((3, 5), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = files.read(tmp_path / "m.gguf")
    assert {name: spec.shape for name, spec in header.items()} == {"w": (3, 5)}
    assert header.metadata["general.alignment"] == alignment
    assert (header.metadata["wide"], header.metadata["narrow"]) == (1.5, -3)
    assert header.metadata["flags"] == "True, False"
    lists = {"nested", "deeper", "tokenizer.ggml.tokens", "tokenizer.ggml.scores"}
    assert header.unread.keys() == lists


def test_one_of_several_files(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "sd1", split_max_tensors=1)
    for name in ("a", "b", "c"):
        writer.add_tensor(name, np.zeros((3,), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    told = [unetscope.identify(path).missing for path in sorted(tmp_path.iterdir())]
    assert told == [(f"the other files: by its metadata it is number {n} of 3",) for n in (1, 2, 3)]
