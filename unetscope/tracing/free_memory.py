"""How much memory there is for a real run."""

from __future__ import annotations

import re
from pathlib import Path

import torch

_CONTROL_GROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def free_bytes(device: str) -> int | None:
    """The memory that is there for a run; None where nobody says."""
    if device.startswith("cuda"):
        return torch.cuda.mem_get_info(torch.device(device))[0]
    found = [_of_the_machine(), _of_the_container()]
    return min((number for number in found if number is not None), default=None)


def _of_the_machine() -> int | None:
    text = _text("/proc/meminfo")
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else None


def _of_the_container() -> int | None:
    """What the limit of a control group leaves; files that were read can be dropped from it."""
    for folder, most, now in _CONTROL_GROUPS:
        limit, used = (_text(f"{folder}/{file}").strip() for file in (most, now))
        if limit.isdecimal() and used.isdecimal():
            stat = _text(f"{folder}/memory.stat")
            files = re.search(r"^(?:total_)?inactive_file (\d+)", stat, re.MULTILINE)
            return int(limit) - int(used) + (int(files[1]) if files else 0)
    return None


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except OSError:
        return ""
