"""Every shape rule against torch's real CPU kernels, in valid and in invalid calls."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from drawn_calls import STRATEGIES
from drawn_tensors import Drawn, on
from torch import Tensor, nn

import unetscope
from unetscope.tracing import trace
from unetscope.tracing.contents import leaves
from unetscope.tracing.shapes import SHAPE_RULES, WrongShapeRuleError, layouts
from unetscope.tracing.shapes.registry import VERIFY, ShapeRule

LEAST = 25
"""Calls that each rule must answer, of those that are drawn."""


def storages(value: Any) -> set[int]:
    if isinstance(value, Tensor):
        return {value.untyped_storage()._cdata}
    if isinstance(value, dict):
        value = list(value.values())
    return set().union(*map(storages, value)) if isinstance(value, (list, tuple)) else set()


def agree(function: Any, *args: Any, **kwargs: Any) -> bool:
    """Check a rule's answer against the real kernel; False if it gave way."""
    given = on("meta", args), on("meta", kwargs)
    try:
        answer = SHAPE_RULES[function].answer(*given[0], **given[1])
    except Exception:
        return False
    if answer is NotImplemented:
        return False
    # A rule that answers stands for a call that succeeds.
    taken = on("cpu", args), on("cpu", kwargs)
    try:
        real = function(*taken[0], **taken[1])
    except NotImplementedError:  # in this type the kernel is there for GPUs alone
        real = function(*given[0], **given[1])
    assert type(answer) is type(real)
    assert all(tensor.is_meta for tensor in leaves(answer))
    assert layouts(answer) == layouts(real), (function, args, kwargs)
    if real is taken[0][0]:
        assert answer is given[0][0]
        assert answer._version == real._version  # by which writes are noticed
    else:
        assert not storages(answer) & storages(given)
    return True


