"""What is a skip and what is none, on nets small enough to see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unetscope.analysis.anatomy import stack_use
from unetscope.analysis.graph import Graph
from unetscope.analysis.network import Network
from unetscope.analysis.producers import producer
from unetscope.analysis.skips import added
from unetscope.record import Trace
from unetscope.tracing import trace

C = 4


class Net(nn.Module):
    """A net whose layers are `parts` and whose forward is `body`."""

    def __init__(self, body: Callable[..., Any], **parts: nn.Module) -> None:
        super().__init__()
        self.body = body
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.body(self, *args, **kwargs)


def conv(channels: int = C, out: int = C) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, padding=1)


def halve(channels: int = C) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 2, stride=2)


def double(channels: int = C) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, 2, stride=2)


def image(channels: int = C, size: int = 8) -> Tensor:
    return torch.zeros(2, channels, size, size)


def both(body: Callable[..., Any], *args: Any, **parts: nn.Module) -> Trace:
    """The trace of a net, the same on meta as on the CPU."""
    net = Net(body, **parts)
    on_cpu = trace(net, args)
    on_meta = trace(net.to("meta"), [a.to("meta") if isinstance(a, Tensor) else a for a in args])
    assert on_meta == on_cpu
    return on_cpu


def pushed(record: Trace) -> list[str]:
    """The producer of each skip, in the order of the joins; a function's name if no module's."""
    found = []
    for skip in record.skips:
        value = record.values[skip.value]
        if value.call is not None:
            found.append(record.steps[value.call].module)
        else:
            found.append(value.source or record.ops[value.op].name)
    return found


def test_concatenation_of_an_encoder_s_feature() -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        low = net.up(net.down(x))
        return net.leave(torch.cat([low, x], dim=1))

    record = both(body, image(), enter=conv(), down=halve(), up=double(), leave=conv(2 * C))
    (skip,) = record.skips
    assert (skip.push, skip.operand) == (0, 1)
    assert pushed(record) == ["enter"]
    assert record.ops[skip.op].name == "torch.cat"
    assert record.steps[record.values[skip.onto].call].module == "up"


JOINS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cat": lambda a, b: torch.cat([a, b], 1),
    "cat of a tuple": lambda a, b: torch.cat((b, a), dim=1),
    "cat, named": lambda a, b: torch.cat(tensors=[a, b], dim=1),
    "concat": lambda a, b: torch.concat([a, b], 1),
    "concatenate": lambda a, b: torch.concatenate([a, b], 1),
    "hstack": lambda a, b: torch.hstack([a, b]),
    "column_stack": lambda a, b: torch.column_stack([a, b]),
    "+": lambda a, b: a + b,
    "add": lambda a, b: torch.add(a, b),
    "+=": lambda a, b: a.add_(b),
    "add with alpha": lambda a, b: a.add(b, alpha=0.5),
    "iadd": lambda a, b: a.__iadd__(b),
    "lerp": lambda a, b: torch.lerp(b, a, 0.5),
    "lerp by a tensor": lambda a, b: b.lerp(a, torch.full((), 0.5, device=a.device)),
}


@pytest.mark.parametrize("join", JOINS.values(), ids=JOINS.keys())
def test_every_spelling_of_a_join(join: Callable[[Tensor, Tensor], Tensor]) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        return join(net.up(net.down(x)), x)

    record = both(body, image(), enter=conv(), down=halve(), up=double())
    assert pushed(record) == ["enter"]


WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    "scaled": lambda x: x * 0.5,
    "scaled in place": lambda x: x.mul(2).mul_(2**-0.5),
    "divided": lambda x: x / 2**0.5,
    "shifted": lambda x: x + 1,
    "negated": lambda x: -x,
    "activated": lambda x: F.silu(x),
    "padded": lambda x: F.pad(F.pad(x, (1, 1, 1, 1)), (-1, -1, -1, -1)),
    "cropped": lambda x: x[:, :, :8, :8],
    "resized": lambda x: F.interpolate(F.interpolate(x, scale_factor=0.5), size=(8, 8)),
    "copied": lambda x: x.clone(),
    "cast": lambda x: x.double().float(),
    "some of its channels": lambda x: x.chunk(2, dim=1)[1].repeat(1, 2, 1, 1),
    "as tokens and back": lambda x: x.flatten(2).transpose(1, 2).mT.reshape(x.shape),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("join", [JOINS["cat"], JOINS["+"]], ids=["cat", "+"])
def test_a_skip_changed_on_its_way_is_still_that_skip(way: Any, join: Any) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        return join(net.up(net.down(x)), way(x))

    record = both(body, image(), enter=conv(), down=halve(), up=double())
    assert pushed(record) == ["enter"]


NEW_FEATURES: dict[str, Callable[[Net, Tensor], Tensor]] = {
    "convolved": lambda net, x: F.conv2d(x, torch.ones(C, C, 1, 1, device=x.device)),
    "multiplied by a matrix": lambda net, x: x @ torch.ones(8, 8, device=x.device),
    "a linear layer": lambda net, x: F.linear(x, torch.ones(8, 8, device=x.device)),
    "attended": lambda net, x: F.scaled_dot_product_attention(x, x, x),
    "concatenated": lambda net, x: torch.cat([x, x.flip(1)], dim=1)[:, :C],
    "a residual block": lambda net, x: x + net.block(x),
    "a residual block by lerp": lambda net, x: torch.lerp(x, net.block(x), net.share.weight),
}


@pytest.mark.parametrize("made", NEW_FEATURES.values(), ids=NEW_FEATURES.keys())
def test_layers_may_stand_on_the_short_way(made: Any) -> None:
    """What parts at `enter` and meets again is a skip, with or without weights on its short way."""

    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        return torch.cat([net.up(net.down(x)), made(net, x)], dim=1)

    layers = {"enter": conv(), "block": conv(), "down": halve(), "up": double()}
    record = both(body, image(), **layers, share=nn.Linear(1, 1, bias=False))
    assert pushed(record) == ["enter"]


def test_freeu_filters_skips_and_rescales_the_backbone() -> None:
    def filtered(x: Tensor) -> Tensor:
        frequencies = torch.fft.fftshift(torch.fft.fftn(x, dim=(-2, -1)), dim=(-2, -1))
        mask = torch.ones(frequencies.shape, device=x.device)
        mask[..., 3:5, 3:5] = 0.9
        frequencies = frequencies * mask
        frequencies = torch.fft.ifftshift(frequencies, dim=(-2, -1))
        return torch.fft.ifftn(frequencies, dim=(-2, -1)).real.to(x.dtype)

    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        low = net.up(net.down(x))
        low[:, :2] = low[:, :2] * 1.2
        return torch.cat([low, filtered(x)], dim=1)

    record = both(body, image(), enter=conv(), down=halve(), up=double())
    assert pushed(record) == ["enter"]


def test_controlnet_residuals_are_added_to_skips() -> None:
    def body(net: Net, x: Tensor, control: Tensor) -> Tensor:
        skips = [net.enter(x)]
        x = net.down(skips[0])
        skips = [skip + extra for skip, extra in zip(skips, [control], strict=True)]
        return torch.cat([net.up(x), skips.pop()], dim=1)

    record = both(body, image(), image(), enter=conv(), down=halve(), up=double())
    assert pushed(record) == ["enter"]
    (skip,) = record.skips
    assert added(Graph(record), skip) == [record.inputs[1].value]


ADDITIONS: dict[str, Callable[..., Tensor]] = {
    "+": lambda net, skip, extra: skip * 0.5 + extra,
    "lerp": lambda net, skip, extra: torch.lerp(skip * 0.5, extra, net.share.weight),
    "+ and scaled": lambda net, skip, extra: (extra + skip.clone()) * 0.5,
}


@pytest.mark.parametrize("add", ADDITIONS.values(), ids=ADDITIONS.keys())
def test_what_is_added_to_a_changed_skip_is_told_from_it(add: Any) -> None:
    """What is computed from the skip itself lies on its way and is not added to it."""

    def body(net: Net, image: Tensor) -> Tensor:
        x = net.enter(image)
        return torch.cat([net.up(net.down(x)), add(net, x, net.extra(image))], dim=1)

    layers = {"enter": conv(), "extra": conv(), "down": halve(), "up": double()}
    record = both(body, image(), **layers, share=nn.Linear(1, 1, bias=False))
    assert pushed(record) == ["enter"]
    (skip,) = record.skips
    assert [str(producer(Network(record), value)) for value in added(Graph(record), skip)] == [
        "extra"
    ]


class Gate(nn.Module):
    """Attention U-Net (2018): the decoder tells which pixels of the skip count."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.of_skip, self.of_decoder, self.psi = conv(), conv(), conv(C, channels)

    def forward(self, skip: Tensor, decoder: Tensor) -> Tensor:
        psi = self.psi(F.relu(self.of_skip(skip) + self.of_decoder(decoder)))
        return skip * torch.sigmoid(psi)


