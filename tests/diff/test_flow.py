"""What rewires a body is found, and what only rewrites it is not."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from unetscope.analysis.diff import ChangeSeverity, diff
from unetscope.analysis.digest import digest
from unetscope.tracing import trace


class Net(nn.Module):
    """A block that does a bit of everything; `body` is its forward pass."""

    def __init__(self, body):
        super().__init__()
        self.body = body
        self.enter = nn.Conv2d(3, 8, 3, padding=1)
        self.one = nn.Conv2d(8, 8, 3, padding=1)
        self.two = nn.Conv2d(8, 8, 3, padding=1)
        self.norm = nn.GroupNorm(2, 8)
        self.wide = nn.Conv2d(8, 24, 1)
        self.leave = nn.Conv2d(16, 3, 1)
        self.drop = nn.Dropout(0.5)
        self.same = nn.Identity()
        self.scale = nn.Parameter(torch.ones(1, 8, 1, 1))
        self.shift = nn.Parameter(torch.zeros(1, 8, 1, 1))

    def forward(self, x):
        return self.body(self, x)


# Each is a part of the body above, and what stands there instead.
REWIRED = {
    "the roles of an attention": ("attention(q, k, v)", "attention(v, k, q)"),
    "what attention is added to": ("h = h + F.scaled", "h = skip + F.scaled"),
    "the input of a layer": ("n.norm(skip)", "n.norm(n.same(skip) + skip)"),
    "the order of two layers": (
        "a = n.one(h)\n    b = n.two(1 - a)",
        "a = n.two(h)\n    b = n.one(1 - a)",
    ),
    "a difference": ("1 - a", "a - 1"),
    "the operand of a difference": ("1 - a", "1 - h"),
    "two parameters": ("b * n.scale + n.shift", "b * n.shift + n.scale"),
    "a branch": ("torch.where(h > 0, h, a)", "torch.where(h > 0, a, h)"),
    "a condition": ("h > 0", "a > 0"),
    "a number": ("h > 0", "h > 1"),
    "the order of a concatenation": ("[h, skip]", "[skip, h]"),
    "what is concatenated": ("[h, skip]", "[h, a]"),
    "the same twice": ("[h, skip]", "[h, h]"),
    "chunks": ("q, k, v =", "k, q, v ="),
    "keywords": ("attention(q, k, v)", "attention(q, value=k, key=v)"),
    "another comparison": ("h > 0", "h >= 0"),
    "another dim": (".flatten(2).transpose(1, 2)", ".flatten(2).transpose(1, 2).flip(1)"),
    "a part of another": ("chunk(3, dim=-1)", "flip(-1).chunk(3, dim=-1)"),
    "the same elements in another order": ("flatten(2).transpose(1, 2)", "reshape(1, 64, 24)"),
    "what a layer is given": ("n.one(h)", "n.one(skip)"),
    "a bound": ("clamp(-1, 1)", "clamp(-1, 2)"),
    "one bound less": ("clamp(-1, 1)", "clamp(-1)"),
    "the other bound": ("clamp(-1, 1)", "clamp(max=1)"),
    "an exponent": ("** 2", "** 3"),
    "a base": ("h.clamp(-1, 1) ** 2", "2 ** h.clamp(-1, 1)"),
    "what a tensor is filled with": ("0.5)\n    h = h /", "0.25)\n    h = h /"),
    "a default that is another": (", unbiased=False", ""),
    "over which dim": ("var(dim=1", "var(dim=2"),
    "a quotient": (
        "h / h.var(dim=1, keepdim=True, unbiased=False)",
        "h.var(dim=1, keepdim=True, unbiased=False) / h",
    ),
    "the heads of a view": (
        ".flatten(2).transpose(1, 2)",
        ".reshape(1, 3, 8, 64).transpose(1, 2).reshape(1, 24, 64).mT",
    ),
}
REWRITTEN = {
    "a power by its name": ("** 2", ".pow(2)"),
    "bounds by their names": ("clamp(-1, 1)", "clamp(max=1, min=-1.0)"),
    "another name of it": ("h.clamp(-1, 1)", "torch.clip(h, -1, 1)"),
    "the same correction": ("unbiased=False", "correction=0"),
    "statistics as a function": (
        "h.var(dim=1, keepdim=True, unbiased=False)",
        "torch.var(h, 1, False, True)",
    ),
    "filled otherwise": (
        "torch.full((1, 8, 1, 1), 0.5)",
        "x.new_full([1, 8, 1, 1], fill_value=0.5)",
    ),
    "operands of a sum": ("b * n.scale + n.shift", "n.shift + n.scale * b"),
    "a method": ("F.silu(n.norm(skip))", "F.silu(n.norm(skip)).contiguous()"),
    "another spelling": ("torch.cat([", "torch.concat(["),
    "in place": ("h = b * n.scale + n.shift", "h = b * n.scale\n    h += n.shift"),
    "an identity": ("n.one(h)", "n.same(n.one(h))"),
    "dropout": ("n.one(h)", "n.drop(n.one(h))"),
    "another name": (
        "a = n.one(h)\n    b = n.two(1 - a)",
        "z = n.one(h)\n    a = z\n    b = n.two(1 - z)",
    ),
    "keywords in another order": (
        "attention(q, k, v)",
        "attention(q, k, v, is_causal=False, dropout_p=0.0)",
    ),
    "a dim from the end": ("dim=1)", "dim=-3)"),
    "a dim without its name": ("skip], dim=1)", "skip], 1)"),
    "the name that NumPy has": ("skip], dim=1)", "skip], axis=1)"),
    "a view by its sizes": (".flatten(2)", ".reshape(1, 24, 64)"),
    "a view in two steps": (".flatten(2)", ".view(1, 24, 64, 1).squeeze(-1)"),
    "a view with None": (".flatten(2)", ".flatten(2)[:, :, None].flatten(1, 2)"),
    "a permutation": (".transpose(1, 2).chunk", ".permute(0, 2, 1).chunk"),
    "another permutation": (".transpose(1, 2).chunk", ".movedim(1, -1).chunk"),
    "the last two dims": (".transpose(1, 2).chunk", ".mT.chunk"),
    "equal parts": (".chunk(3, dim=-1)", ".split(8, dim=2)"),
    "parts of their sizes": (".chunk(3, dim=-1)", ".split([8, 8, 8], -1)"),
    "parts one by one": (
        "q, k, v = n.wide(h).flatten(2).transpose(1, 2).chunk(3, dim=-1)",
        "w = n.wide(h).flatten(2).mT\n    q, k, v = w[..., :8], w.narrow(2, 8, 8), w[:, :, 16:]",
    ),
    "as large as another": (".view_as(h)", ".reshape(h.shape)"),
    "a cast to what it is": ("skip = n.enter(x)", "skip = n.enter(x.to(torch.float32)).float()"),
    "a default": ("F.silu(n.norm(skip))", "F.silu(n.norm(skip), inplace=False)"),
    "a function of torch": (
        "h = b * n.scale + n.shift",
        "h = torch.add(torch.mul(b, n.scale), n.shift)",
    ),
    "a float for an integer": ("h > 0", "h > 0.0"),
    "a comparison by its name": ("h > 0", "h.gt(0)"),
    "independent calls": (
        "skip = n.enter(x)\n    h = F.silu(n.norm(skip))",
        "skip = n.enter(x)\n    n_ = n.norm(skip)\n    h = F.silu(n_)",
    ),
}

SOURCE = """
def body(n, x):
    skip = n.enter(x)
    h = F.silu(n.norm(skip))
    q, k, v = n.wide(h).flatten(2).transpose(1, 2).chunk(3, dim=-1)
    h = h + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).view_as(h)
    a = n.one(h)
    b = n.two(1 - a)
    h = b * n.scale + n.shift
    h = torch.where(h > 0, h, a)
    h = h.clamp(-1, 1) ** 2 + torch.full((1, 8, 1, 1), 0.5)
    h = h / h.var(dim=1, keepdim=True, unbiased=False)
    return n.leave(torch.cat([h, skip], dim=1))
