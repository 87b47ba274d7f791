"""Shape rules: what a function returns on the meta device, without torch's meta kernels.

Those are Python in torch and import sympy and torch._dynamo at first use, which takes as long as
`import torch`. A rule returns a meta tensor of the shape, dtype and strides that the CPU kernel
gives, or NotImplemented: then the real kernel runs. A rule answers only what it is sure of, so that
an invalid call reaches the real kernel and gets torch's own error; a rule that raises gives way
likewise. What a rule returns is new memory, or what a function in place has written to: views are
left to torch, which makes them in C++.

With `UNETSCOPE_VERIFY_SHAPES=1` in the environment, torch's own meta kernel runs too wherever a
rule answers, and a `WrongShapeRuleError` names the function if shape, type or strides differ.

Strides matter because they decide whether a later `reshape` is a view or a copy.
"""

from __future__ import annotations

from unetscope.tracing.shapes import (
    activations,
    joining,
    layers,
    moving,
    pointwise,
    pooling,
    products,
    reductions,
    resampling,
)
from unetscope.tracing.shapes.registry import (
    SHAPE_RULES,
    WrongShapeRuleError,
    by_kernel,
    free_what_imports_hold,
    layout,
    layouts,
    runner,
)

__all__ = [
    "SHAPE_RULES",
    "WrongShapeRuleError",
    "activations",
    "by_kernel",
    "free_what_imports_hold",
    "joining",
    "layers",
    "layout",
    "layouts",
    "moving",
    "pointwise",
    "pooling",
    "products",
    "reductions",
    "resampling",
    "runner",
]
