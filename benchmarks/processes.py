"""Whole processes, timed against `python -c "import torch"` in the same run.

    python benchmarks/processes.py [--repeat 15] [--peers]

Each round runs every command once, in turn, so that a machine that slows down slows them all; the
ratio is the median of the rounds' ratios. Peak memory is the process's largest resident set. What
may be kept from one run to the next is timed without the cache, and warm: a second time with it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BASELINE = "import torch"
CONFIGS = Path(__file__).parents[1] / "configs"
LOCKS = CONFIGS / "locks"
UNETSCOPE = str(Path(sys.executable).parent / "unetscope")
WARM = {"trace", "skips", "params", "flops", "memory", "explain", "lock"}
"""Commands that take what an earlier run kept."""
_DIFFUSERS = """
import torch
from unetscope.sources.torchvision_operators import lend_missing
lend_missing()
from diffusers import UNet2DConditionModel
config = dict(cross_attention_dim=768)
with torch.device("{device}"):
    model = UNet2DConditionModel(**config).eval()
    sample = torch.zeros(1, 4, 64, 64)
    text = torch.zeros(1, 77, 768)
    step = torch.zeros(1, dtype=torch.int64)
"""
TORCHINFO = (
    _DIFFUSERS.format(device="meta")
    + """
import torchinfo
torchinfo.summary(model, input_data=[sample, step, text], device="meta", depth=9, verbose=1)
"""
)
FVCORE = (
    _DIFFUSERS.format(device="cpu")
    + """
from fvcore.nn import FlopCountAnalysis
with torch.no_grad():
    print(FlopCountAnalysis(model, (sample, step, text)).total())
"""
)


@dataclass(frozen=True)
class Command:
    """A process to time, and the bounds that it is held to (ratios to the baseline)."""

    name: str
    arguments: list[str]
    wall: float | None = None
    memory: float | None = None
    folder: Path | None = None


def branch(folder: Path) -> Path:
    """A repository of all shipped configs, of which one changed since `main`."""
    shutil.copytree(CONFIGS, folder / "configs")
    (folder / "pyproject.toml").write_text('[tool.unetscope]\nlocks = "locks"\n')
    who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "all")):
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True)
    changed = folder / "configs" / "sd15.yaml"
    text = changed.read_text(encoding="utf-8")
    changed.write_text(text.replace("layers_per_block: 2", "layers_per_block: 1"), encoding="utf-8")
    return folder


def commands(repository: Path, *, peers: bool) -> list[Command]:
    """The baseline first, then unetscope's commands, then other tools on the same UNet."""
    python = sys.executable
    networks = [  # a command, and the bounds of its wall time and of its peak memory
        ("trace sd15.yaml", 1.0, 1.15),
        ("skips sd15", 1.0, 1.15),
        ("params sd15 --by-block", 1.0, 1.2),
        ("flops sd15", 1.0, 1.2),
        ("memory sd15", 1.0, 1.2),
        ("explain sd15 conv_in", 1.0, 1.2),
        ("trace sdxl_base", 1.15, 1.2),
        ("trace if_I_XL", 1.15, 1.2),
        ("flops if_I_XL", 1.15, 1.2),
    ]
    held = [
        *((f"{line} --no-cache", wall, memory) for line, wall, memory in networks),
        *((line, 0.2, 0.2) for line, _, _ in networks),
        (f"lock --check {' '.join(map(str, sorted(CONFIGS.glob('*.yaml'))))}", 0.5, None),
        ("--help", 0.15, None),
        ("trace --help", 0.2, None),
        ("list", 0.25, None),
        ("show sd15", 0.25, None),
        (f"diff {LOCKS}/sd15.lock {LOCKS}/sd15_inpaint.lock --fail-on none", 0.25, None),
    ]
    found = [Command(BASELINE, [python, "-c", "import torch"])]
    found += [
        Command(
            _named(line),
            [UNETSCOPE, *line.split()],
            wall,
            memory,
        )
        for line, wall, memory in held
    ]
    line = "diff --base main configs/ --fail-on none --no-cache"
    found.append(
        Command("unetscope diff --base, 1 of 41", [UNETSCOPE, *line.split()], 1.5, None, repository)
    )
    if peers:
        found += [
            Command("torchinfo on diffusers, meta", [python, "-c", TORCHINFO]),
            Command("fvcore on diffusers, cpu", [python, "-c", FVCORE]),
        ]
    return found


def _named(line: str) -> str:
    """A command as the table shows it."""
    short = line.replace(f"{LOCKS}/", "").replace(f"{CONFIGS}/", "").replace(" --no-cache", "")
    warm = line.split()[0] in WARM and "--no-cache" not in line and "--help" not in line
    return f"{'warm: ' if warm else ''}unetscope {short}"[:37]


def measure(command: Command) -> tuple[float, int]:
    """Seconds of wall time and bytes of peak memory of one process."""
    nowhere = subprocess.DEVNULL
    began = time.perf_counter()
    process = subprocess.Popen(
        command.arguments, stdout=nowhere, stderr=nowhere, cwd=command.folder
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command.arguments[:3]} left with {process.returncode}")
    return seconds, usage.ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--peers", action="store_true", help="time torchinfo and fvcore too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as kept:
        os.environ["UNETSCOPE_CACHE_DIR"] = kept
        chosen = commands(branch(Path(folder)), peers=options.peers)
        for command in chosen:  # warm caches
            measure(command)
        rounds = [[measure(command) for command in chosen] for _ in range(options.repeat)]
    print(f"{'':38}{'wall s':>8}{'ratio':>8}{'bound':>7}{'MiB':>8}{'ratio':>8}{'bound':>7}")
    for index, command in enumerate(chosen):
        seconds = statistics.median(r[index][0] for r in rounds)
        memory = statistics.median(r[index][1] for r in rounds)
        wall_ratio = statistics.median(r[index][0] / r[0][0] for r in rounds)
        memory_ratio = statistics.median(r[index][1] / r[0][1] for r in rounds)
        print(
            f"{command.name:38}{seconds:8.3f}{wall_ratio:8.2f}{command.wall or '':>7}"
            f"{memory / 2**20:8.0f}{memory_ratio:8.2f}{command.memory or '':>7}"
        )


if __name__ == "__main__":
    main()