def answered(function: Any) -> int:
    """How many of the calls that are drawn for a function its rule answers, all as torch does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a variance of one value
        calls = STRATEGIES[SHAPE_RULES[function].drawn_by].calls(function)
        return sum(agree(function, *call.args, **call.kwargs) for call in calls)


@pytest.mark.parametrize("function", SHAPE_RULES, ids=lambda f: getattr(f, "__qualname__", str(f)))
def test_a_rule_answers_as_torch_does(function: Any) -> None:
    assert answered(function) >= LEAST


def test_every_strategy_is_for_a_rule() -> None:
    assert {rule.drawn_by for rule in SHAPE_RULES.values()} == STRATEGIES.keys()


def test_further_calls() -> None:
    image = Drawn((1, 1, 4, 4), layout="channels last")
    agree(F.conv2d, image, Drawn((2, 1, 3, 3)), None, 1, 1, 1)
    assert not agree(F.conv1d, Drawn((1, 1, 4, 4)), Drawn((2, 1, 3, 3)))
    assert not agree(torch.cat, Drawn((2, 3)))  # a tensor is no list of tensors


# Rules that are wrong, or that hide


def wide(x: Tensor, inplace: bool = False) -> Tensor:
    return x.new_empty((*x.shape, 1))


def doubled(x: Tensor, inplace: bool = False) -> Tensor:
    return x.new_empty(x.shape, dtype=torch.float64)


def turned(x: Tensor, inplace: bool = False) -> Tensor:
    return x.new_empty(x.shape[::-1]).permute(*reversed(range(x.dim())))


@pytest.mark.parametrize("answer", [wide, doubled, turned])
def test_a_wrong_rule_is_found(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPE_RULES, F.hardswish, ShapeRule(answer, "activations"))
    with pytest.raises(AssertionError):
        answered(F.hardswish)


@pytest.mark.parametrize("answer", [lambda *_, **__: NotImplemented, lambda: None])
def test_a_rule_that_never_answers_is_found(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPE_RULES, F.hardswish, ShapeRule(answer, "activations"))
    assert answered(F.hardswish) == 0


@pytest.mark.parametrize("answer", [wide, doubled, turned])
def test_a_wrong_rule_is_named_where_rules_are_verified(
    answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = (torch.empty(2, 3, device="meta"),)
    monkeypatch.delenv(VERIFY, raising=False)
    monkeypatch.setitem(SHAPE_RULES, F.hardswish, ShapeRule(answer, "activations"))
    assert trace(nn.Hardswish(), given).failure is None
    monkeypatch.setenv(VERIFY, "1")
    with pytest.raises(WrongShapeRuleError, match="the shape rule of torch's `hardswish` returns"):
        trace(nn.Hardswish(), given)
    monkeypatch.delitem(SHAPE_RULES, F.hardswish)
    trace(nn.Hardswish(), given)


@pytest.mark.parametrize("name", ["sd15", "ldm_celebahq_256", "sd_x2_latent_upscaler", "if_I_XL"])
def test_published_networks_where_rules_are_verified(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = unetscope.load(name, batch=1, height=64, width=64).trace()
    monkeypatch.setenv(VERIFY, "1")
    assert unetscope.load(name, batch=1, height=64, width=64).trace() == plain


# Functions in place


def rule(function: Any, *args: Any) -> Any:
    return SHAPE_RULES[function].answer(*args)


def test_in_place_the_tensor_itself_is_returned_and_counts_the_write() -> None:
    x = torch.empty(2, 3, device="meta")
    assert rule(Tensor.add_, x, x) is x
    assert rule(Tensor.mul_, x[0], 2) is not x
    assert rule(F.leaky_relu, x, 0.1, True) is x
    assert x._version == 3  # a view counts with its base


@pytest.mark.parametrize(
    ("x", "other"),
    [
        (torch.empty(3), torch.empty(2, 3)),  # which would have to grow
        (torch.empty(1, 3).expand(2, 3), 1.0),  # two elements in one place
        (torch.empty(3, dtype=torch.int64), 0.5),
        (torch.empty(3), torch.empty(3, dtype=torch.complex64)),
    ],
)
def test_what_cannot_be_written_to_is_left_to_torch(x: Tensor, other: Any) -> None:
    with pytest.raises(RuntimeError):
        x.add_(other)
    there = x.to("meta") if x.is_contiguous() else torch.empty(1, 3, device="meta").expand(2, 3)
    assert rule(Tensor.add_, there, on("meta", other)) is NotImplemented
    assert there._version == 0


def test_operands_that_share_memory_with_the_target_are_left_to_torch() -> None:
    x = torch.empty(4, device="meta")
    assert rule(Tensor.add_, x[:3], x[1:]) is NotImplemented


# What UNets call


image, tokens = Drawn((2, 4, 6, 6)), Drawn((2, 9, 4))
permuted = Drawn((2, 9, 4), layout="permuted")
of_heads = Drawn((2, 2, 9, 4), layout="permuted")
channels = Drawn((4,))


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (F.conv2d, (image, Drawn((8, 4, 3, 3)), Drawn((8,)), (1, 1), (1, 1), (1, 1), 1), {}),
        (F.conv_transpose2d, (image, Drawn((4, 8, 2, 2)), Drawn((8,)), (2, 2)), {}),
        (F.linear, (permuted, Drawn((8, 4)), Drawn((8,))), {}),
        (F.group_norm, (image, 2, channels, channels, 1e-5), {}),
        (F.layer_norm, (permuted, (4,), channels, channels, 1e-5), {}),
        (F.batch_norm, (image, *[channels] * 4, False, 0.1, 1e-5), {}),
        (F.scaled_dot_product_attention, (Drawn((2, 2, 9, 4)),) * 3, {"dropout_p": 0.0}),
        (F.embedding, (Drawn((2,), torch.int64), Drawn((9, 4))), {"padding_idx": None}),
        (F.interpolate, (image,), {"scale_factor": 2.0, "mode": "nearest"}),
        (F.interpolate, (image,), {"size": (5, 7), "mode": "bilinear", "align_corners": False}),
        (F.softmax, (of_heads, -1), {"_stacklevel": 5}),
        (F.silu, (image,), {"inplace": False}),
        (F.leaky_relu, (image,), {"negative_slope": 0.1, "inplace": False}),
        (torch.cat, ([image, image],), {"dim": 1}),
        (torch.add, (image, Drawn((2, 4, 1, 1))), {}),
        (Tensor.mul, (permuted, 0.5), {}),
        (F.max_pool2d, (image, 2), {"stride": 2, "padding": 0, "dilation": 1}),
        (F.avg_pool2d, (image, 2, 2, 0, False, True, None), {}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_unets_call_has_a_rule(function: Any, args: Any, kwargs: Any) -> None:
    assert agree(function, *args, **kwargs)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(4, 8, 3, padding=1), (2, 4, 6, 6)),
        (nn.ConvTranspose2d(4, 8, 2, stride=2), (2, 4, 6, 6)),
        (nn.GroupNorm(2, 4), (2, 4, 6, 6)),
        (nn.BatchNorm2d(4), (2, 4, 6, 6)),
        (nn.InstanceNorm2d(4), (2, 4, 6, 6)),
        (nn.LayerNorm(4), (2, 9, 4)),
        (nn.Linear(4, 8), (2, 9, 4)),
        (nn.Softmax(-1), (2, 9, 4)),
        (nn.Upsample(scale_factor=2), (2, 4, 6, 6)),
        (nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (2, 4, 6, 6)),
        (nn.MaxPool2d(2), (2, 4, 6, 6)),
        (nn.AvgPool2d(2), (2, 4, 6, 6)),
        *((kind(), (2, 4, 6, 6)) for kind in (nn.SiLU, nn.ReLU, nn.GELU, nn.Mish, nn.ELU)),
        *((kind(), (2, 4, 6, 6)) for kind in (nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Dropout)),
        *((kind(), (2, 4, 6, 6)) for kind in (nn.PReLU, nn.Hardswish, nn.Softplus, nn.ReLU6)),
        *((kind(inplace=True), (2, 4, 6, 6)) for kind in (nn.LeakyReLU, nn.SiLU, nn.ELU)),
        (nn.AdaptiveAvgPool2d(1), (2, 4, 6, 6)),
        (nn.AdaptiveMaxPool3d(2), (2, 4, 6, 6, 6)),
        (nn.MaxPool2d(3, 2, ceil_mode=True), (2, 4, 6, 6)),
        (nn.Conv2d(4, 8, 3, padding="same"), (2, 4, 6, 6)),
        (nn.PixelShuffle(2), (2, 4, 6, 6)),
        (nn.PixelUnshuffle(2), (2, 4, 6, 6)),
        (nn.RMSNorm(4), (2, 9, 4)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_layers_are_traced_without_meta_kernels(
    layer: nn.Module, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forbidden(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            assert func.name().split(".")[0] in ("aten::empty", "aten::empty_strided"), func
            return func(*args, **(kwargs or {}))

    monkeypatch.delenv(VERIFY, raising=False)
    layer.to("meta")
    x = torch.empty(shape, device="meta")
    with Forbidden():
        trace(layer, (x,))
