"""`unetscope flops CONFIG --audit`: other counters on the same network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unetscope.commands import console
from unetscope.commands.passes import Request, run, say_notes
from unetscope.errors import ConfigError, UnetscopeError

if TYPE_CHECKING:
    from torch import nn

    from unetscope.config import Spec
    from unetscope.table import Table


def audited(request: Request, language: str, *, full: bool) -> tuple[list[Table], bool]:
    """The audit's tables, and whether every difference is explained.

    torch counts the network itself on meta. fvcore needs real weights, so it counts a narrow twin
    unless `full`: the same blocks and functions, with fewer channels and a small sample.

    Raises:
        UnetscopeError: the request is a saved trace.
    """
    import fvcore
    import torch

    from unetscope import store
    from unetscope.analysis.audit import against_fvcore, against_torch
    from unetscope.analysis.cost import Cost
    from unetscope.analysis.network import Network
    from unetscope.tracing.engines import by_fvcore, by_torch
    from unetscope.views.flops import Audit, audit
    from unetscope.words import Words

    path = Path(request.source)
    if path.is_file() and store.is_trace(path):
        raise UnetscopeError(
            f"`{path}` is a saved trace: an audit runs the network again",
            hint="name the config that it was traced from",
        )
    spec = request.spec()
    say_notes(spec)
    cost = Cost(Network(run(spec)))
    torchs = against_torch(cost, by_torch(*_placed(spec, "meta")))
    twin = spec if full else narrow(request, spec)
    if twin is not spec:
        cost = Cost(Network(run(twin)))
    console.say(f"running {_described(twin)} for fvcore")
    fvcores = against_fvcore(cost, by_fvcore(*_placed(twin, "cpu")))
    audits = [
        Audit(f"torch {torch.__version__}, FlopCounterMode", _described(spec), torchs),
        Audit(f"fvcore {fvcore.__version__}, FlopCountAnalysis", _described(twin), fvcores),
    ]
    return audit(Words(language), audits), all(one.explained for one in audits)


def narrow(request: Request, spec: Spec) -> Spec:
    """The same network with as few channels as its heads and groups allow, on a small sample."""
    from unetscope.families import find

    family = find(spec.family)
    side = 2 ** len(family.channels(spec.unet))
    small = replace(request, batch=1, height=side, width=side)
    for narrowed in family.narrower(spec.unet):
        try:
            return replace(small, overrides=(*request.overrides, *narrowed)).spec()
        except ConfigError:
            continue
    return small.spec()


def _placed(spec: Spec, device: str) -> tuple[nn.Module, dict[str, Any]]:
    from unetscope.tracing import devices

    model = devices.build(spec.build, device, "float32")
    return model, devices.zeros(spec.tensors(), device, "float32")


def _described(spec: Spec) -> str:
    from unetscope.families import find

    channels = ", ".join(map(str, find(spec.family).channels(spec.unet)))
    return f"{spec.name}, {channels} channels, {spec.inputs.height}x{spec.inputs.width}"
