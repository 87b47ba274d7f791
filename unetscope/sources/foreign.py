"""Sources that are other people's code: `pkg.module:attr`, and classes that diffusers publishes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from unetscope.errors import ForwardError, Place, UnetscopeError
from unetscope.sources import guessing
from unetscope.sources.inputs import Given, given
from unetscope.sources.published import Published
from unetscope.sources.request import SIZES, Request
from unetscope.sources.source import Info, Runnable
from unetscope.sources.targets import maker, where

if TYPE_CHECKING:
    from torch import nn

    from unetscope.record import Trace

F = TypeVar("F", bound="ForeignNetwork")


class ForeignNetwork(Runnable):
    """A network that other people's code builds.

    Attributes:
        make: builds it.
        described: the arguments of `forward` that the user described; without any they are guessed.
    """

    make: Callable[[], nn.Module]
    retry: Callable[[Exception], None] | None = None
    """Is called before `make` is tried on the CPU, because meta lacks something; None: it is not.
    """

    def __init__(self, request: Request, info: Info) -> None:
        super().__init__(request, info)
        self.described = given(request.inputs, request.input_file, request.dtype)
        if self.described and request.sizes:
            raise UnetscopeError("sizes are part of `--input`: leave --batch, --height … away")

    @property
    def input_dtype(self) -> None:
        """Each input has the element type that it is described in."""

    def guess(self, model: nn.Module) -> Given:
        """The arguments of `forward` where the user described none."""
        return guessing.guess(model, self.request.dtype, self.request.sizes)

    def build(self) -> nn.Module:
        """The network in the state in which its code leaves it, on a device."""
        from unetscope.tracing import devices

        device, dtype = self.request.device, self.request.dtype
        with self.guarded(f"building `{self.name}`"):
            model = devices.build_as_written(self.make, device, dtype, self.retry)
        return self._settled(model)

    def _settled(self, model: nn.Module) -> nn.Module:
        """The network after a first run with its inputs, if it has lazy modules."""
        from unetscope.tracing.lazy import lazy_modules, settled

        if not lazy_modules(model):
            return model
        silent = copy(self)
        silent.info = _nothing
        args, kwargs = silent.arguments(model)
        with self.guarded(f"running `{self.name}`"):
            return settled(model, args, kwargs)

    def computed(self) -> nn.Module:
        """The network as its code leaves it."""
        return self.build()

    def inputs(self, model: nn.Module) -> Given:
        """The arguments of `forward`, as they were described or else guessed."""
        with self.guarded(f"guessing the inputs of `{self.name}`"):
            described = self.described or self.guess(model)
        if not self.described:
            self.info(f"inputs guessed: {guessing.spell(described)}")
        if self.by_position:
            described, self.other_names = guessing.by_position(model, described)
        guessing.check(model, described)
        return described

    def at(self: F, **sizes: int) -> F:
        """The same network with inputs guessed at other sizes."""
        if self.described:
            raise UnetscopeError(
                "the inputs that `--input` describes have fixed sizes",
                hint="leave it away, so that they are guessed at each size",
            )
        return type(self)(self.request.at(sizes), _nothing)

    def run(self, model: nn.Module, given: Given | None = None) -> Trace:
        """One pass over what `build` returned; what the code prints goes to stderr."""
        with self.guarded(f"running `{self.name}`"):
            return super().run(model, given)

    def explain(self, error: ForwardError) -> None:
        """Name the line of code that failed, and what may run it."""
        from unetscope.tracing import devices

        cause = error.__cause__
        error.place = where(cause) if cause else None
        if self.request.device == "meta" and devices.lacks_values(cause):
            error.hint = "it looks at values, which meta has not: `--device cpu` runs it for real"


class CodeNetwork(ForeignNetwork):
    """A model, a class or a factory that the user named as `pkg.module:attr`."""

    takes = frozenset({"inputs", "input_file", "kwargs", *SIZES, "device", "dtype", "trust_code"})

    def __init__(self, request: Request, info: Info) -> None:
        super().__init__(request, info)
        self.make = maker(request.source, request.kwargs)
        self.retry = self._say_retry

    def guess(self, model: nn.Module) -> Given:
        """What a class of diffusers is given by its pipelines; else what is likely."""
        from unetscope.sources import published_inputs

        known = published_inputs.of_model(model, self.request.dtype, self.request.sizes)
        return super().guess(model) if known is None else Given((), known)

    def _say_retry(self, error: Exception) -> None:
        reason = str(error).partition("\n")[0]
        self.info(f"built on the CPU, in memory, since meta has no values: {reason}")

    @classmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """Code has no config to change, and no residuals of a ControlNet to take."""
        if option == "controlnet":
            return UnetscopeError("`--controlnet` goes with a config, not with code")
        return UnetscopeError(
            "`--set` changes a config, and code has none",
            hint="--kwargs '{NAME: VALUE}' gives a class or a factory its arguments",
        )

    @property
    def known(self) -> dict[str, Any]:
        """The reference of the trace; its name is the class's."""
        return {"reference": self.name}

    def config(self) -> Mapping[str, Any]:
        """Code has none.

        Raises:
            UnetscopeError: always.
        """
        raise UnetscopeError(f"`{self.name}` is code, which has no config")


