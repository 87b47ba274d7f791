"""What the options of a family know of themselves, where no library publishes them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from msgspec import Struct

from unetscope.findings import Finding
from unetscope.record import TensorSpec


class FamilyOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options that say what their network is given, and what keeps them from being a network.

    Levels are halved by convolutions of stride 2 and doubled exactly.
    """

    @property
    @abstractmethod
    def widths(self) -> tuple[int, ...]:
        """Channels of each level, from the full resolution down."""

    @property
    def levels(self) -> int:
        """Resolutions; each is half of the one above."""
        return len(self.widths)

    @abstractmethod
    def narrowest(self) -> tuple[str, ...]:
        """Overrides that leave as few channels as heads and groups allow."""

    @abstractmethod
    def tensors(
        self, batch: int, size: tuple[int, int], tokens: int
    ) -> dict[str, TensorSpec | dict[str, TensorSpec]]:
        """The keyword arguments of the network's `forward`.

        Args:
            batch: B.
            size: H and W of the first one, the sample.
            tokens: T, tokens of the text if there is one.
        """

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """What keeps the options from being a network, with paths inside `unet`."""

    def takes(self, size: tuple[int, int]) -> bool:
        """Whether a sample of this height and width passes, every feature map joining its skip."""
        return all(side % 2 ** (self.levels - 1) == 0 for side in size)


def largest_divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is `most` at most."""
    return next(n for n in range(min(most, number), 0, -1) if number % n == 0)
