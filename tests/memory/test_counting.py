"""A count alone knows the same peak as a trace."""

import pytest

from unetscope import families
from unetscope.analysis.memory import activation_peak
from unetscope.config import load
from unetscope.tracing import devices, trace
from unetscope.tracing.counting import count


@pytest.mark.parametrize(
    ("config", "sizes"),
    [("sd15", {}), ("sd15", {"height": 33, "width": 50, "batch": 2}), ("bk_sdm_small", {})],
)
def test_the_peak_is_that_of_a_trace(config, sizes):
    spec = load(config, **sizes)
    model = devices.build(lambda: families.build(spec.family, spec.unet), "meta", "float32")
    inputs = devices.zeros(spec.tensors(), "meta", "float32")
    _, peak = count(model, (), inputs)
    assert peak == activation_peak(trace(model, kwargs=inputs)).nbytes
