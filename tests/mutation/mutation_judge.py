"""What a change of code does to a network, and what `diff` says of it.

What it does is found out on the CPU: the old and the new network get the same weights by name and
the same inputs, and their results are compared. Buffers keep what the code made of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any
from zlib import crc32

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from unetscope.analysis.diff import ChangeSeverity, diff
from unetscope.analysis.digest import digest
from unetscope.lock import Lock
from unetscope.tracing import trace

CLOSE = 1e-9
"""Results that differ by less, relative to the largest number in them, are the same."""
SCALES = (1.0, 4.0)
"""Of the inputs of each pass: small ones reach no clamp, large ones saturate every sigmoid."""


class Truth(Enum):
    """What a change of code does."""

    BREAKS = "another state_dict, or other shapes or types of inputs or outputs"
    RESULT = "another result"
    VALUES = "another result, by nothing but the values of buffers"
    """No pass on meta has them: they are made before it, by code that is not traced."""
    SAME = "the same result"


@dataclass(frozen=True)
class Verdict:
    """What a change does, and what was said of it.

    Attributes:
        truth: what it does.
        worst: the worst severity that `diff` gave; None without changes.
        ids: those of all changes, the worst first.
        failure: why the new network could not be traced; nothing was said of it then.
    """

    truth: Truth
    worst: ChangeSeverity | None = None
    ids: tuple[str, ...] = ()
    failure: str = ""

    @property
    def alarm(self) -> bool:
        """Whether `diff` says that results or checkpoints change."""
        return (self.worst or 0) >= ChangeSeverity.BEHAVIOURAL

    @property
    def right(self) -> bool:
        """Whether `diff` says what is so, and how bad it is."""
        said = max(self.worst or 0, ChangeSeverity.COST)
        return not self.failure and said == _OWED[self.truth]


_OWED = {
    Truth.BREAKS: ChangeSeverity.BREAKING,
    Truth.RESULT: ChangeSeverity.BEHAVIOURAL,
    Truth.VALUES: ChangeSeverity.BEHAVIOURAL,
    Truth.SAME: ChangeSeverity.COST,
}


class Subject:
    """A network as its code makes it, with its results and its lock.

    Args:
        build: makes the network on torch's default device.
        inputs: the keyword arguments of `forward` on the CPU, one dict for each pass.
        name: of the network.

    Raises:
        Exception: whatever the code raises on the CPU.
    """

    def __init__(
        self, build: Callable[[], nn.Module], inputs: tuple[dict[str, Any], ...], name: str = "Net"
    ) -> None:
        self._build, self._inputs, self._name = build, inputs, name
        with _quietly():
            self._model = build().eval()
            _fill(self._model)
            self.results = self._run()

    def _run(self) -> list[list[Any]]:
        torch.manual_seed(0)
        with torch.no_grad():
            return [tree_leaves(self._model(**_copied(given))) for given in self._inputs]

    @cached_property
    def contract(self) -> tuple[Any, ...]:
        """What checkpoints and callers rely on: shapes in `state_dict`; inputs and outputs."""
        held = {name: tuple(tensor.shape) for name, tensor in self._model.state_dict().items()}
        return held, *(
            [(getattr(leaf, "shape", None), getattr(leaf, "dtype", None)) for leaf in leaves]
            for leaves in map(tree_leaves, (self._inputs[0], self.results[0]))
        )

    @cached_property
    def lock(self) -> Lock:
        """Its lock, traced on meta, or on the CPU where meta lacks values."""
        with _quietly():
            try:
                with torch.device("meta"):
                    model = self._build()
                return digest(trace(model, (), _copied(self._inputs[0], "meta"), name=self._name))
            except Exception:
                return digest(trace(self._model, (), _copied(self._inputs[0]), name=self._name))

    def like(self, other: Subject) -> bool:
        """Whether it returns what the other returns."""
        pairs = [*zip(self.results, other.results, strict=True)]
        return all(
            len(ours) == len(theirs) and all(map(_close, ours, theirs)) for ours, theirs in pairs
        )

    def values(self) -> dict[str, torch.Tensor]:
        """Its buffers and the tensors that are attributes of its modules, by name."""
        found = dict(self._model.named_buffers())
        for path, module in self._model.named_modules():
            for name, held in vars(module).items():
                if isinstance(held, torch.Tensor):
                    found[f"{path}.{name}"] = held
        return found

    def like_with_values(self, other: Subject) -> bool:
        """Whether it returns what the other returns once it has that one's buffers."""
        ours, theirs = self.values(), other.values()
        if {n: t.shape for n, t in ours.items()} != {n: t.shape for n, t in theirs.items()}:
            return False
        if all(torch.equal(ours[name], theirs[name]) for name in ours):
            return False
        before = {name: held.clone() for name, held in ours.items()}
        for name, held in ours.items():
            held.copy_(theirs[name])
        results, self.results = self.results, self._run()
        same = self.like(other)
        self.results = results
        for name, held in ours.items():
            held.copy_(before[name])
        return same


