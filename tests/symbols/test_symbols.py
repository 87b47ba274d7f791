"""`--symbolic`: every form is the recorded number at the sizes asked for, and true at others."""

import json
import math
import re
from fractions import Fraction

import pytest

from unetscope.sources import Request, resolve
from unetscope.sources.reruns import probed
from unetscope.views.symbols import MARK, in_symbols
from unetscope.views.view import View

SIZED = {"B": "batch", "H": "height", "W": "width", "T": "tokens"}


def evaluated(text, sizes):
    """What a spelled form is, as a reader would work it out."""
    text = re.sub(r"(?<=[\dBFHWT)])(?=[BFHWT](?![a-z]))", "*", text)
    text = re.sub(r"(?<![A-Z\d])\d+", r"Fraction(\g<0>)", text)
    names = {"Fraction": Fraction, "ceil": math.ceil, "floor": math.floor}
    return eval(text, {"__builtins__": {}}, {**names, **sizes})


class Symbolic:
    """The dims of a network's values in symbols."""

    def __init__(self, request):
        source = resolve(request)
        self.trace = source.trace()
        found = probed(source, self.trace)
        view = in_symbols(View.of(self.trace), found)
        self.notes = view.notes
        self.sizes = dict(found.dims.passes[0].sizes)
        self.passes = [each.sizes for each in found.dims.passes]
        self.dims = [view.dims(index) for index in range(len(self.trace.values))]

    @property
    def output(self):
        """The dims of the outputs, as people read them."""
        return [", ".join(map(str, self.dims[index])) for index in self.trace.outputs]

    def holds_for(self, trace, sizes):
        """Check each form against a pass; numbers with a mark are those of the first alone."""
        assert len(trace.values) == len(self.dims)
        for value, dims in zip(trace.values, self.dims, strict=True):
            for number, dim in zip(value.spec.shape, dims, strict=True):
                if isinstance(dim, int):
                    assert dim == number
                elif not dim.endswith(MARK):
                    assert evaluated(dim, sizes) == number, (dim, sizes)
                elif trace is self.trace:
                    assert dim == f"{number}{MARK}"


def net(name, *inputs, **more):
    return Request(f"symbol_nets:{name}", inputs=inputs, **more)


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(__file__.rpartition("/")[0])


NETS = {
    "Padded": ["B, 8, floor((H-2)/4), floor((W-2)/4)"],
    "Rounding": ["B, 3, floor(H/4), floor(W/4)", "B, 3, ceil(H/4), ceil(W/4)"],
    "ClassToken": ["B*(floor(H/4)*floor(W/4)+1), 8"],
    "Windows": ["B*ceil(H/7)*ceil(W/7), 49, 3"],
    "PaddedWhereNeeded": ["B*ceil(H/7)*ceil(W/7), 49, 3"],
    "Unfolded": ["B, 27, ceil(H/2)*ceil(W/2)"],
}


@pytest.mark.parametrize("sides", [(12, 13), (13, 12), (64, 65), (37, 100)])
@pytest.mark.parametrize("name", NETS)
def test_dims_of_all_sizes(name, sides):
    height, width = sides
    symbolic = Symbolic(net(name, f"2,3,{height},{width}"))
    assert symbolic.output == NETS[name]
    assert symbolic.notes == ()
    symbolic.holds_for(symbolic.trace, symbolic.sizes)
    fresh = {"B": 3, "H": height + 30, "W": width + 12}
    assert fresh not in symbolic.passes
    other = net(name, f"3,3,{fresh['H']},{fresh['W']}")
    symbolic.holds_for(resolve(other).trace(), fresh)


