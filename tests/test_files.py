"""Files that are read and written: whole or not at all, through links, to pipes and devices."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from unetscope.errors import UnetscopeError
from unetscope.files.writing import write


def test_a_regular_file_keeps_its_mode_and_is_replaced(tmp_path):
    file = tmp_path / "kept"
    file.write_bytes(b"old")
    file.chmod(0o640)
    before = file.stat().st_ino
    write(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)
    assert file.stat().st_ino != before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link(tmp_path, there):
    file, link = tmp_path / "file", tmp_path / "link"
    if there:
        file.write_bytes(b"old")
    link.symlink_to("file")
    write(link, b"new")
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_a_name_as_long_as_names_may_be(tmp_path):
    file = tmp_path / ("x" * 255)
    write(file, b"new")
    assert file.read_bytes() == b"new"


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write(pipe, b"new")
    reader.join()
    assert found == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_never_replaced():
    before = Path(os.devnull).stat()
    write(Path(os.devnull), b"nothing")
    assert Path(os.devnull).stat().st_ino == before.st_ino


def test_what_is_appended_to_is_not_replaced(tmp_path):
    file = tmp_path / "log"
    file.write_text("first\n")
    with file.open("a") as log:
        command = [sys.executable, "-m", "unetscope", "list", "sdxl_base", "-o", "/dev/stdout"]
        subprocess.run(command, stdout=log, check=True)
    assert file.read_text().startswith("first\n")
    assert "sdxl_base" in file.read_text()


@pytest.mark.parametrize("name", [".", "missing/file", "file/file", "x" * 256, "a\0b"])
def test_what_cannot_be_written_is_said(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(UnetscopeError, match="cannot write"):
        write(tmp_path / name, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def pipe():
    """A path that gives a text once, as `<(…)` of a shell does."""
    opened = []

    def make(text):
        ours, theirs = os.pipe()
        os.write(theirs, text.encode())
        os.close(theirs)
        opened.append(ours)
        return f"/dev/fd/{ours}"

    yield make
    for each in opened:
        os.close(each)


NARROW = (
    "{extends: article_003, unet: {base_channels: 8, norm_groups: 2},"
    " inputs: {height: 16, width: 16}}"
)


def test_a_pipe_is_read_once(unetscope, pipe):
    checked = unetscope("check", pipe(NARROW), "-f", "json")
    assert (checked.code, json.loads(checked.out)["findings"]["errors"]) == (0, 0)
    assert unetscope("skips", pipe(NARROW)).code == 0


def test_a_lock_and_a_trace_may_come_from_pipes(unetscope, pipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("unet.yaml").write_text(NARROW)
    unetscope("lock", "unet.yaml")
    unetscope("trace", "unet.yaml", "--save", "t.json")
    lock, trace = Path("unet.lock").read_text(), Path("t.json").read_text()
    assert unetscope("diff", pipe(trace), pipe(lock)).code == 0


def test_what_a_file_names_must_be_a_regular_file(unetscope, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.mkfifo("part.safetensors")
    Path("unet.yaml").write_text("extends: ./pipe")
    Path("x.safetensors.index.json").write_text('{"weight_map": {"a": "part.safetensors"}}')
    heir = unetscope("skips", "unet.yaml")
    assert (heir.code, heir.err) == (2, 'error: unet.yaml:1:1: "./pipe" is no regular file\n')
    parts = unetscope("diff", "x.safetensors.index.json", "article_003")
    assert parts.code == 2
    assert "part.safetensors" in parts.err


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no /proc")
def test_what_cannot_be_read_is_said(unetscope):
    for command in ("skips", "check"):
        done = unetscope(command, "/proc/self/mem")
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error: /proc/self/mem: cannot be read: ")
