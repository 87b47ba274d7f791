"""Which config is meant where none is named."""

import json

import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    inner = tmp_path / "project" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    return tmp_path / "project"


def config_of(result):
    assert result.code == 0, result.err
    return json.loads(result.out)["flops"]["total"]["macs"]


def test_without_any_it_is_stable_diffusion(unetscope, folder):
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    result = unetscope("flops", "-f", "json")
    assert config_of(result) == 401_636_720_640
    assert result.err == "no config named: taking `sd15`\n"
    assert unetscope("flops", "-q").err == ""


def test_the_nearest_pyproject_names_it(unetscope, folder):
    (folder / "pyproject.toml").write_text("[tool.unetscope]\nconfig = 'bk_sdm_small'\n")
    result = unetscope("flops", "-f", "json")
    assert config_of(result) < 401_636_720_640
    assert "taking `bk_sdm_small` from" in result.err
    assert str(folder / "pyproject.toml") in result.err
    sweep = unetscope("sweep", "--height", "16")
    assert sweep.code == 0
    assert "taking `bk_sdm_small` from" in sweep.err


def test_a_path_starts_from_the_file_that_names_it(unetscope, folder):
    (folder / "pyproject.toml").write_text("[tool.unetscope]\nconfig = 'mine.yaml'\n")
    (folder / "mine.yaml").write_text("extends: sd15\ninputs: {height: 32, width: 32}\n")
    assert config_of(unetscope("flops", "-f", "json")) < 401_636_720_640 / 4


def test_what_is_named_counts_first(unetscope, folder):
    (folder / "pyproject.toml").write_text("[tool.unetscope]\nconfig = 'no-such'\n")
    result = unetscope("flops", "sd15", "-f", "json")
    assert config_of(result) == 401_636_720_640
    assert result.err == ""
    missing = unetscope("flops")
    assert missing.code == 2
    assert "no-such" in missing.err


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.unetscope]\nconfig = 3\n", "expected a path or the name of a shipped config"),
        ("[tool.unetscope]\nconfig = ''\n", "expected a path or the name of a shipped config"),
        ("[tool.unetscope\n", "pyproject.toml:1:"),
    ],
)
def test_a_file_that_cannot_be_read_as_meant(unetscope, folder, text, expected):
    (folder / "pyproject.toml").write_text(text)
    result = unetscope("flops")
    assert (result.code, result.out) == (2, "")
    assert expected in result.err


def test_check_needs_one(unetscope, folder):
    result = unetscope("check")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: expected a config or code, found none\nhint: `unetscope")
    (folder / "pyproject.toml").write_text("[tool.unetscope]\nconfig = 'sd15'\n")
    assert unetscope("check").code == 0


@pytest.mark.parametrize("command", ["flops", "check"])
@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("[tool.unetscope]\nconfg = 'sd15'\n", ":2", "tool.unetscope.confg: no such setting\n"),
        ("[tool]\nunetscope.confg = 'sd15'\n", ":2", "hint: did you mean `config`?"),
        ("[tool.unetscope]\n\n[tool.unetscope.chek]\nx = 1\n", ":3", "did you mean `check`?"),
        ("[tool]\nunetscope = {x = 1}\n", "", "hint: there are check, config, "),
        ("[tool.unetscope]\n'\\u001b' = 1\n", "", "no such setting"),
    ],
)
def test_a_setting_that_there_is_not(unetscope, folder, command, text, line, expected):
    (folder / "pyproject.toml").write_text(text)
    result = unetscope(command)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {folder / 'pyproject.toml'}{line}: tool.unetscope.")
    assert expected in result.err


def test_the_line_of_a_setting_of_check(unetscope, folder):
    (folder / "pyproject.toml").write_text("[tool.unetscope.check]\n# ids\nignore = ['x']\n")
    assert "pyproject.toml:3: tool.unetscope.check.ignore: " in unetscope("check", "sd15").err
    (folder / "pyproject.toml").write_text("[tool.unetscope.check]\nignor = []\n")
    result = unetscope("check", "sd15")
    assert "pyproject.toml:2: tool.unetscope.check.ignor: no such setting\n" in result.err
    assert "hint: did you mean `ignore`?" in result.err
