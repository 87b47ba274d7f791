"""What the header of a weights file tells, in one form for every kind of file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from unetscope.record import TensorSpec

MOST_TENSORS = 100_000
"""The most tensors that are read of a file; the largest checkpoints of UNets have some 10,000."""
LONGEST_NAME = 500
"""The most characters that the name of a tensor may have."""
MOST_AXES = 64
"""The most axes that a tensor may have, as in torch."""

Setting = str | int | float | bool


@dataclass(frozen=True, slots=True, eq=False)
class Header(Mapping[str, TensorSpec]):
    """The tensors of a checkpoint by name, in the file's order, and what stands beside them.

    It is a mapping of the names to shapes and dtypes, and equal to any other with the same items.
    """

    form: str
    """`safetensors`, `GGUF`, `PyTorch (zip)`, `PyTorch (legacy)` or `a pickle`."""
    tensors: dict[str, TensorSpec]
    metadata: dict[str, Setting] = field(default_factory=dict)
    """Texts and numbers that the file holds beside its tensors: `general.architecture`."""
    others: dict[str, dict[str, TensorSpec]] = field(default_factory=dict)
    """Further sets of tensors, by where a PyTorch checkpoint has them: `ema`, `optimizer`."""
    imports: tuple[str, ...] = ()
    """What Python would import to load the file: `collections.OrderedDict`. Nothing of it is."""
    packed: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The shapes of tensors that are stored flattened, as the file has them beside the tensors."""
    unread: dict[str, str] = field(default_factory=dict)
    """What stands there and is not looked into: where -> its class, such as `argparse.Namespace`,
    or why."""

    def __getitem__(self, name: str) -> TensorSpec:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    @property
    def foreign(self) -> tuple[str, ...]:
        """Those of `imports` that a file with tensors alone has no need of."""
        from unetscope.checkpoints.rebuilding import is_structure

        return tuple(name for name in self.imports if not is_structure(name))


def is_name(name: str) -> bool:
    """Whether a tensor can have this name: some characters, all of which can be shown."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()
