"""The index of the shipped configs, made anew: what `unetscope list` says without torch.

python -m unetscope.sources.index   # writes configs/index.json anew
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unetscope.config import Spec
    from unetscope.record import Trace


def make_index() -> dict[str, dict[str, Any]]:
    """The index as the configs and one pass of each network give it."""
    from unetscope.config import load, shipped
    from unetscope.sources import Request, resolve

    return {
        name: entry(load(name), path, resolve(Request(str(path))).trace())
        for name, path in shipped().items()
    }


def entry(spec: Spec, path: Path, trace: Trace) -> dict[str, Any]:
    """What the index says of a config that lies at `path`; `trace` is of its network."""
    from unetscope.checkpoints.known import digests

    return {
        "extends": _parent(path),
        "title": spec.name,
        "family": spec.family,
        "parameters": trace.total_params,
        "macs": trace.total_macs,
        "height": spec.inputs.height,
        "width": spec.inputs.width,
        "conditioning": _conditioning(spec.tensors()),
        "source": spec.source,
        "digests": digests(saved_shapes(trace)),
    }


def saved_shapes(trace: Trace) -> dict[str, tuple[int, ...]]:
    """The shapes of all that a `state_dict` of the network holds, by name."""
    return {
        f"{module.path}.{held.name}".lstrip("."): held.spec.shape
        for module in trace.modules
        for held in (*module.parameters, *module.buffers)
        if held.persistent
    }


def _parent(path: Path) -> str | None:
    """The config that one extends."""
    import yaml

    parent = yaml.safe_load(path.read_text(encoding="utf-8")).get("extends")
    return None if parent is None else Path(parent).stem


def _conditioning(inputs: Mapping[str, Any]) -> list[str]:
    """What a network is conditioned on besides the time step, by the names of its inputs."""
    found = []
    for name, given in inputs.items():
        if isinstance(given, Mapping):
            found += list(given)
        elif name not in ("sample", "timestep", "latent", "time", "x", "t"):
            found.append(name)
    return found


def main() -> None:
    """Write the index."""
    from unetscope.config.files import index_file
    from unetscope.files.writing import write

    text = json.dumps(make_index(), indent=1, ensure_ascii=False) + "\n"
    write(index_file(), text.encode())


if __name__ == "__main__":
    main()
