"""From what the user named to a `Trace`: the walk that most commands begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unetscope.errors import ForwardError, UnetscopeError

if TYPE_CHECKING:
    from torch import nn

    from unetscope.commands.inputs import Given
    from unetscope.commands.published import Published
    from unetscope.config import Spec
    from unetscope.record import Trace


@dataclass(frozen=True)
class Request:
    """A network as the user asks for it.

    Attributes:
        source: a config, the name of a shipped one, a saved trace, or `pkg.module:attr`.
        overrides: `KEY=VALUE` each, for `unet`.
        batch: instead of the config's.
        height: of the sample, instead of the config's.
        width: of the sample, instead of the config's.
        tokens: of the text, instead of the config's.
        device: meta, cpu or cuda.
        dtype: element type of weights and inputs.
        inputs: of `pkg.module:attr`: what `--input` describes, each as it was written.
        input_file: of `pkg.module:attr`: more of them, in YAML.
        kwargs: of `pkg.module:attr`: arguments of the class or factory, in YAML.
        controlnet: the config of a ControlNet that steers the UNet.
    """

    source: str
    overrides: Sequence[str] = ()
    batch: int | None = None
    height: int | None = None
    width: int | None = None
    tokens: int | None = None
    device: str = "meta"
    dtype: str = "float32"
    inputs: Sequence[str] = ()
    input_file: Path | None = None
    kwargs: str | None = None
    controlnet: str | None = None

    @property
    def is_target(self) -> bool:
        """Whether the source is code, `pkg.module:attr`."""
        from unetscope.commands.targets import is_target

        return is_target(self.source)

    @property
    def published(self) -> Published | None:
        """The network, if diffusers builds it: the source is the config of a class that it has."""
        from unetscope.commands.published import find

        return None if self.is_target else find(self.source)

    @property
    def is_saved(self) -> bool:
        """Whether the source is a saved trace."""
        from unetscope.store import is_trace

        path = Path(self.source)
        return path.is_file() and is_trace(path)

    def spec(self) -> Spec:
        """The config, resolved.

        Raises:
            UnetscopeError: there is none, or it describes no network.
        """
        from unetscope.config import load

        if self.is_target:
            raise UnetscopeError(
                f"this needs a config, and `{self.source}` is code",
                hint="`unetscope trace` shows its shapes at the sizes that `--input` gives",
            )
        if self.inputs or self.input_file or self.kwargs is not None:
            raise UnetscopeError(
                "`--input`, `--input-file` and `--kwargs` go with code, such as `pkg.module:Unet`",
                hint="a config says what its network takes; `--set` and `--height` change that",
            )
        return load(
            self.source,
            overrides=self.overrides,
            batch=self.batch,
            height=self.height,
            width=self.width,
            tokens=self.tokens,
        )


def obtain(request: Request) -> Trace:
    """The trace of a request: loaded if it was saved, else made by one pass.

    Raises:
        UnetscopeError: there is no such config or trace, or the pass failed.
    """
    from unetscope import store

    if request.is_saved:
        if replace(request, source="") != Request(""):
            raise UnetscopeError(
                f"`{request.source}` is a saved trace: its network and inputs are fixed",
                hint="name the config to trace it with other options",
            )
        return store.load(Path(request.source))
    if request.is_target:
        if request.controlnet is not None:
            raise UnetscopeError("`--controlnet` goes with a config, not with code")
        return run_code(request)
    if (published := request.published) is not None:
        return run_published(request, published)
    spec = request.spec()
    say_notes(spec)
    if request.controlnet is not None:
        from unetscope.commands.controlled import controlled

        return controlled(spec, request.controlnet, request.device, request.dtype)
    return run(spec, request.device, request.dtype)


def say_notes(spec: Spec) -> None:
    """Tell what of a file from elsewhere was left out."""
    from unetscope.commands import console

    for note in spec.notes:
        console.say(f"note: {note}")


def run(spec: Spec, device: str = "meta", dtype: str = "float32") -> Trace:
    """One pass over the network of a config.

    Raises:
        ForwardError: it failed; the error names the option that most likely caused it.
    """
    from unetscope import families
    from unetscope.tracing import devices, trace

    model = devices.build(lambda: families.build(spec.family, spec.unet), device, dtype)
    inputs = devices.zeros(spec.tensors(), device, dtype)
    try:
        return trace(
            model, kwargs=inputs, name=spec.name, config=spec.resolved, reference=spec.reference
        )
    except ForwardError as error:
        failure = error.trace.failure
        key = families.find(spec.family).likely_key(failure.module) if failure else None
        if key is not None:
            error.place = spec.places.get(("unet", key), spec.places.get(("unet",)))
            error.hint = f"most likely `unet.{key}`"
        raise


def run_code(request: Request) -> Trace:
    """One pass over a model of other people's code.

    Raises:
        ForwardError: it failed; the error names the line of code, and what might run it.
        UnetscopeError: it cannot be imported or built, or what it takes is not known.
    """
    from unetscope.commands.guessing import guess
    from unetscope.commands.targets import maker

    if request.overrides:
        raise UnetscopeError(
            "`--set` changes a config, and code has none",
            hint="--kwargs '{NAME: VALUE}' gives a class or a factory its arguments",
        )
    make = maker(request.source, request.kwargs)
    return _run_foreign(request, make, guess, reference=request.source)


def run_published(request: Request, network: Published) -> Trace:
    """One pass over a network that diffusers builds.

    Raises:
        ForwardError: it failed.
        UnetscopeError: diffusers is not installed or cannot build it, or an option does not apply.
    """
    refused = {
        "--set": bool(request.overrides),
        "--kwargs": request.kwargs is not None,
        "--controlnet": request.controlnet is not None,
    }
    for option, used in refused.items():
        if used:
            raise UnetscopeError(
                f"`{option}` goes not with a {network.kind}: diffusers builds it as its file says",
                hint="change the file's options, or a copy's",
            )
    return _run_foreign(
        request,
        network.make,
        network.inputs,
        reference=f"{request.source}, built by {network.builder}",
        name=network.name,
        config=network.config,
    )


def _run_foreign(
    request: Request,
    make: Callable[[], nn.Module],
    guess: Callable[[nn.Module, str, dict[str, int | None]], Given],
    **known: Any,
) -> Trace:
    """One pass over what `make` returns, given what the user described or else `guess` returns."""
    from unetscope.commands import console, guessing
    from unetscope.commands.inputs import given
    from unetscope.commands.targets import foreign, where
    from unetscope.tracing import devices, trace

    device, dtype = request.device, request.dtype
    described = given(request.inputs, request.input_file, dtype)
    sizes = {name: getattr(request, name) for name in ("batch", "height", "width", "tokens")}
    if described and any(sizes.values()):
        raise UnetscopeError("sizes are part of `--input`: leave --batch, --height … away")
    with foreign(f"building `{request.source}`"):
        model = devices.build_as_written(make, device, dtype)
    if not described:
        described = guess(model, dtype, sizes)
        console.say(f"inputs guessed: {guessing.spell(described)}")
    guessing.check(model, described)
    args, kwargs = devices.zeros((described.args, dict(described.kwargs or {})), device)
    try:
        with foreign(f"running `{request.source}`"):
            return trace(model, args, kwargs, **known)
    except ForwardError as error:
        cause = error.__cause__
        error.place = where(cause) if cause else None
        if device == "meta" and "meta" in str(cause).lower():
            error.hint = "it looks at values, which meta has not: `--device cpu` runs it for real"
        raise
