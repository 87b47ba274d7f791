"""The sets of tensors in what a PyTorch checkpoint holds: the network's, its averages, the rest.

People save a `state_dict`, a dictionary with one under some key, or the whole module.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from unetscope.checkpoints.header import MOST_TENSORS, Header, is_name
from unetscope.checkpoints.machine import Global, Opaque
from unetscope.checkpoints.rebuilding import Held

_DEEPEST = 50
"""Levels of dictionaries, lists and objects that are looked into."""
_MOST_VALUES = 1_000_000
"""Values that are looked at; one that stands in several places counts in each."""
_MOST_NOTES = 1_000
"""Texts and numbers, and objects, that are kept beside the tensors."""
_LONGEST_TEXT = 10_000
"""Characters of a text that is kept."""

_NETWORK = (
    *("state_dict", "model_state_dict", "model_state", "model", "module", "net", "network"),
    *("params", "weights", "generator"),
)
"""Keys under which people save the network's tensors; the first of them is taken."""
_AVERAGE = re.compile(r"(?:^|_)ema(?:$|_)|average", re.IGNORECASE)
_TRAINING = re.compile(
    r"optim|^opt(?:$|_)|sched|scaler|callback|^loops$|rng|hook|discriminator", re.IGNORECASE
)
_OF_MODULES = ("_parameters", "_buffers", "_modules")
"""Where an `nn.Module` keeps its tensors and its parts."""

Path = tuple[str, ...]


def fill(header: Header, value: Any) -> list[Held]:
    """Adds to a header what a checkpoint holds, and returns all of its tensors.

    Raises:
        ValueError: there are more tensors, values or levels than the bounds allow, or a tensor has
            no name that can be shown.
    """
    walk = _Walk(header)
    found: dict[Path, Held] = {}
    for path, held in walk.tensors(value, (), 0):
        if path in found or not all(map(is_name, path)):
            raise ValueError(f"not the name of one tensor: {'.'.join(path)[:80]!a}")
        found[path] = held
        if len(found) > MOST_TENSORS:
            raise ValueError(f"more than {MOST_TENSORS:,} tensors, the bound for a file")
    inside, heads = _network(found)
    for path, held in found.items():
        own = path[: len(inside)] == inside
        head = path[len(inside)] if own else ""
        if own and (heads is None or head in heads):
            tensors, name = header.tensors, ".".join(path[len(inside) :])
        else:
            cut = 1 + next((n for n, key in enumerate(inside) if path[n] != key), len(inside))
            tensors = header.others.setdefault(".".join(path[:cut]), {})
            name = ".".join(path[cut:]) or path[-1]
        if name in tensors:
            raise ValueError(f"two tensors are called `{name[:80]}`")
        tensors[name] = held.spec
    return list(found.values())


def _network(found: dict[Path, Held]) -> tuple[Path, set[str] | None]:
    """Where the network's tensors stand, and which of the keys there are its; None for all."""
    inside: Path = ()
    while True:
        depth = len(inside)
        here = [path for path in found if path[:depth] == inside]
        direct = {path[depth] for path in here if len(path) == depth + 1}
        counts = Counter(path[depth] for path in here if len(path) > depth + 1)
        network = next((key for key in _NETWORK if counts[key] > len(direct)), None)
        if direct and network is None:
            return inside, direct
        rest = {key for key in counts if not _AVERAGE.search(key) and not _TRAINING.search(key)}
        averages = [key for key in counts if _AVERAGE.search(key)]
        if network is None and not depth:
            sole = [*rest] if rest else averages
            network = sole[0] if len(sole) == 1 else None
        if network is None:
            return inside, rest or None
        inside = (*inside, network)


class _Walk:
    """The tensors in a value, and notes of what else stands there."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.seen = 0

    def tensors(self, value: Any, path: Path, depth: int) -> Iterator[tuple[Path, Held]]:
        """Each tensor with the keys that lead to it; a module's are joined into one."""
        self.seen += 1
        if self.seen > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES:,} values, the bound for a pickle")
        if isinstance(value, Held):
            yield path or ("tensor",), value
        elif isinstance(value, (dict, list, tuple, Opaque)):
            if depth >= _DEEPEST:
                raise ValueError(f"nested more than {_DEEPEST} levels deep")
            if isinstance(value, dict):
                for key, part in value.items():
                    yield from self.tensors(part, (*path, str(key)), depth + 1)
            elif isinstance(value, Opaque):
                yield from self._object(value, path, depth)
            else:
                for index, part in enumerate(value):
                    yield from self.tensors(part, (*path, str(index)), depth + 1)
        else:
            self._note(value, path)

    def _object(self, value: Opaque, path: Path, depth: int) -> Iterator[tuple[Path, Held]]:
        state = value.state
        parts = {key: state.get(key) for key in _OF_MODULES} if isinstance(state, dict) else {}
        if any(isinstance(part, dict) for part in parts.values()):
            inside: tuple[Any, ...] = tuple(parts.values())
        else:
            self._unread(value.made_by, path)
            inside = value.arguments, state
        for part in inside:
            for names, held in self.tensors(part, path, depth + 1) if part is not None else ():
                yield (*path, ".".join(names[len(path) :]) or "tensor"), held

    def _note(self, value: Any, path: Path) -> None:
        if isinstance(value, Global):
            self._unread(value, path)
        is_long = isinstance(value, str) and len(value) > _LONGEST_TEXT
        has_room = len(self.header.metadata) < _MOST_NOTES
        if (
            isinstance(value, (str, int, float))
            and len(path) in (1, 2)
            and has_room
            and not is_long
        ):
            self.header.metadata[".".join(path)] = value

    def _unread(self, what: Global, path: Path) -> None:
        if len(self.header.unread) < _MOST_NOTES:
            self.header.unread.setdefault(".".join(path) or "the whole of it", what.name)
