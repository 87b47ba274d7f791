"""`unetscope COMMAND pkg.module:attr`: any importable model."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from unetscope import cli
from unetscope.commands import console
from unetscope.errors import UnetscopeError
from unetscope.record import TensorSpec
from unetscope.sources.inputs import given
from unetscope.sources.targets import is_target

CODE = '''\
"""Models as users write them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import nn

print("imported")


class Net(nn.Module):
    def __init__(self, width=4, levels=(1, 2)):
        super().__init__()
        print("built")
        self.enter, self.down = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, width, 2, 2)
        self.up, self.leave = nn.ConvTranspose2d(width, width, 2, 2), nn.Conv2d(2 * width, 3, 1)

    def forward(self, x, t):
        a = self.enter(x)
        return self.leave(torch.cat([self.up(self.down(a)), a], 1))


class Conditioned(Net):
    def forward(self, x, cond, extra, *, flag=True, scale=1.0):
        assert isinstance(extra, (tuple, list)) and flag is False and scale == 0.5
        assert cond["pooled"]["ids"].dtype is torch.int64
        return super().forward(x + extra[0] + extra[1].mean(), 1)


class Renamed(Net):
    def forward(self, sample, t):
        return super().forward(sample, t)


class Deciding(Net):
    def forward(self, x, t):
        if t.item() > 3:
            return x
        return super().forward(x, t)


class ByPosition(Net):
    def forward(self, *args):
        (x, times), t = args
        return Result(super().forward(x * times, t))


@dataclass
class Result:
    sample: torch.Tensor


class Small(Net):
    """A constructor whose weights are of a type of 8 bits."""

    def __init__(self):
        super().__init__()
        self.enter.weight = nn.Parameter(self.enter.weight.to(torch.float8_e4m3fn))

    def forward(self, x, t):
        return nn.functional.conv2d(x, self.enter.weight.to(x.dtype), padding=1)


class InAThread(Net):
    def forward(self, x, t):
        with ThreadPoolExecutor(1) as pool:
            h = pool.submit(torch.nn.functional.relu, self.enter(x)).result()
        return self.leave(torch.cat([self.up(self.down(h)), h], 1))


class JoinsNothing(Net):
    def forward(self, x, t):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.nn.functional.relu, self.enter(x)).result()


