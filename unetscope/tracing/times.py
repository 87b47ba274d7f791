"""What a layer makes of the time: it runs on the CPU, and its sines and cosines are watched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from unetscope.analysis.times import Channel, TimeEmbedding, TimeLayer, Wave
from unetscope.errors import UnetscopeError
from unetscope.tracing.calls import arguments
from unetscope.tracing.contents import leaves
from unetscope.tracing.modules import eager, inference
from unetscope.turns import turn

_PROBES = tuple(float(round(1 + 999 * index / 63)) for index in range(64))
"""Times at which channels are told apart; without 0, which has no logarithm."""
_CLOSE = 0.02
"""What types of 16 bits make of a number near 1."""
_WAVES = {"sin": Wave.SINE, "sin_": Wave.SINE, "cos": Wave.COSINE, "cos_": Wave.COSINE}


class _Reached(BaseException):
    """The embedding has come to a layer with weights: what follows is not looked at.

    No network catches it, as it is no `Exception`.
    """


@dataclass
class _Watch(TorchFunctionMode):
    """Follows the time to the first matrix of weights that its sinusoids are multiplied with.

    Attributes:
        time: what was given.
        angles: for each function of a sine or cosine, which, and of what `(B, K)`.
        last: the last tensor of features `(B, C)` that was computed from these.
        held: whether a parameter scaled the time before.
    """

    time: Tensor
    angles: list[tuple[Wave, Tensor]] = field(default_factory=list)
    last: Tensor | None = None
    held: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self._kept: list[Tensor] = []
        self._timed, self._waving = {id(self.time)}, set[int]()
        self._weights, self._scales = set[int](), set[int]()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        given = leaves(args, kwargs or {})
        timed = any(id(tensor) in self._timed for tensor in given)
        waving = any(id(tensor) in self._waving for tensor in given)
        weights = any(map(self._is_weight, given))
        scales = any(isinstance(t, nn.Parameter) or id(t) in self._scales for t in given)
        if waving and weights:
            self._keep(next(tensor for tensor in given if id(tensor) in self._waving))
            raise _Reached
        name = getattr(func, "__name__", "")
        if timed and name in _WAVES:
            self.angles.append((_WAVES[name], self._rows(given[0].detach().clone())))
            waving = True
        elif timed and scales and not waving:
            self.held = True
        result = func(*args, **(kwargs or {}))
        made = [*leaves(result), *(given[:1] if name == "__setitem__" else ())]
        self._kept += made
        for known, is_one in (
            (self._timed, timed),
            (self._waving, waving),
            (self._weights, weights),
            (self._scales, scales and not timed),
        ):
            known.update(id(tensor) for tensor in made if is_one)
        if waving and made:
            self._keep(made[0])
        return result

    def _is_weight(self, tensor: Tensor) -> bool:
        is_matrix = isinstance(tensor, nn.Parameter) and tensor.numel() > max(
            tensor.shape, default=1
        )
        return is_matrix or id(tensor) in self._weights

    def _keep(self, tensor: Tensor) -> None:
        if tensor.dim() > 1 and len(tensor) == len(self.time) and tensor.is_floating_point():
            self.last = tensor

    def _rows(self, tensor: Tensor) -> Tensor:
        return tensor.reshape(len(self.time), -1).double()


@dataclass
class _Evaluated:
    """Features of some times `(N, C)`, and the angles of each function of waves `(N, K)`."""

    features: Tensor
    angles: list[tuple[Wave, Tensor]]
    held: bool

    def __getitem__(self, rows: slice) -> _Evaluated:
        cut = [(wave, angles[rows]) for wave, angles in self.angles]
        return _Evaluated(self.features[rows], cut, self.held)


@turn()
def embed(
    layer: TimeLayer,
    model: nn.Module,
    inputs: tuple[tuple[Any, ...], Mapping[str, Any]],
    *,
    at: Sequence[float],
    steps: int,
    distances: Iterable[int],
    channels: Callable[[int], Iterable[int]],
) -> TimeEmbedding:
    """Run a network's time layer at many times.

    Args:
        layer: where it is.
        model: the network on the CPU, with the buffers that its code computes.
        inputs: of the network, which runs up to its embedding where the layer cannot run alone.
        at: times whose values are wanted.
        steps: of the whole schedule: 0, 1 … steps - 1.
        distances: whose similarities are wanted.
        channels: from the number of channels those whose values at every step are wanted.

    Raises:
        UnetscopeError: it fails, or what it makes are no features `(B, C)`.
    """
    times = [*_PROBES, *map(float, (*at, *range(steps)))]
    with inference(model.modules(), torch.device("cpu")), eager(), torch.no_grad():
        run = _alone if layer.alone else _in_the_network
        found = run(layer, model, inputs, times)
    probes, asked = found[: len(_PROBES)], found[len(_PROBES) :]
    every = asked.features[len(at) :]
    units = torch.nn.functional.normalize(every, dim=1)
    similar = {d: (units[: steps - d] * units[d:]).sum(1).tolist() for d in distances if d < steps}
    values = asked.features[: len(at)].T.tolist()
    count = every.shape[1]
    known = _channels(probes)
    return TimeEmbedding(
        layer,
        found.held,
        tuple(at),
        tuple(Channel(*each, tuple(row)) for each, row in zip(known, values, strict=True)),
        {d: tuple(each) for d, each in similar.items()},
        {c: tuple(every[:, c].tolist()) for c in channels(count)},
    )


def _alone(layer: TimeLayer, model: nn.Module, inputs: Any, times: Sequence[float]) -> _Evaluated:
    whole = all(time.is_integer() for time in times)
    dtype = getattr(torch, layer.dtype)
    time = torch.tensor(times, dtype=dtype if whole or dtype.is_floating_point else torch.float32)
    try:
        return _watched(layer, time, lambda: model.get_submodule(layer.path)(time))
    except TypeError:  # it takes more than tensors, which only the network gives it
        return _in_the_network(layer, model, inputs, times)


def _in_the_network(
    layer: TimeLayer, model: nn.Module, inputs: Any, times: Sequence[float]
) -> _Evaluated:
    args, kwargs = inputs
    time = next(tensor for name, tensor in arguments(model, args, kwargs) if name == layer.input)
    if not time.is_floating_point() and not all(each.is_integer() for each in times):
        raise UnetscopeError(f"`{layer.input}` is {layer.dtype}: expected whole times")
    rows = []
    for each in times:
        time.fill_(each)
        found = _watched(layer, time.reshape(-1), lambda: model(*args, **kwargs), time)
        rows.append(found[:1])
    angles = [
        (wave, torch.cat([row.angles[index][1] for row in rows]))
        for index, (wave, _) in enumerate(rows[0].angles)
    ]
    return _Evaluated(torch.cat([row.features for row in rows]), angles, rows[0].held)


def _watched(
    layer: TimeLayer, times: Tensor, run: Callable[[], Any], given: Tensor | None = None
) -> _Evaluated:
    watch = _Watch(times)
    if given is not None:
        watch._timed.add(id(given))
    where = f"`{layer.path}`" if layer.path else "the network"
    result: Any = None
    try:
        with watch:
            result = run()
    except _Reached:
        pass
    except TypeError:
        raise
    except Exception as error:
        said = (str(error) or "no message").partition("\n")[0]
        raise UnetscopeError(f"{where} fails by itself: {type(error).__name__}: {said}") from error
    else:
        if layer.alone and isinstance(result, Tensor):
            watch._keep(result)
    if watch.last is None or not watch.angles:
        raise UnetscopeError(
            f"{where} computes sines or cosines of `{layer.input}`, but makes no features (B, C) "
            "of them that could be shown"
        )
    return _Evaluated(watch._rows(watch.last.detach()), watch.angles, watch.held)


def _channels(probes: _Evaluated) -> list[tuple[Wave, float | None, float, bool]]:
    """What each channel is: compared with all waves that the layer computes at the same times."""
    waves = [wave for wave, angles in probes.angles for _ in range(angles.shape[1])]
    angles = torch.cat([angles for _, angles in probes.angles], dim=1)
    made = torch.cat(
        [a.sin() if wave is Wave.SINE else a.cos() for wave, a in probes.angles], dim=1
    )
    rules = [_rule(angles[:, index]) for index in range(angles.shape[1])]
    found: list[tuple[Wave, float | None, float, bool]] = []
    for column in probes.features.T:
        if not column.any():
            found.append((Wave.ZERO, None, 0.0, False))
            continue
        scale = (made * column[:, None]).sum(0) / (made**2).sum(0).clamp_min(1e-30)
        exact = (made - column[:, None]).abs().amax(0)
        scaled = (made * scale - column[:, None]).abs().amax(0) / column.abs().max()
        off = exact if float(exact.min()) <= _CLOSE else scaled
        index = int(off.argmin())
        if float(off[index]) <= _CLOSE:
            found.append((waves[index], *rules[index]))
        else:
            found.append((Wave.OTHER, None, 0.0, False))
    return found


def _rule(angles: Tensor) -> tuple[float | None, float, bool]:
    """Frequency, phase, and whether they are of the logarithm, from the angles at the probes."""
    times = torch.tensor(_PROBES, dtype=torch.float64)
    for follows_log in (False, True):
        x = times.log() if follows_log else times
        frequency = float((angles[-1] - angles[0]) / (x[-1] - x[0]))
        phase = float(angles[0] - frequency * x[0])
        off = float((x * frequency + phase - angles).abs().max())
        if isfinite(off) and off <= 1e-3 * max(1e-3, float(angles.abs().max())):
            return frequency, 0.0 if abs(phase) < 1e-3 else phase, follows_log
    return None, 0.0, False
