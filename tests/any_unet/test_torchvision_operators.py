"""A torchvision whose library cannot be loaded imports, and takes no name from anybody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ASKING = """
import torch
for name in ("nms", "qnms"):
    torch.library.register_fake(f"torchvision::{name}")(lambda dets, scores, _: scores)
"""
"""What torchvision does while it is imported."""

IMPORT = """
import torch
from unetscope.sources.torchvision_operators import lend_missing
lend_missing()
lend_missing()
import torchvision
"""

OWN = """
import torch
own = torch.library.Library("torchvision", "DEF")
own.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
own.impl("nms", lambda dets, scores, _: scores * 2, "CPU")
"""

CALL = """
assert torch.ops.torchvision.nms(torch.ones(2, 4), torch.ones(2), 0.5).tolist() == [2, 2]
assert not hasattr(torch.ops.torchvision, "qnms")
"""


@pytest.mark.parametrize(
    "program", [OWN + IMPORT + CALL, IMPORT + OWN + CALL], ids=["before", "after"]
)
def test_a_program_may_define_the_operators_itself(program: str, tmp_path: Path) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("from torchvision import _meta_registrations")
    (package / "_meta_registrations.py").write_text(ASKING)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
