"""`unetscope memory`: weights, activations, the skip stack, training; measured if wanted."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    MaybeSource,
    ModuleNames,
    SizedNetworkOptions,
    TaughtOptions,
    grouped,
)
from unetscope.errors import UnetscopeError


@examples(
    (
        "unetscope memory sd15 --dtype float16 --batch 2",
        "What two images at once need in half precision, and when.",
    ),
    ("unetscope memory sd15 --sections skips", "How much the skips hold while the middle runs."),
)
@grouped
def memory_command(
    network: SizedNetworkOptions,
    written: TaughtOptions,
    config: MaybeSource = None,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: memory, measured, weights, peak, blocks, skips, "
            "training.",
            metavar="NAMES",
            autocompletion=completing.several(
                completing.registry("unetscope.views.memory:SECTIONS")
            ),
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
    names: ModuleNames = "diffusers",
) -> None:
    """Show what one forward pass holds in memory: weights, peak of the activations, skip stack.

    From the births and deaths of all tensors, as Python really held them; also an estimate for
    training.
    """
    if "measured" in (sections or "") and not measure:
        raise typer.BadParameter("the section `measured` goes with `--measure`")
    unet = network.load(config)
    runnable = unet.source.runnable("it holds no network to measure") if measure else None
    if runnable is not None and network.device == "meta":
        raise UnetscopeError(
            "nothing runs on meta, so there is nothing to measure",
            hint="add `--device cuda` or `--device cpu`",
        )
    if measure and network.device.partition(":")[0] not in ("cpu", "cuda"):
        raise UnetscopeError(
            f"`--measure` cannot wait for the end of what runs on `{network.device}`",
            hint="add `--device cuda` or `--device cpu`",
        )
    from unetscope.sources.reruns import measurement
    from unetscope.views.memory import memory
    from unetscope.views.view import View

    trace = unet.trace() if runnable is None else runnable.on("meta").trace()
    view = View.of(trace, written.lang, names)
    measured = measurement(runnable, trace, runs, console.progress) if runnable else None
    tables, missing = memory(view, sections, top, measured)
    if sections is not None:
        console.tell_missing(missing, "network")
    written.show_view(view, view.told(tables))
