"""Calls of the functions that have shape rules, most of them valid, by the names of strategies.

Each strategy is for functions that take the same arguments; a rule names the one that tests it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from drawn_tensors import FLOATS, Drawn, Draws


class Call(NamedTuple):
    """The arguments of one call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Strategy(NamedTuple):
    """How the calls of a function are drawn, and how many."""

    draw: Callable[[Draws, Any], Call]
    examples: int

    def calls(self, function: Any) -> list[Call]:
        """The same calls each time."""
        draws = Draws(function.__name__)
        return [self.draw(draws, function) for _ in range(self.examples)]


STRATEGIES: dict[str, Strategy] = {}


def strategy(examples: int) -> Callable[[Callable[[Draws, Any], Call]], Any]:
    """Register what draws calls under its own name."""

    def register(draw: Callable[[Draws, Any], Call]) -> Any:
        STRATEGIES[draw.__name__] = Strategy(draw, examples)
        return draw

    return register


def call(*args: Any, **kwargs: Any) -> Call:
    return Call(args, kwargs)


def rank_of(draws: Draws, function: Any) -> int:
    """The spatial dims of `conv2d`, at times others."""
    digits = [int(letter) for letter in function.__name__ if letter.isdigit()]
    return digits[0] if digits and draws.chance(0.95) else draws.randint(1, 3)


# Element by element


@strategy(80)
def one_tensor(draws: Draws, function: Any) -> Call:
    return call(draws.tensor())


def broadcastable(draws: Draws, count: int) -> list[Drawn]:
    """Tensors whose shapes mostly broadcast, mostly of one type."""
    full, dtype = draws.shape(), draws.dtype()
    drawn = []
    for _ in range(count):
        shape = list(full[draws.randint(0, len(full)) if draws.chance() else 0 :])
        for dim in range(len(shape)):
            if draws.chance(0.25):
                shape[dim] = 1 if draws.chance(0.9) else 3
        drawn.append(draws.tensor(tuple(shape), dtype if draws.chance(0.8) else None))
    return drawn


@strategy(250)
def arithmetic(draws: Draws, function: Any) -> Call:
    a, b = broadcastable(draws, 2)
    return call(a, b) if draws.chance(0.7) else call(a, draws.number())


@strategy(600)
def interpolations(draws: Draws, function: Any) -> Call:
    a, b, c = broadcastable(draws, 3)
    return call(a, b, c if draws.chance() else draws.number())


@strategy(600)
def choices(draws: Draws, function: Any) -> Call:
    a, b, c = broadcastable(draws, 3)
    return call(Drawn(a.shape, torch.bool, a.layout) if draws.chance(0.8) else a, b, c)


@strategy(200)
def gelus(draws: Draws, function: Any) -> Call:
    kind = draws.choice([None, "none", "tanh", "exact"])
    return call(draws.tensor()) if kind is None else call(draws.tensor(), approximate=kind)


@strategy(170)
def activations(draws: Draws, function: Any) -> Call:
    numbers, named = draws.choice([0, 0, 0, 1, 2]), draws.chance(0.2)
    if function is F.threshold and draws.chance(0.8):
        numbers = 2
    given = [
        draws.number() if draws.chance(0.2) else draws.choice([1, 0.5]) for _ in range(numbers)
    ]
    if draws.chance(0.3):
        given.append(draws.chance())
    if not named:
        return call(draws.tensor(), *given)
    name = draws.choice(["negative_slope", "alpha", "min_val", "lambd", "beta", "inplace"])
    return call(draws.tensor(), **{name: draws.number() if name != "inplace" else draws.chance()})


@strategy(200)
def gates(draws: Draws, function: Any) -> Call:
    x = image(draws, 1)
    return call(x) if draws.chance(0.2) else call(x, draws.dim(len(x.shape)))


@strategy(200)
def slopes(draws: Draws, function: Any) -> Call:
    x = image(draws, 1)
    shape = draws.choice([(), (1,), x.shape[1:2], (1, 1)])
    return call(x, Drawn(shape, x.dtype))


@strategy(200)
def dropouts(draws: Draws, function: Any) -> Call:
    least = int(function.__name__[-2]) + 2 if function.__name__[-1] == "d" else 1
    x = draws.tensor(draws.shape(least, least) if draws.chance(0.8) else draws.shape(3, 5))
    return call(x, draws.choice([0.0, 0.1, 0.5, 1.0, 2.0]), draws.chance(0.9), draws.chance(0.2))


