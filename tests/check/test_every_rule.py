"""Every rule is found in something, by the command, and `--list-rules` tells what it means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unetscope.findings import Severity
from unetscope.rules import every_rule

AS_WRITTEN = Path(__file__).parents[1] / "configs" / "article_003_as_written.yaml"

CONFIGS = {
    "malformed": "unet: [",
    "several": "model: {params: {unet_config: {target: a.UNetModel, params: {}}, "
    "network_config: {target: b.UNetModel, params: {}}}}",
    "empty": "",
    "missing-key": "name: nothing",
    "unknown-key": "unet: {norm_num_group: 32}",
    "unknown-family": "{family: Net, unet: {}}",
    "wrong-type": "unet: 3",
    "wrong-value": "unet: {norm_eps: small}",
    "too-large": "{unet: {}, inputs: {height: 65536, width: 65536}}",
    "size": "{family: UNet2DModel, unet: {}, inputs: {height: 63}}",
    "unsupported": "unet: {act_fn: silly}",
    "missing": "unet: {class_embeddings_concat: true}",
    "list-length": "unet: {attention_head_dim: [5, 10]}",
    "reverse-missing": "unet: {transformer_layers_per_block: [[1, 1], 1, 1, 1]}",
    "residuals": "unet: {up_layers_per_block: 2}",
    "empty-transformer": "unet: {transformer_layers_per_block: [1, 0, 1, 1]}",
    "groups": "unet: {norm_num_groups: 30}",
    "heads": "unet: {attention_head_dim: 7}",
    "skip-channels": "{family: SimpleUNet, unet: {up_res_channels: doubled}}",
    "wiring": "{family: SimpleUNet, unet: {base_channels: 2, norm_groups: 2}}",
    "condition-width": "unet: {time_embedding_type: fourier, time_embedding_dim: 31}",
    "context-width": "unet: {cross_attention_norm: layer_norm, mid_block_type: null, "
    "down_block_types: [SimpleCrossAttnDownBlock2D, DownBlock2D], "
    "up_block_types: [UpBlock2D, SimpleCrossAttnUpBlock2D], block_out_channels: [64, 128]}",
    "text-width": "unet: {cross_attention_dim: 776}",
    "width-not-8": "{family: SimpleUNet, unet: {base_channels: 68, norm_groups: 4}}",
    "odd-size": "{unet: {cross_attention_dim: 768}, inputs: {height: 68}}",
    "size-as-before": "{extends: sd15, unet: {sample_size: 96}}",
    "head-count": "unet: {cross_attention_dim: 768, attention_head_dim: 64}",
    "not-mirrored": "unet: {cross_attention_dim: 768, "
    "up_block_types: [UpBlock2D, UpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D]}",
}
"""By the id of a rule, a config in which it is found without a pass."""

MODELS = """
import torch
from torch import nn

class Unused(nn.Conv2d):
    def __init__(self):
        super().__init__(3, 3, 1)
        self.extra = nn.Parameter(torch.zeros(1))

class Order(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.up = nn.ModuleList(nn.Conv2d(6, 3, 3, padding=1) for _ in range(2))

    def forward(self, x):
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        for layer, skip in zip(self.up, skips):
            x = layer(torch.cat([x, skip], dim=1))
        return x

class Yields(nn.Conv2d):
    def __init__(self):
        super().__init__(3, 3, 1)

    def forward(self, x):
        return (super(Yields, self).forward(each) for each in [x])

class Fails(nn.Conv2d):
    def __init__(self):
        super().__init__(3, 3, 1)

    def forward(self, x):
        return super().forward(torch.cat([x, x], dim=1))
"""
SHAPE = ("--input", "1,3,8,8")
SOURCES = {
    "unused-parameters": ("rule_models:Unused", *SHAPE),
    "skip-order": ("rule_models:Order", *SHAPE),
    "closed": ("rule_models:Yields", *SHAPE),
    "forward": ("rule_models:Fails", *SHAPE),
    "build": ("sd15", "--controlnet", "controlnet_sdxl"),
}
"""By the id of a rule, what a pass finds it in."""


def found(done):
    assert done.code in (0, 1)
    return {row["id"]: row for row in json.loads(done.out)["findings"]["rows"]}


def test_there_is_an_example_of_each():
    assert {*CONFIGS, *SOURCES, "unchecked"} == {*every_rule()}
    assert not {*CONFIGS} & {*SOURCES}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_reading_a_config_finds(check, tmp_path, name):
    (tmp_path / "it.yaml").write_text(CONFIGS[name], encoding="utf-8")
    row = found(check("it.yaml", "-f", "json"))[name]
    assert row["level"] == every_rule()[name].severity.value
    assert not every_rule()[name].traced
    assert row["file"] == "it.yaml"


def test_what_cannot_be_read_is_found(check, tmp_path):
    (tmp_path / "good.yaml").write_text("extends: article_003", encoding="utf-8")
    done = check("missing.yaml", "good.yaml", "-f", "json")
    assert done.code == 2
    (row,) = json.loads(done.out)["findings"]["rows"]
    assert (row["id"], row["file"]) == ("unchecked", "missing.yaml")
    assert "missing.yaml" in done.err


def test_a_report_is_kept_where_nothing_could_be_checked(check, tmp_path):
    report = tmp_path / "report.json"
    first = check("missing.yaml", "-f", "json", "-o", report)
    assert first.code == 2
    assert "unchecked" in report.read_text()
    report.write_text("an earlier report")
    again = check("missing.yaml", "-f", "json", "-o", report)
    assert (again.code, report.read_text()) == (2, "an earlier report")
    assert "is kept" in again.err


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_pass_finds(check, tmp_path, monkeypatch, name):
    (tmp_path / "rule_models.py").write_text(MODELS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    row = found(check(*SOURCES[name], "-f", "json"))[name]
    assert row["level"] == every_rule()[name].severity.value
    assert every_rule()[name].traced
    assert row["file"]


def test_every_rule_is_listed(check):
    rows = json.loads(check("--list-rules", "-f", "json").out)["rules"]["rows"]
    assert {row["id"]: row["summary"] for row in rows} == {
        name: rule.summary for name, rule in every_rule().items()
    }
    for row in rows:
        assert Severity(row["level"]) is every_rule()[row["id"]].severity
        assert row["traced"] is every_rule()[row["id"]].traced


@pytest.mark.parametrize("form", ["terminal", "markdown", "csv", "html"])
def test_rules_are_tables(check, form):
    done = check("--list-rules", "--format", form)
    assert done.code == 0
    assert all(name in done.out for name in every_rule())


@pytest.mark.parametrize("form", ["github", "sarif"])
def test_rules_are_no_findings(check, form):
    done = check("--list-rules", "--format", form)
    assert (done.code, done.out) == (2, "")


def test_listing_rules_imports_no_torch():
    import subprocess
    import sys

    code = (
        "import sys; from unetscope import cli; code = cli.run(['check', '--list-rules']); "
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
