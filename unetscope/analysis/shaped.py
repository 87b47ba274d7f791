"""Which options of a config shape a module, without torch.

Nobody wrote down which: each option of each family was perturbed, one at a time, in networks that
hold every kind of block, and it was seen which modules changed. What only shows where options are
combined as in none of these networks was not seen. `shaped_by.json` has what was seen, by the roles
of modules; `python tests/explain/shaped_data.py` sees it anew.

A role is the way to a module: names, the classes there, and of an index whether it is the `first`,
`last`, `only` or an `inner` one, or `N` where that makes no difference. An option with `+` before
it decides whether the module is there. What follows an `@` are the entries of its list that count:
`i` for the first index on the way, `m` for the same from the end, `0` and `-1` for the ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("shaped_by.json")
ACTIVATIONS = ("SiLU", "GELU", "Mish", "ReLU")
"""Classes that tell no role: each may stand where another does."""
ANY = "N"
POSITIONS = ("only", "first", "inner", "last")
CONTROLNET = "controlnet"
"""The key of a ControlNet's config in that of the UNet beside it, and its name in their network."""
OWN = ""
"""The key of a role's own options among the roles in it; a role with none in it is just them."""


@cache
def data() -> dict[str, Any]:
    """What was seen of each family.

    Its `options` have their defaults, its `modules` are a tree of roles, `shapes_nothing` the
    options that changed no module, and `not_decided` those of which no other value was found that a
    network can be built with.
    """
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Shaping:
    """What the options of a config are to the modules of its network.

    Attributes:
        family: its name.
        options: those that the config writes.
        kinds: the class of each module, by path.
    """

    family: str
    options: Mapping[str, Any]
    kinds: Mapping[str, str]

    @property
    def not_decided(self) -> list[str]:
        """The options that the config writes and of which it is not known what they shape."""
        return [key for key in data()[self.family]["not_decided"] if key in self.options]

    def keys(self, path: str) -> tuple[str, ...] | None:
        """The options that shape a module or what is in it, then those that it is there for.

        Each in the order of the family's options; an entry of a list as `block_out_channels.1`,
        unless all of them count.

        Returns:
            None if the module, or one in it, has no role that was ever seen.
        """
        own: set[str] = set()
        there: set[str] = set()
        prefix = f"{path}." if path else ""
        for inner in [path, *(p for p in self.kinds if p != path and p.startswith(prefix))]:
            found = self._of(inner)
            if found is None:
                return None
            for key, exists in found:
                (there if exists and inner == path else own).add(key)
        above = path
        while above:
            above = above.rpartition(".")[0]
            found = self._of(above)
            there.update(key for key, exists in found or () if exists)
        own, there = self._whole(own), self._whole(own | there)
        return (*sorted(own, key=self._order), *sorted(there - own, key=self._order))

    def _whole(self, keys: set[str]) -> set[str]:
        """The same without entries of options that are named as a whole, or all entries of."""
        found = set()
        for key in keys:
            name, _, entry = key.partition(".")
            count = len(self._list(name) or ()) if entry else 0
            is_whole = name in keys or all(f"{name}.{n}" in keys for n in range(count))
            found.add(name if is_whole else key)
        return found

    def _list(self, name: str) -> Sequence[Any] | None:
        """The value of an option, if it is a list."""
        value = self.options.get(name, data()[self.family]["options"][name])
        return value if isinstance(value, (list, tuple)) else None

    def _order(self, key: str) -> tuple[int, int]:
        name, _, entry = key.partition(".")
        return list(data()[self.family]["options"]).index(name), int(entry or -1)

    def writes(self, key: str) -> bool:
        """Whether the config writes an option, or the list that an entry is in."""
        return key.partition(".")[0] in self.options

    def value(self, key: str) -> Any:
        """The value of an option, or of an entry, as the config writes it; None if it does not."""
        name, _, entry = key.partition(".")
        value = self.options.get(name)
        return value[int(entry)] if entry and value is not None else value

    def _of(self, path: str) -> list[tuple[str, bool]] | None:
        """The options of a module alone, and whether it is there for them."""
        nodes = self._nodes(path)
        if nodes is None:
            return None
        index = next((int(part) for part in path.split(".") if part.isdigit()), None)
        return [
            (key, told.startswith("+"))
            for node in nodes
            for told in (node if isinstance(node, str) else node.get(OWN, "")).split()
            for key in self._entries(told.removeprefix("+"), index)
        ]

    def _nodes(self, path: str) -> list[dict[str, Any] | str] | None:
        """What the data has under the keys that a module's role has there; None for nothing."""
        nodes: list[dict[str, Any] | str] = [data()[self.family]["modules"]]
        for spellings in spelled(path, self.kinds, self._last) if path else ():
            trees = [node for node in nodes if isinstance(node, dict)]
            found = [node[key] for node in trees for key in spellings if key in node]
            if not found:
                return None
            nodes = found
        return nodes

    @cached_property
    def _last(self) -> dict[str, int]:
        return last_indices(self.kinds)

    def _entries(self, told: str, index: int | None) -> Iterator[str]:
        name, _, anchors = told.partition("@")
        listed = self._list(name)
        if not anchors or listed is None:
            yield name
            return
        for entry in sorted(entries(anchors.split(","), index, len(listed))):
            yield f"{name}.{entry}"


