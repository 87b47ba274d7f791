"""Sources that are configs: one network of a family, or a UNet and its ControlNet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from unetscope.errors import ConfigError, ForwardError, Place, UnetscopeError
from unetscope.families import find
from unetscope.sources.inputs import Given
from unetscope.sources.remembered import Remembered
from unetscope.sources.request import SIZES, Request
from unetscope.sources.source import Info

if TYPE_CHECKING:
    from torch import nn

    from unetscope.analysis.diff import Change, Diff
    from unetscope.config import Spec
    from unetscope.families.diffusers.networks.controlnet import ControlNetModel
    from unetscope.families.diffusers.networks.unet2d_condition import UNet2DConditionModel
    from unetscope.families.family import Tensors


class ConfigNetwork(Remembered):
    """A network as a config describes it.

    Attributes:
        spec: the config, resolved and checked.
    """

    takes = frozenset({"overrides", *SIZES, "device", "dtype", "controlnet"})

    def __init__(self, request: Request, info: Info, spec: Spec | None = None) -> None:
        from unetscope.config import load

        super().__init__(request, info)
        self.spec = spec or load(
            request.source, overrides=request.overrides, **_all_sizes(request.sizes)
        )
        self.scale = self.spec.inputs.scale
        for note in () if spec else self.spec.notes:
            info(f"note: {note}")

    def at_revision(self, name: str, named: Callable[[Place], Place]) -> ConfigNetwork:
        """Itself under the name that the user gave; see `Source.at_revision`."""
        places = {path: named(place) for path, place in self.spec.places.items()}
        self.spec = replace(self.spec, reference=name, places=places)
        return super().at_revision(name, named)

    @classmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """A config says what its network takes, and names no code."""
        if option == "trust_code":
            return UnetscopeError(
                "`--trust-code`: it names no code that makes a network",
                hint="code is named as `_target_: pkg.module.Class`, with its arguments beside it",
                place=Place(request.source),
            )
        return UnetscopeError(
            "`--input`, `--input-file` and `--kwargs` go with code, such as `pkg.module:Unet`",
            hint="a config says what its network takes; `--set` changes what it says",
        )

    def build(self) -> nn.Module:
        """The network in eval mode, its weights never filled."""
        from unetscope.tracing import devices

        return devices.build(self.spec.build, self.request.device, self.request.dtype)

    def computed(self) -> nn.Module:
        """The same with its buffers."""
        from unetscope.tracing import devices

        return devices.build_unfilled(self.spec.build, self.request.device, self.request.dtype)

    def inputs(self, model: nn.Module) -> Given:
        """The keyword arguments of `forward`."""
        return Given((), self.spec.tensors())

    def at(self, **sizes: int) -> ConfigNetwork:
        """The same network at other sizes of its inputs."""
        spec = replace(self.spec, inputs=replace(self.spec.inputs, **sizes))
        return type(self)(self.request, self.info, spec)

    def narrow(self) -> ConfigNetwork | None:
        """The same blocks with as few channels as heads and groups allow, on a small sample."""
        family = find(self.spec.family)
        side = 2 ** len(family.channels(self.spec.unet))
        small = replace(self.request, batch=1, height=side, width=side)
        for narrowed in family.narrower(self.spec.unet):
            request = replace(small, overrides=(*self.request.overrides, *narrowed))
            with suppress(ConfigError):
                return type(self)(request, _ignored)
        return type(self)(small, _ignored)

    @property
    def description(self) -> str:
        """Name, channels and sample: `article_003, 32, 64, 128 channels, 16x16`."""
        channels = ", ".join(map(str, find(self.spec.family).channels(self.spec.unet)))
        inputs = self.spec.inputs
        return f"{self.spec.name}, {channels} channels, {inputs.height}x{inputs.width}"

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of its inputs."""
        return {name: getattr(self.spec.inputs, name) for name in SIZES}

    @property
    def identity(self) -> str:
        """Its family, all of its options, and the sizes of its inputs."""
        return repr((self.spec.network, self.scale))

    def check_sizes(self, flags: Mapping[str, int]) -> None:
        """See that the network can take its inputs; see `Runnable.check_sizes`."""
        self.spec.resized(flags)

    @property
    def known(self) -> dict[str, Any]:
        """Name, config and reference of the trace."""
        spec = self.spec
        return {"name": spec.name, "config": spec.resolved, "reference": spec.reference}

    def explain(self, error: ForwardError) -> None:
        """Name the option that most likely made the pass fail."""
        failure, places = error.trace.failure, self.spec.places
        key = find(self.spec.family).likely_key(failure.module) if failure else None
        if key is not None:
            error.place = places.get(("unet", key), places.get(("unet",)))
            error.hint = f"most likely `unet.{key}`"

    def config(self) -> Mapping[str, Any]:
        """The config with `extends`, overrides and flags worked in."""
        return self.spec.resolved

    def place_of(self, change: Change, diff: Diff) -> Place | None:
        """The line of the value that most likely caused a change."""
        from unetscope.analysis.diff.configs import cause, nearest_place

        usual = super().place_of(change, diff)
        if usual is None:
            return None
        found = nearest_place(cause(change, diff, self.lock()), self.spec.places)
        return found if isinstance(found, Place) else usual


