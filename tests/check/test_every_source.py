"""What `trace` takes, `check` takes; or it is refused with the reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from unetscope.files import traces
from unetscope.tracing import trace

ROOT = Path(__file__).parents[2]
CONTROL_NET = """\
family: ControlNetModel
unet:
  block_out_channels: [64, 128]
  down_block_types: [CrossAttnDownBlock2D, DownBlock2D]
  layers_per_block: 1
  attention_head_dim: 2
  cross_attention_dim: 768
  conditioning_embedding_out_channels: [16, 32]
"""


@pytest.fixture
def control(tmp_path):
    """A function that writes the config of a ControlNet for the narrow UNet."""

    def write(*replaced):
        text = CONTROL_NET
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "control.yaml").write_text(text, encoding="utf-8")
        return "control.yaml"

    return write


@pytest.fixture
def saved(tmp_path):
    """A saved trace of a network with a parameter that is never used."""
    network = nn.Conv2d(3, 3, 1)
    network.extra = nn.Parameter(torch.zeros(7))
    text = traces.dumps(trace(network, [torch.zeros(1, 3, 8, 8)]))
    (tmp_path / "net.json").write_bytes(text)
    return "net.json"


def test_a_saved_trace(check, saved):
    done = check(saved, "-f", "json")
    [row] = json.loads(done.out)["findings"]["rows"]
    assert (row["id"], row["file"], row["line"]) == ("unused-parameters", "net.json", None)
    assert "7 of 19 parameters: extra" in row["message"]


def test_a_saved_trace_needs_no_torch(saved, tmp_path):
    code = (
        f"import sys; from unetscope import cli; code = cli.run(['check', {saved!r}]); "
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "0 False"


def test_a_saved_trace_has_its_inputs(check, saved):
    done = check(saved, "--height", "16")
    assert (done.code, done.out) == (2, "")
    assert "is a saved trace" in done.err


def test_a_controlnet(check, narrow, control):
    done = check(narrow(), "--controlnet", control())
    assert (done.code, done.out) == (0, "Nothing found.\n")


def test_the_config_of_a_controlnet_is_checked_too(check, narrow, control):
    name = control(("768", "776"), ("  layers", "  norm_num_groups: 30\n  layers"))
    done = check(narrow(("768", "770")), "--controlnet", name)
    assert done.code == 1
    assert [line.split(" unet.")[0] for line in done.out.splitlines() if ".yaml:" in line] == [
        "control.yaml:5:3: error [groups]",
        "control.yaml:8:3: warning [text-width]",
        "narrow.yaml:9:3: warning [text-width]",
    ]


def test_a_controlnet_that_does_not_fit(check, narrow, control):
    done = check(narrow(), "--controlnet", control(("[64, 128]", "[64, 192]")))
    assert done.code == 1
    assert "error [build]" in done.out
    assert "`control.yaml` does not fit `narrow.yaml`: `block_out_channels`" in done.out


def test_a_file_at_a_revision(check, narrow, tmp_path):
    name = narrow(("  sample_size: 16\n", "  sample_size: 16\n  norm_num_groups: 30\n"))
    for arguments in (
        ["init", "-q"],
        ["add", name],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    (tmp_path / name).unlink()
    done = check(f"HEAD:{name}")
    assert done.code == 1
    assert done.out.startswith(f"HEAD:{name}:4:3: error [groups] unet.norm_num_groups: ")


def test_a_class_that_diffusers_builds(check, tmp_path):
    config = {
        "_class_name": "UNet3DConditionModel",
        "block_out_channels": [32, 64],
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "cross_attention_dim": 16,
        "attention_head_dim": 4,
        "down_block_types": ["CrossAttnDownBlock3D", "DownBlock3D"],
        "up_block_types": ["UpBlock3D", "CrossAttnUpBlock3D"],
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert check("config.json").code == 0
    refused = check("config.json", "--set", "norm_num_groups=4")
    assert (refused.code, refused.out) == (2, "")
    assert "diffusers builds it from its file" in refused.err


@pytest.mark.parametrize("name", ["sd15.lock", "model.safetensors"])
def test_what_holds_no_network_is_refused(check, tmp_path, name):
    header = b'{"conv_in.weight":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    path = ROOT / "configs" / "locks" / name if name.endswith(".lock") else tmp_path / name
    done = check(path)
    assert (done.code, done.out) == (2, "")
    assert "name the config" in done.err or "unetscope identify" in done.err


def test_sizes_of_what_has_no_config(check, saved):
    """Only a config says which sizes work; of others there is no such table."""
    assert "Input sizes" not in check(saved, "--sizes").out