@strategy(60)
def masks(draws: Draws, function: Any) -> Call:
    return call(draws.tensor(None, torch.bool if draws.chance(0.8) else None))


@strategy(120)
def logic(draws: Draws, function: Any) -> Call:
    a, b = broadcastable(draws, 2)
    kind = torch.bool if draws.chance(0.8) else torch.int64
    return call(Drawn(a.shape, torch.bool, a.layout), Drawn(b.shape, kind, b.layout))


@strategy(200)
def fillings(draws: Draws, function: Any) -> Call:
    x, mask = broadcastable(draws, 2)
    mask = Drawn(mask.shape, torch.bool if draws.chance(0.9) else mask.dtype, mask.layout)
    return call(x, mask, Drawn((), x.dtype) if draws.chance(0.2) else draws.number())


@strategy(200)
def losses(draws: Draws, function: Any) -> Call:
    x, other = broadcastable(draws, 2)
    target = Drawn(x.shape, x.dtype, other.layout) if draws.chance(0.8) else other
    return call(x, target, reduction=draws.choice(["mean", "sum", "none", "what"]))


@strategy(300)
def clamps(draws: Draws, function: Any) -> Call:
    x, low, high = draws.tensor(), draws.number(), draws.number()
    return draws.choice([call(x, low, high), call(x, min=low), call(x, max=high), call(x)])


# Along dims


@strategy(300)
def softmaxes(draws: Draws, function: Any) -> Call:
    x = draws.tensor()
    dim = draws.dim(len(x.shape))
    dtype = draws.choice([None, torch.float32, torch.float16, torch.int64])
    return call(x, dim) if draws.chance() else call(x, dim=dim, dtype=dtype)


def along(draws: Draws) -> tuple[Drawn, Any]:
    """A tensor, and one or more of its dims, at times some that it has not."""
    x = draws.tensor()
    rank = len(x.shape)
    if draws.chance():
        return x, draws.dim(rank)
    if draws.chance(0.8):
        return x, draws.sample(range(-rank, 0), draws.randint(0, rank))
    return x, [draws.randint(-4, 3) for _ in range(draws.randint(0, 3))]


@strategy(180)
def reductions(draws: Draws, function: Any) -> Call:
    x, dim = along(draws)
    if function.__name__ not in ("mean", "sum", "amax", "amin", "logsumexp") and draws.chance(0.8):
        dim = dim[0] if isinstance(dim, list) and dim else dim
    dtype = draws.choice([torch.float16, torch.int64])
    return draws.choice(
        [
            call(x),
            call(x, dim),
            call(x, dim=dim, keepdim=draws.chance()),
            call(x, dim, dtype=dtype),
        ]
    )


@strategy(150)
def vector_norms(draws: Draws, function: Any) -> Call:
    x, dim = along(draws)
    p = draws.choice([2, 1.0, 0, "fro", "nuc"])
    return draws.choice([call(x), call(x, p), call(x, p, dim), call(x, p, dim, draws.chance())])


@strategy(200)
def similarities(draws: Draws, function: Any) -> Call:
    x = draws.tensor(draws.shape(1, 4))
    other = draws.tensor(x.shape if draws.chance(0.9) else None, x.dtype)
    return call(x, other) if draws.chance() else call(x, other, dim=draws.dim(len(x.shape)))


@strategy(150)
def differences(draws: Draws, function: Any) -> Call:
    x = draws.tensor()
    return call(x, dim=draws.dim(len(x.shape))) if draws.chance() else call(x, draws.randint(0, 2))


@strategy(150)
def highest(draws: Draws, function: Any) -> Call:
    x, count = draws.tensor(), draws.randint(-1, 3)
    return call(x, count) if draws.chance() else call(x, k=count, dim=draws.dim(len(x.shape)))


@strategy(150)
def sorts(draws: Draws, function: Any) -> Call:
    x = draws.tensor()
    dim, descending = draws.dim(len(x.shape)), draws.chance()
    return draws.choice([call(x), call(x, dim), call(x, dim, descending)])


@strategy(200)
def spreads(draws: Draws, function: Any) -> Call:
    x, dim = along(draws)
    flag = draws.chance()
    return call(x, dim, flag) if draws.chance() else call(x, dim=dim, unbiased=flag, keepdim=True)


