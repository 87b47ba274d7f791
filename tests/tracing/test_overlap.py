"""Which views of one memory share elements, held against their elements themselves."""

import random

import pytest
import torch

from unetscope.tracing.overlap import apart, layout

SHAPES = [(2, 3, 4, 6), (6, 24), (12, 12), (4, 6, 6), (24, 6), (144,), (2, 3, 24)]


def any_view(draw):
    view = torch.arange(144)
    for _ in range(draw.randint(1, 5)):
        dim = draw.randrange(view.dim())
        start = draw.randrange(view.shape[dim])
        match draw.choice(["view", "part", "one", "some", "turn", "step", "repeat"]):
            case "view" if view.numel() == 144 and view.is_contiguous():
                view = view.view(draw.choice(SHAPES))
            case "part":
                view = draw.choice(view.chunk(draw.randint(2, 4), dim))
            case "one" if view.dim() > 1:
                view = view.select(dim, start)
            case "some":
                view = view.narrow(dim, start, draw.randint(1, view.shape[dim] - start))
            case "turn":
                view = view.transpose(dim, draw.randrange(view.dim()))
            case "step":
                view = view[..., ::2]
            case "repeat":
                view = view[None].expand(3, *view.shape)
    return view


@pytest.mark.parametrize("seed", range(4))
def test_what_is_called_apart_is_and_most_of_what_is_apart_is_called_so(seed):
    draw = random.Random(seed)
    called = found = 0
    for _ in range(500):
        one, other = any_view(draw), any_view(draw)
        elements = set(one.flatten().tolist()), set(other.flatten().tolist())
        said = apart(layout(one), layout(other))
        assert not (said and elements[0] & elements[1]), (layout(one), layout(other))
        assert said == apart(layout(other), layout(one))
        called += said
        found += not elements[0] & elements[1]
    assert called > found / 2 > 40


def test_of_what_has_no_strides_nothing_is_known():
    sparse = torch.eye(3).to_sparse()
    assert layout(sparse) is None
    assert not apart(layout(sparse), layout(torch.eye(3)))
    assert apart(layout(torch.empty(0)), layout(torch.eye(3)))
