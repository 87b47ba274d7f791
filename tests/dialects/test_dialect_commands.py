"""What a shell sees of files from elsewhere: data on stdout, what was left out on stderr."""

from __future__ import annotations

from pathlib import Path

import pytest

from unetscope import cli
from unetscope.commands import console

DATA = Path(__file__).parent / "data"


@pytest.fixture
def unetscope(capsys, monkeypatch):
    """Run `unetscope ARGUMENTS`; its exit code, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(console, "_quiet", False)
        code = cli.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_trace(unetscope):
    file = DATA / "v1-inference.yaml"
    code, out, err = unetscope("trace", file, "--sections", "model")
    assert code == 0
    assert "859,520,964" in out
    assert err == (
        f"note: {file}: ignored, as they shape nothing: image_size, use_checkpoint, legacy\n"
    )
    assert unetscope("trace", file, "--sections", "model", "-q") == (0, out, "")


def test_a_control_net_of_two_networks(unetscope):
    file = DATA / "cldm_v15.yaml#control_stage_config"
    _, out, _ = unetscope("trace", file, "--sections", "model")
    assert "361,279,120" in out


def test_a_folder(unetscope, write):
    write({"_class_name": "UNet2DModel", "decay": 0.9}, "mine/unet/config.json")
    code, out, err = unetscope("show", "mine", "--set", "layers_per_block=1")
    assert (code, err) == (
        0,
        "note: mine/unet/config.json: ignored, as diffusers ignores them: decay\n",
    )
    assert "family: UNet2DModel\n" in out
    assert "layers_per_block: 1\n" in out


def test_a_refusal(unetscope, write):
    file = write({"_class_name": "UNet2DModel", "layers_per_blok": 2})
    code, out, err = unetscope("trace", file)
    assert (code, out) == (2, "")
    assert err == (
        "error: config.json:3:3: layers_per_blok: unknown key\n"
        "hint: did you mean layers_per_block?\n"
    )