@strategy(400)
def normalizations(draws: Draws, function: Any) -> Call:
    x, dim = along(draws)
    return call(x, dim=dim) if draws.chance() else call(x, 1.0, dim)


@strategy(150)
def flips(draws: Draws, function: Any) -> Call:
    x, dims = along(draws)
    dims = dims if isinstance(dims, list) else [dims]
    if function is torch.Tensor.flip and draws.chance(0.4):
        return call(x, *dims)
    return call(x, dims) if draws.chance() else call(x, dims=tuple(dims))


@strategy(150)
def rolls(draws: Draws, function: Any) -> Call:
    x, dims = along(draws)
    count = len(dims) if isinstance(dims, list) and draws.chance(0.8) else 1
    shifts: Any = [draws.randint(-2, 2) for _ in range(count)]
    if count == 1 and draws.chance():
        shifts = shifts[0]
    return call(x, shifts) if draws.chance(0.2) else call(x, shifts, dims)


@strategy(150)
def turns(draws: Draws, function: Any) -> Call:
    x = draws.tensor(draws.shape(2, 4))
    rank = len(x.shape)
    dims = draws.sample(range(-rank, rank), 2) if draws.chance(0.9) else [0, 1, 2]
    return call(x, draws.randint(-3, 5), dims) if draws.chance(0.9) else call(x)


@strategy(150)
def repetitions(draws: Draws, function: Any) -> Call:
    x = draws.tensor(draws.shape(0, 3))
    counts = [draws.randint(-1, 3) if draws.chance(0.1) else 2 for _ in range(draws.randint(0, 4))]
    if function is not torch.tile and draws.chance():
        return call(x, *counts)
    return call(x, tuple(counts))


@strategy(150)
def triangles(draws: Draws, function: Any) -> Call:
    x = draws.tensor()
    return call(x) if draws.chance() else call(x, draws.choice([-1, 0, 2, 1.5]))


def places(draws: Draws, shape: tuple[int, ...]) -> Drawn:
    """Zeros that fit as an index of a tensor of that shape, mostly."""
    own = tuple(draws.randint(min(n, 1), n + draws.chance(0.1)) for n in shape)
    kind = torch.int64 if draws.chance(0.95) else torch.float32
    return draws.tensor(own if draws.chance(0.95) else None, kind)


@strategy(150)
def gatherings(draws: Draws, function: Any) -> Call:
    x = draws.tensor()
    return call(x, draws.dim(len(x.shape)), places(draws, x.shape))


@strategy(250)
def scatterings(draws: Draws, function: Any) -> Call:
    x = draws.tensor()
    index = places(draws, x.shape)
    larger = tuple(n + draws.chance(0.2) for n in index.shape)
    source = draws.tensor(larger if draws.chance(0.9) else None, x.dtype)
    return call(x, draws.dim(len(x.shape)), index, source if draws.chance(0.8) else draws.number())


@strategy(300)
def choosings(draws: Draws, function: Any) -> Call:
    x = draws.tensor()
    kind = torch.int64 if draws.chance(0.9) else draws.choice([torch.bool, torch.int32])
    index = draws.tensor(draws.shape(0, 2), kind)
    whole = [slice(None)] * draws.randint(0, len(x.shape))
    if draws.chance(0.1):
        whole.append(draws.choice([0, None, slice(1), ...]))
    return call(x, index) if draws.chance(0.3) else call(x, (*whole, index))


# Layers


def convolved(draws: Draws, rank: int, *, transposed: bool) -> tuple[Drawn, Drawn, Any, int]:
    """Input, weight, bias and groups of a convolution, most of them valid."""
    groups = draws.choice([1, 1, 2])
    wide, narrow = groups * draws.size(1, 2), draws.size(1, 2)
    spatial = tuple(draws.randint(1, 6) for _ in range(rank))
    kernel = tuple(draws.randint(1, 3) for _ in range(rank))
    dtype = draws.float_type()
    taken, made = (wide, narrow * groups) if transposed else (narrow * groups, wide)
    bias = draws.choice([None, Drawn((made,), dtype), Drawn((made,), dtype)])
    if draws.chance(0.1):
        bias = Drawn((made + 1,), dtype)
    x = draws.tensor((draws.size(0, 2), taken, *spatial), dtype)
    weight = draws.tensor((wide, narrow, *kernel), dtype if draws.chance(0.9) else torch.float32)
    return x, weight, bias, groups if draws.chance(0.9) else 3


