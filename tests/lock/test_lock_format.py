"""The lock as text: what it holds, how it reads, what is no lock."""

import difflib
import subprocess
from dataclasses import replace

import pytest

from unetscope import load as loaded
from unetscope.analysis.digest import digest
from unetscope.config import load
from unetscope.errors import UnetscopeError
from unetscope.files import locks
from unetscope.files.versioned import NewerError


@pytest.fixture(scope="module")
def stable_diffusion(sd15):
    return digest(sd15)


@pytest.fixture(scope="module")
def text(stable_diffusion):
    return locks.dumps(stable_diffusion)


def test_its_numbers_are_those_of_the_trace(stable_diffusion, sd15):
    assert stable_diffusion.totals.parameters == sd15.total_params == 859_520_964
    assert stable_diffusion.totals.macs == sum(stable_diffusion.macs.values()) == 401_636_720_640
    assert len(stable_diffusion.tensors) == 686
    assert len(stable_diffusion.skips) == 12
    assert [skip.push for skip in stable_diffusion.skips] == list(range(11, -1, -1))


LEVEL = {
    "block_out_channels": [320, 640, 1280, 1280, 1280],
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"] * 2,
    "up_block_types": ["UpBlock2D"] * 2 + ["CrossAttnUpBlock2D"] * 3,
}


def variant(**overrides):
    return digest(loaded("sd15", **overrides).trace())


def changed(text, **overrides):
    """The lines of a diff."""
    lines = [part.decode().splitlines() for part in (text, locks.dumps(variant(**overrides)))]
    diff = list(difflib.unified_diff(*lines, lineterm="", n=0))[2:]
    return [line for line in diff if not line.startswith("@@")]


def test_a_changed_group_count_is_one_line_beside_the_config(text):
    assert changed(text, norm_num_groups=16) == [
        "-    norm_num_groups: 32",
        "+    norm_num_groups: 16",
        "-  GroupNorm(num_groups=32)",
        "+  GroupNorm(num_groups=16)",
    ]


def test_a_level_more_changes_no_layer_of_the_others(text):
    lines = changed(text, **LEVEL)
    assert not [line for line in lines if any(kind in line for kind in ("Conv2d(", "Norm("))]
    assert len(lines) < 80


def test_changes_in_different_places_merge(text, tmp_path):
    ours, base, theirs = (tmp_path / name for name in ("ours", "base", "theirs"))
    base.write_bytes(text)
    ours.write_bytes(locks.dumps(variant(norm_num_groups=16)))
    theirs.write_bytes(locks.dumps(variant(cross_attention_dim=1024)))
    subprocess.run(["git", "merge-file", "-q", ours, base, theirs], check=True)
    assert locks.load(ours) == variant(norm_num_groups=16, cross_attention_dim=1024)


def test_it_holds_neither_paths_nor_times(tmp_path):
    path = tmp_path / "somewhere.yaml"
    path.write_text("extends: sd15\nunet: {layers_per_block: 1}\n")
    found = locks.dumps(digest(loaded(str(path)).trace())).decode()
    assert str(tmp_path) not in found
    assert "seconds" not in found
    assert "device" not in found


def test_config_values_stand_as_written(text):
    lines = text.decode().splitlines()
    assert "    norm_eps: 1e-05" in lines
    assert "    block_out_channels: [320, 640, 1280, 1280]" in lines
    assert "      - CrossAttnDownBlock2D" in lines


def test_a_pass_at_another_size_has_the_same_functions():
    sizes = {"height": 32, "width": 48, "batch": 2, "tokens": 9}
    here, there = (digest(loaded(load("sd15", **s)).trace()) for s in ({}, sizes))
    assert here.functions == there.functions
    assert here.modules == there.modules
    assert here.tensors == there.tensors


def test_versions_are_recorded_and_not_compared(stable_diffusion):
    assert set(stable_diffusion.tools) == {"unetscope", "torch"}
    assert replace(stable_diffusion, tools={"torch": "9.9"}) == stable_diffusion


def changing(old, new, count=1):
    def damage(text):
        assert old.encode() in text
        return text.replace(old.encode(), new.encode(), count)

    return damage


