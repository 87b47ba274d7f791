"""`unetscope params CONFIG`: parameters, by block, part, kind, merge block, module or tensor."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.commands.options import (
    Format,
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
    Verbose,
)
from unetscope.errors import UnetscopeError, nearest

# Below this width classes and counts of tensors are left out.
_ROOMY = 100


class By(str, Enum):
    """What the rows of the table are."""

    block = "block"
    part = "part"
    stage_kind = "stage-kind"
    type = "type"
    mbw = "mbw"
    module = "module"
    tensor = "tensor"


def params_command(
    config: MaybeSource = None,
    overrides: Overrides = None,
    inputs: Inputs = None,
    input_file: InputFile = None,
    kwargs: Kwargs = None,
    by: Annotated[
        By | None, typer.Option("--by", help="What the rows are; mbw: merge blocks.")
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
    dtype: Annotated[
        str,
        typer.Option(help="Sizes at these element types: fp32, fp16, bf16, int8.", metavar="NAMES"),
    ] = "fp32",
    names: ModuleNames = Names.diffusers,
    lang: Lang = Language.en,
    format: OutputFormat = Format.terminal,
    output: Output = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Count the parameters; the rows add up to the total exactly.

    A shared tensor counts once, where it was met first. Buffers are listed apart.
    """
    from unetscope.commands.default_config import chosen
    from unetscope.commands.passes import Request, obtain

    if by_block and by not in (None, By.block):
        raise typer.BadParameter("`--by-block` is `--by block`")
    by = by or By.block
    if depth is not None and by is not By.module:
        raise typer.BadParameter("`--depth` goes with `--by module`")
    if top is not None and by in (By.type, By.stage_kind):
        raise typer.BadParameter(f"`--top` does not go with `--by {by.value}`")
    if lora_rank is not None and by is By.stage_kind:
        raise typer.BadParameter("`--lora-rank` does not go with `--by stage-kind`")
    dtypes = _dtypes(dtype)
    request = Request(
        chosen(config),
        tuple(overrides or ()),
        inputs=tuple(inputs or ()),
        input_file=input_file,
        kwargs=kwargs,
    )
    trace = obtain(request)
    from unetscope.views.params import Choice, params
    from unetscope.views.view import View

    choice = Choice(by.value, depth, top, match, lora_rank, dtypes)
    brief = console.is_narrow(format.value, _ROOMY)
    view = View.of(trace, lang.value, names.value).with_brevity(brief)
    tables = params(view, choice)
    if format is Format.csv and len(tables) > 1:
        console.say("csv holds one table: buffers are left out")
        tables = tables[:1]
    console.show(tables, format.value, output, view.names)


def _dtypes(names: str) -> tuple[str, ...]:
    from unetscope.analysis.parameters import BYTES

    chosen = [name.strip() for name in names.split(",") if name.strip()]
    for name in chosen:
        if name not in BYTES:
            close = nearest(name, BYTES)
            raise UnetscopeError(
                f"unknown element type `{name}`: expected {', '.join(BYTES)}",
                hint=f"did you mean `{close}`?" if close else None,
            )
    return tuple(dict.fromkeys(chosen))