@strategy(300)
def convolutions(draws: Draws, function: Any) -> Call:
    rank = rank_of(draws, function)
    x, weight, bias, groups = convolved(draws, rank, transposed=False)
    stride, padding = draws.setting(rank, 1), draws.setting(rank)
    dilation = 1 if draws.chance() else draws.setting(rank, 1, 2)
    if draws.chance(0.2):
        padding = draws.choice(["same", "same", "valid", "what"])
        stride = 1 if draws.chance(0.8) else stride
    return draws.choice(
        [
            call(x, weight, bias, stride, padding, dilation, groups),
            call(x, weight, bias=bias, padding=padding, groups=groups),
            call(x, weight),
        ]
    )


@strategy(300)
def transposed_convolutions(draws: Draws, function: Any) -> Call:
    rank = rank_of(draws, function)
    x, weight, bias, groups = convolved(draws, rank, transposed=True)
    stride, padding = draws.setting(rank, 1), draws.setting(rank, 0, 1)
    if draws.chance():
        return call(x, weight, bias, stride=stride, groups=groups)
    extra = 0 if draws.chance() else draws.setting(rank, 0, 1)
    dilation = 1 if draws.chance() else draws.setting(rank, 1, 2)
    return call(x, weight, bias, stride, padding, extra, groups, dilation)


def affine(draws: Draws, x: Drawn, shape: tuple[int, ...]) -> Drawn | None:
    """Weights of a norm, most of them fitting."""
    if draws.chance(0.3):
        return None
    if draws.chance(0.1) and shape:
        shape = (*shape[:-1], shape[-1] + 1)
    return Drawn(shape, x.dtype if draws.chance(0.9) else torch.float16)


def image(draws: Draws, least: int = 2) -> Drawn:
    """A tensor with channels, mostly of a floating-point type."""
    return draws.tensor(draws.shape(least, 5) if draws.chance(0.9) else draws.shape(1, 2))


@strategy(400)
def group_norms(draws: Draws, function: Any) -> Call:
    x = image(draws)
    groups = draws.choice([1, 1, 2, *x.shape[1:2]]) if draws.chance(0.8) else draws.randint(0, 3)
    channels = affine(draws, x, x.shape[1:2])
    if draws.chance():
        return call(x, groups, channels, channels)
    return call(x, groups, weight=channels)


@strategy(400)
def layer_norms(draws: Draws, function: Any) -> Call:
    x, depth = image(draws, 1), draws.randint(0, 2) if draws.chance(0.3) else 1
    last = x.shape[len(x.shape) - depth :]
    if draws.chance():
        return call(x, last, affine(draws, x, last), affine(draws, x, last))
    return call(x, list(last), bias=affine(draws, x, last))


@strategy(200)
def rms_norms(draws: Draws, function: Any) -> Call:
    x = image(draws, 1)
    last = x.shape[-1:]
    weight = affine(draws, x, last)
    return call(x, last, weight) if draws.chance() else call(x, last, weight, eps=1e-6)


@strategy(120)
def normed_weights(draws: Draws, function: Any) -> Call:
    v = draws.tensor(draws.shape(1, 4))
    dim = draws.randint(0, len(v.shape) - 1)
    along = [1] * len(v.shape)
    along[dim] = v.shape[dim] + draws.chance(0.1)
    return call(v, draws.tensor(tuple(along), v.dtype), dim if draws.chance(0.9) else 5)


@strategy(100)
def response_norms(draws: Draws, function: Any) -> Call:
    return call(image(draws, 3), draws.randint(0, 3))


@strategy(400)
def batch_norms(draws: Draws, function: Any) -> Call:
    x = image(draws)
    channels, statistics = affine(draws, x, x.shape[1:2]), Drawn(x.shape[1:2], x.dtype)
    if draws.chance(0.8):
        training = draws.chance(0.2)
        return call(x, statistics, statistics, channels, channels, training=training)
    return call(x, channels, channels)


@strategy(400)
def instance_norms(draws: Draws, function: Any) -> Call:
    x = image(draws, 3)
    channels = affine(draws, x, x.shape[1:2])
    if draws.chance(0.7):
        return call(x, weight=channels, bias=channels)
    return call(x, channels, channels, use_input_stats=draws.chance())


# Products


