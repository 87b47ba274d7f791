"""What `torch.save` writes, read without a call: shapes as torch has them, and nothing is run."""

import os
import pickle
import tracemalloc
import zipfile
from contextlib import suppress
from datetime import date
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import PurePosixPath

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unetscope.checkpoints import files, instructions, pickled
from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec
from unetscope.sources.identifying import identify

BOTH = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def net():
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.BatchNorm2d(4),
        torch.nn.Sequential(torch.nn.Linear(4, 5)),
    )


def specs(tensors):
    return {
        name: TensorSpec(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in tensors.items()
    }


def saved(path, value, zipped=True):
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


@BOTH
def test_every_dtype_and_layout(tmp_path, zipped):
    whole = torch.zeros(6, 4)
    tensors = {
        "transposed": whole.t(),
        "part": whole[2:4],
        "expanded": torch.zeros(1).expand(5),
        "scalar": torch.zeros(()),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.zeros(2)),
    }
    kinds = "float64 float16 bfloat16 int64 int8 uint8 bool complex64 uint16 float8_e4m3fn"
    tensors |= {name: torch.zeros(3, dtype=getattr(torch, name)) for name in kinds.split()}
    assert files.read(saved(tmp_path / "m.pt", tensors, zipped)) == specs(tensors)


@BOTH
@pytest.mark.parametrize(
    "wrap",
    [
        lambda net: net.state_dict(),
        lambda net: {"state_dict": net.state_dict(), "epoch": 3},
        lambda net: {"model": net.state_dict(), "opt": {"state": {0: torch.zeros(9)}}},
        lambda net: {"ema": net.state_dict(), "step": 7},
        lambda net: {"state_dict": {"model": net.state_dict()}},
        lambda net: net,
    ],
    ids=["bare", "lightning", "trainer", "ema", "nested", "module"],
)
def test_wherever_the_network_stands(tmp_path, zipped, wrap):
    model = net()
    header = files.read(saved(tmp_path / "m.ckpt", wrap(model), zipped))
    assert header == specs(model.state_dict())


def test_what_stands_beside_the_network_is_kept(tmp_path):
    state = net().state_dict()
    other = {"state": {0: {"exp_avg": torch.zeros(3)}}}
    value = {"state_dict": state, "ema": state, "optimizer_states": [other], "global_step": 470000}
    header = files.read(saved(tmp_path / "m.ckpt", value))
    assert header.others["ema"] == specs(state)
    assert [*header.others["optimizer_states"].values()] == [TensorSpec((3,), "float32")]
    assert header.metadata == {"global_step": 470000}


def test_several_networks_keep_their_keys(tmp_path):
    value = {"unet": {"a": torch.zeros(1)}, "vae": {"a": torch.zeros(2)}}
    header = files.read(saved(tmp_path / "m.ckpt", value))
    assert header == {
        "unet.a": TensorSpec((1,), "float32"),
        "vae.a": TensorSpec((2,), "float32"),
    }


