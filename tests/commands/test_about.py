"""Every output says what it is about: one line for people, `provenance` for programs."""

import json

import msgspec
import pytest
import torch
from narrow_configs import OBLONG
from torch import nn

import unetscope
from unetscope.analysis.counted_blocks import count_blocks
from unetscope.files import traces
from unetscope.record import TensorSpec
from unetscope.views.about import WIDTH, Subject, about_each
from unetscope.words import Words

CHANGED = ("--set", "block_out_channels.1=96")
LINE = "Narrow, block_out_channels.1=96 · sample 1x4x8x12, 5 tokens, float32 · unetscope 0.1"
COMMANDS = (
    ("trace",),
    ("trace", "--modules"),
    ("trace", "--ops", "."),
    ("skips",),
    ("params",),
    ("flops",),
    ("memory",),
    ("explain", "conv_in"),
    ("explain", "*.conv1"),
    ("timesteps",),
    ("check", "--sizes"),
)


@pytest.fixture
def run(unetscope, tmp_path, monkeypatch):
    """A function that runs a command on a narrow config with one override."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n.yaml").write_text(OBLONG)

    def run(command, *arguments, change=CHANGED):
        if command[0] == "trace" and "--ops" in command:
            command = ("trace", "--ops", "")
        result = unetscope(command[0], "n.yaml", *command[1:], *change, *arguments)
        assert result.code == 0, result.err
        return result

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_output_begins_with_the_line_and_says_it_once(run, command):
    lines = run(command).out.splitlines()
    assert lines[:2] == [LINE, ""]
    assert LINE not in lines[1:]
    for line in lines:  # no heading with the name alone
        assert not line.startswith(("━━", "──", "Model ")) or not line.endswith("Narrow")
    markdown = run(command, "-f", "markdown").out
    assert markdown.startswith("**Narrow, block\\_out" if "\\_" in markdown[:20] else "**Narrow,")
    assert f"<title>{LINE.partition(' · ')[0]}</title>" in run(command, "-f", "html").out
    assert run(command, "-f", "latex").out.startswith(f"% {LINE}\n")


@pytest.mark.parametrize("command", [*COMMANDS, ("sweep", "--height", "8")], ids=" ".join)
def test_json_has_the_same_and_the_same_bytes_each_time(run, command):
    text = run(command, "-f", "json").out
    assert run(command, "-f", "json").out == text
    found = json.loads(text)["provenance"]
    assert (found["model"], found["config"]) == ("Narrow", "n.yaml")
    assert found["overrides"] == ["block_out_channels.1=96"]
    assert (found["dtype"], found["unetscope"]) == ("float32", unetscope.__version__)
    assert not {"seconds", "time", "date"} & found.keys()
    if command[0] != "sweep":
        shapes = {each["name"]: each["shape"] for each in found["inputs"]}
        assert shapes["sample"] == [1, 4, 8, 12]
        assert shapes["encoder_hidden_states"] == [1, 5, 16]


def test_csv_stays_bare(run):
    told = run(("skips",), "-f", "csv")
    assert told.out.startswith("push,")
    assert told.err == f"{LINE}\n"
    assert run(("skips",), "-f", "csv", "-q").err == ""


def test_a_saved_trace_says_the_same_and_older_ones_load(run, unetscope, tmp_path):
    live = json.loads(run(("trace",), "--save", "t.json", "-q", "-f", "json").out)
    saved = json.loads(unetscope("trace", "t.json", "-f", "json").out)
    # What to type next names the source.
    assert {**saved, "next": None} == {**live, "next": None}
    document = json.loads((tmp_path / "t.json").read_text())
    made = document["trace"]["provenance"]
    del made["overrides"], made["arguments"]
    made["unetscope"] = "0.0.1"
    (tmp_path / "t.json").write_bytes(msgspec.json.encode(document))
    line = unetscope("skips", "t.json").out.splitlines()[0]
    assert line == ("Narrow · sample 1x4x8x12, 5 tokens, float32 · unetscope 0.1 (traced by 0.0.1)")


def test_nothing_of_it_is_locked_or_compared(run):
    plain = unetscope.load("n.yaml", block_out_channels=[32, 96])
    run(("trace",), "--save", "t.json")
    saved = unetscope.load("t.json")
    assert saved.trace() == plain.trace()
    assert saved.lock() == plain.lock()
    assert saved.provenance["overrides"] == ["block_out_channels.1=96"]
    assert "block_out_channels.1=96" not in traces.dumps(plain.trace()).decode()


class Joined(nn.Module):
    """Takes many inputs."""

    def __init__(self, width=1):
        super().__init__()
        self.conv = nn.Conv2d(3 * width, 3, 1)

    def forward(self, image, prompt_embeds, mask, t):
        return self.conv(image) * mask + prompt_embeds.mean() + t.sum()


def test_code_is_named_by_its_target_with_what_it_was_given(unetscope):
    result = unetscope(
        "flops", f"{__name__}:Joined", "--kwargs", "{width: 2}", "--input", "image=1,6,8,8",
        "--input", "prompt_embeds=1,7,16", "--input", "mask=1,1,8,8:bool", "--input", "t=1",
        "--dtype", "float16", "--device", "cpu",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert result.out.splitlines()[0] == (
        f"{__name__}:Joined, {{width: 2}} · image 1x6x8x8, 7 tokens, mask 1x1x8x8 bool, "
        "float16 on cpu · unetscope 0.1"
    )
    assert "attention" not in result.out


def test_a_long_list_of_inputs_keeps_to_one_line():
    inputs = [
        (f"a_rather_long_name_{chr(97 + i)}", TensorSpec((1, 4, 8, 8), "float32"))
        for i in range(20)
    ]
    inputs += [(f"residuals.{i}", TensorSpec((1, 320, 8, 8), "float32")) for i in range(12)]
    subject = Subject("Net", inputs=tuple(inputs), dtype="float32")
    for language in ("en", "zh"):
        line = subject.network + subject.rest(Words(language))
        assert len(line) <= WIDTH
        assert "a_rather_long_name_a 1x4x8x8" in line
    assert "12 more" not in subject.rest(Words("en"))
    few = Subject("Net", inputs=tuple(inputs[-13:]), dtype="float32")
    assert "residuals (12)" in few.rest(Words("en"))


def test_names_of_several_lines_are_one():
    assert Subject("a\nb", overrides=("x=[1,\n 2]",)).network == "a b, x=[1, 2]"


def test_several_networks_are_one_line_where_they_differ_in_names_alone():
    one, other = Subject("A", dtype="float32"), Subject("B", dtype="float32")
    assert about_each([one, other], Words("en")).text == "A; B · float32 · unetscope 0.1"
    halved = Subject("B", dtype="float16")
    assert len(about_each([one, halved], Words("en"), ("old", "new")).lines) == 2


def test_a_diff_says_it_of_both(run, unetscope):
    run(("lock",), "-o", "n.lock", change=())
    found = json.loads(unetscope("diff", "n.lock", "n.yaml", *CHANGED, "-f", "json").out)
    assert found["provenance"]["old"]["config"] == "n.lock"
    assert found["provenance"]["new"]["overrides"] == ["block_out_channels.1=96"]
    assert found["equal"] is False


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sd15", (4, 1, 4)),
        ("sdxl_base", (3, 1, 3)),
        ("bk_sdm_small", (4, 0, 4)),
        ("article_002", (12, 1, 12)),
        ("article_003", (2, 1, 2)),
    ],
)
def test_blocks_are_counted_as_people_do(name, expected):
    assert count_blocks(unetscope.read(f"configs/locks/{name}.lock")) == expected


def test_blocks_of_other_peoples_code_and_of_no_unet():
    ddp = unetscope.load("denoising_diffusion_pytorch:Unet", kwargs={"dim": 8}).lock()
    assert count_blocks(ddp) == (4, 1, 4)
    plain = unetscope.trace(nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 4, 4))
    assert count_blocks(unetscope.load(plain).lock()) is None


def test_compare_has_a_ratio_for_each_but_the_first(unetscope):
    locks = [f"configs/locks/{name}.lock" for name in ("sd15", "bk_sdm_small", "sdxl_base")]
    lines = unetscope("compare", *locks).out.splitlines()
    (header,) = (line for line in lines if line.startswith("Model   ") and "Ratio" in line)
    assert header.count("Ratio") == 2
    (row,) = (line for line in lines if line.startswith("Parameters"))
    old, *others = row.split()[1:]
    numbers = [int(text.replace(",", "")) for text in (old, others[0], others[2])]
    assert [float(others[i].rstrip("x")) for i in (1, 3)] == [
        pytest.approx(number / numbers[0], abs=0.005) for number in numbers[1:]
    ]
    assert len(row) == len(header)  # aligned on the right
    rows = json.loads(unetscope("compare", *locks, "-f", "json").out)["compare"]["rows"]
    assert [row["blocks"] for row in rows] == [9, 8, 7]


def test_uncounted_functions_are_one_line_unless_they_are_asked_for(run):
    line = next(x for x in run(("flops",)).out.splitlines() if "--uncounted" in x)
    listed = json.loads(run(("flops",), "-f", "json").out)["uncounted"]
    assert f"{listed['total']['elements']:,} elements" in line
    assert f": {len(listed['rows'])}, which ran {listed['total']['times']} times" in line
    assert "F.silu" not in run(("flops",)).out
    assert "F.silu" in run(("flops", "--uncounted")).out
