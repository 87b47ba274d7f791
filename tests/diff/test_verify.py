"""`diff --verify`: real runs with equal weights tell what shapes and functions do not."""

import json
import xml.etree.ElementTree as ET

import jsonschema
import pytest
import torch

from unetscope import diff, load
from unetscope.analysis.diff.verified import needed_bytes
from unetscope.errors import UnetscopeError
from unetscope.render import Content, formats
from unetscope.tracing import devices, free_memory, verify
from unetscope.views.diff_document import schema

CODE = '''\
import torch
from torch import nn


class Net(nn.Module):
    """A convolution, a buffer, a branch that starts at zero, and a norm."""

    def __init__(self, values=(1.0, 2.0, 3.0), name="enter", dilation=1, kernel=3, kept=False):
        super().__init__()
        self._name = name
        setattr(self, name, nn.Conv2d(3, 3, 3, padding=1))
        self.register_buffer("factors", torch.tensor(values), persistent=kept)
        self.register_buffer("noise", torch.randn(3))
        self.branch = nn.Conv2d(3, 3, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        nn.init.zeros_(self.branch.weight)
        nn.init.zeros_(self.branch.bias)
        self.norm = nn.GroupNorm(1, 3)
        self.train()

    def entered(self, x):
        return getattr(self, self._name)(x) * self.factors.view(1, 3, 1, 1)

    def forward(self, x, t=None):
        h = self.entered(x)
        return self.norm(h - x) + self.branch(h)


class Swapped(Net):
    def forward(self, x):
        h = self.entered(x)
        return self.norm(x - h) + self.branch(h)


class Shifted(Net):
    """The constant is not seen: it is no argument of a recorded function."""

    def __init__(self, shift=0.0):
        super().__init__()
        self._shift = torch.full((1,), shift)

    def forward(self, x):
        return super().forward(x + self._shift.to(x))


library = torch.library.Library("unetscope_verify", "FRAGMENT")
if not hasattr(torch.ops.unetscope_verify, "scaled"):
    library.define("scaled(Tensor x) -> Tensor")
    library.impl("scaled", lambda x: x * 2, "CompositeExplicitAutograd")


class Foreign(Net):
    def forward(self, x):
        return torch.ops.unetscope_verify.scaled(super().forward(x))


class Narrow(Net):
    def forward(self, x):
        return super().forward(x.float() * 2 / 2)


class Several(Net):
    def __init__(self, twice=1.0):
        super().__init__()
        self._twice = torch.full((1,), twice)

    def forward(self, x):
        return {"a": super().forward(x) * self._twice.to(x), "b": [x * self._twice.to(x)], "n": 3}


class Fails(Net):
    def entered(self, x):
        if x.is_meta:
            return super().entered(x)
        raise ValueError("no such\\nluck")


class Empty(Net):
    def forward(self, x):
        return super().forward(x) * self.factors[0]


class Cropped(Net):
    """Its output has another shape, and that depends on values."""

    def forward(self, x):
        y = super().forward(x)
        return y if x.is_meta else y[..., 1:]


class Tied(nn.Module):
    def __init__(self, tied=True):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        if tied:
            self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x))


class Extra(Net):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(3))


live = Net()
'''
SIZE = ("--input", "1,3,6,6")


