"""`unetscope timesteps`: the sinusoidal embedding of the time, from the network's own layer."""

from __future__ import annotations

from typing import Annotated

import typer

from unetscope.commands import completing
from unetscope.commands.help_page import examples
from unetscope.commands.options import MaybeSource, NetworkOptions, TaughtOptions, grouped
from unetscope.errors import UnetscopeError

MOST_STEPS = 100_000


@examples(
    (
        "unetscope timesteps sd15 --at 0,10,100",
        "The values of three times in a few channels, and how alike neighbours are.",
    ),
    (
        "unetscope timesteps article_003 --plot -o embedding.svg",
        "The channels as curves over time, in an image.",
    ),
)
@grouped
def timesteps_command(
    network: NetworkOptions,
    written: TaughtOptions,
    config: MaybeSource = None,
    at: Annotated[
        str, typer.Option("--at", help="Times whose values are shown.", metavar="TIMES")
    ] = "0,1,10,100,999",
    steps: Annotated[
        int,
        typer.Option(min=2, max=MOST_STEPS, help="Times of the schedule: 0 to N - 1.", metavar="N"),
    ] = 1000,
    channels: Annotated[
        str | None,
        typer.Option(help="Channels: 0,1,160, or all; without, a few.", metavar="CHANNELS"),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(
            help="The layer, where a network has several of them.",
            metavar="MODULE",
            autocompletion=completing.modules,
        ),
    ] = None,
    sections: Annotated[
        str | None,
        typer.Option(
            help="Only these, comma-separated: layer, frequencies, values, similarity.",
            metavar="NAMES",
            autocompletion=completing.several(
                completing.registry("unetscope.views.timesteps:SECTIONS")
            ),
        ),
    ] = None,
    plot: Annotated[
        bool,
        typer.Option("--plot", help="Draw it instead; with `-o FILE.svg` as an image."),
    ] = False,
) -> None:
    """Show how the time step is embedded: sines and cosines, their frequencies and values.

    The network's own layer runs on the CPU; what each channel is, is found from its values.
    """
    from unetscope.sources.embedding import embedding
    from unetscope.views.about import Subject, about
    from unetscope.views.teaching import of_times
    from unetscope.views.timesteps import chart, spread, timesteps
    from unetscope.words import Words

    shown: list[int] = []

    def choose(count: int) -> list[int]:
        shown[:] = spread(count, 6 if plot else 12) if channels is None else _some(channels, count)
        return shown

    if plot:
        written.check_drawing()
    unet = network.load(config)
    trace, found = embedding(
        unet.source,
        layer,
        at=_times(at),
        steps=steps,
        distances=[d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500) if d < steps],
        channels=choose,
    )
    words, subject = Words(written.lang), Subject.of_trace(trace)
    if plot:
        written.draw(chart(words, subject.network, found, shown))
    else:
        tables = timesteps(words, found, shown, steps, sections)
        tables = written.taught(tables, lambda: of_times(written.lang, found))
        written.show(tables, about=about(subject, words))


def _times(text: str) -> list[float]:
    from math import isfinite

    try:
        found = [float(piece) for piece in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(isfinite(time) and abs(time) < 1e9 for time in found):
        raise UnetscopeError(f"--at: expected times such as 0,10,100, found `{text}`")
    return list(dict.fromkeys(found))


def _some(text: str, count: int) -> list[int]:
    if text == "all":
        return list(range(count))
    pieces = [piece.strip() for piece in text.split(",")]
    if not all(p.isascii() and p.isdigit() and len(p) < 10 and int(p) < count for p in pieces):
        raise UnetscopeError(
            f"--channels: expected channels from 0 to {count - 1} such as 0,1, or all, "
            f"found `{text}`"
        )
    return list(dict.fromkeys(map(int, pieces)))