HEAD = f"unetscope lock, format {locks.FORMAT}\n"
CONV = "conv_in: Conv2d(4, 320, 3, padding=1)"
DAMAGES = {
    "newer": (changing("format 4", "format 5"), None, "a lock of format 5, which is newer"),
    "JSON": (
        lambda t: b'{\n  "format_version": 3,\n  "name": "x"\n}\n',
        None,
        "a lock of the earlier JSON format",
    ),
    "an earlier format": (changing("format 4", "format 3"), None, "earlier"),
    "no version": (changing("format 4", "format"), 1, "expected `unetscope lock, format 4`"),
    "not a number": (changing("format 4", "format x"), 1, "damaged"),
    "empty": (lambda t: b"", 1, "found nothing"),
    "cut off": (lambda t: t[: t.index(b"\ntotals")], None, "expected `totals`, found the end"),
    "no text": (lambda t: HEAD.encode() + b"\xff\xfe\x00", None, "damaged"),
    "a conflict": (changing("\nname", "\n<<<<<<< HEAD\nname"), 3, "merge conflict"),
    "something else": (lambda t: b"[]", 1, "found []"),
    "no modules": (changing("network: ", "net: "), 66, "expected `network:`, found net:"),
    "a total that does not add up": (
        changing("parameters: 859,520,964", "parameters: 859,520,965"),
        None,
        "859,520,964 parameters, its total says 859,520,965",
    ),
    "a module twice": (changing("conv_out: Conv2d", "conv_in: Conv2d"), None, "twice"),
    "a call of no module": (changing("conv_out: Conv2d", "x: Conv2d"), None, "conv_out"),
    "an unknown type": (changing("[1] int64", "[1] int65"), None, "int65"),
    "a body that follows from nothing": (
        changing("  | self.conv_act ← input=^\n", ""),
        None,
        "calls, and the bodies of others",
    ),
    "no return": (changing("    | return ← ^\n", ""), None, "does not return in its last"),
    "two returns": (
        changing("    | return ← ^\n", "    | return ← ^\n    | return ← ^\n"),
        None,
        "does not return in its last",
    ),
    "no body": (
        changing("conv_act: SiLU", "conv_act: Swish"),
        None,
        "expected a body, which follows from nothing, found none",
    ),
    "a negative total": (
        changing("activation_bytes: ", "activation_bytes: -"),
        None,
        "expected a number such as 1,234, found -136,320,000",
    ),
    "a deep config": (
        changing("sample_size: 64", "sample_size: " + "[" * 40 + "]" * 40),
        None,
        "nested deeper",
    ),
    "a shape of words": (changing("[1, 4, 64, 64]", "[wide]"), None, "expected a whole number"),
    "a shape that no layer has": (changing(CONV, "conv_in: Conv2d(4, 320, x)"), None, "expected"),
    "too few sizes": (
        changing(CONV, "conv_in: Conv2d(4)"),
        None,
        "expected in_channels, out_channels, kernel_size, found 1",
    ),
    "a tab": (changing("  conv_act:", "\tconv_act:"), None, "expected `totals`, found \tconv_act"),
    "one space": (changing("  conv_act:", " conv_act:"), None, "expected two columns more"),
    "much space": (changing("  conv_act:", "        conv_act:"), None, "expected two columns more"),
    "a path that is not there": (
        changing("Transformer2DModel as down_blocks.2", "Transformer2DModel as down_blocks.9"),
        None,
        "expected the path of a module above, found down_blocks.9.attentions.0",
    ),
    "a path of itself": (
        changing(
            "mid_block: UNetMidBlock2DCrossAttn", "mid_block: UNetMidBlock2DCrossAttn as mid_block"
        ),
        None,
        "expected",
    ),
    "another class": (
        changing("Transformer2DModel as down_blocks.2", "Block as down_blocks.2"),
        None,
        "expected the class of",
    ),
    "too many": (changing("resnets.0..1: ", "resnets.0..99999999: "), None, "at most 300,000"),
    "a range of none": (changing("resnets.0..1: ", "resnets.1..1: "), None, "a range of numbers"),
    "an entry that is cut": (changing(",\n  |   temb", "\n  |   temb"), None, "expected"),
    "more": (lambda t: t + b"more: 1\n", None, "expected the end of the text, found more: 1"),
    "a key twice": (changing("norm_eps: 1e-05", "act_fn: 1"), None, "act_fn again"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_what_is_damaged_is_refused_clearly(text, case):
    damage, line, said = DAMAGES[case]
    with pytest.raises(UnetscopeError) as caught:
        locks.loads(damage(text), "a.lock")
    assert said in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith(f"a.lock:{line}:" if line else "a.lock:")
    assert isinstance(caught.value, NewerError) is (case == "newer")


def test_a_network_that_never_ran_is_damaged():
    text = HEAD + "\nname: x\n\nnetwork: SiLU ×0\n\ntotals\n  parameters: 0\n"
    text += "  activation_bytes: 0\n  macs: 0\n"
    locks.loads(text.replace(" ×0", "").encode())
    with pytest.raises(UnetscopeError, match="0 calls, and the bodies of others 1 of it"):
        locks.loads(text.encode())


def test_a_pass_that_failed_cannot_be_locked(sd15):
    from unetscope.record import Failure

    failed = replace(sd15, failure=Failure("conv_in", "F.conv2d", (), "no"))
    with pytest.raises(UnetscopeError, match="conv_in"):
        digest(failed)
