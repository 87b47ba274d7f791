"""PyPI's torchvision beside a CPU torch, which fails to import: its library wants CUDA's.

One of its modules asks for two operators while it is imported. Where they are defined for that
moment, diffusers, segmentation-models-pytorch and others import; no UNet calls them. They are gone
afterwards, so that a program may define operators of these names itself, before or after.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_ASKS = "torchvision._meta_registrations"
_OPERATORS = ("nms", "qnms")


def lend_missing() -> None:
    """From now on, have torchvision find its operators when it is imported."""
    if not any(isinstance(finder, _Lender) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Lender())


class _Lender:
    """Finds the module that asks for operators, and has them defined while it runs."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Where that module is; None for any other."""
        if fullname != _ASKS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_with_operators(module: ModuleType) -> None:
                with _defined():
                    run(module)

            vars(spec.loader)["exec_module"] = run_with_operators
        return spec


@contextmanager
def _defined() -> Iterator[None]:
    """The operators that are missing, until this ends."""
    import torch

    known = torch._C._jit_get_schemas_for_operator
    missing = [name for name in _OPERATORS if not known(f"torchvision::{name}")]
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    try:
        for name in missing:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
        yield
    finally:
        library._destroy()  # type: ignore[no-untyped-call]
