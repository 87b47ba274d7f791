"""What steers a UNet beside it, ControlNets and adapters: what they hold and where they add it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unetscope.analysis.control import controls, parts_beside
from unetscope.analysis.partition import nearest
from unetscope.table import Cell, Part
from unetscope.views.view import View, phrase


@dataclass(frozen=True)
class Steering:
    """All that is one part beside the UNet.

    Attributes:
        part: `controlnet` or `adapter`.
        calls: the calls that belong to it, in order.
        added: the tensors that are added to the UNet's features.
        pushes: those skips, by push, to which they are added on the way.
    """

    part: str
    calls: tuple[int, ...]
    added: tuple[int, ...]
    pushes: tuple[int, ...]

    def data(self, view: View) -> dict[str, object]:
        """For formats that programs read."""
        return {
            "part": self.part,
            "modules": [view.network.path(call) for call in self.calls],
            "added": len(self.added),
            "added_to_pushes": list(self.pushes),
        }

    def sentence(self, view: View) -> Cell:
        """How much of it is added where."""
        return phrase(
            view.words.steers,
            None,
            part=Part(view.part_names[self.part]),
            count=Part(len(self.added)),
            skips=Part(len(self.pushes)),
        )

    def weight_bytes(self, view: View) -> int:
        """Bytes of its parameters."""
        beside = parts_beside(view.network)
        return sum(t.spec.nbytes for t in view.held if nearest(t.module, beside) == self.part)

    def added_bytes(self, view: View) -> int:
        """Bytes of what it adds."""
        trace = view.network.trace
        storages = {trace.values[value].storage for value in self.added}
        return sum(trace.storages[storage].nbytes for storage in storages)


def steering(view: View) -> Iterator[Steering]:
    """Each part beside the UNet that there is."""
    found = controls(view.network)
    for part in dict.fromkeys(control.part for control in found):
        same = [control for control in found if control.part == part]
        yield Steering(
            part,
            tuple(control.call for control in same),
            tuple(dict.fromkeys(value for control in same for value in control.added)),
            tuple(sorted({push for control in same for push in control.pushes})),
        )