@pytest.mark.parametrize("operand", [0, 1])
@pytest.mark.parametrize("channels", [1, C])
def test_a_gated_skip_is_the_encoder_s_feature(channels: int, operand: int) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        low = net.up(net.down(x))
        return torch.cat([net.gate(x, low), low][:: 1 - 2 * operand], dim=1)

    record = both(body, image(), enter=conv(), down=halve(), up=double(), gate=Gate(channels))
    assert pushed(record) == ["enter"]
    assert record.skips[0].operand == operand


def test_a_tensor_joined_twice_keeps_its_push_number() -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        a = net.enter(x)
        b = net.down(a)
        x = net.up(b)
        x = net.first(torch.cat([x, a], dim=1))
        x = net.up2(torch.cat([net.down2(x), b], dim=1))
        return torch.cat([x, a], dim=1)

    record = both(
        body,
        image(),
        enter=conv(),
        down=halve(),
        up=double(),
        first=conv(2 * C),
        down2=halve(),
        up2=double(2 * C),
    )
    assert pushed(record) == ["enter", "down", "enter"]
    assert [skip.push for skip in record.skips] == [0, 1, 0]


@pytest.mark.parametrize("order", [(2, 1, 0), (0, 1, 2), (1, 2, 0)])
def test_the_order_of_pops_is_found(order: tuple[int, ...]) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        held = []
        for down in net.downs:
            x = down(x)
            held.append(x)
        for up, index in zip(net.ups, order, strict=True):
            x = up(torch.cat([x, held[index]], dim=1))
        return x

    layers = {
        "downs": nn.ModuleList(conv() for _ in range(3)),
        "ups": nn.ModuleList(conv(2 * C) for _ in range(3)),
    }
    # Popped first, the last feature is joined to itself: nothing stands in between.
    record = both(body, image(), **layers)
    assert pushed(record) == [f"downs.{index}" for index in order]
    assert [skip.push for skip in record.skips] == list(order)