@strategy(400)
def linear_layers(draws: Draws, function: Any) -> Call:
    x = draws.tensor(draws.shape(1, 4), draws.float_type())
    weight = draws.tensor(draws.shape(2, 2))
    if draws.chance(0.85):
        weight = Drawn((draws.size(), x.shape[-1]), x.dtype, weight.layout)
    bias = draws.choice([None, 0, 0, 1])
    return call(x, weight, None if bias is None else Drawn((weight.shape[0] + bias,), x.dtype))


def factors(draws: Draws, least: int, most: int) -> tuple[Drawn, Drawn, int]:
    """Two tensors, of which most can be multiplied, and the columns of the second."""
    dtype, columns = draws.float_type(), draws.size()
    a = draws.tensor(draws.shape(least, most) if draws.chance(0.85) else draws.shape(1, 4), dtype)
    b = draws.tensor(draws.shape(1, 4), dtype)
    if draws.chance(0.85) and len(a.shape) > 1:
        b = Drawn((*a.shape[:-2], a.shape[-1], columns), a.dtype, b.layout)
    return a, b, columns


@strategy(300)
def products(draws: Draws, function: Any) -> Call:
    a, b, _ = factors(draws, 2, 4)
    return call(a, b)


@strategy(300)
def batched_products(draws: Draws, function: Any) -> Call:
    a, b, _ = factors(draws, 3, 3)
    return call(a, b)


@strategy(300)
def added_products(draws: Draws, function: Any) -> Call:
    a, b, columns = factors(draws, 3, 3)
    if draws.chance(0.1):
        return call(b, a, b)
    added = Drawn((*a.shape[:-1], columns), a.dtype, b.layout)
    if draws.chance():
        return call(added, a, b)
    return call(added, a, b, beta=0, alpha=draws.number())


@strategy(800)
def attentions(draws: Draws, function: Any) -> Call:
    batch, count, tokens, width = (draws.size(1, 3) for _ in range(4))
    dtype, own = draws.float_type(), (batch, count, tokens, width)
    others = (batch, count, draws.size(), width) if draws.chance(0.9) else draws.shape(4, 4)
    query, key = draws.tensor(own, dtype), draws.tensor(others, dtype)
    value = draws.tensor(others if draws.chance(0.9) else draws.shape(3, 4), dtype)
    full = (*own[:3], *others[2:3])[draws.choice([0, 2]) :]
    shape = tuple(size if draws.chance(0.8) else 1 for size in full)
    mask = draws.tensor(
        shape if draws.chance(0.8) else None, draws.choice([dtype, torch.bool, torch.float32])
    )
    causal, scale = draws.chance(0.3), draws.choice([None, 0.5, 1])
    return draws.choice(
        [
            call(query, key, value),
            call(query, key, value, attn_mask=mask, is_causal=causal and draws.chance(0.2)),
            call(query, key, value, is_causal=causal, scale=scale),
            call(query, key, value, Drawn((1,)), 0.0, causal),
        ]
    )


@strategy(200)
def attention_layers(draws: Draws, function: Any) -> Call:
    width, heads = draws.choice([4, 4, 6]), draws.choice([1, 2, 3])
    dtype, batch = draws.float_type(), draws.size()
    query = draws.tensor((draws.size(), batch, width), dtype)
    key = draws.tensor((draws.size(), batch if draws.chance(0.9) else 3, width), dtype)
    value = key if draws.chance(0.9) else draws.tensor(draws.shape(3, 3), dtype)
    bias = Drawn((3 * width,), dtype) if draws.chance() else None
    return call(
        *(query, key, value, width, heads, Drawn((3 * width, width), dtype), bias),
        *(None, None, draws.chance(0.1), 0.0 if draws.chance(0.9) else 0.5),
        *(Drawn((width, width), dtype), Drawn((width + draws.chance(0.1),), dtype)),
        training=draws.chance(0.2),
        need_weights=draws.chance(),
        average_attn_weights=draws.chance(),
    )


@strategy(120)
def vectors(draws: Draws, function: Any) -> Call:
    rank = 2 if (function.__name__ == "mv") == draws.chance(0.9) else 1
    a = draws.tensor(draws.shape(rank, rank))
    return call(a, draws.tensor(a.shape[-1:] if draws.chance(0.8) else draws.shape(1, 1), a.dtype))


