"""The record of one forward pass: frozen values that can be read, saved and compared without torch.

A record stores what belongs to one thing alone, such as a module's own parameters or an op's own
multiply-adds; totals are sums. Values, steps and ops refer to each other by their index in the
trace's tuples. Steps and ops share one clock: each start and end of a step and each op is one tick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

from unetscope.dtypes import nbytes
from unetscope.units import scaled
from unetscope.wording import harmless

Setting = bool | int | float | str | None
"""The value of an attribute that configures a module, such as a kernel size."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Shape and element type of a tensor."""

    shape: tuple[int, ...]
    """Such as `(1, 320, 64, 64)`, that is `(B, C, H, W)`."""
    dtype: str
    """torch's name without the prefix: `float32`; in a file also one of `dtypes.PACKED`: `Q4_K`."""

    @property
    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its elements; a view of a larger storage counts its own."""
        return nbytes(self.dtype, self.numel)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter or buffer that a module itself holds."""

    name: str
    """Its name in that module: `weight`."""
    spec: TensorSpec
    tied_to: str | None = None
    """The full name under which the same tensor was recorded first and counts; None if here."""
    persistent: bool = True
    """Whether a `state_dict` holds it; only buffers may be left out."""


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """One `nn.Module` of the network, called or not."""

    path: str
    """`down_blocks.0.resnets.1`; empty for the root."""
    kind: str
    """Its class: `ResnetBlock2D`."""
    attributes: dict[str, Setting | tuple[Setting, ...]]
    """The attributes that configure it: kernel size, stride, groups, eps, heads …"""
    parameters: tuple[Parameter, ...] = ()
    """Its own, not its children's."""
    buffers: tuple[Parameter, ...] = ()
    """Its own, not its children's."""

    @property
    def own_parameters(self) -> int:
        """The number of parameters that it holds itself; tied ones count where they came first."""
        return sum(p.spec.numel for p in self.parameters if p.tied_to is None)


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor at one point of the pass; an in-place operation makes a new value."""

    spec: TensorSpec
    storage: int
    """Index of its storage, which its views and in-place results share."""
    op: int | None = None
    """Index of the op that made it; None for an input, a parameter or a constant."""
    call: int | None = None
    """Index of its producer: the outermost step whose whole output it is; None if there is none."""
    source: str | None = None
    """The name of the network's input, or of a module's parameter, buffer or attribute, that it is;
    None for any other value."""
    updated: tuple[int, ...] = ()
    """Where another tensor was written to that has some of its elements: the value that its tensor
    held before, then what was written."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Memory behind one or more values."""

    nbytes: int
    born: int
    """The clock at which it was first seen."""
    died: int | None
    """The clock of the last event before it was freed; None if it outlived the pass."""
    resident: bool = False
    """Whether it existed before the pass: an input, a parameter or a buffer."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A tensor that a step takes."""

    name: str
    """The parameter of `forward` that received it: `hidden_states`, `residuals.1`."""
    value: int


@dataclass(frozen=True, slots=True)
class Closed:
    """What a step took or returned that could not be looked into for tensors."""

    name: str
    """The parameter of `forward` that received it, or `return`, with dots before what it is in."""
    kind: str
    """Its class: `generator`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of one module."""

    module: str
    """The module's path."""
    parent: int | None
    """Index of the step during which it ran; None for the root's."""
    start: int
    end: int | None
    """None if the call failed."""
    inputs: tuple[Argument, ...]
    outputs: tuple[int, ...]
    """The tensors it returned, nested ones flattened in order."""
    closed: tuple[Closed, ...] = ()
    """What may hold more tensors that it took or returned, and that nobody saw."""


@dataclass(frozen=True, slots=True)
class Op:
    """One function that ran in the body of a step, such as `torch.cat`, `reshape` or `+`."""

    name: str
    """As a reader of the code would write it: `torch.cat`, `Tensor.reshape`, `F.silu`, `+`."""
    step: int | None
    """Index of the innermost step in whose body it ran."""
    clock: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    detail: str = ""
    """Its arguments other than tensors: `dim=1`."""
    macs: int | None = 0
    """The multiply-adds that it performs; None where no formula is known."""
    attention_macs: int = 0
    """The part of `macs` that belongs to the two products of an attention inside the function."""