def judged(old: Subject, new: Subject) -> Verdict:
    """What changed from one network to the other, and what `diff` says of it."""
    with _quietly():
        truth = _truth(old, new)
        try:
            found = diff(old.lock, new.lock)
        except Exception as error:
            return Verdict(truth, failure=f"{type(error).__name__}: {error}")
    return Verdict(truth, found.worst, tuple(dict.fromkeys(c.id for c in found.changes)))


def _truth(old: Subject, new: Subject) -> Truth:
    if old.contract != new.contract:
        return Truth.BREAKS
    if new.like(old):
        return Truth.SAME
    return Truth.VALUES if new.like_with_values(old) else Truth.RESULT


def subject(source: str) -> Subject:
    """The network `Net` of a source, whose function `inputs` draws what it takes.

    Raises:
        Exception: whatever the code raises.
    """
    names: dict[str, Any] = {"__name__": "network"}
    with _quietly():
        exec(compile(source, "<network>", "exec"), names)
    return Subject(names["Net"], tuple(drawn(names["inputs"], scale) for scale in SCALES))


def drawn(inputs: Callable[[Callable[..., torch.Tensor]], Any], scale: float) -> dict[str, Any]:
    """Inputs of a network, the same for each that draws the same shapes in the same order."""
    generator = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> torch.Tensor:
        return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)

    given: dict[str, Any] = inputs(draw)
    return given


def _fill(model: nn.Module) -> None:
    """Weights that depend on their names and shapes alone, and keep values of usual size."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            generator = torch.Generator().manual_seed(crc32(name.encode()))
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            if parameter.dim() > 1:
                parameter.copy_(values / max(1, parameter[0].numel()) ** 0.5)
            else:
                parameter.copy_(0.5 + 0.3 * values)


def _copied(given: Mapping[str, Any], device: str = "cpu") -> dict[str, Any]:
    """Inputs that the code may change in place."""
    return {
        name: _copied(value, device)
        if isinstance(value, Mapping)
        else value.clone().to(device)
        if isinstance(value, torch.Tensor)
        else value
        for name, value in given.items()
    }


def _close(ours: Any, theirs: Any) -> bool:
    if not isinstance(ours, torch.Tensor) or not isinstance(theirs, torch.Tensor):
        return type(ours) is type(theirs) and bool(ours == theirs)
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return False
    if not ours.numel():
        return True
    bound = CLOSE * float(theirs.double().nan_to_num().abs().max())
    return torch.allclose(ours.double(), theirs.double(), rtol=0, atol=bound, equal_nan=True)


@contextmanager
def _quietly() -> Iterator[None]:
    """In double precision, on one thread and without warnings."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    if threads != 1:
        torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_default_dtype(dtype)
        if threads != 1:
            torch.set_num_threads(threads)