def test_dense_joins() -> None:
    """UNet++ (2018): each node takes all nodes of its level and the one below."""

    def body(net: Net, x: Tensor) -> Tensor:
        x00 = net.n00(x)
        x10 = net.n10(x00)
        x20 = net.n20(x10)
        x01 = net.n01(torch.cat([x00, net.up(x10)], 1))
        x11 = net.n11(torch.cat([x10, net.up(x20)], 1))
        return net.n02(torch.cat([x00, x01, net.up(x11)], 1))

    record = both(
        body,
        image(),
        n00=conv(),
        n10=halve(),
        n20=halve(),
        n01=conv(2 * C),
        n11=conv(2 * C),
        n02=conv(3 * C),
        up=nn.Upsample(scale_factor=2),
    )
    # x01 is no ancestor of x11, but both ways part at x10, below which only that to x11 goes.
    assert pushed(record) == ["n00", "n10", "n00", "n01"]
    assert [skip.push for skip in record.skips] == [0, 1, 0, 2]


def test_a_join_whose_output_is_pushed_in_turn() -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        joined = torch.cat([net.up(net.down(x)), x], dim=1)
        return torch.cat([net.other_up(net.other_down(joined)), joined], dim=1)

    layers = {"enter": conv(), "down": halve(), "up": double()}
    layers |= {"other_down": halve(2 * C), "other_up": double(2 * C)}
    record = both(body, image(), **layers)
    assert pushed(record) == ["enter", "torch.cat"]
    assert [skip.push for skip in record.skips] == [0, 1]
    # It was made by the first join, so it does not wait yet when that one pops.
    assert stack_use(Network(record)).last_in_first_out


