"""Each formula against torch's own counter and against the definition of a product."""

from __future__ import annotations

import string
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from fvcore.nn import jit_handles
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from unetscope.tracing import trace
from unetscope.tracing.flops import work

META = torch.device("meta")
SIZE = st.integers(1, 5)


class Call(nn.Module):
    """A module that calls one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *tensors):
        return self.function(*tensors)


def empty(*shape):
    return torch.empty(shape, device=META)


def ours(function, *shapes):
    """The multiply-adds that a trace of `function` records, None if any are unknown."""
    macs = [op.macs for op in trace(Call(function), [empty(*shape) for shape in shapes]).ops]
    return None if None in macs else sum(macs)


def by_torch(function, *shapes):
    """Half of what torch's counter says on meta, where it misses no kernel."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        function(*(empty(*shape) for shape in shapes))
    return counter.get_total_flops() // 2


class Recorded:
    """A shape, as fvcore's formulas read one off a value of a jit trace."""

    def __init__(self, *shape):
        self.shape = list(shape)

    def isCompleteTensor(self):
        return True

    def type(self):
        return self

    def sizes(self):
        return self.shape


@given(
    dims=st.integers(1, 3),
    transposed=st.booleans(),
    batch=SIZE,
    groups=st.integers(1, 3),
    channels=st.tuples(SIZE, SIZE),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    size=st.integers(5, 9),
)
def test_convolutions(
    dims, transposed, batch, groups, channels, kernel, stride, padding, dilation, size
):
    given, made = (groups * count for count in channels)
    name = f"conv{'_transpose' if transposed else ''}{dims}d"
    weight = (given, made // groups) if transposed else (made, given // groups)
    shapes = (batch, given, *[size] * dims), (*weight, *[kernel] * dims)

    def convolve(x, w):
        more = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return getattr(F, name)(x, w, None, **more)

    assume(not transposed or (size - 1) * stride + dilation * (kernel - 1) + 1 > 2 * padding)
    made_of = convolve(*(empty(*shape) for shape in shapes)).shape
    fvcore = jit_handles.conv_flop_count(*map(list, (*shapes, made_of)), transposed)
    assert ours(convolve, *shapes) == by_torch(convolve, *shapes) == fvcore


def test_a_convolution_without_a_batch_counts_as_one_image():
    one = ours(F.conv2d, (1, 3, 8, 8), (5, 3, 3, 3))
    assert ours(F.conv2d, (3, 8, 8), (5, 3, 3, 3)) == one == 36 * 5 * 27


@given(rows=st.lists(SIZE, max_size=3), width=SIZE, made=SIZE, bias=st.booleans())
def test_linear_layers(rows, width, made, bias):
    shapes = ((*rows, width), (made, width), *[(made,)] * bias)
    expected = made * width
    for count in rows:
        expected *= count
    assert ours(F.linear, *shapes) == expected
    given, weight = shapes[:2]
    assert expected == jit_handles.linear_flop_jit([Recorded(*given), Recorded(*weight)], [])


BROADCAST = st.lists(st.tuples(SIZE, st.sampled_from(["both", "first", "second"])), max_size=3)


@given(batch=BROADCAST, n=SIZE, k=SIZE, m=SIZE, left=st.integers(0, 3), right=st.integers(0, 3))
def test_products_that_broadcast(batch, n, k, m, left, right):
    first = [1 if side == "second" else size for size, side in batch][left:]
    second = [1 if side == "first" else size for size, side in batch][right:]
    shapes = (*first, n, k), (*second, k, m)
    expected = torch.broadcast_shapes(tuple(first), tuple(second)).numel() * n * k * m
    assert ours(torch.matmul, *shapes) == expected
    assert ours(lambda a, b: a @ b, *shapes) == expected
    assert by_torch(torch.matmul, *shapes) == expected


@pytest.mark.parametrize(
    ("function", "shapes", "expected"),
    [
        (torch.mm, [(3, 4), (4, 5)], 60),
        (torch.mv, [(3, 4), (4,)], 12),
        (torch.dot, [(4,), (4,)], 4),
        (torch.matmul, [(4,), (4,)], 4),
        (torch.matmul, [(2, 3, 4), (4,)], 24),
        (torch.bmm, [(2, 3, 4), (2, 4, 5)], 120),
        (torch.addmm, [(3, 5), (3, 4), (4, 5)], 60),
        (torch.baddbmm, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 120),
        (torch.addbmm, [(3, 5), (2, 3, 4), (2, 4, 5)], 120),
        (lambda a, b: torch.tensordot(a, b, dims=2), [(2, 3, 4), (3, 4, 5)], 120),
    ],
)
def test_other_products(function, shapes, expected):
    assert ours(function, *shapes) == expected


@given(st.data())
def test_einsum_of_two(data):
    letters = string.ascii_lowercase[:5]
    sizes = {letter: data.draw(SIZE) for letter in letters}
    terms = [
        "".join(data.draw(st.lists(st.sampled_from(letters), min_size=1, unique=True)))
        for _ in range(2)
    ]
    both = set(terms[0]) & set(terms[1])
    either = sorted(set(terms[0]) | set(terms[1]))
    kept = data.draw(st.lists(st.sampled_from(either), unique=True))
    equation = f"{terms[0]}, {terms[1]} -> {''.join(kept)}"
    shapes = [tuple(sizes[letter] for letter in term) for term in terms]
    expected = 1
    for letter in both | set(kept):
        expected *= sizes[letter]
    if not both - set(kept):
        expected = 0
    assert ours(lambda a, b: torch.einsum(equation, a, b), *shapes) == expected


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("b i d, b j d -> b i j", [(2, 3, 5), (2, 4, 5)]),
        ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)]),
        ("...ij,...jk->...ik", [(2, 3, 4, 5), (2, 3, 5, 6)]),
        ("...ij,...jk->...ik", [(3, 4, 5), (2, 1, 5, 6)]),
        ("bct,bcs->bts", [(2, 5, 3), (2, 5, 4)]),
        ("ij,jk", [(3, 4), (4, 5)]),
    ],
)
def test_einsum_as_torch_counts_it(equation, shapes):
    def product(a, b):
        return torch.einsum(equation, a, b)

    assert ours(product, *shapes) == by_torch(product, *shapes)