"""


LAST = "    return"
# What runs before the last line, and what runs there instead. Writes through one view of a memory
# change what others hold.
WRITTEN = {
    "views of what was written": (
        "a, b = h.chunk(2, 1); h.mul_(2); h = torch.cat([a, b], 1)",
        "a, b = h.chunk(2, 1); h.mul_(2); h = torch.cat([b, a], 1)",
    ),
    "the first of two writes": (
        "a, b = h.chunk(2, 1); a.mul_(2); b.add_(1)",
        "a, b = h.chunk(2, 1); a.mul_(3); b.add_(1)",
    ),
    "where it is written": (
        "a, b = h.chunk(2, 1); a.mul_(2)",
        "a, b = h.chunk(2, 1); b.mul_(2)",
    ),
    "before or after a write": (
        "a, b = h.chunk(2, 1); c = a + b; h.mul_(2); h = torch.cat([c, a], 1)",
        "a, b = h.chunk(2, 1); h.mul_(2); c = a + b; h = torch.cat([c, a], 1)",
    ),
}


def changes(edit=("", "")):
    before, after = edit
    assert before in SOURCE
    return compared(SOURCE, SOURCE.replace(before, after, 1) if before else SOURCE)


def compared(*sources):
    bodies = []
    for source in sources:
        names = {"torch": torch, "F": F}
        exec(source, names)
        bodies.append(names["body"])
    x = torch.zeros(1, 3, 8, 8)
    old, new = (digest(trace(Net(body).eval(), (x,))) for body in bodies)
    found = diff(old, new)
    assert [change.mirrored() for change in found.changes] == list(diff(new, old).changes)
    return found.changes


@pytest.mark.parametrize("case", REWIRED)
def test_what_computes_something_else_is_found(case):
    found = changes(REWIRED[case])
    assert max(change.severity for change in found) >= ChangeSeverity.BEHAVIOURAL


@pytest.mark.parametrize("case", WRITTEN)
def test_what_is_written_elsewhere_is_found(case):
    old, new = (SOURCE.replace(LAST, f"    {line}\n{LAST}") for line in WRITTEN[case])
    found = compared(old, new)
    assert max(change.severity for change in found) >= ChangeSeverity.BEHAVIOURAL
    assert not compared(new, new)


@pytest.mark.parametrize("case", REWRITTEN)
def test_what_computes_the_same_is_no_change(case):
    worst = max((change.severity for change in changes(REWRITTEN[case])), default=0)
    assert worst < ChangeSeverity.BEHAVIOURAL


def test_the_operands_that_changed_are_shown():
    (change,) = changes(REWIRED["the roles of an attention"])
    assert change.id == "flow-changed"
    assert change.old != change.new
    assert all("scaled_dot_product_attention" in entry for entry in (*change.old, *change.new))
