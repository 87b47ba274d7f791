"""What no `TorchFunctionMode` sees: scripted functions, custom ops, transforms, other threads."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from unetscope.analysis.cost import Cost
from unetscope.analysis.diff import diff
from unetscope.analysis.digest import digest
from unetscope.analysis.network import Network
from unetscope.errors import ForwardError
from unetscope.files import locks, traces
from unetscope.lock import CONSTANT
from unetscope.ops import UNSEEN, operation
from unetscope.tracing import trace
from unetscope.tracing.counting import count
from unetscope.views.flops import flops
from unetscope.views.skips import ledger
from unetscope.views.view import View

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's, of scripts, sparse and nested tensors

DEVICES = ["meta", "cpu"]
CONVOLUTION = 2 * 4 * 8 * 8 * 4 * 9
"""Multiply-adds of one convolution of the networks here."""
TABLE = torch.ones(4, 1, 1, device="meta")


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    return F.conv2d(x, weight, padding=1)


def double_(x: Tensor) -> None:
    x.mul_(2)


scripted = torch.jit.script(convolve)
scripted_in_place = torch.jit.script(double_)
library = torch.library.Library("unetscope_tests", "DEF")
library.define("conv(Tensor x, Tensor weight) -> Tensor")
library.impl("conv", lambda x, _: torch.empty_like(x), "CompositeExplicitAutograd")


class Net(nn.Module):
    """A convolution, and what `inner` makes of its result and of a second kernel, joined to it."""

    def __init__(self, inner=convolve):
        super().__init__()
        self.enter = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.kernel = nn.Parameter(torch.ones(4, 4, 3, 3))
        self.plain = torch.ones(4, 1, 1)
        self.inner = inner

    def forward(self, x):
        h = self.enter(x)
        return torch.cat([self.inner(h, self.kernel), h], 1)


def traced(inner, device="meta"):
    x = torch.ones(2, 4, 8, 8, device=device)
    model = Net(inner).to(device)
    return trace(model, (x,))


def names(recorded):
    return [op.name for op in recorded.ops]


def cost_of(recorded):
    return Cost(Network(recorded))


def said(recorded):
    view = View.of(recorded)
    return [cell.parts[0].value for cell in flops(view)[0].after]


@pytest.mark.parametrize("device", DEVICES)
def test_a_scripted_function_is_seen_by_its_kernels(device):
    recorded = traced(scripted, device)
    cost = cost_of(recorded)
    assert names(recorded) == ["F.conv2d", "torch.convolution", "torch.cat"]
    assert (cost.total, cost.unknown) == (2 * CONVOLUTION, {})
    _, kernel, join = recorded.ops
    assert [recorded.values[value].source for value in kernel.inputs] == [None, "kernel"]
    assert join.inputs == (*kernel.outputs, *recorded.ops[0].outputs)
    lock = digest(recorded)
    assert locks.loads(locks.dumps(lock)) == lock


def test_kernels_are_counted_at_every_size_of_a_sweep_too():
    recorded = traced(scripted)
    counted, _ = count(Net(scripted).to("meta"), (torch.ones(2, 4, 8, 8, device="meta"),), {})
    assert [done.name for done in counted] == names(recorded)[:2]
    assert sum(done.macs for done in counted) == 2 * CONVOLUTION


@pytest.mark.parametrize("device", DEVICES)
def test_a_scripted_function_that_writes(device):
    def inner(x, _):
        scripted_in_place(x)
        return x

    recorded = traced(inner, device)
    _, write, join = recorded.ops
    assert write.name == "torch.mul_"
    assert join.inputs == (*write.outputs, *write.outputs)


@pytest.mark.parametrize("device", DEVICES)
def test_what_turns_the_mode_off_is_seen_by_its_kernels(device):
    def inner(x, weight):
        with torch._C.DisableTorchFunction():
            h = torch.softmax(convolve(x, weight), 1)
            return h + F.scaled_dot_product_attention(h, h, h)

    recorded, expected = traced(inner, device), 2 * CONVOLUTION + 2 * (2 * 4 * 8 * 8 * 8)
    assert (cost_of(recorded).total, cost_of(recorded).unknown) == (expected, {})


@pytest.mark.parametrize("transposed", [False, True])
def test_the_kernel_of_convolutions_counts_as_the_function_does(transposed):
    function = F.conv_transpose2d if transposed else F.conv2d

    def hidden(x, weight):
        with torch._C.DisableTorchFunction():
            return function(x, weight, stride=2)

    class Strided(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner
            shape = (4, 6, 3, 3) if transposed else (6, 4, 3, 3)
            self.kernel = nn.Parameter(torch.ones(shape, device="meta"))

        def forward(self, x):
            return self.inner(x, self.kernel)

    x = torch.ones(1, 4, 9, 9, device="meta")
    seen = trace(Strided(lambda x, weight: function(x, weight, stride=2)), (x,))
    assert cost_of(trace(Strided(hidden), (x,))).total == cost_of(seen).total > 0


def test_an_operator_of_a_library_is_not_taken_for_torchs():
    recorded = traced(torch.ops.unetscope_tests.conv)
    assert names(recorded)[1] == "torch.ops.unetscope_tests.conv"
    assert cost_of(recorded).unknown == {"torch.ops.unetscope_tests.conv": 1}
    assert cost_of(recorded).total == CONVOLUTION
    assert operation("torch.ops.unetscope_tests.add").name == "ops.unetscope_tests.add"


def in_a_thread(x, weight):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(convolve, x, weight).result()


def through_numpy(x, _):
    return torch.from_numpy(x.detach().numpy() * 2)


@pytest.mark.parametrize(
    ("inner", "device"), [(in_a_thread, "meta"), (in_a_thread, "cpu"), (through_numpy, "cpu")]
)
def test_what_nobody_sees_is_named(inner, device):
    recorded = traced(inner, device)
    assert cost_of(recorded).unknown == {UNSEEN: 1}
    op = next(op for op in recorded.ops if op.name == UNSEEN)
    assert (op.inputs, op.macs) == ((), None)
    assert recorded.values[op.outputs[0]].op == recorded.ops.index(op)
    assert traces.loads(traces.dumps(recorded)) == recorded
    lock = digest(recorded)
    assert lock.uncounted == {UNSEEN: 1}
    assert CONSTANT not in str(lock.functions)
    assert locks.loads(locks.dumps(lock)) == lock
    changes = diff(digest(traced(convolve, device)), lock).changes
    assert any("unseen" in str(change) for change in changes)


def test_what_nobody_sees_is_said_below_the_tables():
    recorded = traced(in_a_thread)
    view = View.of(recorded)
    assert view.words.all_formulas not in said(recorded)
    assert view.words.all_formulas in said(traced(scripted))
    (table,) = view.told(flops(view)[:1])
    assert (table.data["unseen"], table.data["without_formula"]) == (1, {UNSEEN: 1})
    assert view.untold[0] in str(table.after)
    assert ledger(view) == view.told(ledger(view)) == []
    seen = View.of(traced(scripted))
    assert "unseen" not in seen.told(flops(seen))[-1].data


def test_a_thread_of_a_module_that_nobody_sees_lies_in_its_call():
    class Inner(nn.Module):
        def forward(self, x, weight):
            return in_a_thread(x, weight)

    recorded = traced(Inner())
    op = next(op for op in recorded.ops if op.name == UNSEEN)
    assert recorded.steps[op.step].module == "inner"


class Older(nn.Module):
    """Tensors that were there before the pass, wherever they are held."""

    def __init__(self):
        super().__init__()
        self.plain = torch.ones(4, 1, 1, device="meta")
        self.hidden = (lambda held: lambda: held)(torch.ones(4, 1, 1, device="meta"))
        weight = nn.Parameter(torch.ones(4, 1, 1, device="meta"))
        self.part = {"of": {1: [weight[:2]]}}
        self.weight = weight

    def forward(self, x):
        x = x * self.plain + self.hidden() + TABLE
        return x * self.weight * self.part["of"][1][0].mean()


def test_what_was_there_before_stays_a_constant():
    recorded = trace(Older(), (torch.ones(2, 4, 8, 8, device="meta"),))
    assert names(recorded) == ["*", "+", "+", "*", "Tensor.mean", "*"]
    assert cost_of(recorded).unknown == {}
    sources = [value.source for value in recorded.values if value.op is None]
    assert sources.count(None) == 2  # that of the closure, and the global one
    assert str(digest(recorded).functions).count(CONSTANT) == 2


def test_properties_that_are_tensors_are_functions():
    def inner(x, weight):
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            convolve(leaf, weight.data).sum().backward()
        return leaf.grad + leaf.grad

    recorded = traced(inner)
    assert names(recorded).count("Tensor.grad") == names(recorded).count("Tensor.data") == 1
    assert cost_of(recorded).unknown == {"Tensor.grad": 1}
    assert all(value.op is not None or value.source for value in recorded.values)


@pytest.mark.parametrize("device", DEVICES)
def test_work_inside_vmap_counts_once_for_each_element(device):
    def inner(x, weight):
        def of_one(x):
            h = convolve(x[None], weight)[0]
            return h + F.scaled_dot_product_attention(h, h, h)

        return torch.vmap(of_one)(x)

    recorded = traced(inner, device)
    with FlopCounterMode(display=False) as counter:
        inner(torch.ones(2, 4, 8, 8, device="meta"), torch.ones(4, 4, 3, 3, device="meta"))
    assert cost_of(recorded).unknown == {}
    assert cost_of(recorded).total == CONVOLUTION + counter.get_total_flops() // 2
    assert all(value.op is not None or value.source for value in recorded.values)
    graph = Network(recorded).graph
    assert graph.descends(recorded.outputs[0], recorded.inputs[0].value)


def test_nested_and_partial_vmap():
    def twice(x, weight):
        of_row = torch.vmap(lambda row: row @ row.T)
        return torch.vmap(of_row)(x)

    assert cost_of(traced(twice)).total == CONVOLUTION + 2 * 4 * 8 * 8 * 8

    def partial(x, weight):
        torch.vmap(lambda bias: F.linear(x[..., :3], weight[0, 0], bias))(x[:, 0, 0, :3])
        return torch.vmap(lambda kernel: convolve(x, kernel))(torch.stack([weight, weight]))[0]

    cost = cost_of(traced(partial))
    assert (cost.total, cost.unknown) == (3 * CONVOLUTION, {"F.linear": 1})


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("inner", "unknown"),
    [
        (
            lambda x, w: torch.func.jvp(lambda x: convolve(x, w), (x,), (x,))[1],
            {"torch._make_dual", "torch._unpack_dual"},
        ),
        (lambda x, w: torch.func.grad(lambda x: convolve(x, w).sum())(x), {"torch.grad"}),
        (lambda x, w: torch.func.vjp(lambda x: convolve(x, w), x)[1](x)[0], {"torch.grad"}),
        (
            lambda x, w: torch.func.functionalize(lambda x: convolve(x, w))(x),
            {UNSEEN},
        ),
    ],
)
def test_transforms_are_named(inner, unknown, device):
    cost = cost_of(traced(inner, device))
    assert set(cost.unknown) == unknown
    assert cost.total == 2 * CONVOLUTION  # that of the function itself


@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr", "to_sparse_csc"])
def test_sparse_tensors_are_their_own_memory(layout):
    def inner(x, _):
        sparse = getattr(x[0, 0], layout)()
        return torch.stack([(sparse @ x[0, 0])[None].expand(4, 8, 8)] * 2)

    recorded = traced(inner, "cpu")
    assert cost_of(recorded).unknown == {f"Tensor.{layout}": 1, "@": 1}
    made = next(op for op in recorded.ops if op.name == f"Tensor.{layout}").outputs[0]
    storage = recorded.storages[recorded.values[made].storage]
    assert recorded.values[made].spec.shape == (8, 8)
    assert storage.nbytes >= 64 * 4  # its values, and where they are
    assert storage.died is not None


def test_sparse_buffers():
    class Holds(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("table", torch.eye(8).to_sparse())

        def forward(self, x):
            return torch.sparse.mm(self.table, x)

    recorded = trace(Holds(), (torch.ones(8, 8),))
    assert cost_of(recorded).unknown == {"torch.sparse.mm": 1}
    lock = digest(recorded)
    assert locks.loads(locks.dumps(lock)) == lock


def test_quantized_tensors():
    recorded = traced(
        lambda x, _: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8).dequantize(), "cpu"
    )
    assert set(cost_of(recorded).unknown) == {"torch.quantize_per_tensor", "Tensor.dequantize"}


def test_flex_attention_is_named():
    from torch.nn.attention.flex_attention import flex_attention

    recorded = traced(lambda x, _: flex_attention(x, x, x), "cpu")
    assert cost_of(recorded).unknown == {"torch.flex_attention": 1}
    assert names(recorded)[-1] == "torch.cat"


class Tagged(Tensor):
    """A tensor of another class."""


class Wrapped(Tensor):
    """A tensor that holds another one, which torch's kernels are run on."""

    @staticmethod
    def __new__(cls, inner):
        return Tensor._make_wrapper_subclass(
            cls, inner.shape, dtype=inner.dtype, device=inner.device
        )

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        args = [arg.inner if isinstance(arg, Wrapped) else arg for arg in args]
        return Wrapped(func(*args, **(kwargs or {})))


