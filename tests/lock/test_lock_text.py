"""Whatever a lock holds, its text reads back into the same lock."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import unetscope
from unetscope.analysis.digest import digest
from unetscope.config.files import shipped
from unetscope.errors import UnetscopeError
from unetscope.files import locks
from unetscope.files.locks import text
from unetscope.lock import (
    Lock,
    LockedModule,
    LockedSkip,
    LockedTensor,
    Totals,
    body_key,
)

SHIPPED = (
    "sd15", "sdxl_base", "if_II_L", "adm_imagenet256", "article_002", "article_003",
    "controlnet_sd15", "sd_x2_latent_upscaler", "ldm_text2im_large_256",
)  # fmt: skip


def exact(value):
    """A value with the types of all that it holds, whatever the order of its dicts."""
    if is_dataclass(value):
        return type(value), [exact(getattr(value, f.name)) for f in fields(value)]
    if isinstance(value, dict):
        return dict, sorted((repr(exact(k)), repr(exact(v))) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return type(value), [exact(item) for item in value]
    return type(value), repr(value)


def shipped_locks():
    return shipped()["sd15"].parent / "locks"


def read_back(lock):
    """The lock that the text of another reads back into, damaged or not."""
    return text.loads(f"first line\n{text.dumps(lock)}")


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped_is_written_as_it_was_read(name):
    written = (shipped_locks() / f"{name}.lock").read_bytes()
    lock = locks.loads(written)
    assert locks.dumps(lock) == written
    assert max(len(line) for line in written.decode().splitlines()) < 130


def test_all_that_is_shipped_is_small():
    sizes = {path.stem: path.stat().st_size for path in shipped_locks().iterdir()}
    assert sizes["sd15"] < 20_000
    assert sizes["sdxl_base"] < 21_000
    assert sum(sizes.values()) < 800_000


WORDS = [
    "a", "0", "1", "00", "weight", "bias", "resnets", "conv_in", "x y", "é", "→", "[0]", 'q"q', "*",
    "as", " as ", "body as x", "| x", "|   y", "in call 0", "line\nbreak", "\r\n", "\t", "\u202e",
    "\u2028", "0..1", "..", "-", "- a", "null", "true", "inf", "nan", "-inf", "1e5", "1.5", "×2",
    " ×2", "a = b", "a: b", "(", ")", "=", ",", ", ", "#", "\\", "\\n", "\x00", "\x1b[2J", "\ud800",
    "a b ", " a", "Conv2d", "self", "←", " ← ", "^", "'", "a" * 200, "",
]  # fmt: skip
words = st.deferred(lambda: st.sampled_from(WORDS))
names = words.filter(lambda word: word and "." not in word)
kinds = (
    st.sampled_from(
        ["ModuleList", "Sequential", "Conv2d", "Linear", "GroupNorm", "Dropout", "Block", "SiLU"]
    )
    | words
)
dtypes = st.sampled_from(["float32", "float16", "int64", "a b"])
shapes = st.lists(st.integers(0, 2000), max_size=4).map(tuple)
numbers = st.integers() | st.floats() | st.sampled_from([0, 1, 1.0, -0.0, 1e-05, 1e300, 10**30])
scalars = st.none() | st.booleans() | numbers | words | st.text(max_size=5)
configs = st.dictionaries(
    words | st.text(max_size=5),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=5,
)
attributes = st.dictionaries(
    st.sampled_from(["in_channels", "eps", "heads", "groups", "bias", "kernel_size"]) | words,
    scalars | st.lists(scalars, max_size=3).map(tuple),
    max_size=4,
)
tensors = st.lists(
    st.tuples(names, shapes, dtypes, st.booleans(), st.none() | words),
    max_size=3,
    unique_by=lambda held: held[0],
)
LINEAR = ("linear ← input, self.weight, self.bias", "return ← ^")
entries = (words | st.text(max_size=9)).map(lambda word: f"f({word}) ← ^, {word}") | words
OPERANDS = ", ".join(["hidden_states"] * 12)
LONG = [(f"cat(dim=1) ← {OPERANDS}{end}",) for end in ("", ",", ", ", ", ,,", " ←", ", x\ny")]
bodies = st.lists(entries, min_size=1, max_size=3).map(tuple) | st.sampled_from(
    [LINEAR, ("return ← input",), *LONG]
)
calls = st.lists(bodies, max_size=1) | st.lists(bodies, max_size=4)
own = (kinds, attributes, tensors, calls, st.integers(1, 3))


def with_children(inner):
    """Modules with others in them: any, equal ones with numbers, and equal ones under names."""
    some = st.lists(st.tuples(names, inner), max_size=4, unique_by=lambda child: child[0])
    alike = st.tuples(inner, st.integers(1, 4)).map(
        lambda same: [(str(number), same[0]) for number in range(same[1])]
    )
    again = st.tuples(inner, inner).map(
        lambda two: [("a", two[0]), ("b", two[0]), ("c", two[1]), ("d", two[0])]
    )
    return st.tuples(*own, some | alike | again)


trees = st.recursive(st.tuples(*own, st.just(())), with_children, max_leaves=12)


def flattened(tree, path=""):
    kind, settings_, held, ran, times, children = tree
    stem = f"{path}." if path else ""
    keys = tuple(map(body_key, ran))
    count = times if len(keys) == 1 else len(keys)
    module = LockedModule(path, kind, settings_, keys, count if keys else 0)
    own = [LockedTensor(f"{stem}{name}", *rest) for name, *rest in held]
    found = [(module, own, dict(zip(keys, ran, strict=True)))]
    for name, child in children:
        found += flattened(child, f"{stem}{name}")
    return found


@st.composite
def any_lock(draw):
    modules = flattened(draw(trees))
    paths = [module.path for module, _, _ in modules]
    functions = {key: body for _, _, ran in modules for key, body in ran.items()}
    counts = st.integers(0, 2**95)
    some = st.lists(st.sampled_from(paths), max_size=3)
    skip = st.builds(
        LockedSkip,
        *(st.integers(0, 3), st.integers(0, 3), words, words, st.integers(0, 2), shapes),
        st.none() | words,
    )
    held = st.lists(st.builds(LockedTensor, words, shapes, dtypes), max_size=3).map(tuple)
    return Lock(
        name=draw(words),
        config=draw(configs),
        inputs=draw(held),
        outputs=draw(held),
        totals=draw(st.builds(Totals, counts, counts, counts)),
        macs=draw(st.dictionaries(words, counts, max_size=3)),
        uncounted=draw(st.dictionaries(words, counts, max_size=3)),
        blocks=tuple(draw(some)),
        modules=tuple(module for module, _, _ in modules),
        tensors=tuple(tensor for _, own, _ in modules for tensor in own),
        skips=tuple(draw(st.lists(skip, max_size=3))),
        functions=functions,
        tools=draw(st.dictionaries(words, words, max_size=2)),
    )


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(any_lock())
def test_any_lock_reads_back_into_itself(lock):
    found = read_back(lock)
    assert exact(found) == exact(lock)
    assert text.dumps(found) == text.dumps(lock)
    assert all(line.isprintable() for line in text.dumps(lock).split("\n"))
    text.dumps(lock).encode()


def test_every_flag_of_a_tensor_is_written():
    lock = digest(unetscope.trace(nn.SiLU(), torch.zeros(1)))
    for field in fields(LockedTensor):
        if isinstance(field.default, bool):
            odd = replace(lock.inputs[0], **{field.name: not field.default})
            assert read_back(replace(lock, inputs=(odd,))).inputs == (odd,), field.name


@pytest.mark.parametrize("body", LONG)
def test_an_entry_that_is_too_long_reads_back(body):
    lock = digest(unetscope.trace(nn.SiLU(), torch.zeros(1)))
    key = body_key(body)
    module = LockedModule("", "Block", {}, (key,), 1)
    lock = replace(lock, modules=(module,), functions={key: body}, blocks=())
    assert exact(read_back(lock)) == exact(lock)


X, Y = (1, 8, 16, 16), (1, 8, 16)
LAYERS = [
    (nn.Conv2d(8, 4, 3), X),
    (nn.Conv2d(8, 4, (3, 5), padding=(1, 2), stride=2, dilation=2, groups=2, bias=False), X),
    (nn.Conv2d(8, 4, 3, padding="same"), X),
    (nn.Conv1d(8, 4, 3, padding=1), Y),
    (nn.Conv3d(8, 4, 3, padding=(1, 0, 1)), (1, 8, 6, 6, 6)),
    (nn.ConvTranspose2d(8, 4, 4, 2, 1, output_padding=1, groups=2), X),
    (nn.ConvTranspose1d(8, 4, 4, bias=False), Y),
    (nn.Linear(16, 3), X),
    (nn.Linear(16, 3, bias=False), X),
    (nn.Embedding(10, 4), (1, 3)),
    (nn.Embedding(10, 4, padding_idx=0), (1, 3)),
    (nn.GroupNorm(4, 8), X),
    (nn.GroupNorm(4, 8, eps=1e-6, affine=False), X),
    (nn.LayerNorm(16), X),
    (nn.LayerNorm((16, 16), eps=1e-6, bias=False), X),
    (nn.LayerNorm(16, elementwise_affine=False), X),
    (nn.BatchNorm2d(8), X),
    (nn.BatchNorm1d(8, eps=1e-3), Y),
    (nn.InstanceNorm2d(8), X),
    (nn.Identity(), X),
    (nn.Dropout(0.1), X),
    (nn.Dropout2d(0.5), X),
    (nn.ReLU(), X),
    (nn.ReLU(inplace=True), X),
    (nn.SiLU(), X),
    (nn.Mish(), X),
    (nn.SELU(), X),
    (nn.Hardswish(), X),
    (nn.Hardsigmoid(), X),
    (nn.ELU(0.5), X),
    (nn.CELU(), X),
    (nn.LeakyReLU(0.2), X),
    (nn.GELU(), X),
    (nn.GELU("tanh"), X),
    (nn.Softplus(), X),
    (nn.Tanh(), X),
    (nn.Sigmoid(), X),
    (nn.LogSigmoid(), X),
    (nn.Softsign(), X),
    (nn.PReLU(), X),
    (nn.Sequential(nn.SiLU(), nn.Dropout(), nn.Identity(), nn.Linear(16, 3)), X),
]


def locked(model, shape):
    dtype = torch.int64 if isinstance(model, nn.Embedding) else torch.float32
    outer = nn.Sequential(model)
    return digest(unetscope.trace(outer, torch.zeros(shape, dtype=dtype)))


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=str)
def test_what_follows_from_torchs_layers_is_left_out(layer, shape):
    lock = locked(layer, shape)
    tree = text.dumps(lock).partition("network: ")[2].partition("\n\n")[0]
    assert len(tree.splitlines()) == 1 + sum(1 for _ in layer.modules()), tree
    assert exact(read_back(lock)) == exact(lock)


@pytest.mark.parametrize(
    "layer",
    [
        nn.MaxPool2d(2),
        nn.AvgPool2d((2, 2), ceil_mode=True),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.PixelShuffle(2),
        nn.Conv2d(8, 4, 3, padding=1, padding_mode="circular"),
        nn.InstanceNorm2d(8, affine=True),
        nn.RMSNorm(16),
        nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 4, 3)),
        nn.Conv2d(8, 4, 3, device="meta").to(torch.float16),
        nn.Unflatten(1, (2, 4)),
    ],
    ids=str,
)
def test_what_does_not_follow_is_stated(layer):
    if any(held.dtype == torch.float16 for held in layer.parameters()):
        lock = digest(unetscope.trace(nn.Sequential(layer), torch.zeros(X, dtype=torch.float16)))
    else:
        lock = locked(layer, X)
    assert exact(read_back(lock)) == exact(lock)


class Block(nn.Module):
    def __init__(self, groups, width=8):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, width)
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.norm2 = nn.GroupNorm(4, width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(self.norm2(self.conv1(self.norm1(x))))


class Chain(nn.Module):
    def __init__(self, *groups):
        super().__init__()
        self.blocks = nn.ModuleList(map(Block, groups))

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def lines(*groups):
    lock = digest(unetscope.trace(Chain(*groups), torch.zeros(X)))
    assert exact(read_back(lock)) == exact(lock)
    return text.dumps(lock).partition("network: ")[2].partition("\n\n")[0].splitlines()


def test_a_group_count_that_differs_is_one_line():
    alike = lines(4, 4, 4, 4, 4)
    other = lines(4, 4, 4, 2, 4)
    assert [line for line in alike if "blocks." in line and "|" not in line] == [
        "  blocks.0..4: Block"
    ]
    assert [line.strip() for line in other if line not in alike] == [
        "blocks.0..2: Block",
        "blocks.3: Block as blocks.0",
        "norm1: GroupNorm(8, num_groups=2)",
        "blocks.4: Block as blocks.0",
    ]


class Twice(nn.Module):
    """A module that is called with other arguments the second time."""

    def __init__(self):
        super().__init__()
        self.add = Add()

    def forward(self, x):
        return self.add(self.add(self.add(x).relu(), x), x)


class Add(nn.Module):
    def forward(self, x, y=None):
        return x if y is None else x + y


def test_calls_that_differ_have_a_body_each():
    lock = digest(unetscope.trace(Twice(), torch.zeros(X)))
    assert "in call 1, 2" in text.dumps(lock)
    assert exact(read_back(lock)) == exact(lock)


@pytest.mark.parametrize("paths", [("a",), ("", "a.b"), ("", "a", "a"), ("", "a", "b", "a.c"), ()])
def test_modules_out_of_order_are_refused(paths):
    lock = digest(unetscope.trace(nn.Sequential(nn.SiLU()), torch.zeros(X)))
    modules = tuple(LockedModule(path, "Block") for path in paths)
    with pytest.raises(UnetscopeError):
        locks.dumps(replace(lock, modules=modules, functions={}))
