"""What every part of a module's card reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from unetscope.analysis.arithmetic import macs
from unetscope.analysis.attention import Attention, attentions
from unetscope.analysis.module_kinds import module_kinds
from unetscope.analysis.names import compvis_names
from unetscope.analysis.origins import Origins
from unetscope.analysis.partition import merge_block_units, merge_blocks, partition
from unetscope.views.view import View


@dataclass(frozen=True)
class Explained:
    """A network of which modules are explained."""

    view: View

    @cached_property
    def origins(self) -> Origins:
        """Where tensors come from."""
        return Origins(self.view.network)

    @cached_property
    def attentions(self) -> tuple[Attention, ...]:
        """Every computation of attention."""
        return attentions(self.view.network)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each module that is one, the outermost where it is several."""
        found = module_kinds(self.view.network)
        return {o.modules[0]: o.kind for o in found if len(o.modules) == 1}

    @cached_property
    def compvis(self) -> dict[str, str]:
        """CompVis' names by path."""
        return compvis_names(self.view.network.modules)

    @cached_property
    def merge_blocks(self) -> dict[str, str]:
        """Merge-block ids by path."""
        return merge_blocks(self.view.network)

    @cached_property
    def parts(self) -> tuple[dict[str, str], dict[str, str]]:
        """The part and the block of every module."""
        network = self.view.network
        return partition(network, "part"), partition(network, "block")

    def calls(self, path: str) -> list[int]:
        """The calls of a module."""
        return [i for i, step in enumerate(self.view.network.trace.steps) if step.module == path]

    def merge_ids(self, path: str) -> list[str]:
        """The merge blocks that a module is in, or that are in it."""
        if path in self.merge_blocks:
            return [self.merge_blocks[path]]
        prefix = f"{path}." if path else ""
        units = merge_block_units(self.view.network)
        return [n for n, paths in units.items() if any(p.startswith(prefix) for p in paths)]

    def macs(self, path: str) -> int | None:
        """The multiply-adds of all calls of a module; None if a formula is missing."""
        counts = [macs(self.view.network, call) for call in self.calls(path)]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None
