"""Element types of tensors by name: torch's own, and those in which files pack several elements."""

from __future__ import annotations

import re
from functools import cache

# `bfloat16`, `uint4`, `float8_e4m3fn`, and with several elements in one `float4_e2m1fn_x2`.
_DTYPE = re.compile(r"(?:b?float|complex|q?u?int|bits)(\d{1,3})(?:_e\d+m\d+\w*?)?(?:_?x(\d{1,3}))?")

PACKED = {
    "F4": (2, 1),
    "F6_E2M3": (4, 3),
    "F6_E3M2": (4, 3),
    "NF4": (2, 1),
    "FP4": (2, 1),
    "Q1_0": (128, 18),
    "Q4_0": (32, 18),
    "Q4_1": (32, 20),
    "Q5_0": (32, 22),
    "Q5_1": (32, 24),
    "Q8_0": (32, 34),
    "Q8_1": (32, 40),
    "Q2_K": (256, 84),
    "Q3_K": (256, 110),
    "Q4_K": (256, 144),
    "Q5_K": (256, 176),
    "Q6_K": (256, 210),
    "Q8_K": (256, 292),
    "IQ2_XXS": (256, 66),
    "IQ2_XS": (256, 74),
    "IQ3_XXS": (256, 98),
    "IQ1_S": (256, 50),
    "IQ4_NL": (32, 18),
    "IQ3_S": (256, 110),
    "IQ2_S": (256, 82),
    "IQ4_XS": (256, 136),
    "IQ1_M": (256, 56),
    "TQ1_0": (256, 54),
    "TQ2_0": (256, 66),
    "MXFP4": (32, 17),
    "NVFP4": (64, 36),
}
"""Types that torch does not have: the elements of one block and its bytes, scales included.

The names are those of safetensors (F4, F6), of bitsandbytes (NF4, FP4; its scales lie elsewhere)
and of GGUF, whose blocks lie along the last axis.

Source: https://github.com/ggml-org/ggml, `gguf-py/gguf/constants.py`, `GGML_QUANT_SIZES`.
"""


def is_dtype(name: str) -> bool:
    """Whether a name is one that a dtype of torch's can have: `float32`, not `float31`."""
    return _itemsize(name) is not None


def itemsize(dtype: str) -> int:
    """Bytes of one element of a dtype, as torch has it; smaller ones fill a byte.

    Raises:
        ValueError: no dtype of torch's can have this name.
    """
    size = _itemsize(dtype)
    if size is None:
        raise ValueError(f"unknown dtype {dtype}")
    return size


def nbytes(dtype: str, numel: int) -> int:
    """Bytes of so many elements; of a packed type, of the blocks that hold them.

    Raises:
        ValueError: it is the name of no type that is known here.
    """
    if dtype not in PACKED:
        return numel * itemsize(dtype)
    elements, size = PACKED[dtype]
    return -(-numel // elements) * size


@cache
def _itemsize(dtype: str) -> int | None:
    """Torch's dtypes bear their bits in their names."""
    if dtype == "bool":
        return 1
    match = _DTYPE.fullmatch(dtype)
    bits = 0 if match is None else int(match[1]) * int(match[2] or 1)
    known = bits in (*range(1, 9), 16, 32, 64) or dtype == "complex128"
    return max(bits, 8) // 8 if known else None