class StandsFor:
    """No tensor, but torch's functions take it."""

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        args = [arg.inner if isinstance(arg, StandsFor) else arg for arg in args]
        return StandsFor(func(*args, **(kwargs or {})))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("inner", "unknown"),
    [
        (lambda x, w: convolve(x.as_subclass(Tagged), w).as_subclass(Tensor), set()),
        (lambda x, w: convolve(StandsFor(x), w).inner, set()),
        (lambda x, w: convolve(Wrapped(x), w).inner, {UNSEEN}),
    ],
)
def test_other_classes_of_tensors(inner, unknown, device):
    recorded = traced(inner, device)
    assert set(cost_of(recorded).unknown) == unknown
    assert cost_of(recorded).total == 2 * CONVOLUTION
    assert all(value.op is not None or value.source for value in recorded.values)


@pytest.mark.parametrize("inner", [scripted, lambda x, w: scripted(x, x), lambda x, w: 1 / 0])
def test_modes_and_the_collector_are_left_as_they_were(inner):
    frozen = gc.get_freeze_count()
    try:
        traced(inner)
    except ForwardError:
        assert inner is not scripted
    assert torch._C._len_torch_dispatch_stack() == torch._C._len_torch_function_stack() == 0
    assert gc.get_freeze_count() == frozen
    assert gc.isenabled()


def test_a_nested_tensor_that_something_unseen_made():
    def inner(x, _):
        with torch._C.DisableTorchFunction(), ThreadPoolExecutor(1) as pool:
            nested = pool.submit(torch.nested.as_nested_tensor, [x[0, 0], x[0, 1, :4]]).result()
        return nested * 2

    with pytest.raises(ForwardError, match=r"failed in `torch\.cat` given") as caught:
        traced(inner, "cpu")
    recorded = caught.value.trace
    assert traces.loads(traces.dumps(recorded)) == recorded
    made_by = [recorded.values[value].op for value in recorded.ragged]
    assert [recorded.ops[op].name for op in made_by] == [UNSEEN, "*"]
