"""A ControlNet is a part of its own, and the UNet and it are what they are alone."""

import json
from math import prod

import pytest
import yaml

LEVELS = {
    "block_out_channels": [8, 16, 16],
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
}
UNET = {
    "name": "narrow",
    "family": "UNet2DConditionModel",
    "unet": LEVELS
    | {
        "sample_size": 16,
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    },
}
CONTROLNET = {
    "name": "steering",
    "family": "ControlNetModel",
    "unet": LEVELS | {"conditioning_embedding_out_channels": [4, 8, 8, 12]},
    "inputs": {"height": 16, "width": 16},
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, config in (("unet", UNET), ("control", CONTROLNET)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


@pytest.fixture
def rows(files, unetscope):
    """The rows of a command's first table for the UNet, the ControlNet and both as one."""

    def of(command, *options, table):
        found = []
        for source in (["unet.yaml"], ["control.yaml"], ["unet.yaml", "--controlnet=control.yaml"]):
            result = unetscope(command, *source, *options, "-f", "json")
            assert result.code == 0, result.err
            found.append(json.loads(result.out)[table]["rows"])
        return found

    return of


@pytest.mark.parametrize(("command", "table"), [("params", "parameters"), ("flops", "flops")])
def test_the_blocks_of_both_are_those_of_each(rows, command, table):
    amount = {"params": "parameters", "flops": "macs"}[command]
    unet, control, both = rows(command, "--by", "block", table=table)
    expected = [(f"controlnet.{row['block']}", row[amount]) for row in control]
    expected += [(f"unet.{row['block']}", row[amount]) for row in unet]
    assert [(row["block"], row[amount]) for row in both] == expected


@pytest.mark.parametrize(("command", "table"), [("params", "parameters"), ("flops", "flops")])
def test_the_controlnet_is_one_part_and_leaves_the_others_as_they_are(rows, command, table):
    amount = {"params": "parameters", "flops": "macs"}[command]
    unet, control, both = rows(command, "--by", "part", table=table)
    found = {row["part"]: row[amount] for row in both}
    assert found.pop("controlnet") == sum(row[amount] for row in control)
    assert found == {row["part"]: row[amount] for row in unet}


def test_kinds_of_modules_occur_in_both(rows):
    unet, control, both = rows("params", "--by", "type", table="parameters")
    for row in both:
        same = [each for each in (*unet, *control) if each["kind"] == row["kind"]]
        for key in ("times", "parameters"):
            assert row[key] == sum(each[key] for each in same), row["kind"]


def test_memory_tells_what_the_controlnet_holds(files, unetscope, rows):
    unet, control, both = rows("memory", "--sections", "blocks", table="blocks")
    for row in control:
        row["block"] = f"controlnet.{row['block']}"
    assert both[: len(control)] == control
    assert [row["block"] for row in both[len(control) :]] == [f"unet.{r['block']}" for r in unet]

    steered = ("unet.yaml", "--controlnet", "control.yaml", "-f", "json")
    summary = json.loads(unetscope("memory", *steered, "--sections", "memory").out)["memory"]
    parameters = json.loads(unetscope("params", "control.yaml", "-f", "json").out)["parameters"]
    total = sum(row["parameters"] for row in parameters["rows"])
    assert summary["controlnet_weight_bytes"] == 4 * total
    outputs = json.loads(unetscope("trace", "control.yaml", "-f", "json").out)["io"]["rows"]
    shapes = [row["shape"] for row in outputs if row["name"].startswith("output")]
    assert summary["controlnet_added_bytes"] == 4 * sum(map(prod, shapes))


def test_trace_names_it_beside_the_five_parts(files, unetscope):
    result = unetscope("trace", "unet.yaml", "--controlnet", "control.yaml", "-f", "json")
    found = json.loads(result.out)
    (part,) = [row for row in found["parts"]["rows"] if row["part"] == "controlnet"]
    assert part["modules"] == ["controlnet"]
    assert found["parts"]["steering"] == [
        {
            "part": "controlnet",
            "modules": ["controlnet"],
            "added": 7,
            "added_to_pushes": list(range(6)),
        }
    ]
    assert all("other" not in block["main_inputs"] for block in found["decoder"]["rows"])


def test_explain_names_the_options_of_the_config_that_a_module_is_from(files, unetscope):
    path = "controlnet.down_blocks.0.downsamplers.0.conv"
    result = unetscope("explain", "unet.yaml", path, "--controlnet", "control.yaml", "-f", "json")
    alone = unetscope("explain", "control.yaml", path.partition(".")[2], "-f", "json")
    found, expected = (json.loads(each.out)["module"] for each in (result, alone))
    assert (found["part"], found["block"]) == ("controlnet", "controlnet.down_blocks.0")
    for key in ("parameters", "macs", "config_keys", "config_values"):
        assert found[key] == expected[key]


def diff(unetscope, *arguments):
    result = unetscope("diff", *arguments, "--fail-on", "none", "-f", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_a_controlnet_that_is_added_is_one_part(files, unetscope):
    for name, options in (("plain", ()), ("steered", ("--controlnet", "control.yaml"))):
        assert unetscope("lock", "unet.yaml", *options, "-o", f"{name}.lock").code == 0
    check = ("lock", "--check", "unet.yaml", "-o", "steered.lock")
    assert unetscope(*check, "--controlnet", "control.yaml").code == 0
    assert unetscope(*check).code == 1

    costs = {"params", "macs", "activation-memory"}
    for sides, kind in (
        (("plain.lock", "steered.lock"), "param-added"),
        (("steered.lock", "plain.lock"), "param-removed"),
    ):
        found = diff(unetscope, *sides)
        changes = {c["id"]: c for c in found["changes"] if c["id"] not in costs}
        assert list(changes) == [
            *(kind, "io-reshaped", "skip-summed", "module-renamed", "class-renamed")
        ]
        assert "controlnet" in (changes[kind]["was"], changes[kind]["now"])
        assert changes["skip-summed"]["count"] == 6
        assert [each["key"] for each in found["config"]] == ["controlnet"]


def test_a_unet_is_found_in_another_network_though_it_changed(files, unetscope):
    assert unetscope("lock", "unet.yaml", "-o", "plain.lock").code == 0
    wider = UNET | {"unet": UNET["unet"] | {"act_fn": "mish", "out_channels": 3}}
    (files / "unet.yaml").write_text(yaml.safe_dump(wider))
    found = diff(unetscope, "plain.lock", "unet.yaml", "--controlnet", "control.yaml")
    added = {c["now"] for c in found["changes"] if c["id"] == "param-added"}
    reshaped = {c["now"] for c in found["changes"] if c["id"] == "param-reshaped"}
    assert (added, reshaped) == ({"controlnet"}, {"unet.conv_out"})


def test_what_changes_in_its_config_shows_there(files, unetscope):
    steered = ("unet.yaml", "--controlnet", "control.yaml")
    assert unetscope("lock", *steered).code == 0
    text = (files / "control.yaml").read_text().replace("- 12\n", "- 16\n")
    (files / "control.yaml").write_text(text)
    found = diff(unetscope, "unet.lock", *steered)
    assert [each["key"] for each in found["config"]] == [
        "controlnet.unet.conditioning_embedding_out_channels"
    ]
    assert found["changes"][0]["now"].startswith("controlnet")
    result = unetscope("lock", "--check", *steered, "-f", "github")
    assert result.code == 1
    lines = text.splitlines()
    line = lines.index("  - 16", lines.index("  conditioning_embedding_out_channels:")) + 1
    assert result.out.startswith(f"::error file=control.yaml,line={line},")


def test_inputs_that_do_not_fit(files, unetscope):
    text = (files / "control.yaml").read_text().replace("attention_dim: 12", "attention_dim: 10")
    (files / "control.yaml").write_text(text)
    result = unetscope("skips", "unet.yaml", "--controlnet", "control.yaml")
    assert (result.code, result.out) == (2, "")
    assert "it takes `encoder_hidden_states` of (1, 77, 10), not (1, 77, 12)" in result.err
