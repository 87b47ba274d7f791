"""The columns that tables of parameters share: counts, share, bytes and LoRA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unetscope.analysis.parameters import BYTES, Held, lora_size, numel
from unetscope.table import Cell, Column, Kind, Part, Value
from unetscope.views.view import View, code, phrase


class Sizes:
    """What tensors count and weigh.

    Args:
        view: the network as it is to be shown.
        total: its parameters, of which shares are taken.
        dtypes: element types to give sizes at.
        rank: of a LoRA on them; None for none.
    """

    def __init__(self, view: View, total: int, dtypes: Sequence[str], rank: int | None) -> None:
        self._view, self._total, self._dtypes, self._rank = view, total, dtypes, rank

    @property
    def columns(self) -> Iterator[Column]:
        """The columns, in order."""
        words = self._view.words
        yield Column("tensors", words.tensors, Kind.COUNT)
        yield Column("parameters", words.parameters, Kind.COUNT)
        yield Column("share", words.share, Kind.SHARE)
        for dtype in self._dtypes:
            yield Column(f"{dtype}_bytes", dtype)
        if self._rank is not None:
            title = words.lora.format(self._rank)
            yield Column("lora_parameters", title, Kind.COUNT)
            for dtype in self._dtypes:
                yield Column(f"lora_{dtype}_bytes", f"{title}, {dtype}")

    def of(self, held: Sequence[Held]) -> tuple[Value, ...]:
        """The values in these columns for some tensors."""
        count = numel(held)
        values: list[Value] = [len(held), count, count / self._total if self._total else None]
        values += [self._bytes(count, dtype) for dtype in self._dtypes]
        if self._rank is not None:
            added = sum(self.lora(tensor) or 0 for tensor in held)
            values += [added, *(self._bytes(added, dtype) for dtype in self._dtypes)]
        return tuple(values)

    def lora(self, tensor: Held) -> int | None:
        """Parameters of the LoRA on one tensor; None if it is not a layer's weight."""
        if self._rank is None or not tensor.name.endswith("weight"):
            return None
        return lora_size(self._view.network.modules[tensor.module], self._rank)

    def notes(self, held: Sequence[Held], glob: str | None) -> Iterator[Cell]:
        """What was selected, and what of it a LoRA leaves out."""
        words = self._view.words
        if glob is not None:
            yield phrase(
                words.selected,
                None,
                tensors=Part(len(held), Kind.COUNT),
                glob=code(glob),
                parameters=Part(numel(held), Kind.COUNT),
                total=Part(self._total, Kind.COUNT),
            )
        without = sum(self.lora(tensor) is None for tensor in held)
        if self._rank is not None and without:
            yield phrase(words.no_lora, None, count=Part(without, Kind.COUNT))

    @staticmethod
    def _bytes(count: int, dtype: str) -> Cell:
        size = count * BYTES[dtype]
        parts = (Part(size, Kind.DECIMAL_BYTES), Part(" ("), Part(size, Kind.BYTES), Part(")"))
        return Cell(parts, size)
