"""The fixture as users meet it: pytest inside pytest, with nothing but this plugin."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path

import pytest

from unetscope.files import locks
from unetscope.tracing import flops
from unetscope.wording import pasted

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]

TEST = """
import pytest
import torch
import unetscope
from torch import nn

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 2, stride=2), nn.ConvTranspose2d(width, width, 2, stride=2)
        )
        self.leave = nn.Conv2d(2 * width, 3, 1)

    def forward(self, x, scale=1.0):
        h = self.enter(x)
        return scale * self.leave(torch.cat([self.inner(h), h], dim=1))

def build():
    with torch.device("meta"):
        return Net(WIDTH), torch.zeros(1, 3, 8, 8)

def test_it(assert_architecture):
    model, x = build()
    CALL
"""
MODEL = 'assert_architecture(model, "net.lock", x)'


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a test in a folder beside the working directory; its exit code and what it said."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(*options, width=4, call=MODEL, folder="."):
        (tmp_path / "unit").mkdir(exist_ok=True)
        text = TEST.replace("WIDTH", str(width)).replace("CALL", call)
        (tmp_path / "unit" / "test_net.py").write_text(text, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        # The outer pytest looks for garbage too, and once is enough.
        absent = "-p", "no:cacheprovider", "-p", "no:unraisableexception"
        arguments = ["-q", "-p", "unetscope.pytest_plugin", *absent, *options]
        with monkeypatch.context() as inside:
            inside.chdir(tmp_path / folder)
            inside.setattr(sys, "dont_write_bytecode", True)
            inside.delitem(sys.modules, "test_net", raising=False)
            code = pytest.main([f"--rootdir={tmp_path}", *arguments])
        said = capfd.readouterr()
        return code, said.out + said.err

    return run


def test_its_life(run, tmp_path):
    lock = tmp_path / "unit" / "net.lock"
    code, said = run()
    assert code == 1
    assert f"there is no lock {lock}" in said
    assert "pytest --update-architecture unit/test_net.py::test_it" in said
    assert not lock.exists()

    assert run("--update-architecture")[0] == 0
    written = lock.read_bytes()
    assert [skip.producer for skip in locks.load(lock).skips] == ["enter"]
    assert run()[0] == 0

    code, said = run(width=6)
    assert code == 1
    assert "From net.lock to the model" in said
    assert "(3, 8, 1, 1) -> (3, 12, 1, 1)" in said
    assert "Traceback" not in said
    assert lock.read_bytes() == written

    assert run("--update-architecture", width=6)[0] == 0
    assert lock.read_bytes() != written
    assert run(width=6)[0] == 0


SEVERAL = """pass

def test_trace(assert_architecture):
    model, x = build()
    assert_architecture(unetscope.trace(model, x), "net.lock")

def test_by_name(assert_architecture):
    model, x = build()
    assert_architecture(model, "net.lock", x=x)

def test_trace_with_inputs(assert_architecture):
    model, x = build()
    with pytest.raises(TypeError, match="a Trace has its inputs already"):
        assert_architecture(unetscope.trace(model, x), "net.lock", x)

def test_renamed(assert_architecture):
    model, x = build()
    class Other(Net):
        def forward(self, x):
            h = self.enter(x)
            return 1.0 * self.leave(torch.cat([self.within(h), h], dim=1))
    model.within = model._modules.pop("inner")
    model.__class__ = Other
    with pytest.raises(pytest.fail.Exception, match="within"):
        assert_architecture(model, "net.lock", x)

def test_damaged(assert_architecture, request):
    model, x = build()
    (request.path.parent / "bad.lock").write_text("{")
    with pytest.raises(pytest.fail.Exception, match="a damaged lock"):
        assert_architecture(model, "bad.lock", x)
