"""What TAB offers, asked as the scripts of the shells ask it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from narrow_configs import NARROW
from test_imports import modules_after

from unetscope import cli
from unetscope.config.files import shipped
from unetscope.render import FORMATS, Content, formats

ASKED = {"_UNETSCOPE_COMPLETE": "complete_fish"}
COMMANDS = cli._parser().commands


@pytest.fixture
def tab(tmp_path, monkeypatch, capsys):
    """A function that presses TAB behind a line, in a folder with a config of its own."""
    (tmp_path / "narrow.yaml").write_text(NARROW, encoding="utf-8")
    (tmp_path / "sd_mine").mkdir()
    (tmp_path / ".hidden.yaml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["unetscope"])

    def press(line, whole=False):
        with monkeypatch.context() as patched:
            for name, value in {**ASKED, "_TYPER_COMPLETE_ARGS": f"unetscope {line}"}.items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit):
                cli._parser()([])
        printed = capsys.readouterr()
        assert printed.err == ""
        return [
            offer if whole else offer.partition("\t")[0]
            for offer in printed.out.split("\n")[:-1]
            if offer
        ]

    return press


def test_commands_and_options(tab):
    assert tab("") == list(COMMANDS)
    assert tab("comp") == ["compare"]
    assert tab("comp", whole=True) == [f"compare\t{COMMANDS['compare'].help.partition(chr(10))[0]}"]
    assert tab("trace --sect") == ["--sections"]


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "list"])
def test_every_option_with_choices_offers_them(name, tab):
    """Whatever help shows as `a|b|c`."""
    for option in COMMANDS[name].params:
        choices = (option.metavar or "").split("|")
        if option.param_type_name == "option" and len(choices) > 1:
            assert tab(f"{name} {option.opts[0]} ") == choices
            assert tab(f"{name} {option.opts[0]}={choices[1][:-1]}") == [choices[1]]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("trace --sections mo", ["model"]),
        ("trace --sections model,mo", []),
        ("trace --sections ledger,mo", ["ledger,model"]),
        ("memory --sections w", ["weights"]),
        ("explain sd15 --sections ch", ["channels"]),
        ("timesteps --sections s", ["similarity"]),
        ("params --bytes-in fp16,b", ["fp16,bf16"]),
        ("diff --fail-on c", ["cosmetic", "cost"]),
        ("log --fail-on n", ["none"]),
        ("check --ignore malf", ["malformed"]),
        ("check --ignore a --ignore malf", ["malformed"]),
        ("trace --device c", ["cpu", "cuda"]),
        ("diff --verify c", ["cpu", "cuda"]),
        ("cache c", ["clear"]),
        ("trace --set block_out", ["block_out_channels=", "block_out_channels."]),
        ("show narrow.yaml --set norm_num_g", ["norm_num_groups="]),
        ("trace --controlnet controlnet_sdx", ["controlnet_sdxl"]),
        ("trace --controlnet sdx", []),
        ("trace sd15 --block mid_block.res", ["mid_block.resnets."]),
        ("trace sd15 --block mid_block.resnets.", ["mid_block.resnets.0", "mid_block.resnets.1"]),
        ("explain sd15 conv_i", ["conv_in"]),
        ("explain conv_i", ["conv_in"]),
        ("timesteps sd15 --layer time_p", ["time_proj"]),
        ("--show-completion z", ["zsh"]),
    ],
)  # fmt: skip
def test_values(line, offered, tab):
    assert sorted(tab(line)) == sorted(offered)


def test_keys_are_those_of_the_family_that_is_named(tab):
    mine = tab("trace narrow.yaml --set ")
    assert "cross_attention_dim=" in mine
    assert "cross_attention_dim=" not in tab("trace ddpm_cifar10_32 --set ")
    assert tab("trace no_such.yaml --set ") == []
    indexed = [f"block_out_channels.{index}=" for index in range(2)]
    assert tab("trace narrow.yaml --set block_out_channels.") == indexed


@pytest.mark.parametrize(
    "command", ["trace", "check", "lock", "diff", "compare", "explain", "show"]
)
def test_files_are_never_hidden_behind_names(command, tab):
    found = tab(f"{command} sd_")
    assert "sd_mine/" in found
    assert "sd_x4_upscaler" in found
    assert set(tab(f"{command} ")) == {*shipped(), "narrow.yaml", "sd_mine/"}
    assert tab(f"{command} .h") == [".hidden.yaml"]
    for elsewhere in ("./sd", "sd_mine/", "~/sd", "../sd", "/sd"):
        assert tab(f"{command} {elsewhere}") == [], "the shell completes them"


def test_modules_come_from_a_lock_or_an_earlier_run(tab, unetscope, monkeypatch):
    asked = "explain narrow.yaml mid_block.at"
    assert tab(asked) == [], "nothing is known yet, and torch is not imported for it"
    monkeypatch.setenv("UNETSCOPE_NO_CACHE", "")
    monkeypatch.setenv("UNETSCOPE_CACHE_DIR", "kept")
    assert unetscope("skips", "narrow.yaml").code == 0
    assert tab(asked) == ["mid_block.attentions."]
    monkeypatch.setenv("UNETSCOPE_NO_CACHE", "1")
    assert unetscope("lock", "narrow.yaml").code == 0
    assert tab(asked) == tab("explain narrow.lock mid_block.at") == ["mid_block.attentions."]
    assert unetscope("trace", "narrow.yaml", "--save", "narrow.json").code == 0
    assert tab("trace narrow.json --block conv_o") == ["conv_out"]


def test_revisions(tab):
    assert tab("diff --base a") == ["auto"], "this is no repository"
    git = ("git", "-c", "user.name=n", "-c", "user.email=n@example.org")
    for line in ("init -q -b trunk", "add .", "commit -qm first", "tag v1"):
        subprocess.run([*git, *line.split()], check=True)
    assert tab("diff --base ") == ["auto", "HEAD", "trunk", "v1"]
    assert tab("log --range v1..tr") == ["v1..trunk"]
    assert tab("diff tru") == ["trunk"]


def test_nothing_of_it_needs_torch():
    lines = ("explain sd15 mid_", "check --ignore ", "diff --fail-on ", "trace --set ",
             "trace --sections ", "trace ", "params --bytes-in ")  # fmt: skip
    code = f"""
import os
sys.argv = ["unetscope"]
os.environ |= {ASKED}
from unetscope import cli
for line in {lines}:
    os.environ["_TYPER_COMPLETE_ARGS"] = "unetscope " + line
    try:
        cli._parser()([])
    except SystemExit:
        pass
"""
    assert "torch" not in modules_after(code)


def test_formats_are_those_of_the_registry(tab):
    assert tab("trace -f ") == list(formats(Content.TABLES))
    assert set(tab("check -f ")) <= set(FORMATS)