@strategy(400)
def sums(draws: Draws, function: Any) -> Call:
    """Most of two operands that share some letters."""
    sizes = {letter: draws.size() for letter in "abcde"}
    count = 2 if draws.chance(0.95) else draws.randint(1, 3)
    operands = [draws.sample("abcde", draws.randint(1, 4)) for _ in range(count)]
    letters = sorted({letter for operand in operands for letter in operand})
    kept = draws.sample(letters, draws.randint(0, len(letters)))
    dtype = draws.float_type()
    shapes = [[sizes[letter] for letter in operand] for operand in operands]
    if draws.chance(0.1):
        shapes[0][0] = draws.choice([1, 3])
    tensors = [draws.tensor(tuple(shape), dtype) for shape in shapes]
    taken = ", ".join("".join(operand) for operand in operands)
    equation = taken if draws.chance(0.1) else f"{taken} -> {''.join(kept)}"
    return call(equation, tensors) if draws.chance(0.3) else call(equation, *tensors)


@strategy(400)
def embeddings(draws: Draws, function: Any) -> Call:
    kind = torch.int16 if draws.chance(0.1) else draws.choice([torch.int64, torch.int32])
    tokens = draws.tensor(draws.shape(0, 3), kind)
    weight = draws.tensor(draws.shape(2, 2) if draws.chance(0.9) else draws.shape(1, 3))
    if draws.chance():
        return call(tokens, weight)
    return call(tokens, weight, draws.choice([None, -3, -1, 0, 1, 3]))


# Resolutions

MODES = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}


@strategy(800)
def resampled_images(draws: Draws, function: Any) -> Call:
    x = image(draws, 3)
    rank = len(x.shape) - 2
    fitting = ["nearest", "nearest-exact", *MODES.get(rank, [])]
    mode = draws.choice(
        [*fitting, "area"] if draws.chance(0.8) else ["area", "?", "bilinear", "trilinear"]
    )
    size: Any = draws.choice([draws.size(), [draws.size() for _ in range(rank)]])
    scale: Any = draws.choice([2, 2.0, 1.5, 0.5, 0.3, (2.0, 1.5)])
    if draws.chance(0.1):
        size, scale = (2.0, 2.0), -1.0
    align = draws.choice([False, True]) if "nearest" not in mode and draws.chance() else None
    return draws.choice(
        [
            call(x, size, None, mode, align),
            call(x, None, scale, mode, align),
            call(x, scale_factor=scale, mode=mode),
            call(x, size=size),
            call(x, size, scale, mode, draws.chance()),
        ]
    )


@strategy(600)
def padded_images(draws: Draws, function: Any) -> Call:
    x = image(draws, 3)
    rank = len(x.shape) - 2 if draws.chance(0.9) else 1
    pad = [draws.randint(-1 if draws.chance(0.1) else 0, 2) for _ in range(2 * rank)]
    mode = draws.choice(["reflect", "replicate", "constant"])
    if draws.chance(0.2):
        mode = draws.choice(["circular", "constant", "what"])
    if draws.chance(0.15):
        return call(x, tuple(pad[1:]), mode=mode, value=0.5)
    return call(x, pad, mode)


@strategy(300)
def grids(draws: Draws, function: Any) -> Call:
    x = image(draws, 4)
    rank = max(len(x.shape) - 2, 1)
    own = (*x.shape[:1], *(draws.size() for _ in range(rank)), rank)
    grid = draws.tensor(own if draws.chance(0.9) else draws.shape(4, 5), x.dtype)
    mode = draws.choice(["bilinear", "nearest", "bicubic", "what"])
    return call(x, grid, mode=mode, align_corners=draws.chance())


@strategy(150)
def affine_maps(draws: Draws, function: Any) -> Call:
    rank = draws.choice([2, 3])
    size = [draws.size(0, 4) for _ in range(rank + 2)]
    theta = (size[0], rank, rank + 1) if draws.chance(0.9) else draws.shape(3, 3)
    return call(draws.tensor(theta), size, align_corners=draws.chance())


@strategy(300)
def shuffles(draws: Draws, function: Any) -> Call:
    factor = draws.choice([1, 2, 2, 2, 0, 1.5])
    shape = list(draws.shape(2, 5))
    if draws.chance(0.8):
        shape = [2 * n if n % 2 else n for n in shape]
        shape[-3:-2] = [4 * draws.size() for _ in shape[-3:-2]]
    return call(draws.tensor(tuple(shape)), factor)