def test_where_other_sizes_run_without_a_function_those_that_do_are_taken():
    symbolic = Symbolic(net("PaddedWhereNeeded", "1,3,56,56"))
    assert symbolic.output == ["BHW/49, 49, 3"]
    symbolic.holds_for(resolve(net("PaddedWhereNeeded", "2,3,112,168")).trace(),
                       {"B": 2, "H": 112, "W": 168})  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "output"),
    [
        (net("AsManyChannels", "1,3,12,12"), ["B, 24, HW"]),
        (net("Joint"), [
            "B, floor(H/2)*floor(W/2)+T+1, floor(H/2)*floor(W/2)+T+1",
            "B*(floor(H/2)*floor(W/2)+T+1), 8",
        ]),
        (net("Joint", "2,3,20,20", "2,33,8"), [
            "B, floor(H/2)*floor(W/2)+T+1, floor(H/2)*floor(W/2)+T+1",
            "B*(floor(H/2)*floor(W/2)+T+1), 8",
        ]),
        (net("Halved", "1,3,12,16"), ["B, 3, H, W"]),
        (net("Apart", "1,3,64,64", "1,3,64,64"), ["B, 3, H+2, W+2", "B, 3, H, W"]),
        (net("Apart", "1,3,64,48", "2,3,99,64"), ["B, 3, H+2, W+2", "B2, 3, H2, W2"]),
        (net("Numbers", "2,7:int64", "2,7"), ["B, T, 16"]),
        (net("Halved", "1,3,24,16", device="cpu"), ["B, 3, H, W"]),
        (net("Unfolded", "1,3,33,80", kwargs="{kernel: 4, stride: 6}"), [
            "B, 48, floor((H+4)/6)*floor((W+4)/6)",
        ]),
        (net("FewPositions"), ["B, 8, H, W", "B, T, 8"]),
        (net("Video", "2,3,12,32,24", "3"), ["B*ceil(H/2)*ceil(W/2), 8, F-2", "3"]),
        (net("Video", "2,3,12,32,24", "2"), ["B*ceil(H/2)*ceil(W/2), 8, F-2", "B"]),
        (net("FramesFirst", "1,5,3,32,24", "1"), ["B*ceil(H/2)*ceil(W/2), 8, F-2", "B"]),
        (net("Signal", "1,3,100"), ["B, 8, ceil(W/4)-2"]),
        (net("Hinted", "1,4,32,32", "1,3,256,256"), ["B, 4, H, W"]),
    ],
)  # fmt: skip
def test_outputs(request_, output):
    symbolic = Symbolic(request_)
    assert symbolic.output == output
    assert symbolic.notes == ()
    symbolic.holds_for(symbolic.trace, symbolic.sizes)


@pytest.mark.parametrize(
    ("name", "output", "said"),
    [
        ("Largest", "12?, 12?", r"\?: the number at the sizes asked for, as no form in B, H, W "),
        ("FixedPositions", "B, 8, 12, 12", r"No symbol for H, 12 here: .* such as 25: .*\+"),
        ("Square", "B, 3, 12, 12", r"No symbol for H, 12 here: .* did not run"),
        ("Deciding", "B, 3, 12, W", r"No symbol for H, 12 here: .* other functions .* as 25\."),
    ],
)
def test_what_has_no_form_is_its_number_and_why(name, output, said):
    symbolic = Symbolic(net(name, "1,3,12,12"))
    assert symbolic.output == [output]
    assert re.match(said, symbolic.notes[0])
    symbolic.holds_for(symbolic.trace, symbolic.sizes)


def test_the_mark_and_its_line_are_printed(unetscope):
    arguments = "trace", "symbol_nets:Largest", "--input", "1,3,12,12", "--symbolic", "--modules"
    shown = unetscope(*arguments, "--lang", "zh").out
    assert "(12?, 12?)" in shown
    assert shown.rstrip().splitlines()[-1].startswith("?：")
    table = json.loads(unetscope(*arguments, "-f", "json").out)["calls"]
    assert table["rows"][0]["output_shapes"] == [["12?", "12?"]]


@pytest.mark.parametrize(
    ("config", "fresh"),
    [
        ("article_003", {"H": 40, "W": 48}),
        ("ddpm_cifar10_32", {"B": 3, "H": 40, "W": 56}),
        ("bk_sdm_tiny", {"B": 2, "H": 51, "W": 70, "T": 90}),
    ],
)
def test_shipped_configs(config, fresh):
    symbolic = Symbolic(Request(config))
    assert symbolic.notes == ()
    symbolic.holds_for(symbolic.trace, symbolic.sizes)
    sizes = {**symbolic.sizes, **fresh}
    assert sizes not in symbolic.passes
    other = Request(config).at({SIZED[symbol]: size for symbol, size in fresh.items()})
    symbolic.holds_for(resolve(other).trace(), sizes)
