"""The record of one forward pass: frozen values that can be read, saved and compared without torch.

What belongs to one thing alone is stored here; totals are sums. Tensors, calls and functions refer
to each other by index into the trace's tuples. Calls and functions share one clock: every start
and end of a call and every function is one tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from math import prod
from typing import Any

BYTES_PER_ELEMENT = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "complex32": 4,
    "complex64": 8,
    "complex128": 16,
}

Setting = bool | int | float | str | None
"""A plain value that a module is set to."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Shape and element type of a tensor."""

    shape: tuple[int, ...]
    """Such as `(1, 320, 64, 64)`, that is `(B, C, H, W)`."""
    dtype: str
    """torch's name without the prefix: `float32`."""

    @property
    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its elements; a view of a larger storage counts its own."""
        return self.numel * BYTES_PER_ELEMENT[self.dtype]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter or buffer that a module itself holds."""

    name: str
    """Its name in that module: `weight`."""
    spec: TensorSpec
    tied_to: str | None = None
    """The full name under which the same tensor was met first, if it was; it counts there."""


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """One `nn.Module` of the network, called or not."""

    path: str
    """`down_blocks.0.resnets.1`; empty for the root."""
    kind: str
    """Its class: `ResnetBlock2D`."""
    attributes: dict[str, Setting | tuple[Setting, ...]]
    """What it is set to: kernel, stride, groups, eps, heads …"""
    parameters: tuple[Parameter, ...] = ()
    """Its own, not its children's."""
    buffers: tuple[Parameter, ...] = ()
    """Its own, not its children's."""

    @property
    def own_parameters(self) -> int:
        """How many parameters it owns itself, those tied to others not counted."""
        return sum(p.spec.numel for p in self.parameters if p.tied_to is None)


@dataclass(frozen=True, slots=True)
class Value:
    """One tensor as it was at one time; an in-place operation makes a new value."""

    spec: TensorSpec
    storage: int
    """Index of its storage; views and in-place results share one."""
    op: int | None = None
    """The function that made it; None for an input, a parameter or a constant."""
    call: int | None = None
    """Its producer: the outermost call whose whole output it is; None if there is none."""
    source: str | None = None
    """The name of the network's input or parameter that it is."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Memory behind one or more values."""

    nbytes: int
    born: int
    """Clock when it was first seen."""
    died: int | None
    """Clock of the last event before it was freed; None if it outlived the pass."""
    resident: bool = False
    """It was there before the pass: an input, a parameter, a buffer."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A tensor that a call was given."""

    name: str
    """The parameter of `forward` that received it: `hidden_states`, `residuals.1`."""
    value: int


@dataclass(frozen=True, slots=True)
class Step:
    """One call of one module."""

    module: str
    """The module's path."""
    parent: int | None
    """The call during which it happened; None for the root's."""
    start: int
    end: int | None
    """None if it failed."""
    inputs: tuple[Argument, ...]
    outputs: tuple[int, ...]
    """The tensors it returned, nested ones flattened in order."""


@dataclass(frozen=True, slots=True)
class Op:
    """One function called between the calls, such as `torch.cat`, `reshape` or `+`."""

    name: str
    """As a reader of the code would write it: `torch.cat`, `Tensor.reshape`, `F.silu`, `+`."""
    step: int | None
    """The innermost call in whose body it ran."""
    clock: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    detail: str = ""
    """Its arguments that are no tensors: `dim=1`."""
    macs: int | None = 0
    """Multiply-adds that it does; None where no formula is known."""
    attention_macs: int = 0
    """Those of them that are the two products of an attention inside the function."""


@dataclass(frozen=True, slots=True)
class SkipEvent:
    """An earlier tensor joined to one that was computed from it, with modules in between."""

    push: int
    """Its number among all tensors that are ever joined, in the order of their making, from 0."""
    value: int
    """The tensor that was pushed, as it was made."""
    op: int
    """The join."""
    operand: int
    """Its position among the tensors that were joined."""
    onto: int
    """The value it was joined to."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Where and why a forward pass stopped."""

    module: str
    """Path of the innermost module that was running."""
    op: str | None
    """The function that failed, if one did."""
    inputs: tuple[TensorSpec, ...]
    """The tensors it was given."""
    message: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a trace came about: stated, never compared."""

    torch: str
    device: str
    seconds: float
    """Wall time of the forward pass, recording included."""
    unetscope: str
    config: str = ""
    """The config as the user named it; empty if there was none."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything known about one forward pass of one network."""

    name: str
    modules: tuple[ModuleRecord, ...]
    """In the order of `named_modules()`; the root is first."""
    steps: tuple[Step, ...]
    """In the order they began."""
    ops: tuple[Op, ...]
    values: tuple[Value, ...]
    storages: tuple[Storage, ...]
    skips: tuple[SkipEvent, ...]
    """In the order of the joins."""
    inputs: tuple[Argument, ...]
    outputs: tuple[int, ...]
    config: dict[str, Any] = field(default_factory=dict)
    """The config it was built from, as resolved; empty if it was built by other code."""
    failure: Failure | None = None
    provenance: Provenance | None = field(default=None, compare=False)

    @property
    def total_params(self) -> int:
        """The number of parameters; a shared tensor counts once."""
        return sum(module.own_parameters for module in self.modules)

    @property
    def total_macs(self) -> int:
        """Multiply-adds of the pass; functions without a formula (`macs` is None) add nothing."""
        return sum(op.macs or 0 for op in self.ops)

    def to_dict(self) -> dict[str, Any]:
        """The whole record as dicts, lists, strings and numbers."""
        data: dict[str, Any] = _summary().to_dict(self)
        return data

    def to_json(self) -> str:
        """The whole record as JSON, as `unetscope trace --save` writes it."""
        return str(_summary().to_json(self))

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of every table by its key: `pandas.DataFrame(trace.tables()["ledger"])`.

        The keys are those of `--format json`; `calls` is the tree of every call. A table that this
        network has not is left out.
        """
        rows: dict[str, list[dict[str, Any]]] = _summary().tables(self)
        return rows

    def blocks(self) -> list[dict[str, Any]]:
        """One row a block: path, part, class, shapes, parameters and multiply-adds inside."""
        rows: list[dict[str, Any]] = _summary().blocks(self)
        return rows

    def __repr__(self) -> str:
        return str(_summary().line(self))

    def _repr_html_(self) -> str:
        """What notebooks show."""
        return str(_summary().html(self))

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """What `rich.print` shows."""
        color = console.color_system is not None
        ansi = _summary().text(self, options.max_width, color=color)
        yield import_module("rich.text").Text.from_ansi(ansi.rstrip("\n"))


def _summary() -> Any:
    """What stands above this module, and is found by name so that this one stays at the bottom."""
    return import_module("unetscope.summary")
