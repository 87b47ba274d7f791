"""`--controlnet`: a UNet and the ControlNet that steers it, as one ledger."""

import json

import pytest


def ledger(result):
    assert result.code == 0, result.err
    return json.loads(result.out)["ledger"]


def test_each_skip_names_the_residual_that_was_added_to_it(unetscope):
    alone = ledger(unetscope("skips", "sd15", "-f", "json"))
    steered = ledger(unetscope("skips", "sd15", "--controlnet", "controlnet_sd15", "-f", "json"))
    for row, plain in zip(steered["rows"], alone["rows"], strict=True):
        assert row["added"] == [f"controlnet.controlnet_down_blocks.{row['push']}"]
        assert row["producer"] == f"unet.{plain['producer']}"
        assert row["consumer"] == f"unet.{plain['consumer']}"
    assert steered["last_in_first_out"] is True


def test_what_the_middle_block_gets_is_joined_too(unetscope):
    result = unetscope(
        "trace", "sd15", "--controlnet", "controlnet_sd15", "--sections", "steps", "-f", "json"
    )
    first = json.loads(result.out)["steps"][0]
    assert first["block"] == "unet.up_blocks.0"
    assert (first["sample_in_producer"], first["sample_in_function"]) == ("unet", "+")


@pytest.mark.parametrize(
    ("unet", "controlnet", "message"),
    [
        ("sd15", "sd15", "error: `sd15`: expected a ControlNetModel, found a UNet2DConditionModel"),
        ("ddpm_cifar10_32", "controlnet_sd15", "error: `ddpm_cifar10_32`: expected a "
         "UNet2DConditionModel, found a UNet2DModel"),
        ("sdxl_base", "controlnet_sd15", "error: `controlnet_sd15` does not fit `sdxl_base`: "
         "`block_out_channels` is (320, 640, 1280, 1280), not (320, 640, 1280)"),
    ],
)  # fmt: skip
def test_what_does_not_fit(unetscope, unet, controlnet, message):
    result = unetscope("skips", unet, "--controlnet", controlnet)
    assert (result.code, result.out, result.err) == (2, "", f"{message}\n")
