"""Headers of safetensors files: whole ones, sharded ones, damaged ones."""

import json

import pytest
from checkpoint_files import content, write
from hypothesis import given
from hypothesis import strategies as st

from unetscope.checkpoints import files, parts, safetensors
from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec

SHAPES = {"conv.weight": (4, 3, 3, 3), "conv.bias": (4,), "steps": ()}


def shapes(tensors):
    return {name: spec.shape for name, spec in tensors.items()}


def test_what_the_safetensors_package_writes(tmp_path):
    torch = pytest.importorskip("torch")
    writer = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    weights = {
        "a.weight": torch.zeros(2, 3, dtype=torch.float16),
        "b": torch.zeros((), dtype=torch.int64),
        "c": torch.zeros(0, 4, dtype=torch.bfloat16),
        "d": torch.zeros(3, dtype=torch.float8_e4m3fn),
    }
    writer.save_file(weights, path, metadata={"format": "pt"})
    assert files.read(path) == {
        name: TensorSpec(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in weights.items()
    }


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,5}(\.[a-z0-9]{1,5}){0,3}", fullmatch=True),
        st.lists(st.integers(0, 5), max_size=4).map(tuple),
        max_size=6,
    )
)
def test_any_names_and_shapes(tmp_path_factory, drawn):
    path = write(tmp_path_factory.mktemp("any") / "m.safetensors", drawn)
    assert shapes(files.read(path)) == drawn


@given(st.data())
def test_damage_is_an_error_or_harmless(tmp_path_factory, data):
    head, size = content(SHAPES)
    whole = bytearray(head + bytes(size))
    match data.draw(st.sampled_from(["cut", "flip", "insert", "anything"])):
        case "cut":
            whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
        case "flip":
            whole[data.draw(st.integers(0, len(head) - 1))] = data.draw(st.integers(0, 255))
        case "insert":
            at = data.draw(st.integers(0, len(head)))
            whole[at:at] = data.draw(st.binary(min_size=1, max_size=9))
        case "anything":
            whole = data.draw(st.binary(max_size=64))
    path = tmp_path_factory.mktemp("damaged") / "m.safetensors"
    path.write_bytes(whole)
    try:
        found = files.read(path)
    except UnetscopeError as error:
        said = str(error)
    else:
        assert sum(spec.numel for spec in found.values()) <= len(whole) * 8
        return
    assert said.startswith(f"{path}: ")


def test_metadata_is_kept(tmp_path):
    path = tmp_path / "m.safetensors"
    tags = {
        "modelspec.architecture": "stable-diffusion-v1",
        "ss_tags": '{"a": {"b": 1}}',
        "é": "\\",
    }
    header = json.dumps(
        {"__metadata__": tags, "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    )
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(4))
    assert files.read(path).metadata == tags


def test_a_file_cut_anywhere_is_an_error(tmp_path):
    head, size = content(SHAPES)
    whole = head + bytes(size)
    for end in range(len(whole)):
        path = tmp_path / "m.safetensors"
        path.write_bytes(whole[:end])
        with pytest.raises(UnetscopeError):
            files.read(path)


def entry(**changed):
    usual = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    return json.dumps({"a": {**usual, **changed}})


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (entry(shape=[-1]), "do not agree"),
        (entry(shape=[2]), "do not agree"),
        (entry(shape=[10**30]), "damaged header"),
        (entry(shape=[2**32, 2**32]), "do not agree"),
        (entry(shape=[1] * 100), "do not agree"),
        (entry()[:-1] + "," + entry()[1:], "`a` occurs twice"),
        (entry()[:-1] + "," + entry()[1:].replace('"a"', '"\\u0061"'), "`a` occurs twice"),
        (entry()[:-1] + "," + entry()[1:].replace('"a"', '"b"'), "at the same bytes"),
        (entry() + entry(), "damaged header"),
        ("\0" * 100, "zeros"),
        (entry(data_offsets=[4, 0]), "do not agree"),
        (entry(data_offsets=[8, 12]), "cut short"),
        (entry(dtype="\x1b[31m"), "do not agree"),
        (entry().replace('"a"', '"a\\u001b[31m"'), "not a name"),
        (entry().replace('"a"', '""'), "not a name"),
        (entry().replace('"a"', json.dumps("a." * 600)), "not a name"),
        ("{" * 100_000, "damaged header"),
    ],
)
def test_headers_that_do_not_add_up(tmp_path, header, said):
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(4))
    with pytest.raises(UnetscopeError, match=said):
        files.read(path)


def test_a_header_beyond_the_bound_is_not_read(tmp_path):
    path = tmp_path / "m.safetensors"
    with path.open("wb") as file:
        file.write((safetensors.LARGEST_HEADER + 1).to_bytes(8, "little"))
        file.truncate(safetensors.LARGEST_HEADER + 100)
    with pytest.raises(UnetscopeError, match="at most 100,000,000"):
        files.read(path)


def test_a_pointer_of_git_lfs_says_so(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    with pytest.raises(UnetscopeError, match="git lfs pull"):
        files.read(path)


@pytest.fixture
def sharded(tmp_path):
    """A folder with two files and their index."""
    write(tmp_path / "one.safetensors", {"a.weight": (2,)})
    write(tmp_path / "two.safetensors", {"b.weight": (3,)})

    def index(places):
        path = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
        path.write_text(json.dumps({"metadata": {}, "weight_map": places}))
        return path

    return index


def test_shards_are_one_checkpoint(sharded):
    path = sharded({"a.weight": "one.safetensors", "b.weight": "two.safetensors"})
    for source in (path, path.parent):
        assert files.is_checkpoint(source)
        assert shapes(files.read(source)) == {"a.weight": (2,), "b.weight": (3,)}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("three.safetensors", "cannot be read"),
        ("two.safetensors", "is not in"),
        ("../one.safetensors", "beside it"),
        ("", "beside it"),
        ("..", "cannot be read"),
    ],
)
def test_an_index_of_what_is_not_there(sharded, file, said):
    with pytest.raises(UnetscopeError, match=said):
        files.read(sharded({"a.weight": file}))


def test_a_folder_with_a_config_is_that_config(tmp_path):
    write(tmp_path / "diffusion_pytorch_model.safetensors", SHAPES)
    assert files.is_checkpoint(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert not files.is_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "begins like no checkpoint"),
        (bytes(500), "nothing but zeros"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
    ],
)
def test_what_is_no_checkpoint_at_all(tmp_path, content, said):
    for name in ("m.ckpt", "m.gguf"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnetscopeError, match=said):
            files.read(tmp_path / name)


def test_the_unet_of_a_full_checkpoint():
    spec = TensorSpec((1,), "float32")
    own, left_out = parts.unet(
        dict.fromkeys(
            (
                "model.diffusion_model.out.2.bias",
                "first_stage_model.a",
                "first_stage_model.b",
                "cond_stage_model.c",
                "betas",
            ),
            spec,
        )
    )
    assert own == {"out.2.bias": spec}
    assert left_out == {"autoencoder": 2, "text encoder": 1, "other": 1}
