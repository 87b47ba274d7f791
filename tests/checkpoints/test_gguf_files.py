"""GGUF files, written by hand after its specification."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unetscope.checkpoints import files
from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf(tensors, keys=(), version=3, room=None):
    """A file with tensors (name, axes from the last, type, offset) and pairs of key and value."""
    found = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys))
    for key, value in keys:
        found += text(key)
        if isinstance(value, str):
            found += struct.pack("<I", 8) + text(value)
        elif isinstance(value, int):
            found += struct.pack("<II", 4, value)
        elif isinstance(value[0], str):
            found += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        else:
            found += struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)
    for name, axes, kind, offset in tensors:
        found += text(name) + struct.pack(f"<I{len(axes)}QIQ", len(axes), *axes, kind, offset)
    return found + bytes(-len(found) % 32) + bytes(2_000 if room is None else room)


TENSORS = [
    ("input_blocks.0.0.weight", (3, 3, 4, 8), 1, 0),
    ("attn.weight", (256, 3), 12, 576),
    ("norm.bias", (8,), 0, 1024),
    ("flat.weight", (32, 9), 8, 1056),
    ("half", (4,), 30, 1376),
]
KEYS = [
    ("general.architecture", "sd1"),
    ("general.file_type", 14),
    ("comfy.gguf.orig_shape.flat.weight", [3, 32, 3]),
    ("tokens", ["a", "bc"]),
]


@pytest.mark.parametrize("version", [2, 3])
def test_names_shapes_types_and_metadata(tmp_path, version):
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(TENSORS, KEYS, version))
    header = files.read(path)
    assert header == {
        "input_blocks.0.0.weight": TensorSpec((8, 4, 3, 3), "float16"),
        "attn.weight": TensorSpec((3, 256), "Q4_K"),
        "norm.bias": TensorSpec((8,), "float32"),
        "flat.weight": TensorSpec((3, 32, 3), "Q8_0"),
        "half": TensorSpec((4,), "bfloat16"),
    }
    assert header["attn.weight"].nbytes == 3 * 144
    assert header["flat.weight"].nbytes == 9 * 34
    assert header.metadata == {"general.architecture": "sd1", "general.file_type": 14}
    assert header.unread == {"tokens": "a list"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gguf(TENSORS, room=100), "cut short: `input_blocks.0.0.weight` ends past"),
        (gguf(TENSORS, version=1), "version 1; versions 2 and 3"),
        (gguf(TENSORS, version=3 << 24), "a big-endian one"),
        (gguf([TENSORS[0]] * 2), "occurs twice"),
        (gguf([("a", (2**40, 2**40), 0, 0)]), "more than a tensor can have"),
        (gguf([("a", (2,), 99, 0)]), "unknown type 99"),
        (gguf([("a", (1,) * 9, 0, 0)]), "9 axes"),
        (gguf([("a\x1b[31m", (1,), 0, 0)]), "not a name"),
        (gguf([("a", (8,), 0, 0)], [("comfy.gguf.orig_shape.a", [3, 3])]), "was of the shape"),
        (gguf([], [("general.alignment", 0)]), "an alignment of 0"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "tensors and 0 keys"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + b"\xff" * 8, "breaks off"),
    ],
)
def test_damaged_files(tmp_path, content, said):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(UnetscopeError, match=said):
        files.read(path)


def nested(lists):
    """A file with one value of metadata, a list of lists."""
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("key") + struct.pack("<I", 9) + lists


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        (struct.pack("<IQ", 9, 1) * 20, "nested more than 8 levels deep"),
        (struct.pack("<IQ", 9, 300_000) + struct.pack("<IQ", 0, 0) * 300_000, "200,000 lists"),
        (struct.pack("<IQ", 9, 2**60), "more than 1,000,000"),
        (struct.pack("<IQ", 9, 3) + struct.pack("<IQ", 0, 0), "breaks off"),
    ],
)
def test_lists_of_lists_have_bounds(tmp_path, lists, said):
    path = tmp_path / "m.gguf"
    path.write_bytes(nested(lists))
    with pytest.raises(UnetscopeError, match=said):
        files.read(path)


@given(st.data())
def test_changed_bytes_are_an_error_or_a_result(tmp_path_factory, data):
    whole = bytearray(gguf(TENSORS, KEYS))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 500))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "m.gguf"
    path.write_bytes(whole[: data.draw(st.integers(4, len(whole)))])
    with suppress(UnetscopeError):
        files.read(path)