@pytest.mark.parametrize("first", ["enter", "other"])
def test_of_two_features_added_on_the_way_the_first_is_the_skip(first: str) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        features = {"enter": net.enter(x), "other": net.other(x)}
        low = net.up(net.down(features["enter"] * features["other"]))
        one = features.pop(first)
        return torch.cat([low, one + features.popitem()[1]], dim=1)

    record = both(body, image(), enter=conv(), other=conv(), down=halve(), up=double())
    assert pushed(record) == [first]


def test_a_stem_joined_at_the_end() -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.init(x)
        stem = x.clone()
        a = net.block(x)
        x = net.up(torch.cat([net.mid(net.down(a)), net.down(a)], dim=1))
        return net.final(torch.cat([torch.cat([x, a], dim=1), stem], dim=1))

    record = both(
        body,
        image(),
        init=conv(),
        block=conv(),
        down=halve(),
        mid=conv(),
        up=double(2 * C),
        final=conv(4 * C),
    )
    assert pushed(record)[-2:] == ["block", "init"]


class Nested(nn.Module):
    """MONAI's way: a layer that joins its input to what its submodule makes of it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.inner(x)], dim=1)


def test_nested_skip_modules() -> None:
    innermost = nn.Sequential(halve(), conv(), double())
    middle = nn.Sequential(halve(), Nested(innermost), double(2 * C))
    record = trace(nn.Sequential(conv(), Nested(middle), conv(3 * C)), (image(),))
    assert pushed(record) == ["1.inner.0", "0"]
    assert [skip.push for skip in record.skips] == [1, 0]
    assert [record.steps[record.ops[skip.op].step].module for skip in record.skips] == [
        "1.inner.1",
        "1",
    ]


@pytest.mark.parametrize("dims", [1, 3])
def test_other_numbers_of_dims(dims: int) -> None:
    kind = {1: nn.Conv1d, 3: nn.Conv3d}[dims]
    back = {1: nn.ConvTranspose1d, 3: nn.ConvTranspose3d}[dims]

    def body(net: Net, x: Tensor) -> Tensor:
        a = net.enter(x)
        b = net.up(net.down(a))
        c = net.middle(torch.cat([b, a], dim=1))
        return net.up2(net.down2(c)) + c + net.other(c)

    record = both(
        body,
        torch.zeros(1, C, *[4] * dims),
        enter=kind(C, C, 1),
        down=kind(C, C, 2, stride=2),
        up=back(C, C, 2, stride=2),
        middle=kind(2 * C, C, 1),
        down2=kind(C, C, 2, stride=2),
        up2=back(C, C, 2, stride=2),
        other=kind(C, C, 1),
    )
    # Two short ways part at `middle`: itself, and what `other` makes of it.
    assert pushed(record) == ["enter", "middle", "middle"]
    assert [record.ops[skip.op].name for skip in record.skips] == ["torch.cat", "+", "+"]


# From a signal of `length` to a lower resolution and back, `C` long on the way.
THERE_AND_BACK: dict[str, tuple[int, Callable[[Net, Tensor], Tensor]]] = {
    "convolved": (2 * C, lambda net, x: F.silu(net.up(net.down(x)))),
    "interpolated": (2 * C, lambda net, x: F.interpolate(net.down(x), scale_factor=2)),
}


@pytest.mark.parametrize(("length", "way"), THERE_AND_BACK.values(), ids=THERE_AND_BACK.keys())
def test_which_dim_is_the_length_is_known_from_what_made_it(length: int, way: Any) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        return way(net, x) + x

    down, up = nn.Conv1d(C, C, 2, stride=2), nn.ConvTranspose1d(C, C, 2, stride=2)
    record = both(body, torch.zeros(1, C, length), enter=nn.Conv1d(C, C, 1), down=down, up=up)
    assert pushed(record) == ["enter"]


@pytest.mark.parametrize("double_it", [lambda x: x + x, lambda x: torch.cat([x, x, x], dim=1)])
def test_a_tensor_added_to_itself_is_no_pop(double_it: Any) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        return torch.cat([net.up(double_it(net.down(x))[:, :C]), x], dim=1)

    record = both(body, image(), enter=conv(), down=halve(), up=double())
    assert pushed(record) == ["enter"]


def test_additions_across_resolutions_beside_residuals() -> None:
    """LinkNet (2017): decoders' results are added to encoders' inputs."""

    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        x = x + net.block(x)
        low = net.down(x)
        low = low + net.block(low)
        return net.leave(net.up(low) + x)

    layers = {"enter": conv(), "block": conv(), "down": halve(), "up": double(), "leave": conv()}
    record = both(body, image(), **layers)
    assert pushed(record) == ["+"]
    assert record.values[record.skips[0].value].op is not None


def test_lerp_of_tokens_across_resolutions() -> None:
    """HDiT (2024): pixels `(B, H, W, C)`, merged by four, split again and mixed with the skip."""

    def body(net: Net, x: Tensor) -> Tensor:
        x = net.enter(x)
        x = x + net.block(x)
        merged = x.reshape(2, 4, 2, 4, 2, C).permute(0, 1, 3, 2, 4, 5).reshape(2, 4, 4, 4 * C)
        low = net.merge(merged)
        low = low + net.block(low)
        split = net.split(low).reshape(2, 4, 4, 2, 2, C).permute(0, 1, 3, 2, 4, 5)
        return net.leave(torch.lerp(x, split.reshape(2, 8, 8, C), net.share))

    class Mixed(Net):
        def __init__(self, body: Any, **parts: nn.Module) -> None:
            super().__init__(body, **parts)
            self.share = nn.Parameter(torch.ones(1) / 2)

    layers = {"enter": (C, C), "block": (C, C), "merge": (4 * C, C), "split": (C, 4 * C)}
    net = Mixed(body, leave=nn.Linear(C, C), **{k: nn.Linear(*v) for k, v in layers.items()})
    record = trace(net, (torch.zeros(2, 8, 8, C),))
    assert pushed(record) == ["+"]
    assert [record.ops[skip.op].name for skip in record.skips] == ["torch.lerp"]


NO_SKIPS: dict[str, tuple[Callable[..., Any], tuple[Tensor, ...]]] = {}


def no_skip(*inputs: Tensor) -> Callable[..., Any]:
    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        NO_SKIPS[body.__name__] = (body, inputs)
        return body

    return register


@no_skip(image())
def residual(net: Net, x: Tensor) -> Tensor:
    return x + net.b(net.a(x))


@no_skip(image())
def residual_by_lerp(net: Net, x: Tensor) -> Tensor:
    return torch.lerp(x, net.a(x), 0.5)


@no_skip(image())
def residual_in_place(net: Net, x: Tensor) -> Tensor:
    y = net.a(x)
    y += x
    return y


@no_skip(torch.zeros(2), image())
def timestep_embedding(net: Net, t: Tensor, x: Tensor) -> Tensor:
    angles = t[:, None] * torch.exp(torch.arange(C // 2, device=x.device) * -0.1)
    embedding = torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)
    return net.a(x) + net.linear(embedding)[:, :, None, None]


@no_skip(image(), torch.zeros(2, 3, C))
def added_keys_and_values(net: Net, x: Tensor, text: Tensor) -> Tensor:
    pixels = net.a(x).flatten(2).transpose(1, 2)
    key = torch.cat([net.other_linear(text), net.linear(pixels)], dim=1)
    return F.scaled_dot_product_attention(net.linear(pixels), key, key)


@no_skip(image(), torch.zeros(2, 3, C))
def text_beside_tokens_twice(net: Net, x: Tensor, text: Tensor) -> Tensor:
    tokens = net.a(x).flatten(2).transpose(1, 2)
    for _ in range(2):
        joined = torch.cat([tokens, text], dim=1)
        tokens = tokens + F.scaled_dot_product_attention(net.linear(tokens), joined, joined)
    return tokens


@no_skip(image(), torch.zeros(2, C))
def class_embedding(net: Net, x: Tensor, label: Tensor) -> Tensor:
    embedding = torch.cat([net.linear(label), net.other_linear(label)], dim=1)[:, :C]
    return net.a(x) + embedding[:, :, None, None]


@no_skip(image())
def self_conditioning(net: Net, x: Tensor) -> Tensor:
    return net.wide(torch.cat([torch.zeros_like(x), x], dim=1))


@no_skip(image(), image())
def conditioning_image(net: Net, x: Tensor, low_resolution: Tensor) -> Tensor:
    return net.wide(torch.cat([x, low_resolution], dim=1))


@no_skip(image())
def gated_linear_unit(net: Net, x: Tensor) -> Tensor:
    value, gate = net.a(x).chunk(2, dim=1)
    return value * F.gelu(gate)


@no_skip(image())
def transformer_whose_heads_are_other_dims(net: Net, x: Tensor) -> Tensor:
    tokens = net.a(x).flatten(2).transpose(1, 2)
    heads = net.linear(tokens).view(2, 64, 2, C // 2).transpose(1, 2)
    attended = F.scaled_dot_product_attention(heads, heads, heads)
    tokens = net.other_linear(attended.transpose(1, 2).reshape(2, 64, C)) + tokens
    return tokens.transpose(1, 2).reshape(x.shape) + x


@no_skip(image())
def feed_forward_wider_than_its_input(net: Net, x: Tensor) -> Tensor:
    tokens = net.a(x).flatten(2).transpose(1, 2)
    return tokens + net.narrow(F.gelu(net.widen(tokens)))


@no_skip(image())
def two_branches_of_one_input(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return torch.cat([net.b(x), net.a(x)], dim=1)


@no_skip(image())
def squeeze_and_excite(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return x * net.linear(x.mean(dim=(2, 3)))[:, :, None, None].sigmoid()


@no_skip(image())
def a_cat_of_one_tensor_with_itself(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return torch.cat([x, x], dim=1)


@no_skip(image())
def two_upsamplings_added(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return F.interpolate(x, scale_factor=2) + F.interpolate(x, scale_factor=2.0)


@no_skip(image())
def rotary_halves(net: Net, x: Tensor) -> Tensor:
    tokens = net.linear(net.a(x).flatten(2).transpose(1, 2))
    first, second = tokens.chunk(2, dim=-1)
    return tokens * 0.5 + torch.cat([-second, first], dim=-1) * 0.5


@no_skip(image(), torch.zeros(2))
def mixed_by_a_factor_made_in_the_encoder(net: Net, x: Tensor, given: Tensor) -> Tensor:
    share = net.linear(given[:, None].expand(2, C)).sigmoid()[:, :, None, None]
    x = F.interpolate(net.b(F.avg_pool2d(net.a(x) * share, 2)), scale_factor=2)
    one, other = net.a(x), net.b(x)
    return share * one + (1.0 - share) * other


@no_skip(image())
def convnext(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    pixels = net.narrow(F.gelu(net.widen(net.b(x).permute(0, 2, 3, 1))))
    return x + pixels.permute(0, 3, 1, 2)


@no_skip(image())
def convolution_between_tokens(net: Net, x: Tensor) -> Tensor:
    tokens = net.a(x).flatten(2).transpose(1, 2)
    return tokens + net.line(tokens.transpose(1, 2)).transpose(1, 2)


@no_skip(image())
def windows_of_an_image(net: Net, x: Tensor) -> Tensor:
    tokens = net.a(x).flatten(2).transpose(1, 2)
    windows = net.linear(tokens.reshape(8, 16, C))
    return tokens + net.other_linear(windows).reshape(tokens.shape)


@no_skip(image())
def norms_of_heads(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    heads = x.flatten(2).transpose(1, 2).view(2, 64, 1, C).transpose(1, 2)
    heads = net.norm(heads)
    attended = F.scaled_dot_product_attention(heads, heads, heads)
    return x + attended.transpose(1, 2).reshape(2, 64, C).transpose(1, 2).reshape(x.shape)


@no_skip(image())
def residual_with_squeeze_and_excite_inside(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return x + x * net.point(F.adaptive_avg_pool2d(net.b(x), 1)).sigmoid()


@no_skip(image())
def global_average_added_to_every_pixel(net: Net, x: Tensor) -> Tensor:
    """PSPNet (2017) and DeepLab: 1 x 1 is no resolution of an encoder's."""
    x = net.a(x)
    return x + F.interpolate(net.point(F.adaptive_avg_pool2d(x, 1)), size=x.shape[2:])