class PublishedNetwork(ForeignNetwork):
    """The `config.json` of a class that no family here covers, and that diffusers builds."""

    takes = frozenset({"inputs", "input_file", *SIZES, "device", "dtype"})

    def __init__(self, request: Request, info: Info) -> None:
        super().__init__(request, info)
        self.published = _published(request.source)
        self.make = self.published.make
        self._builder = self.published.builder
        for note in self.published.notes:
            info(f"note: {note}")

    def at_revision(self, name: str, named: Callable[[Place], Place]) -> PublishedNetwork:
        """Itself under the name that the user gave; see `Source.at_revision`."""
        places = {path: named(place) for path, place in self.published.places.items()}
        self.published = replace(self.published, places=places)
        self.make = self.published.make
        return super().at_revision(name, named)

    def guarded(self, doing: str) -> AbstractContextManager[None]:
        """Says what goes wrong at the file's option that most likely led to it."""
        return self.published.refusing(doing)

    @classmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """Diffusers builds it from its file alone."""
        from unetscope.sources.request import FLAGS

        return UnetscopeError(
            f"`{FLAGS[option]}` cannot change a {_published(request.source).kind}: diffusers "
            "builds it from its file",
            hint="change the file's options, or a copy's",
        )

    def guess(self, model: nn.Module) -> Given:
        """What the class's `forward` takes, at the sizes of its config."""
        return self.published.inputs(model, self.request.dtype, self.request.sizes)

    @property
    def known(self) -> dict[str, Any]:
        """Name, config and reference of the trace."""
        return {
            "name": self.published.name,
            "config": self.published.config,
            "reference": f"{self.name}, built by {self._builder}",
        }

    def config(self) -> Mapping[str, Any]:
        """The file in the form of a config."""
        return self.published.config


def _published(reference: str) -> Published:
    from unetscope.sources.published import find

    found = find(reference)
    assert found is not None, "only such files become a PublishedNetwork"
    return found


def trusted(request: Request) -> Request:
    """The request for the class or factory that a file names, with the arguments beside it.

    Code that the user named is trusted as it is.

    Raises:
        UnetscopeError: the file names none, or the user gave arguments too.
    """
    from unetscope.config.code import code_of_network
    from unetscope.config.document import read
    from unetscope.config.files import locate

    path = locate(request.source)
    found = code_of_network(read(path).data)
    if found is None:
        raise UnetscopeError(
            "`--trust-code`: it names no code that makes a network",
            hint="code is named as `_target_: pkg.module.Class`, with its arguments beside it",
            place=Place(str(path)),
        )
    if request.kwargs is not None:
        raise UnetscopeError(
            "`--kwargs` and `--trust-code` do not go together: the file has the arguments",
            hint=f"`{found.command}` is the same",
        )
    return replace(request, source=found.target, kwargs=json.dumps(found.arguments))


def _nothing(text: str) -> None:
    """The inputs of further sizes are guessed as those of the first were, which was printed."""
