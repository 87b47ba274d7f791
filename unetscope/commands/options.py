"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from unetscope.commands import console
from unetscope.words import Language as Language


def _complete(started: str) -> list[str]:
    """The shipped configs whose names begin so; files are completed by the shell."""
    from unetscope.config.files import shipped

    return [name for name in shipped() if name.startswith(started)]


Source = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG",
        help="A config file, the name of a shipped config, a saved trace, or code: "
        "pkg.module:attr.",
        autocompletion=_complete,
    ),
]
_WITHOUT = (
    "without one, what `config` under [tool.unetscope] in the nearest pyproject.toml names, "
    "else sd15."
)
MaybeSource = Annotated[
    str | None,
    typer.Argument(
        metavar="[CONFIG]",
        help="A config file, the name of a shipped config, a saved trace, or code "
        f"(pkg.module:attr); {_WITHOUT}",
        autocompletion=_complete,
    ),
]
MaybeConfig = Annotated[
    str | None,
    typer.Argument(
        metavar="[CONFIG]",
        help=f"A config file or the name of a shipped config; {_WITHOUT}",
        autocompletion=_complete,
    ),
]
MaybeConfigs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CONFIG]...",
        help=f"Config files or names of shipped configs; {_WITHOUT}",
        autocompletion=_complete,
    ),
]
Config = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG",
        help="A config file or the name of a shipped config.",
        autocompletion=_complete,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override one value of `unet`; may be repeated."
    ),
]
Batch = Annotated[int | None, typer.Option(help="Images at once.", metavar="N")]
Height = Annotated[int | None, typer.Option(help="Rows of the (latent) sample.", metavar="N")]
Width = Annotated[int | None, typer.Option(help="Columns of the (latent) sample.", metavar="N")]
Tokens = Annotated[int | None, typer.Option(help="Tokens of the text.", metavar="N")]
ControlNet = Annotated[
    str | None,
    typer.Option(
        help="The config of a ControlNet that steers the UNet.",
        metavar="CONFIG",
        autocompletion=_complete,
    ),
]
Device = Annotated[
    str, typer.Option(help="meta allocates nothing; cpu and cuda run for real.", metavar="DEVICE")
]


Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        help="What code takes: 1,3,256,256, x=1,3,256,256, t=1:int64, scale:=0.5; repeatable.",
        metavar="[NAME=]SHAPE[:DTYPE]",
    ),
]
InputFile = Annotated[
    Path | None, typer.Option("--input-file", help="The same in YAML.", metavar="FILE")
]
Kwargs = Annotated[
    str | None,
    typer.Option(
        "--kwargs", help="Arguments of a class or factory, in YAML: '{depth: 4}'.", metavar="YAML"
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Only errors on stderr.", callback=console.quieten),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Say more on stderr.", callback=console.loosen),
]


class DType(str, Enum):
    """Element types that a pass can run in."""

    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"


class Format(str, Enum):
    """Forms that tables can take."""

    terminal = "terminal"
    markdown = "markdown"
    csv = "csv"
    json = "json"


class Names(str, Enum):
    """Code bases whose names modules can have."""

    diffusers = "diffusers"
    compvis = "compvis"


ModuleNames = Annotated[
    Names, typer.Option("--names", help="Whose names modules and parameters have.")
]
ElementType = Annotated[DType, typer.Option("--dtype", help="Element type of weights and inputs.")]
OutputFormat = Annotated[Format, typer.Option("--format", "-f", help="Form of the output.")]
Lang = Annotated[Language, typer.Option("--lang", help="Language of the tables.")]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write to a file instead of stdout.", metavar="FILE"),
]
