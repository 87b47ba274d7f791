"""What header-only twins of every shipped network are taken for, by unetscope and by diffusers.

    python benchmarks/identify.py [--files 1000]

Each network is written as a safetensors file of its names and shapes, with a hole for its weights:
under diffusers' names, as `unet/diffusion_pytorch_model.safetensors` has them, and under those of
the original code, with `model.diffusion_model.` before them, where it has such. `identify` is right
if its set is that of the networks with these tensors, and wrong if it calls another set exact.
diffusers' detector (`infer_diffusers_model_type`) answers with the type of a pipeline; it is meant
for whole checkpoints, whose text encoders tell more. It is right if the network is of that type.

Then the time: one file of Stable Diffusion XL as a process, against `python -c "import torch"` in
the same run; and many files in one process. Exit 1 if an answer is wrong or a bound is not kept.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # whatever PYTHONPATH names comes first

import unetscope
from unetscope.checkpoints.known import in_original_names
from unetscope.config import shipped
from unetscope.sources import Request, resolve
from unetscope.sources.torchvision_operators import lend_missing

TYPES = {
    "v1": ("sd14", "sd15"),
    "v2": ("sd20", "sd21", "sd21_base"),
    "inpainting": ("sd15_inpaint",),
    "instruct-pix2pix": ("instruct_pix2pix",),
    "upscale": ("sd_x4_upscaler",),
    "xl_base": ("sdxl_base", "sdxl_turbo"),
    "xl_inpaint": ("sdxl_inpaint",),
    "xl_refiner": ("sdxl_refiner",),
    "controlnet": ("controlnet_sd15",),
    "controlnet_xl_large": ("controlnet_sdxl",),
}
"""diffusers' types of pipelines -> the shipped networks that are of them."""
PREFIX, CONTROL = "model.diffusion_model.", "control_model."
FILE_RATIO = 0.25
"""Of the time of `import torch`, what one file takes, at most."""
PER_SECOND = 200
"""Files of published networks that are read in a second, at least."""
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Twin:
    """A file of a network's names and shapes.

    Attributes:
        network: its config.
        names: whose its names are.
        file: where it is.
        tensors: its names and shapes.
    """

    network: str
    names: str
    file: Path
    tensors: Shapes


def twins(folder: Path) -> Iterator[Twin]:
    """Every shipped network in each dialect."""
    for name in shipped():
        lock = resolve(Request(name)).lock()
        shapes = {tensor.name: tensor.shape for tensor in lock.tensors if tensor.persistent}
        yield Twin(name, "diffusers", written(folder / f"{name}.safetensors", shapes), shapes)
        if (original := in_original_names(shapes)) is not None:
            prefix = CONTROL if "input_hint_block.0.weight" in original else PREFIX
            prefixed = {f"{prefix}{key}": shape for key, shape in original.items()}
            file = written(folder / f"{name}_original.safetensors", prefixed)
            yield Twin(name, "original", file, prefixed)


def written(path: Path, shapes: Shapes) -> Path:
    """A safetensors file with a hole for its weights, two bytes each."""
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return path


def detected(tensors: Shapes) -> str:
    """The answer of diffusers."""
    import torch
    from diffusers.loaders.single_file_utils import infer_diffusers_model_type

    checkpoint = {n: torch.empty(shape, device="meta") for n, shape in tensors.items()}
    return str(infer_diffusers_model_type(checkpoint))


def answers(found: list[Twin]) -> Counter[str]:
    """Prints what each twin is taken for, and counts the right and the wrong."""
    counts: Counter[str] = Counter()
    alike = {json.dumps(sorted(twin.tensors.items())): set[str]() for twin in found}
    for twin in found:
        alike[json.dumps(sorted(twin.tensors.items()))].add(twin.network)
    print(f"{'network':24}{'names':12}{'unetscope':34}{'certainty':20}diffusers")
    for twin in found:
        answer = unetscope.identify(twin.file)
        theirs = detected(twin.tensors)
        equal = alike[json.dumps(sorted(twin.tensors.items()))]
        right = set(answer.networks) == equal and answer.certainty.value.startswith("exact")
        counts["right"] += right
        counts["wrong"] += not right and answer.certainty.value.startswith("exact")
        counts["theirs"] += twin.network in TYPES.get(theirs, ())
        marks = "" if right else " (!)", "" if twin.network in TYPES.get(theirs, ()) else " (!)"
        print(
            f"{twin.network:24}{twin.names:12}{answer.label + marks[0]:34}"
            f"{answer.certainty.value:20}{theirs}{marks[1]}",
            flush=True,
        )
    print(
        f"\nof {len(found)}: unetscope {counts['right']} right, {counts['wrong']} wrong and called "
        f"exact; diffusers {counts['theirs']} right (! marks what is not)"
    )
    return counts


def ratio(file: Path, repeat: int) -> float:
    """The time of one file as a process, in that of `import torch`."""

    def timed(*command: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    identify = ("-m", "unetscope", "identify", str(file))
    timed("-c", "import torch"), timed(*identify)
    rounds = [timed(*identify) / timed("-c", "import torch") for _ in range(repeat)]
    return statistics.median(rounds)


def per_second(found: list[Twin], files: int) -> float:
    """Files in a second of the process's own time, in one process."""
    unetscope.identify(found[0].file)
    began = time.process_time()
    for number in range(files):
        unetscope.identify(found[number % len(found)].file)
    return files / (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    lend_missing()
    with tempfile.TemporaryDirectory(prefix="unetscope-") as name:
        found = list(twins(Path(name)))
        counts = answers(found)
        large = next(twin.file for twin in found if twin.network == "sdxl_base")
        one, rate = ratio(large, options.repeat), per_second(found, options.files)
    print(f"sdxl_base: {one:.3f} of `import torch`, the bound is {FILE_RATIO}")
    print(f"{options.files} files: {rate:.0f} in a second, the bound is {PER_SECOND}")
    kept = counts["right"] == len(found) and one <= FILE_RATIO and rate >= PER_SECOND
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
