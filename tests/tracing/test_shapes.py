"""Every shape rule against torch's real CPU kernels, in valid and in invalid calls."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from drawn_tensors import FLOATS, Drawn, on, shapes, sizes, tensors
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unetscope.tracing import trace
from unetscope.tracing.shapes import RULES

quick = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def layout(tensor: Tensor) -> tuple[Any, ...]:
    """Shape, type and the strides that can be told apart."""
    told = zip(tensor.shape, tensor.stride(), strict=True)
    strides = [stride if size > 1 else None for size, stride in told]
    return tuple(tensor.shape), tensor.dtype, strides if tensor.numel() else None


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
        answer = RULES[function](*given[0], **given[1])
    except Exception:
        return False
    if answer is NotImplemented:
        return False
    # A rule that answers stands for a call that succeeds.
    try:
        real = function(*on("cpu", args), **on("cpu", kwargs))
    except NotImplementedError:  # in this type the kernel is there for GPUs alone
        real = function(*given[0], **given[1])
    assert isinstance(answer, Tensor)
    assert answer.is_meta
    assert layout(answer) == layout(real)
    assert not storages(answer) & storages(given)
    return True


@st.composite
def broadcastable(draw: st.DrawFn, count: int) -> list[Drawn]:
    """Tensors whose shapes mostly broadcast."""
    full = draw(shapes())
    drawn = []
    for _ in range(count):
        shape = list(full[draw(st.integers(0, len(full))) if draw(st.booleans()) else 0 :])
        for dim in range(len(shape)):
            if draw(st.integers(0, 3)) == 0:
                shape[dim] = draw(st.sampled_from([1, 1, 1, 3]))
        drawn.append(draw(tensors(tuple(shape))))
    return drawn


numbers = st.sampled_from([2, 0.5, -1, 0, True, None, "2", 3j])
flags = st.booleans()
dims = st.one_of(st.integers(-6, 5), st.sampled_from([1.0, None, "1"]))
pairs = st.one_of(
    st.integers(-1, 3), st.lists(st.integers(0, 3), max_size=3), st.just(1.5), st.just((2, 2))
)
UNARY = [f for f, rule in RULES.items() if rule.__name__ in ("_unary", "_like")]
BINARY = [
    f
    for f, rule in RULES.items()
    if rule.__name__ in ("_arithmetic", "_reversed_arithmetic", "_power_of_a_number", "_comparison")
]


@pytest.mark.parametrize("function", UNARY, ids=lambda f: f.__qualname__)
@settings(quick, max_examples=15)
@given(x=tensors(shapes()))
def test_functions_of_one_tensor(function: Any, x: Drawn) -> None:
    agree(function, x)


@pytest.mark.parametrize("function", BINARY, ids=lambda f: f.__qualname__)
@settings(quick, max_examples=25)
@given(operands=broadcastable(2), number=numbers)
def test_arithmetic(function: Any, operands: list[Drawn], number: Any) -> None:
    agree(function, *operands)
    agree(function, operands[0], number)


@quick
@given(operands=broadcastable(2))
def test_arithmetic_in_every_layout(operands: list[Drawn]) -> None:
    agree(torch.add, *(Drawn(x.shape, torch.float32, x.layout) for x in operands))


@quick
@given(operands=broadcastable(3), weight=numbers, condition=st.just(torch.bool))
def test_functions_of_three_tensors(operands: list[Drawn], weight: Any, condition: Any) -> None:
    a, b, c = operands
    agree(torch.lerp, a, b, weight)
    agree(torch.lerp, a, b, c)
    agree(torch.where, a, b, c)
    agree(torch.where, Drawn(a.shape, condition, a.layout), b, c)


@quick
@given(x=tensors(shapes()), number=numbers, other=numbers, flag=flags)
def test_activations(x: Drawn, number: Any, other: Any, flag: bool) -> None:
    for approximate in ("none", "tanh", "exact"):
        agree(F.gelu, x, approximate=approximate)
    for function in (F.silu, F.mish, F.relu):
        agree(function, x, inplace=flag)
        agree(function, x, flag)
    for function in (F.leaky_relu, F.elu):
        agree(function, x, number, flag)
    agree(F.leaky_relu, x, negative_slope=number)
    agree(F.elu, x, alpha=number)
    agree(F.leaky_relu, x, alpha=number)
    agree(F.elu, x, negative_slope=number)
    agree(torch.clamp, x, number, other)
    agree(Tensor.clamp, x, min=number)
    agree(torch.clamp, x, max=number)
    agree(torch.clamp, x)


@quick
@given(
    x=tensors(shapes()),
    dim=st.one_of(dims, st.lists(st.integers(-4, 3), max_size=3)),
    dtype=st.sampled_from([None, torch.float32, torch.float16, torch.int64]),
    flag=flags,
)
def test_reductions(x: Drawn, dim: Any, dtype: torch.dtype | None, flag: bool) -> None:
    warnings.simplefilter("ignore")  # a variance of one value
    for function in (F.softmax, torch.softmax, Tensor.softmax):
        agree(function, x, dim)
        agree(function, x, dim=dim, dtype=dtype)
    for function in (torch.mean, torch.sum, torch.amax, torch.amin):
        agree(function, x, dim)
        agree(function, x, dim=dim, keepdim=flag)
    for function in (torch.var, Tensor.std):
        agree(function, x, dim, flag)
        agree(function, x, dim=dim, unbiased=flag, keepdim=True)
    agree(F.normalize, x, dim=dim)
    agree(F.normalize, x, 1.0, dim)


@st.composite
def convolutions(draw: st.DrawFn, transposed: bool) -> tuple[Drawn, Drawn, Drawn | None, Any]:
    """Input, weight, bias and settings of a convolution, most of them valid."""
    rank = draw(st.sampled_from([1, 2, 2, 2, 3]))
    groups = draw(st.sampled_from([1, 1, 2]))
    wide, narrow = groups * draw(sizes(1, 2)), draw(sizes(1, 2))
    spatial = tuple(draw(sizes(1, 5)) for _ in range(rank))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    dtype = draw(st.sampled_from(FLOATS))
    layouts = draw(tensors(())).layout, draw(tensors(())).layout
    batch = draw(sizes(0, 2))
    if transposed:
        weight = (wide, narrow, *kernel)
        x, out = (batch, wide, *spatial), narrow * groups
    else:
        weight = (wide, narrow, *kernel)
        x, out = (batch, narrow * groups, *spatial), wide
    bias = draw(st.sampled_from([None, Drawn((out,), dtype), Drawn((out + 1,), dtype)]))
    other = draw(st.sampled_from([dtype, dtype, dtype, torch.float32]))
    return Drawn(x, dtype, layouts[0]), Drawn(weight, other, layouts[1]), bias, (rank, groups)


each = st.one_of(st.integers(1, 2), st.integers(0, 3), pairs)


@settings(quick, max_examples=200)
@given(convolutions(transposed=False), each, each, st.one_of(st.just(1), each))
@example((Drawn((1, 1, 4, 4), layout="channels last"), Drawn((2, 1, 3, 3)), None, (2, 1)), 1, 1, 1)
def test_convolution(drawn: Any, stride: Any, padding: Any, dilation: Any) -> None:
    x, weight, bias, (rank, groups) = drawn
    function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    agree(function, x, weight, bias, stride, padding, dilation, groups)
    agree(function, x, weight, bias=bias, padding=padding, groups=groups)
    agree(function, x, weight)


@settings(quick, max_examples=200)
@given(convolutions(transposed=True), each, each, each, st.one_of(st.just(1), each))
def test_transposed_convolution(
    drawn: Any, stride: Any, padding: Any, extra: Any, dilation: Any
) -> None:
    x, weight, bias, (rank, groups) = drawn
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
    agree(function, x, weight, bias, stride, padding, extra, groups, dilation)
    agree(function, x, weight, bias, stride=stride, groups=groups)


@quick
@given(
    x=tensors(shapes(1, 5)),
    groups=st.integers(0, 3),
    scale=st.sampled_from([None, "fits", "fits", "too long", "other type"]),
    depth=st.integers(0, 2),
    flag=flags,
)
def test_norms(x: Drawn, groups: int, scale: str | None, depth: int, flag: bool) -> None:
    def affine(shape: tuple[int, ...]) -> Drawn | None:
        if scale is None:
            return None
        shape = (*shape[:-1], shape[-1] + 1) if scale == "too long" and shape else shape
        return Drawn(shape, torch.float16 if scale == "other type" else x.dtype)

    channels = affine(x.shape[1:2])
    agree(F.group_norm, x, groups, channels, channels)
    agree(F.group_norm, x, groups, weight=channels)
    last = x.shape[len(x.shape) - depth :]
    agree(F.layer_norm, x, last, affine(last), affine(last))
    agree(F.layer_norm, x, list(last), bias=affine(last))
    statistics = Drawn(x.shape[1:2], x.dtype)
    agree(F.batch_norm, x, statistics, statistics, channels, channels, training=flag)
    agree(F.batch_norm, x, channels, channels)
    agree(F.instance_norm, x, weight=channels, bias=channels)
    agree(F.instance_norm, x, channels, channels, use_input_stats=flag)


@quick
@given(
    x=tensors(shapes(1, 4)),
    out=sizes(),
    weight=tensors(shapes(2, 2)),
    bias=st.sampled_from([None, "fits", "not"]),
    fits=st.integers(0, 3),
)
def test_linear(x: Drawn, out: int, weight: Drawn, bias: Any, fits: int) -> None:
    if fits:
        weight = Drawn((out, x.shape[-1]), x.dtype, weight.layout)
    added = None if bias is None else Drawn((weight.shape[0] + (bias == "not"),), x.dtype)
    agree(F.linear, x, weight, added)


@quick
@given(tensors(shapes(1, 4)), tensors(shapes(1, 4)), sizes(), st.integers(0, 4), numbers)
def test_products(a: Drawn, b: Drawn, columns: int, fits: int, factor: Any) -> None:
    if fits and len(a.shape) > 1:
        b = Drawn((*a.shape[:-2], a.shape[-1], columns), a.dtype, b.layout)
    agree(torch.matmul, a, b)
    agree(Tensor.matmul, a, b)
    agree(torch.bmm, a, b)
    added = Drawn((*a.shape[:-1], columns), a.dtype, b.layout)
    agree(torch.baddbmm, added, a, b, beta=0, alpha=factor)
    agree(torch.baddbmm, b, a, b)


@st.composite
def heads(draw: st.DrawFn) -> tuple[Drawn, Drawn, Drawn]:
    """Query, key and value, most of them fitting."""
    batch, count, tokens, dim = (draw(sizes(1, 3)) for _ in range(4))
    others = draw(sizes(0, 4))
    query = (batch, count, tokens, dim)
    key = (batch, count, others, dim)
    if draw(st.integers(0, 4)) == 0:
        key = draw(shapes(4, 4))
    dtype = draw(st.sampled_from(FLOATS))

    def drawn(shape: tuple[int, ...]) -> Drawn:
        return Drawn(shape, dtype, draw(tensors(())).layout)

    return drawn(query), drawn(key), drawn(key if draw(st.integers(0, 4)) else draw(shapes(3, 4)))


@quick
@given(
    qkv=heads(),
    causal=flags,
    scale=st.sampled_from([None, 0.5, 1]),
    mask=tensors(shapes(1, 4)),
    fits=st.lists(flags, min_size=4, max_size=4),
)
def test_attention(qkv: Any, causal: bool, scale: Any, mask: Drawn, fits: list[bool]) -> None:
    query, key = qkv[0].shape, qkv[1].shape
    if fits[0]:
        full = (*query[:3], key[2])[-len(mask.shape) :]
        shape = tuple(n if fit else 1 for n, fit in zip(full, fits, strict=False))
        mask = Drawn(shape, mask.dtype if fits[1] else qkv[0].dtype, mask.layout)
    agree(F.scaled_dot_product_attention, *qkv, attn_mask=mask, is_causal=causal and fits[2])
    agree(F.scaled_dot_product_attention, *qkv)
    agree(F.scaled_dot_product_attention, *qkv, is_causal=causal, scale=scale)
    agree(F.scaled_dot_product_attention, *qkv, Drawn((1,)), 0.0, causal)


@quick
@given(
    tokens=tensors(shapes(0, 3), (torch.int64, torch.int32, torch.int16)),
    weight=tensors(shapes(1, 3)),
    padding=st.one_of(st.none(), st.integers(-3, 3)),
)
def test_embedding(tokens: Drawn, weight: Drawn, padding: int | None) -> None:
    agree(F.embedding, tokens, weight, padding)
    agree(F.embedding, Drawn(tokens.shape, torch.int64, tokens.layout), weight)


@settings(quick, max_examples=200)
@given(
    x=tensors(shapes(2, 5), FLOATS),
    size=st.one_of(st.none(), sizes(), st.lists(sizes(), max_size=3), st.just((2.0, 2.0))),
    scale=st.one_of(st.none(), st.sampled_from([2, 2.0, 1.5, 0.5, -1.0, 0.3]), st.just((2.0, 1.5))),
    mode=st.sampled_from(
        ["nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area", "what"]
    ),
    align=st.sampled_from([None, False, True]),
)
def test_interpolate(x: Drawn, size: Any, scale: Any, mode: str, align: bool | None) -> None:
    agree(F.interpolate, x, size, scale, mode, align)
    agree(F.interpolate, x, scale_factor=scale, mode=mode)
    agree(F.interpolate, x, size=size)


@settings(quick, max_examples=200)
@given(
    x=tensors(shapes(2, 5), FLOATS),
    kernel=each,
    stride=st.one_of(st.none(), each),
    padding=st.one_of(st.just(0), each),
    dilation=st.one_of(st.just(1), each),
    flag=flags,
)
def test_pooling(
    x: Drawn, kernel: Any, stride: Any, padding: Any, dilation: Any, flag: bool
) -> None:
    rank = min(max(len(x.shape) - 2, 1), 3)
    largest = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1]
    mean = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1]
    agree(largest, x, kernel)
    agree(largest, x, kernel, stride, padding, dilation, ceil_mode=flag)
    agree(mean, x, kernel)
    agree(mean, x, kernel, stride, padding, flag, count_include_pad=flag)
    if rank == 2:
        agree(mean, x, kernel, divisor_override=kernel)


@st.composite
def lists(draw: st.DrawFn) -> list[Drawn]:
    """Tensors that mostly can be joined."""
    shape = draw(shapes())
    joined = draw(st.integers(0, max(len(shape) - 1, 0)))
    drawn = []
    for _ in range(draw(st.integers(0, 3))):
        own = list(shape)
        if own and draw(st.booleans()):
            own[joined if draw(st.integers(0, 4)) else 0] = draw(sizes())
        drawn.append(draw(tensors(tuple(own), FLOATS)))
    return drawn


@settings(quick, max_examples=200)
@given(parts=lists(), dim=dims)
def test_joins(parts: list[Drawn], dim: Any) -> None:
    agree(torch.cat, parts)
    agree(torch.cat, tuple(parts), dim)
    agree(torch.concat, parts, dim=dim)
    agree(torch.stack, parts)
    agree(torch.hstack, parts)
    agree(torch.stack, parts, dim)


def test_a_tensor_is_no_list_of_tensors() -> None:
    assert not agree(torch.cat, Drawn((2, 3)))


@settings(quick, max_examples=200)
@given(
    bounds=st.lists(st.one_of(st.integers(-9, 9), st.floats(-9, 9)), min_size=1, max_size=3),
    dtype=st.sampled_from([None, *FLOATS, torch.int64, torch.int32, torch.uint8, torch.bool]),
    device=st.sampled_from([None, "meta"]),
)
def test_arange(bounds: list[float], dtype: torch.dtype | None, device: str | None) -> None:
    where = None if device is None else torch.device(device)
    agree(torch.arange, *bounds, dtype=dtype, device=where)


@quick
@given(x=tensors(shapes(0, 4)), dims=st.lists(st.integers(-5, 4), max_size=3))
def test_flip(x: Drawn, dims: list[int]) -> None:
    agree(torch.flip, x, dims)
    agree(torch.flip, x, dims=tuple(dims))


@quick
@given(size=st.integers(-1, 4), dtype=st.sampled_from([None, *FLOATS, torch.int64]))
def test_eye(size: int, dtype: torch.dtype | None) -> None:
    agree(torch.eye, size, dtype=dtype, device=torch.device("meta"))


@settings(quick, max_examples=200)
@given(
    x=tensors(shapes(2, 5), FLOATS),
    pad=st.lists(st.integers(-1, 4), min_size=1, max_size=6),
    mode=st.sampled_from(["reflect", "replicate", "circular", "constant", "what"]),
)
def test_pad(x: Drawn, pad: list[int], mode: str) -> None:
    agree(F.pad, x, pad, mode)
    agree(F.pad, x, tuple(pad), mode=mode, value=0.5)


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
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_layers_are_traced_without_meta_kernels(layer: nn.Module, shape: tuple[int, ...]) -> None:
    class Forbidden(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            assert func.name().split(".")[0] in ("aten::empty", "aten::empty_strided"), func
            return func(*args, **(kwargs or {}))

    layer.to("meta")
    x = torch.empty(shape, device="meta")
    with Forbidden():
        trace(layer, (x,))


CHILD = """
import sys
import unetscope.families
from unetscope.config import load
from unetscope.tracing import devices, trace
spec = load("sd15")
model = devices.build(lambda: unetscope.families.build(spec.family, spec.unet), "meta", "float32")
given = devices.zeros(spec.tensors(), "meta", "float32")
if "plain" in sys.argv:
    model(**given)
else:
    trace(model, kwargs=given)
print(sorted({"sympy", "torch._dynamo"} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("how", "imported"), [("traced", "[]"), ("plain", "['sympy', 'torch._dynamo']")]
)
def test_tracing_on_meta_imports_no_compiler(how: str, imported: str) -> None:
    found = subprocess.run(
        [sys.executable, "-c", CHILD, how], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == imported
