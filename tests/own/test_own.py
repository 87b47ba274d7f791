"""What `trace` shows of networks without blocks as diffusers' UNets have, and that it adds up."""

import json
from functools import cache

import pytest
import torch
from own_nets import IMAGE, NETS, Timed, Wrapped
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import unetscope as package
from unetscope.analysis.conventions import has_blocks
from unetscope.analysis.network import Network
from unetscope.analysis.producers import producer
from unetscope.render import Style, render
from unetscope.sources import Request, resolve
from unetscope.tracing import trace
from unetscope.views.functions import functions
from unetscope.views.sections import fitting, show
from unetscope.views.view import View


@cache
def traced(name):
    build, shapes = NETS[name]
    with torch.device("meta"):
        return trace(build(), [torch.zeros(shape) for shape in shapes])


def tables(name):
    return package.load(traced(name)).tables()


def printed(name, language="en"):
    view = View.of(traced(name), language)
    return render(show(view, fitting(view))[0], "terminal", Style(language=language))


def counted(name):
    """Parameters and multiply-adds as torch itself counts them."""
    build, shapes = NETS[name]
    model = build().eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(*[torch.zeros(shape) for shape in shapes])
    return sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2


@pytest.mark.parametrize("name", NETS)
def test_stages_and_tree_add_up_to_what_torch_counts(name):
    found = tables(name)
    parameters, macs = counted(name)
    if name == "awkward":  # an attention that is one kernel here, and none that torch counts
        macs = traced(name).total_macs
    for key in ("parameters", "macs"):
        total = {"parameters": parameters, "macs": macs}[key]
        assert sum(row[key] for row in found["stages"]) == total
        assert found["calls"][0][key] == total


@pytest.mark.parametrize("name", NETS)
def test_a_row_is_its_own_work_and_that_of_the_calls_below_it(name):
    record, rows = traced(name), tables(name)["calls"]
    assert len(rows) == len(record.steps)
    for call, row in enumerate(rows):
        below = [rows[c] for c, step in enumerate(record.steps) if step.parent == call]
        assert row["macs"] == row["own_macs"] + sum(other["macs"] for other in below)
        own = row["parameters"] - sum(other["parameters"] for other in below)
        idle = {"awkward": {"": 72, "attention": 72}}.get(name, {}).get(row["path"], 0)
        assert own == (row["own_parameters"] + idle if row["call"] == 1 else 0)


def stage_rows(name):
    return [
        (row["part"], row["size_before"], row["channels_before"], row["channels_after"])
        for row in tables(name)["stages"]
    ]


def test_down_bottom_and_up():
    assert stage_rows("padded") == [
        ("encoder", [32, 32], 1, 8),
        ("encoder", [16, 16], 8, 16),
        ("bottom", [8, 8], 16, 32),
        ("decoder", [16, 16], 32, 16),
        ("decoder", [32, 32], 16, 2),
    ]
    rows = tables("padded")["stages"]
    assert [row["pushed"] for row in rows] == [[0], [1], [], [], []]
    assert [row["popped"] for row in rows] == [[], [], [], [1], [0]]
    assert rows[3]["modules"] == ["grow.0", "ups.0"]


def test_what_convolutions_trim_is_one_stage():
    rows = tables("valid")["stages"]
    assert [(row["size_before"][0], row["size_after"][0]) for row in rows] == [
        (74, 72), (34, 32), (14, 12), (24, 20), (40, 36),
    ]  # fmt: skip
    assert [row["part"] for row in rows] == ["encoder"] * 2 + ["bottom"] + ["decoder"] * 2


def test_skips_inside_blocks_do_not_tell_the_way():
    """Blocks that are UNets work at lower resolutions too, on the way down as on the way up."""
    found = [row[:2] for row in stage_rows("nested")]
    assert found == [
        ("encoder", [32, 32]), ("encoder", [16, 16]), ("encoder", [8, 8]),
        ("bottom", [4, 4]), ("decoder", [8, 8]), ("decoder", [16, 16]), ("decoder", [32, 32]),
    ]  # fmt: skip
    assert "in_a_row" not in show(View.of(traced("nested")), ["stages"])[0][0].data


def test_unets_in_a_row_are_not_told_apart_and_say_so():
    (table,) = show(View.of(traced("row")), ["stages"])[0]
    assert [row["part"] for row in tables("row")["stages"]] == [None] * 3
    assert table.data["in_a_row"] == 2
    assert "2 UNets run one after the other" in render([table], "terminal")


def test_without_skips_resolutions_tell_the_way_if_there_is_one():
    assert [row[0] for row in stage_rows("auto")] == ["encoder", "bottom", "decoder", "decoder"]
    assert [row[0] for row in stage_rows("plain")] == [None, None, "no_feature_map"]
    assert tables("plain")["stages"][-1]["modules"] == ["head"]
    for name in ("auto", "plain"):
        text = printed(name)
        assert "No skip is joined." in text
        assert "ledger" not in tables(name)


def test_what_embeds_the_time_has_a_row_of_its_own():
    (row,) = [row for row in tables("timed")["stages"] if row["part"] == "no_feature_map"]
    assert (row["modules"], row["parameters"]) == (["time"], 16 + 72)
    (row,) = [r for r in tables("wrapped")["stages"] if r["part"] == "no_feature_map"]
    assert row["modules"] == ["inner.time"]


