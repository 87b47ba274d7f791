"""`unetscope memory CONFIG`: weights, activations, the skip stack, training; measured if wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    Batch,
    Device,
    DType,
    ElementType,
    Format,
    Height,
    InputFile,
    Inputs,
    Kwargs,
    Lang,
    Language,
    MaybeSource,
    ModuleNames,
    Names,
    Output,
    OutputFormat,
    Overrides,
    Quiet,
    Tokens,
    Verbose,
    Width,
)
from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.analysis.network import Network
    from unetscope.commands.passes import Request
    from unetscope.record import Measurement

# Below this width the lifetimes of skips leave out the clock.
_ROOMY = 120


def memory_command(
    config: MaybeSource = None,
    overrides: Overrides = None,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    batch: Batch = None,
    height: Height = None,
    width: Width = None,
    tokens: Tokens = None,
    device: Device = "meta",
    dtype: ElementType = DType.float32,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: memory, measured, weights, peak, blocks, skips, "
            "training.",
            metavar="NAMES",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(min=1, help="Of what is alive at the peak, the N largest.", metavar="N")
    ] = 10,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Run for real, on `--device cpu` or `cuda`: the time of each block, and on cuda "
            "its peak beside the prediction.",
        ),
    ] = False,
    runs: Annotated[
        int, typer.Option(min=1, help="Measure N passes, and take medians.", metavar="N")
    ] = 5,
    names: ModuleNames = Names.diffusers,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """What one forward pass holds in memory: weights, peak of the activations, skip stack.

    From the births and deaths of all tensors, as Python really held them; also an estimate for
    training.
    """
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request, obtain
    from unetscope.views.memory import memory
    from unetscope.views.view import View

    if "measured" in (sections or "") and not measure:
        raise typer.BadParameter("the section `measured` goes with `--measure`")
    request = Request(
        chosen(config),
        tuple(overrides or ()),
        batch,
        height,
        width,
        tokens,
        device,
        dtype.value,
        tuple(inputs or ()),
        input_file,
        kwargs,
    )
    if measure:
        _refuse_unmeasurable(request)
    trace = obtain(replace(request, device="meta") if measure else request)
    brief = console.is_narrow(format.value, _ROOMY)
    view = View.of(trace, lang.value, names.value).with_brevity(brief)
    measurement = _measure(request, view.network, runs) if measure else None
    tables = memory(view, sections, top, measurement)
    if not tables:
        console.say(f"{trace.name} joins no skips")
    console.show(tables, format.value, output, view.names)


def _refuse_unmeasurable(request: Request) -> None:
    if request.is_saved:
        raise UnetscopeError(
            "a saved trace cannot be measured: it holds no network",
            hint="name the config instead",
        )
    if request.device == "meta":
        raise UnetscopeError(
            "nothing runs on meta, so there is nothing to measure",
            hint="add `--device cuda` or `--device cpu`",
        )


def _measure(request: Request, network: Network, runs: int) -> Measurement:
    """Build the network for real and run it."""
    from unetscope import families
    from unetscope.tracing import devices
    from unetscope.tracing.measure import fill, measure, passes

    spec = request.spec()
    device, dtype = request.device, request.dtype
    model = devices.build(lambda: families.build(spec.family, spec.unet), device, dtype)
    inputs = devices.zeros(spec.tensors(), device, dtype)
    fill(model, inputs)
    blocks = [network.path(call) for call in network.blocks]
    steps = passes(device, runs)
    with console.progress(f"measuring {spec.name} on {device}: {steps} passes", steps) as done:
        return measure(model, inputs, blocks, runs=runs, done=done)