class ControlledNetwork(Remembered):
    """The UNet of a config, steered by the ControlNet of another; they run as one network."""

    takes = ConfigNetwork.takes
    refusal = ConfigNetwork.refusal

    def __init__(
        self, request: Request, info: Info, unet: ConfigNetwork, control: Spec | None = None
    ) -> None:
        super().__init__(request, info)
        self.unet, self.scale = unet, unet.scale
        self.control = control or self._fitting(request.controlnet or "")

    def at_revision(self, name: str, named: Callable[[Place], Place]) -> ControlledNetwork:
        """Itself under the name that the user gave; see `Source.at_revision`."""
        self.unet = self.unet.at_revision(name, named)
        return super().at_revision(name, named)

    def _fitting(self, controlnet: str) -> Spec:
        """The ControlNet at the UNet's sizes.

        Raises:
            UnetscopeError: one of them is something else, or they do not fit.
        """
        from unetscope.checkpoints.files import is_checkpoint
        from unetscope.config import load
        from unetscope.families.diffusers.controlnet import SHARED

        unet, sizes = self.unet.spec, self.unet.spec.inputs
        given = {name: getattr(sizes, name) for name in SIZES}
        if is_checkpoint(Path(controlnet)):
            from unetscope.sources.checkpoint import Checkpoint

            control = Checkpoint(Request(controlnet, **given), self.info).spec
        else:
            control = load(controlnet, **given)
        for spec, family in ((unet, "UNet2DConditionModel"), (control, "ControlNetModel")):
            if spec.family != family:
                raise UnetscopeError(
                    f"`{spec.reference}`: expected a {family}, found a {spec.family}"
                )
        for option in SHARED:
            ours, theirs = getattr(unet.unet, option), getattr(control.unet, option)
            if ours != theirs:
                raise UnetscopeError(
                    f"`{controlnet}` does not fit `{unet.reference}`: "
                    f"`{option}` is {theirs}, not {ours}"
                )
        given = dict(_shapes(unet.tensors()))
        for name, shape in _shapes(control.tensors()):
            if given.get(name, shape) != shape:
                raise UnetscopeError(
                    f"`{controlnet}` does not fit `{unet.reference}`: "
                    f"it takes `{name}` of {shape}, not {given[name]}"
                )
        return control

    def _make(self) -> nn.Module:
        from unetscope.families.diffusers.networks.controlnet import ControlledUNet

        return ControlledUNet(
            cast("UNet2DConditionModel", self.unet.spec.build()),
            cast("ControlNetModel", self.control.build()),
        )

    def build(self) -> nn.Module:
        """Both networks as one module."""
        from unetscope.tracing import devices

        return devices.build(self._make, self.request.device, self.request.dtype)

    def computed(self) -> nn.Module:
        """The same with their buffers."""
        from unetscope.tracing import devices

        return devices.build_unfilled(self._make, self.request.device, self.request.dtype)

    def inputs(self, model: nn.Module) -> Given:
        """The keyword arguments of both; what both take is given once."""
        return Given((), {**self.control.tensors(), **self.unet.spec.tensors()})

    def at(self, **sizes: int) -> ControlledNetwork:
        """Both at other sizes."""
        control = replace(self.control, inputs=replace(self.control.inputs, **sizes))
        return type(self)(self.request, self.info, self.unet.at(**sizes), control)

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of the UNet's inputs."""
        return self.unet.sizes

    @property
    def identity(self) -> str:
        """Those of both."""
        return repr((self.unet.identity, self.control.network))

    def check_sizes(self, flags: Mapping[str, int]) -> None:
        """See that the UNet can take its inputs."""
        self.unet.check_sizes(flags)

    def place_of(self, change: Change, diff: Diff) -> Place | None:
        """The line of the value that most likely caused a change, in the file of either."""
        from unetscope.analysis.diff.configs import CONTROLNET, cause, nearest_place

        path = cause(change, diff, self.lock())
        places = self.unet.spec.places
        if path[:1] == (CONTROLNET,):
            path, places = path[1:], self.control.places
        found = nearest_place(path, places)
        return found if isinstance(found, Place) else super().place_of(change, diff)

    @property
    def known(self) -> dict[str, Any]:
        """Names, configs and references of both."""
        unet, control = self.unet.spec, self.control
        return {
            "name": f"{unet.name} with {control.name}",
            "config": {**self.config()},
            "reference": f"{unet.reference} + {control.reference}",
        }

    def config(self) -> Mapping[str, Any]:
        """The UNet's config, with the ControlNet's under `controlnet`."""
        return {**self.unet.spec.resolved, "controlnet": self.control.resolved}


def _shapes(tensors: Tensors) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The shape of each input, also of those in a dictionary."""
    for name, tensor in tensors.items():
        if isinstance(tensor, dict):
            yield from _shapes({**tensor})
        else:
            yield name, tensor.shape


def _ignored(text: str) -> None:
    """The notes on a config were printed for the network itself."""


def _all_sizes(given: Mapping[str, int]) -> dict[str, int | None]:
    return {name: given.get(name) for name in SIZES}
