"""One of the two networks that are compared, with its cross-references."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from unetscope.lock import RETURN, Lock, LockedModule, LockedTensor, held, parted

Look = str
"""Names and shapes of a module's own tensors, whatever the module is called."""


class Side:
    """A lock as a tree of modules, each with its tensors and what runs in its body."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.modules: dict[str, LockedModule] = {m.path: m for m in lock.modules}
        self.tensors: dict[str, list[LockedTensor]] = {path: [] for path in self.modules}
        for tensor in lock.tensors:
            self.tensors[tensor.name.rpartition(".")[0]].append(tensor)
        self._blocks = frozenset(lock.blocks)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """The paths right below each path, in the order of their first call, uncalled ones last."""
        found: dict[str, list[str]] = {path: [] for path in self.modules}
        for path in sorted(self.modules, key=self.order.__getitem__):
            if path:
                found[self.parent(path)].append(path)
        return found

    def parent(self, path: str) -> str:
        """The path of the module that holds a module."""
        above = path.rpartition(".")[0]
        while above not in self.modules:
            above = above.rpartition(".")[0]
        return above

    def body(self, path: str) -> Iterator[tuple[str | None, str]]:
        """What runs in a module's body, all its calls in a row.

        Yields:
            For a call of a module its path and nothing; for a function None and how it is written.
        """
        for key in self.modules[path].functions:
            for entry in self.lock.functions[key]:
                text, _ = parted(entry)
                called = held(path, text)
                if text != RETURN:
                    yield (None, text) if called is None else (called, "")

    @cached_property
    def taken(self) -> dict[str, list[str]]:
        """The names of the inputs that each module is given, in order."""
        found: dict[str, dict[str, None]] = {"": dict.fromkeys(i.name for i in self.lock.inputs)}
        for path, module in self.modules.items():
            for key in module.functions:
                for entry in self.lock.functions[key]:
                    text, operands = parted(entry)
                    called = held(path, text)
                    if called is not None:
                        names = (operand.partition("=")[0] for operand in operands)
                        found.setdefault(called, {}).update(dict.fromkeys(names))
        return {path: list(names) for path, names in found.items()}

    @cached_property
    def order(self) -> dict[str, int]:
        """Each module's place in the order of first calls; of one that holds others, their first.

        Modules that are never called come last, as they are listed.
        """
        met: dict[str, None] = {}

        def visit(path: str) -> None:
            if path not in met:
                met[path] = None
                for called, _ in self.body(path):
                    if called is not None:
                        visit(called)

        visit("")
        places = {path: number for number, path in enumerate(met)}
        for number, path in enumerate(self.modules, len(places)):
            places.setdefault(path, number)
        for path in reversed(self.modules):
            if path and not self.modules[path].calls:
                inside = [places[p] for p in self._below_uncalled.get(path, ())]
                places[path] = min(inside, default=places[path])
        return places

    @cached_property
    def _below_uncalled(self) -> dict[str, list[str]]:
        """What each module that is never called holds: containers are called through it."""
        found: dict[str, list[str]] = {}
        for path, module in self.modules.items():
            above = path
            while above and module.calls:
                above = self.parent(above)
                if above and not self.modules[above].calls:
                    found.setdefault(above, []).append(path)
        return found

    @cached_property
    def owners(self) -> list[str]:
        """The modules that hold tensors themselves, in the order of their first calls."""
        return sorted((p for p in self.modules if self.tensors[p]), key=self.order.__getitem__)

    @cached_property
    def owners_below(self) -> dict[str, list[str]]:
        """The modules that hold tensors in each module, itself one of them, in that order."""
        found: dict[str, list[str]] = {path: [] for path in self.modules}
        for owner in self.owners:
            path = owner
            found[path].append(owner)
            while path:
                path = self.parent(path)
                found[path].append(owner)
        return found

    def lists(self, path: str) -> bool:
        """Whether a module does nothing but number others, as a `ModuleList`."""
        inside = [child.rpartition(".")[2] for child in self.children[path]]
        idle = not self.modules[path].calls and not self.tensors[path]
        return idle and all(map(str.isdigit, inside))

    def role(self, path: str) -> tuple[bool, bool]:
        """Whether a module is called, and whether it holds tensors itself."""
        return bool(self.modules[path].calls), bool(self.tensors[path])

    @cached_property
    def looks(self) -> dict[str, Look]:
        """The look of the own tensors of each module."""
        return {
            path: repr([(own_name(t), t.shape, t.buffer, t.tied_to is not None) for t in tensors])
            for path, tensors in self.tensors.items()
        }

    def signature(self, path: str) -> tuple[Look, ...]:
        """The looks of the modules in a module, itself included, in the order of the calls."""
        return tuple(self.looks[owner] for owner in self.owners_below[path])

    def settings(self, path: str) -> tuple[Look, ...]:
        """The same, with what the modules that hold the tensors are set to."""
        return tuple(self._settings[owner] for owner in self.owners_below[path])

    @cached_property
    def _settings(self) -> dict[str, Look]:
        modules = self.modules
        return {
            path: f"{self.looks[path]} {sorted(modules[path].attributes.items())}"
            for path in self.owners
        }

    def ranks(self, path: str) -> tuple[Look, ...]:
        """The names and ranks of the tensors in a module, in that order."""
        return tuple(
            repr([(own_name(t), len(t.shape)) for t in self.tensors[owner]])
            for owner in self.owners_below[path]
        )

    def block(self, path: str) -> str:
        """The block that a module is or is in; else the first level of its path."""
        around = path
        while around:
            if around in self._blocks:
                return around
            around = around.rpartition(".")[0]
        return path.partition(".")[0]


def own_name(tensor: LockedTensor) -> str:
    """A tensor's name in the module that holds it: `weight`."""
    return tensor.name.rpartition(".")[2]