class Payload:
    """Loading it writes a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@BOTH
def test_a_pickle_that_would_run_a_command(tmp_path, unetscope, zipped):
    target = tmp_path / "written"
    state = {"conv_in.weight": torch.zeros(3), "x": Payload(target)}
    path = saved(tmp_path / "m.ckpt", {"state_dict": state}, zipped)
    header = files.read(path)
    system = f"{os.system.__module__}.system"
    assert header == {"conv_in.weight": TensorSpec((3,), "float32")}
    assert system in header.imports
    assert header.foreign == (system,)
    assert header.unread == {"state_dict.x": system}
    done = unetscope("diff", str(path), str(path))
    assert done.code == 0
    would = f"would import `{system}`; nothing of it was run"
    assert would in done.err
    assert identify(path).loading == (f"to load it {would}",)
    assert f"to load it {would.replace('`', '')}" in unetscope("identify", str(path)).out
    assert not target.exists()
    torch.load(path, weights_only=False)
    assert target.exists()


def test_what_runs_commands_is_told_first(tmp_path):
    """However many other imports stand before it; and that no more is known of it."""
    path = tmp_path / "m.ckpt"
    others = [Decimal(1), Fraction(1), date(2000, 1, 1), PurePosixPath("a")]
    path.write_bytes(pickle.dumps({"a": others, "z": Payload(tmp_path / "written")}))
    imports, inside = identify(path).loading
    assert imports.startswith(f"to load it would import `{os.system.__module__}.system`, ")
    assert imports.endswith(" more; nothing of it was run")
    assert inside.startswith("nothing is known of what these make: `decimal.Decimal`, ")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_any_object_of_any_protocol_is_named(tmp_path, protocol):
    path = tmp_path / "m.pt"
    path.write_bytes(pickle.dumps(Payload(tmp_path / "written"), protocol))
    assert files.read(path).foreign == (f"{os.system.__module__}.system",)
    assert not (tmp_path / "written").exists()


def small(zipped):
    into = BytesIO()
    state = {"a.weight": torch.zeros(2, 3), "b": torch.zeros(4, dtype=torch.int64)}
    torch.save({"state_dict": state, "epoch": 1}, into, _use_new_zipfile_serialization=zipped)
    return into.getvalue()


SMALL = {zipped: small(zipped) for zipped in (True, False)}


@BOTH
def test_cut_anywhere_is_an_error(tmp_path, zipped):
    path = tmp_path / "m.pt"
    for end in range(0, len(SMALL[zipped]), 7):
        path.write_bytes(SMALL[zipped][:end])
        with pytest.raises(UnetscopeError):
            files.read(path)


@given(st.data())
def test_bytes_that_changed_are_an_error_or_a_result(tmp_path_factory, data):
    whole = bytearray(SMALL[data.draw(st.booleans())])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "m.pt"
    path.write_bytes(whole)
    with suppress(UnetscopeError):
        files.read(path)


CODES = b"".join(instructions._BY_CODE)


@given(
    st.lists(
        st.sampled_from([bytes([code]) for code in CODES])
        | st.sampled_from([b"K\1", b"h\0", b"q\0", b"X\1\0\0\0a", b"cos\nsystem\n", b"M\0\1"]),
        max_size=60,
    )
)
def test_any_instructions_are_an_error_or_a_result(tmp_path_factory, codes):
    path = tmp_path_factory.mktemp("codes") / "m.pt"
    path.write_bytes(b"\x80\2" + b"".join(codes) + b".")
    with suppress(UnetscopeError):
        files.read(path)


def test_nothing_of_one_file_stands_in_the_next(tmp_path):
    path = tmp_path / "m.pt"
    path.write_bytes(b"\x80\5\x97}X\1\0\0\0aK\1sb.")  # a buffer of elsewhere, with a state
    assert files.read(path).metadata == {"a": 1}
    path.write_bytes(b"\x80\5\x97.")
    assert files.read(path).metadata == {}


LAUGHS = b"\x80\2]" + b"2\x86" * 200 + b"."
HOSTILE = {
    "the same value in itself 2^200 times": LAUGHS,
    "100,000 levels": b"\x80\2" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "a list in itself": b"\x80\2]q\0h\0a.",
    "a place of the memo that is far away": b"\x80\2Kr\xff\xff\xff\xff.",
    "a text longer than the file": b"\x80\4\x8d" + b"\xff" * 7 + b"\x7f.",
    "a number of many digits": b"\x80\2I" + b"9" * 9_000 + b"\n.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused(tmp_path, name):
    path = tmp_path / "m.pt"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(UnetscopeError):
        files.read(path)


def test_a_key_that_takes_forever_to_hash(tmp_path):
    path = tmp_path / "m.pt"
    path.write_bytes(b"\x80\2})" + b"2\x86" * 100 + b"K\1s.")
    assert files.read(path) == {}


CODES_OF_MEMORY = [b"]", b"}", b"K\xff\x85", b"X\2\0\0\0ab", b"(", b"cos\nsystem\n)R"]


@pytest.mark.parametrize("code", CODES_OF_MEMORY)
def test_the_bound_of_instructions_bounds_memory(tmp_path, monkeypatch, code):
    monkeypatch.setattr(pickled, "MOST_INSTRUCTIONS", 20_000)
    path = tmp_path / "m.pt"
    path.write_bytes(b"\x80\2" + code * 20_000 + b".")
    tracemalloc.start()
    with pytest.raises(UnetscopeError, match="20,000 instructions"):
        files.read(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (most - path.stat().st_size) * 100 < 200e6


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "m.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", bytes(100_000_000))
    with pytest.raises(UnetscopeError, match="a pickle of 100,000,000 bytes, and at most"):
        files.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/other", b"")
    with pytest.raises(UnetscopeError, match=r"without `data.pkl`"):
        files.read(path)


def test_a_tensor_past_its_storage(tmp_path):
    path = tmp_path / "m.pt"
    view = torch.zeros(4)
    value = SMALL[False].replace(b"K\2K\3\x86", b"K\2\x4b\x7f\x86", 1)
    assert value != SMALL[False]
    path.write_bytes(value)
    with pytest.raises(UnetscopeError, match="past its storage"):
        files.read(path)
    assert files.read(saved(path, view[1:])) == {"tensor": TensorSpec((3,), "float32")}
