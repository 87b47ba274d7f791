"""Every command and option that a message suggests is there, and does what it says."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from narrow_configs import TINY
from safetensors.torch import save_file

import unetscope
from unetscope import cli
from unetscope.sources import Request, resolve

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGE = Path(unetscope.__file__).parent
COMMANDS = cli._parser().commands
EXAMPLES = {
    "unetscope check": "unetscope check tiny.yaml",
    "unetscope check CONFIG": "unetscope check tiny.yaml",
    "unetscope check --list-rules": "unetscope check --list-rules",
    "unetscope compare": "unetscope compare tiny.yaml tiny.yaml",
    "unetscope diff": "unetscope diff tiny.yaml tiny.yaml",
    "unetscope diff --base origin/main configs/": "unetscope diff --base origin/main configs/",
    "unetscope diff --base {}": "unetscope diff --base HEAD",
    "unetscope draw": "unetscope draw tiny.yaml tiny.yaml",
    "unetscope identify CHECKPOINT --yaml": "unetscope identify tiny.safetensors --yaml",
    "unetscope identify {}": "unetscope identify tiny.safetensors",
    "unetscope list": "unetscope list",
    "unetscope lock --check": "unetscope lock --check tiny.yaml",
    "unetscope lock CONFIG": "unetscope lock tiny.yaml",
    "unetscope lock {} -o FILE{}": "unetscope lock sd15 -o mine.lock",
    "unetscope show {}": "unetscope show tiny.yaml",
    "unetscope skips": "unetscope skips",
    "unetscope sweep --plot": "unetscope sweep --plot",
    "unetscope trace CONFIG --save FILE": "unetscope trace tiny.yaml --save tiny.trace",
    "unetscope trace FILE --trust-code": "unetscope trace code.yaml --trust-code",
    "unetscope trace FOLDER": "unetscope trace pipeline",
    "unetscope trace diffusers:UNetMotionModel": "unetscope trace diffusers:UNetMotionModel",
    "unetscope trace {}": "unetscope trace torch.nn:Linear "
    "--kwargs '{in_features: 3, out_features: 1}' --input 2,3",
}
"""What a message suggests, `{}` for what it fills in -> one command of that form."""
SPEAKS_TO_OTHER_TOOLS = {
    *(
        f"sources/{name}.py"
        for name in ("bases", "blobs", "git", "history", "locking", "revisions", "trees")
    ),
    "pytest_plugin.py",
    "commands/shells.py",
}


def _strings(file):
    """What a module may say: strings but docstrings and examples, `{}` for what is filled in."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "examples":
            silent |= {id(inner) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            yield "".join(
                getattr(part, "value", "") if _is_text(part) else "{}" for part in node.values
            )
    for node in ast.walk(tree):
        if _is_text(node) and id(node) not in silent:
            yield node.value


def _is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


SAID = {
    str(file.relative_to(PACKAGE)): list(_strings(file)) for file in sorted(PACKAGE.rglob("*.py"))
}


def test_the_examples_are_of_the_commands_that_are_suggested():
    named = "|".join(COMMANDS)
    command = re.compile(rf"(?:`|^)(unetscope (?:{named})(?: [^`]*)?)(?:`|$)")
    found = {match for texts in SAID.values() for text in texts for match in command.findall(text)}
    assert {text.partition(" --kwargs")[0] for text in found} == set(EXAMPLES)
    for suggested, example in EXAMPLES.items():
        blanks = re.sub(r"\\\{\\\}|\b[A-Z]{4,}\b", ".+", re.escape(suggested))
        assert re.match(blanks, example), example


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the examples name: a config with its lock and its weights, code, a pipeline."""
    folder = tmp_path_factory.mktemp("suggested")
    (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
    (folder / "code.yaml").write_text("_target_: torch.nn.Identity\n", encoding="utf-8")
    (folder / "pipeline" / "unet").mkdir(parents=True)
    (folder / "locks").mkdir()
    config = {"_class_name": "WuerstchenPrior", "c": 16, "c_cond": 8, "depth": 1, "nhead": 2}
    (folder / "pipeline" / "unet" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tiny = resolve(Request(str(folder / "tiny.yaml"), device="cpu"))
    save_file(tiny.build().state_dict(), folder / "tiny.safetensors")
    assert cli.run(["lock", str(folder / "tiny.yaml")]) == 0
    (folder / "configs").mkdir()
    (folder / "configs" / "tiny.yaml").write_text(TINY)
    git = ("git", "-c", "user.name=n", "-c", "user.email=n@example.org")
    there = "update-ref refs/remotes/origin/main HEAD"
    for line in ("init -q", "add .", "commit -qm first", there):
        subprocess.run([*git, *line.split()], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("suggested", EXAMPLES)
def test_what_is_suggested_runs(suggested, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    _, *arguments = shlex.split(EXAMPLES[suggested])
    if "--trust-code" in arguments:
        arguments += ["--input", "1,2"]
    assert cli.run(arguments) == 0, capsys.readouterr().err


def test_what_list_says_of_other_classes_runs(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert cli.run(["list", "sd15"]) == 0
    suggested = re.findall(r"`(unetscope [^`]*)`", capsys.readouterr().err)
    assert suggested
    assert set(suggested) <= set(EXAMPLES)


def _options(command):
    return {name: option for option in command.params for name in option.opts}


OPTIONS = {name: option for c in COMMANDS.values() for name, option in _options(c).items()}
GENERAL = {"--help", *_options(cli._parser())}
SPOKEN_OF = [
    (text, option, value)
    for file, texts in SAID.items()
    if file not in SPEAKS_TO_OTHER_TOOLS
    for text in texts
    for option, value in re.findall(r"(?<![\w-])(--[a-z][a-z-]*)(?: ([a-z-]+)`)?", text)
]


def test_options_that_are_spoken_of_are_there():
    assert {option for _, option, _ in SPOKEN_OF} <= set(OPTIONS) | GENERAL


def test_options_are_suggested_with_values_that_they_take():
    valued = [(option, value) for _, option, value in SPOKEN_OF if value]
    assert valued
    for option, value in valued:
        choices = [
            getattr(c, "value", c) for c in getattr(OPTIONS[option].type, "choices", [value])
        ]
        assert value in choices, option


def test_extras_that_are_suggested_are_there():
    extras = {
        extra for texts in SAID.values() for text in texts
        for extra in re.findall(r"pip install '?unetscope\[(\w+)\]", text)
    }  # fmt: skip
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert extras
    assert extras <= set(project["project"]["optional-dependencies"])


def test_guessed_inputs_are_said_as_the_command_line_takes_them(tmp_path):
    """Mappings, lists and plain values too."""
    config = {
        "_class_name": "ControlNetUnionModel",
        "block_out_channels": [32, 64],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "layers_per_block": 1,
        "cross_attention_dim": 8,
        "attention_head_dim": 4,
        "conditioning_embedding_out_channels": [8, 16],
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 56,
        "num_trans_channel": 32,
        "num_proj_channel": 32,
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    said = []
    guessed = resolve(Request(str(path)), said.append).trace()
    (line,) = said
    inputs = shlex.split(line.removeprefix("inputs guessed: "))[1::2]
    described = resolve(Request(str(path), inputs=tuple(inputs))).trace()
    assert guessed.inputs == described.inputs
    assert sum(op.macs or 0 for op in guessed.ops) == sum(op.macs or 0 for op in described.ops)
