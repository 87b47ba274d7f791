"""PyPI's torchvision beside a CPU torch, which fails to import: its library wants CUDA's.

Its Python code asks for two operators while it is imported. Where they are defined beforehand,
diffusers, segmentation-models-pytorch and others import; no UNet calls them.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

_DEFINED: list[object] = []  # a library lives as long as what holds it


def define_missing() -> None:
    """Define the operators, if torchvision is here and its own library cannot be loaded."""
    found = find_spec("torchvision")
    if found is None or found.origin is None or _DEFINED:
        return
    import torch

    try:
        for library in Path(found.origin).parent.glob("_C*.so"):
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
            return
    except OSError:
        pass
    operators = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
    _DEFINED.append(operators)