@given(
    batch=SIZE, heads=SIZE, length=SIZE, tokens=SIZE, width=SIZE, values=SIZE, masked=st.booleans()
)
def test_attention(batch, heads, length, tokens, width, values, masked):
    shapes = [
        (batch, heads, length, width),
        (batch, heads, tokens, width),
        (batch, heads, tokens, values),
        *[(length, tokens)] * masked,
    ]
    expected = batch * heads * length * tokens * (width + values)
    assert ours(F.scaled_dot_product_attention, *shapes) == expected


@pytest.mark.parametrize("options", [{}, {"kdim": 6, "vdim": 10}, {"add_bias_kv": True}])
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_multi_head_attention(options, need_weights, batch_first):
    layer = nn.MultiheadAttention(8, 2, batch_first=batch_first, device="meta", **options).eval()
    widths = 8, options.get("kdim", 8), options.get("vdim", 8)
    lengths = 5, 7, 7
    shapes = [(2, n, w) if batch_first else (n, 2, w) for n, w in zip(lengths, widths, strict=True)]

    def attend(query, key, value):
        return layer(query, key, value, need_weights=need_weights)[0]

    expected = by_torch(attend, *shapes)
    assert ours(attend, *shapes) == expected > 0


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (torch.fft.fftn, [(2, 8, 8)]),
        (torch.cdist, [(3, 4), (5, 4)]),
        (F.bilinear, [(2, 3), (2, 4), (5, 3, 4)]),
        (partial(F.grid_sample, align_corners=False), [(1, 3, 4, 4), (1, 2, 2, 2)]),
        (lambda a, b, c: torch.einsum("ij,jk,kl->il", a, b, c), [(2, 3), (3, 4), (4, 5)]),
        (lambda x: nn.LSTM(4, 3, device="meta")(x)[0], [(5, 2, 4)]),
    ],
)
def test_what_is_not_known_is_not_zero(function, shapes):
    assert ours(function, *shapes) is None


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (1 - x) ** 2 / 3 + x.float() * -x,
        lambda x: F.group_norm(x, 2),
        lambda x: F.softmax(x.flatten(2).transpose(1, 2), dim=-1),
        lambda x: F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0),
        lambda x: torch.cat(x.chunk(2, dim=1)[::-1], dim=1)[:, :, ::2].contiguous(),
        lambda x: F.dropout(F.pixel_shuffle(x, 2), 0.1, training=False).mT,
    ],
)
def test_element_wise_work_is_known_to_do_none(function):
    assert ours(function, (1, 4, 8, 8)) == 0


def test_an_unexpected_call_is_unknown_not_wrong():
    class Odd:
        pass

    assert work("F.linear", empty(2, 3), (Odd(), Odd()), {}).macs is None


def test_keywords_in_any_order():
    def attend(q, k, v):
        return F.scaled_dot_product_attention(value=v, key=k, query=q)

    shapes = [(1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 5, 6)]
    assert ours(attend, *shapes) == 2 * 3 * 5 * (4 + 6)
    assert ours(lambda x, w: F.linear(weight=w, input=x), (2, 3), (5, 3)) == 30