"""


def test_what_it_takes(run):
    assert run("--update-architecture")[0] == 0
    code, said = run(call=SEVERAL)
    assert code == 0, said
    assert "6 passed" in said


def test_it_lives_with_warnings_as_errors(run, tmp_path, monkeypatch):
    deep = 'assert_architecture(model, "new/folder/net.lock", x)'
    assert run("--update-architecture", "-W", "error", call=deep)[0] == 0
    assert (tmp_path / "unit" / "new" / "folder" / "net.lock").exists()
    assert run("-W", "error", call=deep)[0] == 0
    for name in [name for name in sys.modules if name.partition(".")[0] == "fvcore"]:
        monkeypatch.delitem(sys.modules, name)
    spec = importlib.util.spec_from_file_location("flops_again", flops.__file__)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


WRITERS = """pass

@pytest.mark.parametrize("width", [4, 4.0, 6])
def test_widths(assert_architecture, width):
    with torch.device("meta"):
        assert_architecture(Net(int(width)), "one.lock", torch.zeros(1, 3, 8, 8))
"""


def test_one_lock_is_not_written_for_two_networks(run, tmp_path):
    code, said = run("--update-architecture", call=WRITERS)
    assert code == 1
    assert "3 passed" in said
    assert "1 failed" in said
    writer = "unit/test_net.py::test_widths[4] wrote another network into this lock"
    assert f"{tmp_path / 'unit' / 'one.lock'}: {writer}" in said
    assert "Traceback" not in said
    shapes = {
        tensor.name: tensor.shape for tensor in locks.load(tmp_path / "unit/one.lock").tensors
    }
    assert shapes["enter.weight"][0] == 4


def test_it_fails_on_what_it_is_told_to(run):
    assert run("--update-architecture")[0] == 0
    scaled = "model.leave.bias = None; "
    for fail_on, code in (("breaking", 1), ("none", 0)):
        given = MODEL.replace("x)", f"x, fail_on='{fail_on}')")
        assert run(call=scaled + given)[0] == code
    behaves = "model.enter.padding_mode = 'reflect'; "
    for fail_on, code in (("breaking", 0), ("behavioural", 1)):
        given = MODEL.replace("x)", f"x, fail_on='{fail_on}')")
        assert run(call=behaves + given)[0] == code
    for bad in ("'braking'", "3", "None"):
        code, said = run(call=MODEL.replace("x)", f"x, fail_on={bad})"))
        assert code == 1
        assert "fail_on: unknown severity `" in said
        assert "Traceback" not in said


NAMED = """pass

@pytest.mark.parametrize("name", ["it's a $HOME & `more`"])
def test_of(assert_architecture, name):
    model, x = build()
    assert_architecture(model, "none.lock", x)
"""


def test_its_hint_can_be_pasted(run, tmp_path):
    _, said = run("-k", "test_of", call=NAMED, folder="unit")
    # Where CI is set, pytest's summary repeats the whole message.
    (hint,) = {line for line in said.splitlines() if line.startswith("If it is meant so: ")}
    program, *arguments = shlex.split(hint.partition("so: ")[2])
    assert program == "pytest"
    assert run(*arguments, call=NAMED, folder="unit")[0] == 0
    assert (tmp_path / "unit" / "none.lock").exists()


@pytest.mark.parametrize("system", ["posix", "nt"])
def test_a_command_is_quoted_where_a_shell_needs_it(monkeypatch, system):
    monkeypatch.setattr("os.name", system)
    assert pasted("a/b_c.py::test") == "a/b_c.py::test"
    assert pasted("x[1 2]", "") == '"x[1 2]" ""'
    special = r"'a$b\c'" if system == "posix" else r'"a$b\c"'
    assert pasted(r"a$b\c") == special


def test_a_name_stays_one_word_in_a_shell():
    words = ["a b", "it's", '"', "$HOME", "`x`", "!1", "a;b", "*", "#", "~", "", "日本", "a\\"]
    printed = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {pasted(*words)}"], capture_output=True, text=True, check=True
    )
    assert printed.stdout.splitlines() == words


def test_pytest_finds_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plugin = import_module(project["entry-points"]["pytest11"]["unetscope"])
    assert callable(plugin.pytest_addoption)


def test_pytest_starts_without_torch():
    script = "import sys, unetscope.pytest_plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & {"torch", "msgspec", "yaml", "rich", "typer"}
