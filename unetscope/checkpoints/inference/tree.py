"""The tensors of a network by the parts of their names, and what is raised where some lack."""

from __future__ import annotations

from collections.abc import Mapping

from unetscope.families.family import MOST

Shape = tuple[int, ...]
_LONGEST = 4
"""Digits of the number of a block or layer."""


class NotInferredError(Exception):
    """No config that builds these tensors was found.

    Attributes:
        reasons: why, in sentences; the first that decided.
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


class Tree(dict[str, "Tree | Shape"]):
    """Shapes below the parts of their names: `conv_in`, then `weight`."""

    @classmethod
    def of(cls, shapes: Mapping[str, Shape]) -> Tree:
        """All tensors of a network.

        Raises:
            NotInferredError: a name is that of a tensor and of a module.
        """
        root = cls()
        for name, shape in shapes.items():
            *path, last = name.split(".")
            node = root
            for part in path:
                below = node.get(part)
                if below is None:
                    below = node[part] = cls()
                if not isinstance(below, Tree):
                    raise NotInferredError(f"`{name}` stands below a tensor's name")
                node = below
            if last in node:
                raise NotInferredError(f"`{name}` is a tensor's name and stands above others")
            node[last] = shape
        return root

    def at(self, path: str) -> Tree:
        """What stands below a path; empty if nothing does."""
        node: Tree | Shape = self
        for part in path.split("."):
            node = node.get(part, ()) if isinstance(node, Tree) else ()
        return node if isinstance(node, Tree) else Tree()

    def shape(self, path: str) -> Shape | None:
        """The shape of a tensor; None if there is none."""
        above, _, last = path.rpartition(".")
        found = (self.at(above) if above else self).get(last)
        return None if isinstance(found, Tree) else found

    def dim(self, path: str, axis: int) -> int:
        """The length of one axis of a tensor.

        Raises:
            NotInferredError: there is no such tensor, it has no such axis, or one of a length that
                no option can say.
        """
        shape = self.shape(path)
        if shape is None:
            raise NotInferredError(f"`{path}` is missing")
        if not -len(shape) <= axis < len(shape):
            raise NotInferredError(f"`{path}` has the shape {list(shape)}, which has too few axes")
        if not 1 <= shape[axis] <= MOST:
            raise NotInferredError(f"`{path}` has the shape {list(shape)}, beyond 1 to {MOST:,}")
        return shape[axis]

    def numbers(self, path: str) -> list[int]:
        """The numbers that stand below a path, such as those of its blocks, in order."""
        return sorted(
            int(part)
            for part in self.at(path)
            if part.isascii() and part.isdigit() and len(part) <= _LONGEST
        )
