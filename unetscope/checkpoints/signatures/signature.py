"""A signature: the names and shapes by which one known network is told from all others."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from math import prod

from unetscope.record import TensorSpec

Pattern = tuple[int | None, ...] | None
"""A shape, in which None is any size; None for any shape."""


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """What a network's names and shapes must be, without the prefix that they stand under.

    Attributes:
        kind: what sort of thing it is, as `identified.Part.kind` has it.
        name: what it is called: `CLIP ViT-L/14`.
        has: tensors that must be there. The first is looked for in a file, so it should be rare.
        lacks: tensors that must not be there: the first layer beyond the last, what a relative has.
        general: whether it counts only where no signature does that is not: any autoencoder.
        doubt: what no name and no shape tells, in a sentence.
        blocks: a tensor of each of equal blocks, `{}` for their number -> how many there are.
        elements: how many all its tensors have together, where no pruned or widened relative is to
            bear its name; 0 if that decides nothing.
    """

    kind: str
    name: str
    has: Mapping[str, Pattern]
    lacks: tuple[str, ...] = ()
    general: bool = False
    doubt: str = ""
    blocks: Mapping[str, int] = field(default_factory=dict)
    elements: int = 0

    @property
    def anchor(self) -> str:
        """The tensor that is looked for."""
        return next(iter(self.has))

    def fits(self, tensors: Mapping[str, TensorSpec], prefix: str, flat: Set[str]) -> bool:
        """Whether what stands under a prefix bears this signature.

        Args:
            tensors: names -> tensors.
            prefix: what stands before the network's names.
            flat: names of those whose shape is lost: only their elements are compared.
        """
        for key, pattern in self.has.items():
            spec = tensors.get(prefix + key)
            if spec is None or not _is(spec, pattern, prefix + key in flat):
                return False
        for form, count in self.blocks.items():
            last, beyond = prefix + form.format(count - 1), prefix + form.format(count)
            if last not in tensors or beyond in tensors:
                return False
        if any(prefix + key in tensors for key in self.lacks):
            return False
        return not self.elements or self.elements == _elements(tensors, prefix)

    def evidence(self, tensors: Mapping[str, TensorSpec], prefix: str) -> tuple[str, ...]:
        """Which tensors decided, in a sentence each; it has to fit."""
        found = []
        for key in self.has:
            shape = list(tensors[prefix + key].shape)
            found.append(f"it has `{key}`, which is {shape}")
        for form, count in self.blocks.items():
            found.append(f"the last of its `{form.format('N')}` has the number {count - 1}")
        if self.lacks:
            found.append(f"it has none of {', '.join(f'`{key}`' for key in self.lacks)}")
        if self.elements:
            found.append(f"its tensors have {self.elements:,} elements in all")
        return tuple(found)


def _elements(tensors: Mapping[str, TensorSpec], prefix: str) -> int:
    return sum(spec.numel for name, spec in tensors.items() if name.startswith(prefix))


def _is(spec: TensorSpec, pattern: Pattern, flat: bool) -> bool:
    if pattern is None:
        return True
    if flat:
        known = prod(size for size in pattern if size is not None)
        return spec.numel == known if None not in pattern else spec.numel % known == 0
    return len(spec.shape) == len(pattern) and all(
        size is None or size == actual for size, actual in zip(pattern, spec.shape, strict=True)
    )