def shaping(
    config: Mapping[str, Any], kinds: Mapping[str, str], path: str
) -> tuple[Shaping, str] | None:
    """What the options are to the network around a module, and the module's path in that.

    A UNet and its ControlNet are two such networks in one; the whole is taken for the UNet.

    Args:
        config: that the network was built from.
        kinds: the class of each of its modules, by path.
        path: of the module.

    Returns:
        None if there was no config, or it is not of a family here.
    """
    if isinstance(config.get(CONTROLNET), Mapping):
        root, _, path = (path or "unet").partition(".")
        config = config[CONTROLNET] if root == CONTROLNET else config
        inside = {
            p.removeprefix(f"{root}."): kind
            for p, kind in kinds.items()
            if p.startswith(f"{root}.")
        }
        kinds = {"": kinds.get(root, ""), **inside}
    family, options = config.get("family"), config.get("unet")
    if not isinstance(family, str) or family not in data() or not isinstance(options, Mapping):
        return None
    return Shaping(family, options, kinds), path


def entries(anchors: Sequence[str], index: int | None, length: int) -> set[int]:
    """The entries of a list of so many that anchors mean: `i-1`, `m`, `0`; the ends hold beyond.

    What comes into the first level is of its own channels, as what comes into the last one from
    below is.
    """
    found = set()
    for anchor in anchors:
        if anchor[0] not in "im":
            found.add(int(anchor) % length)
        elif index is not None:
            start = index if anchor[0] == "i" else length - 1 - index
            found.add(min(max(start + int(anchor[1:] or 0), 0), length - 1))
    return found


def last_indices(paths: Mapping[str, Any]) -> dict[str, int]:
    """The last index in each module that numbers what it holds."""
    last: dict[str, int] = {}
    for path in paths:
        above, _, name = path.rpartition(".")
        if name.isdigit():
            last[above] = max(last.get(above, 0), int(name))
    return last


def spelled(
    path: str, kinds: Mapping[str, str], last: Mapping[str, int]
) -> Iterator[tuple[str, ...]]:
    """The keys that each part of a path may have in a tree of roles."""
    above = ""
    for name in path.split("."):
        here = f"{above}.{name}" if above else name
        kind = kinds.get(here, "")
        end = f":{kind}" if kind and kind not in ACTIVATIONS else ""
        if name.isdigit():
            yield (f"{ANY}{end}", f"{_position(int(name), last[above])}{end}")
        else:
            yield (f"{name}{end}",)
        above = here


def _position(index: int, last: int) -> str:
    only, first, inner, final = POSITIONS
    if last == 0:
        return only
    return first if index == 0 else final if index == last else inner
