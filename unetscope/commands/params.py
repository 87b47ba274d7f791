"""`unetscope params`: parameters, by block, part, kind, merge block, module or tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from unetscope.commands import completing, console
from unetscope.commands.help_page import examples
from unetscope.commands.options import (
    ROWS,
    MaybeSource,
    ModuleNames,
    SizedNetworkOptions,
    TaughtOptions,
    grouped,
    one_of,
)
from unetscope.errors import ForwardError, UnetscopeError, did_you_mean
from unetscope.wording import series

if TYPE_CHECKING:
    from unetscope.api import Architecture
    from unetscope.record import Trace

BY = ("block", "part", "stage-kind", "type", "mbw", "module", "tensor")
"""What the rows of the table can be."""

HELD = ("module", "tensor")
"""Those of them that are known of a network that cannot run."""

_SHORT = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
"""torch's name of an element type -> what a column of bytes is headed."""


@examples(
    (
        "unetscope params sd15 --by part",
        "How many parameters the encoder, the middle and the decoder have.",
    ),
    (
        "unetscope params sd15 --match '*.attn2.to_[qkv]' --lora-rank 16 --by part",
        "What a LoRA of rank 16 on the cross-attention would have.",
    ),
    (
        "unetscope params sdxl_base --by tensor --top 10 --bytes-in fp16,int8",
        "The ten largest tensors, and their bytes in two element types.",
    ),
)
@grouped
def params_command(
    network: SizedNetworkOptions,
    written: TaughtOptions,
    config: MaybeSource = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help=f"{ROWS}tensor: each tensor.", **one_of(BY)),
    ] = None,
    by_block: Annotated[bool, typer.Option("--by-block", help="The same as `--by block`.")] = False,
    depth: Annotated[
        int | None,
        typer.Option(min=1, help="Tell apart modules down to level N.", metavar="N"),
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="Only the N largest rows.", metavar="N")
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(help="Only tensors that match, such as '*.attn2.to_[qkv]'.", metavar="GLOB"),
    ] = None,
    lora_rank: Annotated[
        int | None,
        typer.Option(
            "--lora-rank", min=1, help="Also the size of a LoRA of rank N on them.", metavar="N"
        ),
    ] = None,
    bytes_in: Annotated[
        str | None,
        typer.Option(
            "--bytes-in",
            help="Their bytes in these element types, comma-separated: fp32, fp16, bf16, int8; "
            "by default in that of `--dtype`.",
            metavar="TYPES",
            autocompletion=completing.several(
                completing.registry("unetscope.analysis.parameters:BYTES")
            ),
        ),
    ] = None,
    names: ModuleNames = "diffusers",
) -> None:
    """Count the parameters; the rows add up to the total exactly.

    A shared tensor counts once, where it was met first. Buffers are listed apart.
    """
    if by_block and by not in (None, "block"):
        raise typer.BadParameter("`--by-block` is `--by block`")
    by = "block" if by_block else by
    if depth is not None and by != "module":
        raise typer.BadParameter("`--depth` goes with `--by module`")
    if top is not None and by in ("type", "stage-kind"):
        raise typer.BadParameter(f"`--top` does not go with `--by {by}`")
    if lora_rank is not None and by == "stage-kind":
        raise typer.BadParameter("`--lora-rank` does not go with `--by stage-kind`")
    dtypes = _dtypes(bytes_in or _SHORT[network.dtype])
    trace, by = _trace(network.load(config), by)
    from unetscope.views.params import Choice, params
    from unetscope.views.view import View

    view = View.of(trace, written.lang, names)
    tables = params(view, Choice(by, depth, top, match, lora_rank, dtypes))
    if written.format == "csv" and len(tables) > 1:
        console.info("csv holds one table: buffers are left out")
        tables = tables[:1]
    written.show_view(view, tables)


def _trace(unet: Architecture, by: str | None) -> tuple[Trace, str]:
    """One pass, and what the rows are: the blocks, if nothing else was asked for.

    Of code whose pass fails there is still what its modules hold; its blocks are not known.

    Raises:
        UnetscopeError: there is no such network, or it cannot be built; a config's cannot run.
    """
    from unetscope.sources.foreign import ForeignNetwork

    try:
        return unet.trace(), by or "block"
    except ForwardError as error:
        if not isinstance(unet.source, ForeignNetwork):
            raise
        if by not in (None, *HELD):
            error.hint = f"{series((f'`--by {name}`' for name in HELD), 'or')} needs no pass"
            raise
        console.note(error)
        return error.trace, by or "module"


def _dtypes(names: str) -> tuple[str, ...]:
    from unetscope.analysis.parameters import BYTES

    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in BYTES:
            raise UnetscopeError(
                f"unknown element type `{name}`: expected {', '.join(BYTES)}",
                hint=did_you_mean(name, BYTES),
            )
    return tuple(dict.fromkeys(chosen))
