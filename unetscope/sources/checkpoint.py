"""Sources that are checkpoints: the network that has exactly their tensors, if one is known."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from unetscope.checkpoints.identified import Certainty, Identified
from unetscope.errors import Place, UnetscopeError
from unetscope.sources.configs import ConfigNetwork
from unetscope.sources.remembered import Remembered
from unetscope.sources.request import SIZES, Request
from unetscope.sources.source import Info
from unetscope.wording import harmless, listed, pasted

if TYPE_CHECKING:
    from unetscope.analysis.diff import Change, Diff
    from unetscope.config import Spec
    from unetscope.lock import Lock

SURE = (Certainty.EXACT, Certainty.RENAMED, Certainty.BUILT)
"""What is certain enough for a network to be taken for the file's."""


class Checkpoint(ConfigNetwork):
    """A checkpoint, of which the header is read, and the network that it was identified as.

    `diff` holds its own tensors against those of others; all else is of that network.
    """

    tensors_only: ClassVar[bool] = True
    what: ClassVar[str] = "a checkpoint"

    def __init__(self, request: Request, info: Info, spec: Spec | None = None) -> None:
        Remembered.__init__(self, request, info)
        if spec is not None:
            self.__dict__["spec"] = spec

    @cached_property
    def spec(self) -> Spec:  # type: ignore[override]
        """The config of its network.

        Raises:
            UnetscopeError: it cannot be read, or no network is known that has its tensors.
        """
        from unetscope.sources.identifying import identify

        found = identify(self.name)
        spec = spec_of(self.request, found)
        self.info(_note(self.name, found))
        return spec

    @property
    def scale(self) -> int:  # type: ignore[override]
        """Pixels of the image for each row of the sample."""
        return self.spec.inputs.scale

    def runnable(self, why: str) -> Checkpoint:
        """Itself, if it has a network.

        Raises:
            UnetscopeError: as `spec`.
        """
        _ = self.spec
        return super().runnable(why)

    def comparable(self) -> Lock:
        """A lock of the tensors of the checkpoint's UNet, and of nothing else.

        Raises:
            UnetscopeError: it cannot be read, or is damaged.
        """
        return self._bare

    def place_of(self, change: Change, diff: Diff) -> Place | None:
        """No line of a checkpoint causes anything."""
        return Place(self.name, 1)

    @cached_property
    def _bare(self) -> Lock:
        from unetscope.analysis.diff.bare import bare
        from unetscope.checkpoints import files, parts

        header = files.read(Path(self.name))
        tensors, left_out = parts.unet(header)
        types = ", ".join(sorted({spec.dtype for spec in tensors.values()}))
        self.info(f"note: `{self.name}` holds {len(tensors)} tensors ({types or 'no type'})")
        if left_out:
            others = ", ".join(f"{part} ({count})" for part, count in left_out.items())
            self.info(f"note: left out, as no tensors of the UNet: {others}")
        for place, more in header.others.items():
            self.info(f"note: left out: {len(more)} tensors at `{place}`")
        if header.foreign:
            names = listed([f"`{name}`" for name in header.foreign])
            self.info(f"note: to load `{self.name}` would import {names}; nothing of it was run")
        return bare(self.name, {name: spec.shape for name, spec in tensors.items()})


def spec_of(request: Request, found: Identified) -> Spec:
    """The config of the network that a file was identified as, under the file's name.

    Raises:
        UnetscopeError: it is none that is known well enough.
    """
    from dataclasses import replace

    from unetscope.config import load
    from unetscope.config.loading import loads
    from unetscope.config.writing import to_yaml

    if found.certainty not in SURE:
        raise _no_network(request.source, found)
    sizes = {name: request.sizes.get(name) for name in SIZES}
    if found.certainty is Certainty.BUILT:
        assert found.inferred is not None
        text = to_yaml(dict(found.inferred.config))
        spec = loads(text, request.source, overrides=request.overrides, sizes=sizes)
    else:
        spec = load(_stands_for(found.networks), overrides=request.overrides, **sizes)
    name = harmless(Path(request.source).name)
    resolved = {**spec.resolved, "name": name}
    resolved.pop("source", None)  # it says whose weights these would be
    return replace(spec, reference=request.source, name=name, resolved=resolved, places={})


def config_text(file: str) -> str:
    """The config of the network in a weights file, in YAML.

    Raises:
        UnetscopeError: as `spec_of`.
    """
    from unetscope.checkpoints import inference
    from unetscope.config.writing import to_yaml
    from unetscope.sources.identifying import identify

    found = identify(file)
    if found.certainty not in SURE:
        raise _no_network(file, found)
    if found.certainty is Certainty.BUILT:
        assert found.inferred is not None
        text = inference.to_yaml(found.inferred)
    else:
        text = to_yaml({"extends": _stands_for(found.networks)})
    told = [f"{file}: {found.label} ({found.certainty.value})", *found.undecided]
    return "".join(f"# {harmless(line)}\n" for line in told) + text


def _stands_for(networks: tuple[str, ...]) -> str:
    """The one of several equal networks whose config is used: that which most others extend."""
    from unetscope.config.files import heirs

    return max(networks, key=lambda name: heirs()[name])


def _note(name: str, found: Identified) -> str:
    """With which certainty a file is known, and whose config stands for it."""
    if found.inferred is not None and found.certainty is Certainty.BUILT:
        keys = [told.partition(":")[0] for told in found.inferred.conventions]
        return (
            f"note: a config was read off `{name}`, which builds exactly its tensors; set by "
            f"convention, as no shape tells: {', '.join(keys) or 'nothing'}"
        )
    networks = listed([f"`{network}`" for network in found.networks])
    used = f"the config of `{_stands_for(found.networks)}` is used"
    if found.certainty is Certainty.EXACT:
        return f"note: `{name}` has exactly the tensors of {networks}; {used}"
    return f"note: `{name}` has the tensors of {networks} under other names; {used}"


def _no_network(name: str, found: Identified) -> UnetscopeError:
    """That no network is known that has a file's tensors, and what the file is instead."""
    hint = f"name a UNet's weights or config; `unetscope identify {pasted(name)}` tells more"
    if found.certainty is Certainty.COMPONENT:
        is_unet = any(part.kind == "unet" and part.name == found.label for part in found.parts)
        said = f"no config describes it: {found.label}" if is_unet else f"no UNet: {found.label}"
        return UnetscopeError(said, hint=hint, place=Place(name))
    if found.certainty is Certainty.NEAR:
        message = f"no network is known that has these tensors; nearest: {found.label}"
        return UnetscopeError(message, hint=hint, place=Place(name))
    return UnetscopeError(
        "a checkpoint of no network that is known here", hint=hint, place=Place(name)
    )