@no_skip(image())
def global_average_that_is_broadcast(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return x + net.point(F.adaptive_avg_pool2d(net.b(x), 1))


@no_skip(image())
def mixed_by_a_map_that_was_down_and_up(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    share = F.interpolate(net.b(F.avg_pool2d(x, 2)), scale_factor=2).sigmoid()
    return torch.lerp(x, net.other_b(x), share)


@no_skip(image())
def down_and_up_by_functions_alone(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return x + F.interpolate(F.avg_pool2d(x, 2), scale_factor=2)


@no_skip(image(), torch.zeros(2, 3, C))
def text_read_by_modules_and_joined_again(net: Net, x: Tensor, text: Tensor) -> Tensor:
    tokens = net.a(x).flatten(2).transpose(1, 2)
    for _ in range(2):
        joined = net.linear(torch.cat([tokens, text], dim=1))
        tokens = tokens + F.scaled_dot_product_attention(tokens, joined, joined)
    return tokens


@no_skip(image())
def residual_that_halves(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return F.avg_pool2d(x, 2) + net.b(F.avg_pool2d(F.silu(x), 2))


@no_skip(image())
def residual_that_doubles(net: Net, x: Tensor) -> Tensor:
    x = net.a(x)
    return F.interpolate(x, scale_factor=2) + net.b(F.interpolate(F.silu(x), scale_factor=2))


def test_a_factor_of_both_sides_is_no_skip_but_their_fork_is() -> None:
    def body(net: Net, x: Tensor, given: Tensor) -> Tensor:
        share = net.linear(given[:, None].expand(2, C)).sigmoid()[:, :, None, None]
        low = F.interpolate(net.b(F.avg_pool2d(x * share, 2)), scale_factor=2)
        return torch.cat([low, share * net.a(x)], dim=1)

    record = both(body, image(), torch.zeros(2), a=conv(), b=conv(), linear=nn.Linear(C, C))
    assert pushed(record) == ["args.0"]


@pytest.mark.parametrize("shape", [(), (4,), (2, 1, 8, 8), (1,) * 7])
def test_inputs_of_any_shape(shape: tuple[int, ...]) -> None:
    def body(net: Net, x: Tensor) -> Tensor:
        x = net.linear(x.reshape(-1)[:1].expand(3, 1))
        return torch.stack([x, x.mT.mT, torch.cat([x[:1], x[1:]])]).sum() + x.mean() * x.max()

    assert pushed(both(body, torch.zeros(shape), linear=nn.Linear(1, 1))) == []


@pytest.mark.parametrize("name", NO_SKIPS)
def test_no_skips(name: str) -> None:
    body, inputs = NO_SKIPS[name]
    record = both(
        body,
        *inputs,
        a=conv(),
        b=conv(),
        other_b=conv(),
        wide=conv(2 * C),
        linear=nn.Linear(C, C),
        other_linear=nn.Linear(C, C),
        point=nn.Conv2d(C, C, 1),
        line=nn.Conv1d(C, C, 1),
        norm=nn.LayerNorm(C),
        widen=nn.Linear(C, 4 * C),
        narrow=nn.Linear(4 * C, C),
    )
    assert pushed(record) == []