@dataclass(frozen=True, slots=True)
class SkipEvent:
    """An earlier tensor joined to one that was computed from it, with modules in between."""

    push: int
    """Its number, from 0, among all pushed tensors, in the order in which they were made."""
    value: int
    """Index of the value that was pushed, as it was made."""
    op: int
    """Index of the op that joins it."""
    operand: int
    """Its position among the inputs of the join."""
    onto: int
    """Index of the value that it was joined to."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and why a forward pass stopped."""

    module: str
    """Path of the innermost module that was running."""
    op: str | None
    """The function that failed, if one did."""
    inputs: tuple[TensorSpec, ...]
    """The tensors that it took."""
    message: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a trace was made; it is stored with the trace and never compared.

    No time is in it, so that the same network gives the same bytes.
    """

    torch: str
    device: str
    unetscope: str
    config: str = ""
    """The config as the user named it; empty if there was none."""
    overrides: tuple[str, ...] = ()
    """What changed that config, `KEY=VALUE` each, as the user wrote it."""
    arguments: str = ""
    """What code was given to build the network, in YAML."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything known about one forward pass of one network."""

    name: str
    modules: tuple[ModuleRecord, ...]
    """In the order of `named_modules()`; the root is first."""
    steps: tuple[Step, ...]
    """In the order in which they began."""
    ops: tuple[Op, ...]
    values: tuple[Value, ...]
    storages: tuple[Storage, ...]
    skips: tuple[SkipEvent, ...]
    """In the order of the joins."""
    inputs: tuple[Argument, ...]
    outputs: tuple[int, ...]
    config: dict[str, Any] = field(default_factory=dict)
    """The resolved config that the network was built from; empty if other code built it."""
    failure: Failure | None = None
    ragged: tuple[int, ...] = ()
    """The values that are nested tensors, of rows of several lengths; their shapes are those of all
    rows one after the other, `(N, C)`, or of all numbers."""
    provenance: Provenance | None = field(default=None, compare=False)

    @property
    def total_params(self) -> int:
        """The number of parameters; a shared tensor counts once."""
        return sum(module.own_parameters for module in self.modules)

    @property
    def total_macs(self) -> int:
        """Multiply-adds of the pass; functions without a formula (`macs` is None) add nothing."""
        return sum(op.macs or 0 for op in self.ops)

    def __repr__(self) -> str:
        facts = [
            f"{self.total_params:,} parameters",
            scaled(self.total_macs, "MACs"),
            f"{len(self.steps):,} calls",
            f"{len(self.skips)} skips",
        ]
        uncounted = {op.name for op in self.ops if op.macs is None}
        if uncounted:
            facts.insert(2, f"not counted: {', '.join(sorted(uncounted))}")
        if self.failure is not None:
            facts.append(f"failed in {self.failure.module or 'the root'}")
        return harmless(f"<Trace of {self.name}: {', '.join(facts)}>")


@dataclass(frozen=True)
class MeasuredMemory:
    """What a real run took on a GPU, in bytes.

    Attributes:
        held: before a pass: weights, inputs and workspaces.
        workspace: of this, what libraries keep from the first pass on.
        peak: the most that a pass took beside.
        blocks: the most that each block took beside, in the order of the calls.
    """

    held: int
    workspace: int
    peak: int
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class Measurement:
    """What a real run took.

    Attributes:
        device: in words.
        dtype: of weights and inputs.
        warm_up: passes before those that count.
        runs: passes that count.
        seconds: a whole pass, the median.
        blocks: seconds of each block, the medians, in the order of the calls.
        memory: None where it cannot be measured.
    """

    device: str
    dtype: str
    warm_up: int
    runs: int
    seconds: float
    blocks: tuple[float, ...]
    memory: MeasuredMemory | None = None


def lies_in(path: str, outer: str) -> bool:
    """Whether a module, by its path, is another one, which is not the root, or lies in it."""
    return path == outer or path.startswith(f"{outer}.")