@pytest.fixture
def compare(unetscope, tmp_path, monkeypatch):
    """A function that compares two networks of the module above; each with its arguments."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    text = CODE

    def run(old, new, *arguments, verified=("--verify", "cpu")):
        text_of = [text]
        for number, (name, given) in enumerate((old, new)):
            text_of.append(f"\ndef network_{number}():\n    return {name}({given})\n")
        module = f"networks_{abs(hash((old, new)))}"
        (tmp_path / f"{module}.py").write_text("".join(text_of))
        names = (f"{module}:network_0", f"{module}:network_1")
        return unetscope("diff", *names, *SIZE, *verified, *arguments)

    return run


def told(result):
    """The document, which follows its schema; and the ids of the changes."""
    content = json.loads(result.out)
    jsonschema.validate(content, schema())
    return content, [change["id"] for change in content["changes"]]


NET = ("Net", "")


def test_equal_networks_have_equal_outputs(compare):
    result = compare(NET, NET, "-f", "json")
    content, ids = told(result)
    assert (result.code, ids) == (0, [])
    (run,) = content["verified"]
    assert (run["device"], run["dtype"], run["equal"]) == ("cpu", "float64", True)
    assert run["relative_difference"] == 0 < run["relative_tolerance"]
    assert content["buffers"] == content["alone"] == []
    assert [output["old"] for output in content["outputs"]] == [[1, 3, 6, 6]]
    assert not content["outputs"][0]["constant"]
    assert result.err == ""


def test_the_value_of_a_buffer_is_found_by_running_alone(compare):
    other = ("Net", "(1.0, 2.0, 4.0)")
    assert told(compare(NET, other, "-f", "json", verified=()))[1] == []
    result = compare(NET, other, "-f", "json")
    content, ids = told(result)
    assert (result.code, ids) == (1, ["result-changed"])
    assert content["buffers"] == [{"name": "factors"}]
    change = content["changes"][0]
    assert (change["severity"], change["now"]) == ("behavioural", "output.0")
    assert change["new"] == content["verified"][0]["relative_difference"] > 0.01 > change["old"]
    assert compare(NET, other, "--fail-on", "breaking").code == 0


def test_what_a_state_dict_holds_explains_no_other_result(compare):
    ids = told(compare(NET, ("Net", "(1.0, 2.0, 4.0), kept=True"), "-f", "json"))[1]
    assert sorted(ids) == ["persistence-changed", "result-changed"]
    assert told(compare(NET, ("Net", "kept=True"), "-f", "json"))[1] == ["persistence-changed"]


def test_a_constant_that_nothing_records(compare):
    assert told(compare(("Shifted", "0.0"), ("Shifted", "0.0"), "-f", "json"))[1] == []
    assert told(compare(("Shifted", "0.0"), ("Shifted", "1e-3"), "-f", "json"))[1] == [
        "result-changed"
    ]


def test_a_renamed_module_has_the_same_weights(compare):
    content, ids = told(compare(NET, ("Net", "name='first'"), "-f", "json"))
    assert ids == ["module-renamed"]
    assert content["verified"][0]["relative_difference"] == 0


@pytest.mark.parametrize(
    ("new", "change"), [(("Swapped", ""), "flow-changed"), (("Net", "dilation=2"), "attr-changed")]
)
def test_what_the_diff_found_is_borne_out(compare, new, change):
    """Also in a branch that begins with zeros."""
    content, ids = told(compare(NET, new, "-f", "json"))
    assert change in ids
    assert "result-changed" not in ids
    assert content["verified"][0]["relative_difference"] > 0.01


@pytest.mark.parametrize("verified", [(), ("--verify", "cpu")])
def test_what_no_pass_looks_into_is_named(compare, verified):
    """Both call the same operator; whether it computes the same is not seen."""
    networks = ("Foreign", ""), ("Foreign", "name='enter'")
    content, _ = told(compare(*networks, "-f", "json", verified=verified))
    assert content["opaque"] == [{"name": "torch.ops.unetscope_verify.scaled"}]
    result = compare(*networks, "--fail-on", "none", verified=verified)
    assert "torch.ops.unetscope_verify.scaled" in result.out
    assert "as far as can be seen" in result.out
    assert ("--verify cpu" in result.out) == (not verified)


def test_equal_outputs_take_no_change_away(compare):
    result = compare(NET, ("Narrow", ""))
    assert result.code == 1
    assert "op-changed" in result.out
    assert "the outputs are equal" in result.out
    assert "they still count" in result.out
    assert "trying float32" in result.err


def test_other_shapes_get_what_can_be_drawn(compare):
    content, ids = told(compare(NET, ("Net", "kernel=1"), "-f", "json"))
    assert "param-reshaped" in ids
    assert content["verified"][0]["relative_difference"] > 0.01


def test_outputs_of_another_shape_differ(compare):
    content, ids = told(compare(NET, ("Cropped", ""), "-f", "json"))
    assert ids[0] == "result-changed"
    assert (content["changes"][0]["old"], content["changes"][0]["new"]) == (
        [1, 3, 6, 6],
        [1, 3, 6, 5],
    )
    assert content["verified"][0]["relative_difference"] is None


def test_several_outputs_are_one_change(compare):
    content, ids = told(compare(("Several", "1.0"), ("Several", "2.0"), "-f", "json"))
    assert ids == ["result-changed"]
    assert content["changes"][0]["count"] == 2
    assert [output["relative_difference"] for output in content["outputs"]] == [0.5, 0.5]


def test_an_output_that_tells_little(compare):
    result = compare(("Empty", "(0.0, 1.0, 1.0)"), ("Empty", "(0.0, 2.0, 1.0)"))
    assert result.code == 0
    assert "One number everywhere, so that it tells little: output.0." in result.out


def test_tied_weights_are_those_of_an_old_checkpoint(compare):
    tied, apart = ("Tied", "True"), ("Tied", "False")
    assert told(compare(tied, apart, "-f", "json"))[0]["verified"][0]["equal"]
    assert not told(compare(apart, tied, "-f", "json"))[0]["verified"][0]["equal"]


def test_tensors_of_one_network_alone_are_named(compare):
    content, _ = told(compare(NET, ("Extra", ""), "-f", "json"))
    assert content["alone"] == [{"name": "gain", "in": "new"}]
    assert content["verified"][0]["equal"]


def test_a_failure_says_in_which_network_and_where(compare):
    result = compare(NET, ("Fails", ""))
    assert (result.code, result.out) == (2, "")
    error = result.err.splitlines()[-1]
    assert error.startswith("error: ")
    assert ".py:" in error
    assert "network_1` cannot run on cpu in float32: in the network: ValueError: no such" in error


def test_a_failure_names_the_module(compare):
    result = compare(NET, ("Narrow", ""))
    assert "cannot run on cpu in float64: in `enter`: " in result.err


@pytest.mark.parametrize("form", formats(Content.CHANGES))
def test_every_format_says_it(compare, form):
    result = compare(NET, ("Net", "(1.0, 2.0, 4.0)"), "-f", form)
    assert result.code == 1
    assert "result-changed" in result.out
    assert "float64" in result.out


def test_cases_hold_what_passed(compare):
    suite = ET.fromstring(compare(NET, NET, "-f", "junit").out)[0]
    (case,) = suite
    assert (case.get("name"), suite.get("failures")) == ("outputs on cpu", "0")
    assert "the outputs are equal" in case.findtext("system-out")


def test_chinese(compare):
    assert "输出相同" in compare(NET, NET, "--lang", "zh").out


def test_what_is_built_already_keeps_its_weights(unetscope, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "live_networks.py").write_text(CODE)
    import live_networks

    before = {name: value.clone() for name, value in live_networks.live.state_dict().items()}
    result = unetscope("diff", *["live_networks:live"] * 2, *SIZE, "--verify", "cpu")
    assert result.code == 0
    assert live_networks.live.training
    for name, value in live_networks.live.state_dict().items():
        assert torch.equal(value, before[name])


NARROW = {
    "block_out_channels": [8, 16],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "layers_per_block": 1,
    "attention_head_dim": 2,
    "cross_attention_dim": 6,
    "norm_num_groups": 4,
}
SMALL = {"height": 16, "width": 16, "tokens": 5}


def narrow(base, **options):
    return load(base, **NARROW, **SMALL, **options)


def test_configs_are_verified_through_python():
    state = torch.get_rng_state()
    found = diff(narrow("sd15"), narrow("sd15"), verify="cpu")
    assert found.verified.equal
    assert not found.changes
    other = diff(narrow("sd15"), narrow("sd15", norm_eps=1e-6), verify="cpu")
    assert other.verified.worst.difference > other.verified.tolerance
    assert torch.equal(state, torch.get_rng_state())


def test_a_controlnet_runs_with_its_unet(tmp_path):
    shared = {key: value for key, value in NARROW.items() if not key.startswith("up")}
    control = {"extends": "controlnet_sd15", "unet": shared, "inputs": SMALL}
    (tmp_path / "control.yaml").write_text(json.dumps(control))
    found = diff(
        narrow("sd15", controlnet=str(tmp_path / "control.yaml")), narrow("sd15"), verify="cpu"
    )
    assert found.verified.old_alone
    assert not found.verified.equal


def test_buffers_are_computed_and_weights_take_no_time():
    spec = load("sd_x2_latent_upscaler").source.spec
    model = devices.build_unfilled(spec.build, "cpu", "float32")
    kernels = [buffer for name, buffer in model.named_buffers() if name.endswith("kernel")]
    assert kernels
    assert all(kernel.sum() > 0 for kernel in kernels)
    assert not any(parameter.is_meta for parameter in model.parameters())


@pytest.mark.parametrize(
    ("source", "kind"),
    [("x.lock", "a lock"), ("x.json", "a saved trace")],
)
def test_what_holds_no_network_is_refused(unetscope, tmp_path, monkeypatch, source, kind):
    monkeypatch.chdir(tmp_path)
    sizes = ("--height", 8, "--width", 8)
    if source == "x.lock":
        unetscope("lock", "article_003", "-o", source, *sizes)
    else:
        unetscope("trace", "article_003", "--save", source, "--sections", "model", *sizes)
    result = unetscope("diff", source, "article_003", "--verify", "cpu")
    assert (result.code, result.out) == (2, "")
    assert f"`{source}` is {kind}: it holds no network to run" in result.err
    assert "hint: name the config" in result.err


def test_a_checkpoint_of_no_network_is_tried_in_no_type(unetscope, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "x.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(4))
    result = unetscope("diff", "x.safetensors", "article_003", "--verify", "cpu")
    assert (result.code, result.out) == (2, "")
    assert "x.safetensors: a checkpoint of no network that is known here" in result.err
    assert "trying" not in result.err


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("meta", "nothing runs on meta"),
        ("tpu9", "unknown device `tpu9`"),
        ("vulkan", "there is no device `vulkan` here"),
    ],
)
def test_devices_that_run_nothing(unetscope, device, said):
    result = unetscope("diff", "article_003", "article_003", "--verify", device)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


@pytest.mark.parametrize(
    ("free", "code", "said"),
    [(1, 2, "cpu in float32, more than 90% of the "), (1.2, 0, "trying float32"), (5, 0, "")],
)
def test_memory_that_is_not_there(unetscope, monkeypatch, free, code, said):
    """What is free, as a multiple of what float32 needs."""
    needed = needed_bytes(load("article_003", height=8, width=8).lock(), "float32", "float32")
    monkeypatch.setattr(free_memory, "free_bytes", lambda device: int(free * needed))
    sizes = ("--height", 8, "--width", 8)
    result = unetscope("diff", "article_003", "article_003", "--verify", "cpu", *sizes)
    assert result.code == code
    assert said in result.err
    assert ("--height" in result.err) is (code == 2)
    assert ("on cpu in float32" in result.out) is (code == 0 and free < 2)


def test_memory_is_known_here():
    free = free_memory.free_bytes("cpu")
    assert free is None or free > 1_000_000


def test_outputs_that_are_not_finite():
    one, bad = torch.ones(3), torch.tensor([1.0, float("nan"), 1.0])
    (output,) = verify.compared([one], [bad])
    assert output.difference == float("inf")
    assert not output.within(1.0)
    with pytest.raises(UnetscopeError, match="not finite in either network"):
        verify.compared([bad], [bad])


def test_drawn_weights_are_spread_and_none_is_zero():
    for name, shape in (("a.weight", (64, 32, 3, 3)), ("a.bias", (64,)), ("n.weight", (64,))):
        drawn = verify._weight(name, shape, name)
        assert torch.equal(drawn, verify._weight(name, shape, name))
        assert not torch.equal(drawn, verify._weight(name, shape, "another"))
        assert drawn.abs().min() > 0
        assert drawn.unique().numel() > 0.9 * drawn.numel()
    kernel = verify._weight("a.weight", (64, 32, 3, 3), "k")
    out = torch.nn.functional.conv2d(torch.randn(1, 32, 32, 32), kernel)
    assert 0.8 < out.std() < 1.25


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu():
    found = diff(narrow("sd15"), narrow("sd15"), verify="cuda")
    assert found.verified.equal
