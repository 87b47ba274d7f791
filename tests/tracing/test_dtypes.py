"""Every dtype that torch has: traced, saved, counted in memory, locked and compared."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unetscope.analysis.diff import diff
from unetscope.analysis.digest import digest
from unetscope.analysis.memory import Memory, buffer_bytes
from unetscope.analysis.network import Network
from unetscope.dtypes import is_dtype, itemsize
from unetscope.errors import UnetscopeError
from unetscope.files import locks, traces
from unetscope.record import TensorSpec
from unetscope.tracing import devices, trace

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of complex and quantized tensors

DTYPES = {
    str(value).removeprefix("torch."): value
    for value in vars(torch).values()
    if isinstance(value, torch.dtype)
}


class Holds(nn.Module):
    """A table of one dtype that is read, and an input of it that is flattened."""

    def __init__(self, dtype: str) -> None:
        super().__init__()
        self.register_buffer("table", devices.zeros(TensorSpec((3, 5), dtype), "meta"))

    def forward(self, x):
        if "qint" in str(x.dtype) or "quint" in str(x.dtype):
            return x, self.table  # of which torch has no functions on meta
        return x.flatten(), self.table.view(-1), x.new_empty(4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_of_torch(dtype):
    given = devices.zeros(TensorSpec((2, 8), dtype), "meta")
    recorded = trace(Holds(dtype), (given,))
    size = DTYPES[dtype].itemsize
    assert itemsize(dtype) == size
    assert buffer_bytes(recorded) == recorded.modules[0].buffers[0].spec.nbytes == 15 * size
    assert traces.loads(traces.dumps(recorded)) == recorded
    memory = Memory(Network(recorded))
    assert memory.input_bytes == given.untyped_storage().nbytes()
    if not dtype.startswith(("qint", "quint")):
        assert memory.input_bytes == 16 * size
        assert memory.peak.nbytes == 4 * size
    lock = digest(recorded)
    assert locks.loads(locks.dumps(lock)) == lock
    assert diff(lock, digest(traces.loads(traces.dumps(recorded)))).changes == ()


@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_of_every_dtype_are_zeros_on_the_cpu_too(dtype):
    made = devices.zeros(TensorSpec((2, 3), dtype), "cpu")
    assert made.dtype == DTYPES[dtype]
    assert bytes(made.untyped_storage().tolist()) == bytes(made.untyped_storage().nbytes())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "float",
        "float31",
        "float8_",
        "double64",
        "bfloat0",
        "x2",
        "int256",
        "float128",
        "torch.int8",
    ],
)
def test_absurd_names_are_no_dtypes(name):
    assert not is_dtype(name)
    with pytest.raises(ValueError, match="unknown dtype"):
        itemsize(name)


def test_a_dtype_that_this_torch_has_not_is_refused():
    with pytest.raises(UnetscopeError, match="has no element type `float8_e4m3fm`") as raised:
        devices.zeros(TensorSpec((1,), "float8_e4m3fm"), "meta")
    assert "`float8_e4m3fn" in raised.value.hint


CAST = [name for name, dtype in DTYPES.items() if dtype.is_floating_point and "_x2" not in name]
"""Floating-point dtypes that torch can cast: not those with two elements in a byte."""


class HoldsWeights(nn.Module):
    """A parameter of one dtype, read as another one, and an output of it."""

    def __init__(self, dtype: str) -> None:
        super().__init__()
        made = devices.zeros(TensorSpec((4, 3, 1, 1), dtype), "meta")
        self.weight = nn.Parameter(made, requires_grad=False)

    def forward(self, x):
        h = nn.functional.conv2d(x, self.weight.to(x.dtype))
        return h, h.to(self.weight.dtype)


@pytest.mark.parametrize("dtype", CAST)
def test_weights_and_outputs_of_every_floating_point_dtype(dtype):
    model = HoldsWeights(dtype)
    recorded = trace(model, (torch.ones(1, 3, 8, 8, device="meta"),))
    lock = digest(recorded)
    assert lock.outputs[1].dtype == dtype
    assert locks.loads(locks.dumps(lock)) == lock
    assert traces.loads(traces.dumps(recorded)) == recorded