@strategy(300)
def unfolded_images(draws: Draws, function: Any) -> Call:
    x = draws.tensor(draws.shape(4, 4) if draws.chance(0.9) else draws.shape(2, 5))
    return call(x, draws.setting(2, 1, 2), 1, draws.setting(2, 0, 1), stride=draws.setting(2, 1, 2))


@strategy(300)
def folded_images(draws: Draws, function: Any) -> Call:
    height, width = draws.size(), draws.size()
    columns = (height - 1) * (width - 1) + draws.chance(0.1)
    x = draws.tensor((draws.size(), 4 * draws.size() + draws.chance(0.1), max(columns, 0)))
    return call(x, (height, width), 2 if draws.chance(0.9) else draws.setting(2))


@strategy(180)
def images_pooled_to_a_size(draws: Draws, function: Any) -> Call:
    rank = 1 if "1d" in function.__name__ else 2 if "2d" in function.__name__ else 3
    x = draws.tensor(draws.shape(rank + 2, rank + 2) if draws.chance(0.9) else None)
    size = draws.setting(rank)
    if draws.chance(0.1):
        size = [None] * rank
    if "max" in function.__name__ and draws.chance(0.3):
        return call(x, size, return_indices=draws.chance())
    return call(x, size)


@strategy(300)
def pooled_images(draws: Draws, function: Any) -> Call:
    rank = rank_of(draws, function)
    x = draws.tensor(draws.shape(rank + 2, rank + 2))
    kernel, padding = draws.setting(rank, 1, 2), 0 if draws.chance() else draws.setting(rank, 0, 1)
    stride = None if draws.chance(0.3) else draws.setting(rank, 1, 2)
    flag = draws.chance(0.2)
    if "max" in function.__name__:
        dilation = 1 if draws.chance() else draws.setting(rank, 1, 2)
        return draws.choice(
            [call(x, kernel), call(x, kernel, stride, padding, dilation, ceil_mode=flag)]
        )
    if function is not F.avg_pool1d and draws.chance(0.1):
        return call(x, kernel, divisor_override=kernel)
    return draws.choice(
        [call(x, kernel), call(x, kernel, stride, padding, flag, count_include_pad=flag)]
    )


# Joins, and tensors from numbers


@strategy(400)
def joins(draws: Draws, function: Any) -> Call:
    shape, dtype = draws.shape(), draws.float_type()
    rank = len(shape)
    joined = draws.randint(0, max(rank - 1, 0)) if draws.chance(0.8) else 0
    parts = []
    for _ in range(draws.randint(1, 3) if draws.chance(0.95) else 0):
        own = list(shape)
        if own and draws.chance():
            own[joined if draws.chance(0.9) else 0] = draws.size()
        layout = "contiguous" if draws.chance(0.7) else draws.layout()
        parts.append(Drawn(tuple(own), dtype if draws.chance(0.9) else FLOATS[0], layout))
    if function is torch.hstack:
        return call(parts)
    dim = joined if draws.chance() else draws.dim(rank)
    return draws.choice([call(parts), call(tuple(parts), dim), call(parts, dim=dim)])


@strategy(400)
def ranges(draws: Draws, function: Any) -> Call:
    bounds = [
        draws.randint(-9, 9) if draws.chance(0.7) else draws.uniform(-9, 9)
        for _ in range(draws.randint(1, 3))
    ]
    dtypes = [None, *FLOATS, torch.int64, torch.int32, torch.uint8, torch.bool]
    device = torch.device("meta") if draws.chance(0.9) else None
    return call(*bounds, dtype=draws.choice(dtypes), device=device)


@strategy(100)
def identities(draws: Draws, function: Any) -> Call:
    dtype = draws.choice([None, *FLOATS, torch.int64])
    return call(draws.randint(-1, 4), dtype=dtype, device=torch.device("meta"))


@strategy(150)
def spans(draws: Draws, function: Any) -> Call:
    ends, steps = [draws.number() for _ in range(2)], draws.choice([-1, 0, 1, 5, 1.5])
    dtype = draws.choice([None, *FLOATS, torch.int64])
    return call(*ends, steps, dtype=dtype, device=torch.device("meta"))


@strategy(80)
def classes(draws: Draws, function: Any) -> Call:
    kind = torch.int64 if draws.chance(0.9) else None
    return call(draws.tensor(draws.shape(0, 3), kind), draws.randint(-1, 4))