def test_a_module_called_twice_counts_once():
    rows = [row for row in tables("awkward")["calls"] if row["path"] == "shared"]
    assert [(row["call"], row["parameters"] > 0) for row in rows] == [(1, True), (2, False)]
    assert all(row["macs"] for row in rows)
    text = printed("awkward")
    assert "(above): called before" in text
    assert "Never called: idle; attention.out_proj." in text.replace(", attention", "; attention")


def test_folded_calls_are_said_and_counted(unetscope):
    name = f"{NETS['row'][0].__module__}:Row"
    result = unetscope("trace", name, "--input", "1,1,32,32", "--depth", 1, "-f", "json")
    table = json.loads(result.out)["calls"]
    assert [row["path"] for row in table["rows"]] == ["", "one", "two"]
    assert table["calls_folded"] == len(traced("row").steps) - 3
    assert table["total"]["parameters"] == traced("row").total_params
    shown = unetscope("trace", name, "--input", "1,1,32,32", "--depth", 1).out
    assert f"rows above: {len(traced('row').steps) - 3}; --depth N" in shown
    both = unetscope("trace", name, "--input", "1,1,32,32", "--sections", "ledger", "--depth", 2)
    assert (both.code, both.out) == (2, "")


def test_what_made_a_skip_is_told_by_module_and_function():
    ledger = {row["push"]: row for row in tables("timed")["ledger"]}
    assert [(ledger[p]["producer"], ledger[p]["producer_function"]) for p in (0, 1)] == [
        ("", "+"), ("", "+"),
    ]  # fmt: skip
    text = printed("timed")
    assert "Timed, + after layers.0" in text
    assert "Timed，layers.1 之后的 +" in printed("timed", "zh")
    found = Network(traced("timed"))
    made = [producer(found, skip.value) for skip in found.trace.skips]
    assert [(one.name, one.after) for one in made] == [
        ("Timed", "layers.1"), ("Timed", "layers.0"),
    ]  # fmt: skip
    inside = Network(traced("wrapped"))
    assert {producer(inside, skip.value).path for skip in inside.trace.skips} == {"inner"}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_costume(name, language):
    """No down blocks, no middle block, no formula of the stack."""
    text = printed(name, language)
    for word in ("Down Block", "Up Block", "Middle", "Residual stack", "产生残差", "holds 1"):
        assert word not in text


@pytest.mark.parametrize("name", ["article_002", "article_003", "bk_sdm_small"])
def test_configs_have_blocks(name):
    assert has_blocks(Network(resolve(Request(name)).trace()))


def test_code_has_blocks_if_it_calls_them_as_diffusers_does():
    from diffusers import AutoencoderKL, UNet2DModel

    widths = {"block_out_channels": (32, 32), "norm_num_groups": 8, "layers_per_block": 1}
    with torch.device("meta"):
        unet = UNet2DModel(
            down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2, **widths
        )
        inputs = [torch.zeros(IMAGE), torch.zeros(1)]
        assert has_blocks(Network(trace(unet, inputs)))
        assert has_blocks(Network(trace(Wrapped(unet), inputs)))
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            **widths,
        )
        assert not has_blocks(Network(trace(vae, inputs[:1])))
    assert not any(has_blocks(Network(traced(name))) for name in NETS)


def test_what_a_column_holds_for_programs_alone_is_not_read():
    view = View.of(resolve(Request("ddpm_cifar10_32")).trace())
    tables = show(view, ["encoder"])[0]
    rows = json.loads(render(tables, "json"))["encoder"]["rows"]
    assert {row["transformers"] for row in rows} == {0}
    for name in ("terminal", "markdown", "html", "latex"):
        text = render(tables, name)
        assert "ResNets" in text
        assert "Transformers" not in text


def test_functions_have_arguments_and_modules_a_class():
    (table,) = functions(View.of(traced("plain")), "")
    rows = {row["function"]: row for row in map(table.record, table.rows)}
    assert (rows["head"]["class"], rows["head"]["arguments"]) == ("Linear", None)
    assert rows["Tensor.mean"]["class"] is None
    assert "dim=(2, 3)" in rows["Tensor.mean"]["arguments"]


class Layers(nn.Module):
    """Its lists are called as diffusers' are, but hold single layers."""

    def __init__(self) -> None:
        super().__init__()
        self.down_blocks = nn.ModuleList([nn.Conv2d(3, 8, 2, 2)])
        self.up_blocks = nn.ModuleList([nn.ConvTranspose2d(8, 3, 2, 2)])

    def forward(self, x):
        return torch.cat([x, self.up_blocks[0](self.down_blocks[0](x))], 1)


def test_single_layers_are_no_blocks():
    with torch.device("meta"):
        assert not has_blocks(Network(trace(Layers(), [torch.zeros(IMAGE)])))


def test_a_saved_trace_shows_the_same(unetscope, tmp_path):
    saved = tmp_path / "t.json"
    name = f"{Timed.__module__}:Timed"
    given = ("--input", "1,3,32,32", "--input", "1,1")
    live = unetscope("trace", name, *given, "--save", saved, "-f", "json")
    found, again = (
        json.loads(out) for out in (live.out, unetscope("trace", saved, "-f", "json").out)
    )
    keys = ["model", "io", "stages", "verdict", "ledger", "calls"]
    assert [key for key in found if key in keys] == keys
    assert [found[key] for key in keys[2:]] == [again[key] for key in keys[2:]]
