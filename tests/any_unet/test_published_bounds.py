"""A `config.json` of a class that diffusers builds is bounded and blamed as our own are."""

from __future__ import annotations

import inspect
import json

import pytest
import torch
from torch import nn

from tests.any_unet.test_published import FILES, class_of
from unetscope.errors import ConfigError, UnetscopeError
from unetscope.sources import Request, published, resolve
from unetscope.tracing import devices, limits

REFUSED = {
    "layers": (
        "UNet3DConditionModel",
        {"layers_per_block": 100_000},
        "4: layers_per_block: expected an int from 1 to 64, found 100000",
    ),
    "channels": (
        "UNetMotionModel",
        {"block_out_channels": [32, 10**9]},
        "6: block_out_channels.1: expected an int from 1 to 65,536, found 1000000000",
    ),
    "levels": (
        "Kandinsky3UNet",
        {"block_out_channels": [32] * 17},
        "4: block_out_channels: expected a list of ints with 0 to 16 entries, found a list of 17",
    ),
    "a type": (
        "StableCascadeUNet",
        {"block_types_per_layer": [[1]]},
        "6: block_types_per_layer.0.0: expected a string, found 1",
    ),
    "a name": (
        "UNet1DModel",
        {"layer_per_block": 1},
        "4: layer_per_block: unknown key\nhint: did you mean layers_per_block?",
    ),
    "groups": (
        "UNetMotionModel",
        {"norm_num_groups": 7},
        "4: building `{path}` failed: ValueError: num_channels (320) must be divisible by "
        "num_groups (7)",
    ),
    "levels that do not fit": (
        "UNet3DConditionModel",
        {"layers_per_block": 1, "down_block_types": ["DownBlock3D"]},
        "5: building `{path}` failed: ValueError: Must provide the same number",
    ),
    "an activation that diffusers spells otherwise": (
        "UNet3DConditionModel",
        {"layers_per_block": 1, "act_fn": "Mush"},
        "5: building `{path}` failed: ValueError: activation function mush not found",
    ),
    "heads that are wider than a level": (
        "UNetSpatioTemporalConditionModel",
        {**FILES["UNetSpatioTemporalConditionModel"], "num_attention_heads": 65},
        "11: building `{path}` failed: ZeroDivisionError",
    ),
    "a list of a wrong length": (
        "StableCascadeUNet",
        {**FILES["StableCascadeUNet"], "dropout": [0.1]},
        "41: building `{path}` failed: IndexError",
    ),
    "a block": (
        "UNet3DConditionModel",
        {"layers_per_block": 1, "up_block_types": ["UpBlock3D"] * 3 + ["Up"]},
        "5: building `{path}` failed: ValueError: Up does not exist",
    ),
}


@pytest.fixture
def source(tmp_path):
    """The network of a file with one line for each value."""

    def source(kind, options, info=lambda _: None):
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"_class_name": kind, "_v": 1, **options}, indent=1))
        return resolve(Request(str(path)), info)

    return source


def said(source):
    """What is said of a network, without its file."""
    with pytest.raises(UnetscopeError) as caught:
        source.trace()
    assert caught.value.exit_code == 2
    file, text = source.name, str(caught.value)
    assert text.startswith(f"{file}:")
    line, _, rest = text.removeprefix(f"{file}:").partition(":")
    return f"{line}:{rest.partition(':')[2]}" if rest[:1].isdigit() else text


@pytest.mark.parametrize(("kind", "options", "expected"), REFUSED.values(), ids=REFUSED)
def test_one_message_at_the_option(source, kind, options, expected):
    network = source(kind, options)
    assert said(network).startswith(expected.format(path=network.name))


def test_what_is_refused_is_built_once(source, monkeypatch):
    import diffusers

    tried = []

    def fail(options):
        tried.append(torch.get_default_device().type)
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")

    monkeypatch.setattr(diffusers.UNetMotionModel, "from_config", fail)
    assert "Cannot copy out of meta" in said(source("UNetMotionModel", {}))
    assert tried == ["meta"]


@pytest.mark.parametrize("most", [20, 200])
def test_modules_are_counted_as_they_are_built_and_called(source, monkeypatch, most):
    monkeypatch.setattr(limits, "MOST_MODULES", most)
    found = said(source("UNetMotionModel", {**FILES["UNetMotionModel"], "sample_size": 8}))
    assert found == f"8: layers_per_block: expected a network of at most {most} modules, found more"


def test_ranges_of_repeated_layers_are_calls(source, monkeypatch):
    """64 passes over a level need no more modules than one."""
    monkeypatch.setattr(limits, "MOST_MODULES", 1_000)
    repeated = {**FILES["StableCascadeUNet"], "up_blocks_repeat_mappers": [64, 1]}
    assert "up_blocks_repeat_mappers: expected a network of" in said(
        source("StableCascadeUNet", repeated)
    )


def test_inputs_are_bounded(source):
    options = {**FILES["UNet3DConditionModel"], "sample_size": 2**28}
    assert ": sample: expected at most 1,099,511,627,776 elements" in said(
        source("UNet3DConditionModel", options)
    )


def test_the_options_of_every_class_are_read():
    """So are the defaults of each, as a file would write them."""
    from unetscope.config.sections import check_section
    from unetscope.sources.published_options import section

    for kind in published.CLASSES:
        constructor = class_of(kind)
        options = section(constructor)
        assert not list(check_section(dict(FILES[kind]), options, ()))
        parameters = inspect.signature(constructor).parameters.values()
        defaults = json.loads(json.dumps({p.name: p.default for p in parameters}))
        assert not list(check_section(defaults, options, ())), kind


class Asks(nn.Module):
    """Looks at a value."""

    def __init__(self) -> None:
        super().__init__()
        self.width = int(torch.ones(3).sum().item())
        self.layer = nn.Linear(self.width, 1)

    def forward(self, x):
        return self.layer(x)


class Fails(nn.Module):
    """Cannot be built anywhere."""

    tried = 0

    def __init__(self) -> None:
        super().__init__()
        Fails.tried += 1
        raise ValueError("no such metadata")


def test_code_whose_constructor_looks_at_values_says_that_it_takes_memory():
    heard = []
    request = Request(f"{__name__}:Asks", inputs=("1,3",))
    assert resolve(request, heard.append).trace().total_params == 4
    assert heard == [
        "built on the CPU, in memory, since meta has no values: "
        "Tensor.item() cannot be called on meta tensors"
    ]


def test_no_other_error_of_code_leads_to_a_second_try():
    Fails.tried = 0
    with pytest.raises(UnetscopeError, match="no such metadata"):
        resolve(Request(f"{__name__}:Fails", inputs=("1,3",))).trace()
    assert Fails.tried == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x.sum().item(),
        lambda x: x.tolist(),
        lambda x: x.numpy(),
        lambda x: x.nonzero(),
        lambda x: torch.equal(x, x),
        lambda x: x.cpu(),
        lambda x: torch.unique(x),
        lambda x: torch.ones(3, device="cpu") + x,
        lambda x: f"{x[0]:.3f}",
        lambda x: torch.repeat_interleave(x, x.long()),
    ],
)
def test_errors_of_metas_own(ask):
    with pytest.raises((RuntimeError, TypeError)) as caught:
        ask(torch.ones(3, device="meta"))
    assert devices.lacks_values(caught.value)
    assert not devices.lacks_values(ConfigError("a file of meta data"))