@torch.jit.script
def convolve(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.conv2d(x, weight, padding=1)


class Scripted(Net):
    def forward(self, x, t):
        return torch.cat([convolve(x, self.enter.weight), self.enter(x)], 1)


class NotForJit(Net):
    def forward(self, x, t):
        if torch.jit.is_tracing():
            raise TypeError("not here")
        return super().forward(x, t)


class Computed(Net):
    """A constructor that looks at values."""

    def __init__(self):
        super().__init__()
        self.rate = torch.linspace(0, 1, 3)[2].item()


def build_unet(width=8):
    return Net(width)


def number():
    return 5


def broken():
    raise ValueError("no such thing")


class Holder:
    net = Net(2)


net = Net(2)
not_a_model = 3
'''


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """A function that runs a command in a folder with a package `mine`, as a shell would."""
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").write_text(CODE)
    (package / "unfinished.py").write_text("def f(:")
    (package / "missing.py").write_text("import no_such_package_anywhere")
    (package / "leaving.py").write_text("import sys\nsys.exit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(*arguments: Any) -> Result:
        monkeypatch.setattr(console, "_quiet", False)
        monkeypatch.setattr(console, "_verbose", False)
        for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
            del sys.modules[name]
        code = cli.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    yield run
    for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[name]


GIVEN = ("--input", "x=1,3,16,16", "--input", "t=1:int64")


@pytest.mark.parametrize("target", ["build_unet", "Net", "net", "Holder.net", "Computed"])
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_classes_factories_and_instances(run, target, device):
    result = run("skips", f"mine.models:{target}", *GIVEN, "--device", device, "-f", "json")
    (row,) = result.data["ledger"]["rows"]
    assert row["producer"] == "enter"
    assert row["shape"][2:] == [16, 16]


def test_arguments_of_a_factory(run):
    result = run("skips", "mine.models:build_unet", *GIVEN, "--kwargs", "{width: 6}", "-f", "json")
    assert result.data["ledger"]["rows"][0]["shape"] == [1, 6, 16, 16]


@pytest.mark.parametrize("command", ["trace", "skips", "params", "flops", "memory"])
def test_every_command_takes_a_target(run, command):
    assert run(command, "mine.models:Net", *GIVEN, "-f", "json").data


def test_explain_takes_a_target(run):
    result = run("explain", "mine.models:Net", "leave", *GIVEN)
    assert result.code == 0, result.err
    assert "Conv2d" in result.out


@pytest.mark.parametrize("name", ["x", "sample"])
def test_a_network_whose_input_was_renamed_is_compared_by_places(run, name):
    given = ("--input", f"{name}=1,3,16,16", "--input", "t=1:int64")
    result = run("diff", "mine.models:Net", "mine.models:Renamed", *given, "-f", "json")
    assert result.code == 1, result.err
    changes = json.loads(result.out)["changes"]
    ids = {change["id"]: change["severity"] for change in changes}
    assert ids == {"io-renamed": "breaking", "class-renamed": "cosmetic"}
    assert f"takes `{name}` as" in result.err


def test_an_input_that_neither_network_has_is_refused(run):
    given = ("--input", "y=1,3,16,16", "--input", "t=1:int64")
    result = run("diff", "mine.models:Net", "mine.models:Renamed", *given)
    assert (result.code, result.out) == (2, "")
    assert "neither network has an input `y`" in result.err


def test_what_models_print_is_talk(run):
    result = run("trace", "mine.models:Net", *GIVEN, "-f", "json")
    assert result.data["model"]["config"] == "mine.models:Net"
    assert "imported" in result.err
    assert "built" in result.err


def test_nested_inputs_and_plain_values(run):
    written = {
        "x": "=1,3,16,16",
        "cond.pooled.ids": "=(1,2):int64",
        "extra.0": "=1",
        "extra.1": "=2",
        "flag": ":=false",
        "scale": ":=0.5",
    }
    flags = [text for name, value in written.items() for text in ("--input", name + value)]
    result = run("trace", "mine.models:Conditioned", *flags, "-f", "json")
    names = [row["name"] for row in result.data["io"]["rows"]]
    assert names == ["x", "cond.pooled.ids", "extra.0", "extra.1", "output"]


def test_an_input_file(run, tmp_path):
    (tmp_path / "inputs.yaml").write_text(
        "x: {shape: [1, 3, 16, 16]}\n"
        'cond: {pooled: {ids: "1,2:int64"}}\n'
        "extra: [{shape: 1}, {shape: [2], dtype: float32}]\n"
        "flag: false\nscale: 0.5\n"
    )
    result = run("skips", "mine.models:Conditioned", "--input-file", "inputs.yaml", "-f", "json")
    assert result.data["ledger"]["popped"] == 1
    result = run(
        *("skips", "mine.models:Conditioned", "--input-file", "inputs.yaml", "-f", "json"),
        *("--input", "x=1,3,8,8"),
    )
    assert result.data["ledger"]["rows"][0]["shape"] == [1, 4, 8, 8]


def test_guessed_inputs_are_said(run):
    result = run("skips", "mine.models:Net", "--height", "32", "-f", "json")
    assert result.data["ledger"]["rows"][0]["shape"] == [1, 4, 32, 64]
    assert "inputs guessed: --input x=1,3,32,64 --input t=1:int64" in result.err


def test_a_model_that_looks_at_values_says_where_and_runs_on_the_cpu(run):
    result = run("skips", "mine.models:Deciding", *GIVEN)
    line = CODE[: CODE.index("if t.item()")].count("\n") + 1
    assert result.code == 2
    assert f"models.py:{line}: " in result.err
    assert "`Tensor.item`" in result.err
    assert "--device cpu" in result.err
    assert run("skips", "mine.models:Deciding", *GIVEN, "--device", "cpu").code == 0


REFUSED = {
    "nearest module": (["mine.model:Net"], "did you mean `mine.models`?"),
    "nearest package": (["mime.models:Net"], "did you mean `mine`?"),
    "nearest name": (["mine.models:build_unte"], "did you mean `build_unet`?"),
    "no model": (
        ["mine.models:not_a_model"],
        "a class or a factory, found `int`",
    ),
    "makes no model": (["mine.models:number"], "made `int`, not an nn.Module"),
    "fails": (["mine.models:broken"], "ValueError: no such thing"),
    "no Python": (["mine.unfinished:f"], "unfinished.py:1"),
    "imports what is not there": (["mine.missing:f"], "No module named 'no_such_package_anywhere'"),
    "leaves": (["mine.leaving:f"], "SystemExit: 3"),
    "a file": (["mine/models.py:Net"], "write `mine.models:Net`"),
    "a module": (["mine:models.Net"], "no `models` in `mine`"),
    "unknown argument": (["mine.models:Net", "--kwargs", "{widht: 1}"], "did you mean `width`?"),
    "no mapping": (["mine.models:Net", "--kwargs", "[1]"], "expected a mapping in YAML"),
    "no YAML": (["mine.models:Net", "--kwargs", "{a: ["], "not YAML"),
    "arguments of an instance": (["mine.models:net", "--kwargs", "{a: 1}"], "takes no --kwargs"),
    "cannot be guessed": (["mine.models:Conditioned"], "--input cond="),
    "one input missing": (["mine.models:Net", "--input", "1,3,8,8"], "forward(x, t)"),
    "an unknown input": (["mine.models:Net", *GIVEN, "--input", "z=1"], "unexpected keyword"),
    "a wrong shape": (["mine.models:Net", "--input", "1,a"], "expected a shape such as"),
    "an unknown type": (["mine.models:Net", "--input", "1:int46"], "did you mean `int64`?"),
    "given twice": (["mine.models:Net", *GIVEN, "--input", "x=1"], "`x` is given twice"),
    "absurd": (["mine.models:Net", "--input", "99999999999,99999999999"], "the bound for an input"),
    "sizes beside": (["mine.models:Net", *GIVEN, "--height", "8"], "sizes are part of `--input`"),
    "overrides": (["mine.models:Net", *GIVEN, "--set", "a=1"], "--kwargs"),
    "a config": (["sd15", "--input", "1,3"], "go with code"),
    "no input file": (["mine.models:Net", "--input-file", "none.yaml"], "none.yaml"),
    "too few channels": (
        ["mine.models:Net", "--input", "1,2,8,8", "--input", "1"],
        "`enter` failed",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(run, name):
    arguments, said = REFUSED[name]
    result = run("skips", *arguments)
    assert (result.code, result.out) == (2, ""), result.err
    assert said in result.err
    assert "Traceback" not in result.err


def test_a_file_of_that_name_is_no_code(run, tmp_path):
    (tmp_path / "mine.models:Net").write_text("family: [")
    result = run("skips", "mine.models:Net")
    assert "imported" not in result.err
    assert "not YAML" in result.err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("sweep", "mine.models:Net", "--height", "8,16"), "Height"),
        (("trace", "mine.models:Net", "--symbolic", "--sections", "io"), "(B, 3, H, W)"),
        (
            ("memory", "mine.models:Net", *GIVEN, "--measure", "--device", "cpu"),
            "after 2 to warm up",
        ),
        (("flops", "mine.models:Net", *GIVEN, "--audit"), "FlopCounterMode"),
        (("flops", "mine.models:Net", *GIVEN, "--audit", "--full"), "FlopCountAnalysis"),
    ],
)
def test_what_runs_a_network_again_takes_code(run, arguments, shown):
    result = run(*arguments)
    assert result.code == 0, result.err
    assert shown in result.out


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("flops", "--audit", "--full"), "Every difference is explained."),
        (("memory", "--measure", "--device", "cpu"), "after 2 to warm up"),
    ],
)
def test_what_runs_a_network_again_takes_inputs_without_names(run, tmp_path, arguments, shown):
    (tmp_path / "inputs.yaml").write_text('[["1,3,16,16", 0.5], "1:int64"]')
    command, *options = arguments
    result = run(command, "mine.models:ByPosition", "--input-file", "inputs.yaml", *options)
    assert result.code == 0, result.err
    assert shown in result.out


def test_weights_of_8_bits_are_measured_and_audited(run):
    for command in (("memory", "--measure", "--device", "cpu"), ("flops", "--audit", "--full")):
        result = run(command[0], "mine.models:Small", *GIVEN, *command[1:])
        assert result.code == 0, result.err


def test_what_an_engine_cannot_run_is_the_engines_error(run):
    result = run("flops", "mine.models:NotForJit", *GIVEN, "--audit", "--full")
    assert (result.code, result.out) == (2, "")
    assert "fvcore's FlopCountAnalysis cannot run the network: TypeError: not here" in result.err


def test_a_sweep_of_code_counts_what_traces_count(run):
    swept = run("sweep", "mine.models:Net", "--height", "8,16", "--width", "24", "-f", "json")
    for row in json.loads(swept.out)["sweep"]["rows"]:
        sizes = "--height", row["height"], "--width", 24
        counted = run("flops", "mine.models:Net", *sizes, "-f", "json")
        assert json.loads(counted.out)["flops"]["total"]["macs"] == row["macs"]


def test_an_audit_without_a_twin_says_what_it_left_out(run):
    result = run("flops", "mine.models:Net", *GIVEN, "--audit")
    assert "left out: fvcore" in result.err
    assert "--full" in result.err


def test_no_sweep_of_inputs_that_are_described(run):
    result = run("sweep", "mine.models:Net", *GIVEN, "--height", "8,16")
    assert (result.code, result.out) == (2, "")
    assert "sizes" in result.err
    assert "--input" in result.err


def test_inputs_that_are_described_have_symbols(run):
    arguments = "trace", "mine.models:Net", *GIVEN, "--sections", "io"
    result = run(*arguments, "--symbolic")
    assert result.code == 0, result.err
    assert "(B, 3, H, W)" in result.out
    assert result.err.count("built") == run(*arguments).err.count("built")


@pytest.mark.parametrize(
    "content",
    [
        "_target_: mine.models:Net\n",
        "family: UNet2DModel\nunet: {_target_: mine.models.Net}\n",
        "extends: mine.models:Net\n",
        '{"_class_name": "mine.models:Net"}',
        "model: {target: mine.models.Net, params: {}}\n",
    ],
)
def test_what_a_file_names_is_never_imported(run, tmp_path, content):
    (tmp_path / "config.yaml").write_text(content)
    result = run("skips", "config.yaml")
    assert result.code == 2
    assert "imported" not in result.err.splitlines()
    assert "mine.models" not in sys.modules


def test_what_a_project_names_is_never_imported(run, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.unetscope]\nconfig = "mine.models:Net"\n')
    result = run("params")
    assert result.code == 2
    assert "imported only where you type it" in result.err
    assert "mine.models" not in sys.modules


def test_what_is_a_target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_target("a:b")
    assert is_target("a.b:C.d")
    for other in ("sd15", "a.yaml", "./a:b", "a:", ":b", "a:b:c", "a b:c", "1a:b", "a:b()"):
        assert not is_target(other)


def test_forms_of_inputs():
    """A shape with or without brackets, of no dims at all, with a type; plain values in YAML."""
    found = given(["1,3", "(2, 4):half", "():int64", ":=[1, 2]", "a.b:=null"], None, "bfloat16")
    assert found.args == (
        TensorSpec((1, 3), "bfloat16"),
        TensorSpec((2, 4), "float16"),
        TensorSpec((), "int64"),
        [1, 2],
    )
    assert found.kwargs == {"a": {"b": None}}
    with pytest.raises(UnetscopeError, match="as a whole already"):
        given(["a=1", "a.b=1"], None, "float32")


def test_what_something_unseen_made_is_said(run):
    target = "mine.models:InAThread"
    flops = run("flops", target, *GIVEN)
    assert "not counted: 1 (unseen)" in flops.out
    assert "Every kind of function" not in flops.out
    assert "without_formula" in run("flops", target, *GIVEN, "-f", "json").out
    for command in ("trace", "memory", "skips"):
        assert "Tensors that something unseen made: 1." in run(command, target, *GIVEN).out
    skips = run("skips", "mine.models:JoinsNothing", *GIVEN)
    assert "joins no skips" in skips.err
    assert "Tensors that something unseen made: 1." in skips.err
    audit = run("flops", target, *GIVEN, "--audit")
    assert "not counted: 1 (unseen)" in audit.out
    assert run("lock", target, *GIVEN, "-o", "it.lock").code == 0
    assert run("lock", target, *GIVEN, "-o", "it.lock", "--check").code == 0
    assert "not counted: 1 (unseen)" in run("compare", "it.lock", "it.lock").out
    changed = run("diff", "mine.models:Net", "it.lock", *GIVEN)
    assert changed.code == 1
    assert "unseen" in changed.out


def test_an_audit_counts_inside_scripted_functions(run):
    result = run("flops", "mine.models:Scripted", *GIVEN, "--audit", "-f", "json")
    (table,) = result.data["audit"]
    assert table["explained"] is True
    assert table["total"]["unetscope_macs"] == 16 * 16 * 3 * (4 + 4) * 9
