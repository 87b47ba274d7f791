"""The options that commands share: each declared once, in groups that a command takes as a whole.

A group is a frozen dataclass whose fields are options. A command that has a parameter of such a
type and is decorated with `grouped` has all of them, so that an option means the same everywhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.models import OptionInfo

from unetscope.commands import completing, console
from unetscope.commands.language import OPTION, VARIABLE, given
from unetscope.errors import UnetscopeError, nearest
from unetscope.render import Content, format_of, formats
from unetscope.sources.request import Request
from unetscope.words import Language

if TYPE_CHECKING:
    from unetscope.api import Architecture
    from unetscope.rules.gate import Gate
    from unetscope.table import About, Chart, Curves, Table
    from unetscope.views.diff import Judged
    from unetscope.views.teaching import Teacher
    from unetscope.views.view import View

SHOW, NETWORK, GATE, OUTPUT = "What to show", "Network", "Gate", "Output"
"""The headings under which help lists the options; a command's own stand under the first."""
_ORDER = {GATE: 2, NETWORK: 3, OUTPUT: 4}
"""Their places in the help; other headings have the first."""

ROWS = (
    "What the rows are. block: such as down_blocks.0; part: such as the encoder; stage-kind: "
    "stages down and kinds of modules across; type: kinds of modules, such as GSC (GroupNorm, SiLU "
    "and a convolution) and whole blocks, X being the ResNets in each; mbw: merge blocks, IN00 to "
    "OUT11, as tools that merge checkpoints number them; module: each module, or those of "
    "`--depth`; "
)
"""What `--by` means where it divides a network; a command adds what it has beside these."""

_DTYPES = {
    "float32": ("fp32", "float"),
    "float16": ("fp16", "half"),
    "bfloat16": ("bf16",),
}
"""torch's name of an element type -> other names of it."""


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take groups of options: each field of a group becomes an option of its own."""
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        if not is_dataclass(hint):
            parameters.append(parameter.replace(annotation=hint))
            continue
        groups[parameter.name] = hint  # type: ignore[assignment]
        options = get_type_hints(hint, include_extras=True)
        parameters += [
            inspect.Parameter(
                option.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=option.default,
                annotation=options[option.name],
            )
            for option in fields(hint)
        ]

    @wraps(command)
    def run(**given: Any) -> None:
        filled = {
            name: group(**{option.name: given.pop(option.name) for option in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **filled)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    parameters.sort(key=_heading)
    vars(run)["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run


def _heading(parameter: inspect.Parameter) -> int:
    """The place of a parameter in the help: arguments, a command's own options, then the others."""
    (setting,) = parameter.annotation.__metadata__
    if not isinstance(setting, OptionInfo):
        return 0
    setting.rich_help_panel = setting.rich_help_panel or SHOW
    return _ORDER.get(setting.rich_help_panel, 1)


def one_of(names: Iterable[str], others: Mapping[str, Iterable[str]] | None = None) -> Any:
    """The settings of an option that takes one of some names.

    Args:
        names: what it takes, in the order in which help lists them.
        others: further spellings of each name.
    """
    known = tuple(names)
    meant = {other: name for name, spellings in (others or {}).items() for other in spellings}

    def read(text: str) -> str:
        name = meant.get(text, text)
        if name in known:
            return name
        close = nearest(text, (*known, *meant))
        guess = f" Did you mean `{meant.get(close, close)}`?" if close else ""
        raise typer.BadParameter(f"expected {', '.join(known)}; found `{text}`.{guess}")

    return {
        "parser": read,
        "metavar": "|".join(known),
        "autocompletion": completing.one(lambda: known),
    }


_SOURCE = (
    "A config file, the name of a shipped config, a saved trace, a file at a git revision "
    "(HEAD~1:configs/unet.yaml), or code (pkg.module:attr)"
)
_WITHOUT = (
    "without one, what `config` names under tool.unetscope in the nearest pyproject.toml, else sd15"
)
MaybeSource = Annotated[
    str | None,
    typer.Argument(
        metavar="[CONFIG]", help=f"{_SOURCE}; {_WITHOUT}.", autocompletion=completing.configs
    ),
]
MaybeSources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CONFIG...",
        help=f"Each: {_SOURCE}; without one, what `config` names under tool.unetscope.",
        autocompletion=completing.configs,
    ),
]
Network = Annotated[
    str,
    typer.Argument(
        help="A config, a lock, a saved trace, a checkpoint (model.safetensors), a file at a git "
        "revision (HEAD~1:configs/unet.yaml), or code: pkg.module:attr.",
        autocompletion=completing.configs,
    ),
]


def _option(*names: str, help: str, panel: str = NETWORK, **settings: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, **settings)


@dataclass(frozen=True)
class NetworkOptions:
    """How a network is found, built and run, at sizes that something else decides."""

    overrides: Annotated[
        list[str] | None,
        _option(
            "--set",
            help="Override one value of `unet`; repeatable.",
            metavar="KEY=VALUE",
            autocompletion=completing.overrides,
        ),
    ] = None
    controlnet: Annotated[
        str | None,
        _option(
            "--controlnet",
            help="The config of a ControlNet that steers the UNet.",
            metavar="CONFIG",
            autocompletion=completing.controlnets,
        ),
    ] = None
    inputs: Annotated[
        list[str] | None,
        _option(
            "--input",
            help="What code takes: 1,3,256,256, x=1,3,256,256, t=1:int64, scale:=0.5; repeatable.",
            metavar="[NAME=]SHAPE[:DTYPE]",
        ),
    ] = None
    input_file: Annotated[
        Path | None, _option("--input-file", help="The same in YAML.", metavar="FILE")
    ] = None
    kwargs: Annotated[
        str | None,
        _option(
            "--kwargs",
            help="Arguments of a class or factory, in YAML: '{depth: 4}'.",
            metavar="YAML",
        ),
    ] = None
    trust_code: Annotated[
        bool, _option("--trust-code", help="Run the class that a config names as `_target_`.")
    ] = False
    device: Annotated[
        str,
        _option(
            "--device",
            help="Where it runs: meta allocates nothing; cpu, cuda, mps and xpu run for real.",
            metavar="DEVICE",
            autocompletion=completing.one(lambda: ("meta", "cpu", "cuda", "mps", "xpu")),
        ),
    ] = "meta"
    dtype: Annotated[
        str,
        _option(
            "--dtype",
            help="Element type of weights and inputs.",
            **one_of(_DTYPES, _DTYPES),
        ),
    ] = "float32"

    no_cache: Annotated[
        bool,
        _option(
            "--no-cache",
            help="Run the network again, even if an earlier run was kept; keep nothing.",
        ),
    ] = False

    def load(self, name: str | None, **sizes: int) -> Architecture:
        """What the user named or, without a name, what is usual here; with these options.

        Args:
            name: of the source.
            sizes: of the inputs, where a command has options of its own for them.

        Raises:
            UnetscopeError: there is no such thing, or an option has no meaning for it.
        """
        from unetscope.api import Architecture
        from unetscope.sources.settings import default_config

        name = default_config(console.info) if name is None else name
        return Architecture.of(self._request(name).at(sizes), console.info)

    def requests(self, names: Iterable[str]) -> list[Request]:
        """A request for each of several sources, with the options that mean something to it.

        Raises:
            UnetscopeError: an option has no meaning for any of them.
        """
        from unetscope.sources import fitting

        return fitting(self._request(""), list(names))

    def load_all(self, names: Iterable[str]) -> list[Architecture]:
        """Several networks, each with the options that mean something to it.

        Raises:
            UnetscopeError: as `load` and `requests`.
        """
        from unetscope.api import Architecture

        return [Architecture.of(each, console.info) for each in self.requests(names)]

    def _request(self, name: str) -> Request:
        given = {option.name: getattr(self, option.name) for option in fields(self)}
        for repeatable in ("overrides", "inputs"):
            given[repeatable] = tuple(given[repeatable] or ())
        given["cache"] = not given.pop("no_cache")
        return Request(name, **given)


@dataclass(frozen=True)
class SizedNetworkOptions(NetworkOptions):
    """The same, with the sizes of the inputs."""

    batch: Annotated[int | None, _option("--batch", help="Images at once.", metavar="N")] = None
    height: Annotated[
        int | None, _option("--height", help="Rows of the (latent) sample.", metavar="N")
    ] = None
    width: Annotated[
        int | None, _option("--width", help="Columns of the (latent) sample.", metavar="N")
    ] = None
    tokens: Annotated[int | None, _option("--tokens", help="Tokens of the text.", metavar="N")] = (
        None
    )


def schema_option(help: str, schema: Callable[[], object]) -> Any:
    """An option that prints a JSON Schema, and leaves."""

    def text() -> str:
        import json

        return json.dumps(schema(), indent=2) + "\n"

    return leaving_option("--schema", help, text)


def leaving_option(name: str, help: str, text: Callable[[], str]) -> Any:
    """An option that prints a text, and leaves."""

    def show(wanted: bool) -> None:
        if wanted:
            console.emit(text())
            raise typer.Exit

    return typer.Option(name, help=help, callback=show, is_eager=True, rich_help_panel=OUTPUT)


WRITTEN: Mapping[str, Any] = {"metavar": "FILE", "readable": False}
"""The settings of an option for a file that is only written."""


def _output(*names: str, help: str, **settings: Any) -> Any:
    return _option(*names, help=help, panel=OUTPUT, **settings)


ModuleNames = Annotated[
    str,
    _output(
        "--names",
        help="Whose names modules and parameters have.",
        **one_of(("diffusers", "compvis")),
    ),
]
Output = Annotated[
    Path | None,
    _output(
        "-o",
        "--output",
        help="Write to a file instead of stdout; without `--format`, its suffix tells the format.",
        **WRITTEN,
    ),
]


def is_given(context: typer.Context, option: str) -> bool:
    """Whether the user gave an option, on the command line or in the environment."""
    source = context.get_parameter_source(option)
    return source is not None and source.name != "DEFAULT"


def _language(context: typer.Context, value: str) -> str:
    """`--lang` wherever it stands, else what the project's settings say."""
    from unetscope.sources.settings import language as set_language

    return value if is_given(context, "lang") else given() or set_language() or value


def form(names: Iterable[str], told: Callable[[str], str | None], help: str) -> Any:
    """The option `--format` of a command.

    Args:
        names: of the formats.
        told: the format that a file's suffix tells, or None; may raise `UnetscopeError`.
        help: what the option is.
    """

    def by_suffix(context: typer.Context, value: str) -> str:
        """`--format`, else what the suffix of `--output` tells."""
        output = context.params.get("output")
        if output is None or is_given(context, "format"):
            return value
        return told(Path(output).suffix) or value

    return _output("--format", "-f", help=help, callback=by_suffix, **one_of(names))


if TYPE_CHECKING:
    TableFormat = str
    FindingFormat = str
    ChangeFormat = str
else:

    def _format(content: Content, more: str = "") -> Any:
        """The option `--format` of a command, with the formats that can hold what it writes."""
        told = partial(format_of, content=content)
        return Annotated[str, form(formats(content), told, f"Form of the output{more}.")]

    TableFormat = _format(Content.TABLES)
    FindingFormat = _format(Content.FINDINGS, "; github and sarif mark lines of files")
    ChangeFormat = _format(
        Content.CHANGES, "; markdown is a pull request's comment, github marks lines"
    )


LANGUAGES: Mapping[str, Any] = one_of(each.value for each in Language)
"""The settings of an option for a language."""


@dataclass(frozen=True)
class MessageOptions:
    """How much is printed on stderr, and in which language."""

    quiet: Annotated[
        bool, _output("--quiet", "-q", help="Only errors on stderr.", callback=console.set_quiet)
    ] = False
    verbose: Annotated[
        bool,
        _output(
            "--verbose", "-v", help="More on stderr, tracebacks too.", callback=console.set_verbose
        ),
    ] = False
    lang: Annotated[
        str,
        _output(OPTION, help="Language of messages and help.", envvar=VARIABLE, **LANGUAGES),
    ] = "en"


@dataclass(frozen=True)
class WrittenOptions(MessageOptions):
    """How a command writes what it found, in words of which language."""

    lang: Annotated[
        str,
        _output(
            OPTION,
            help="Language of tables, messages and help; by default `lang` under tool.unetscope.",
            envvar=VARIABLE,
            callback=_language,
            **LANGUAGES,
        ),
    ] = "en"
    format: str = "terminal"


@dataclass(frozen=True)
class TableOptions(WrittenOptions):
    """How tables are written, and where to."""

    format: TableFormat = "terminal"
    output: Output = None

    def show(
        self,
        tables: Iterable[Table],
        names: Mapping[str, str] | None = None,
        about: About | None = None,
    ) -> None:
        """Write tables as was asked for, with other names for modules if there are any.

        Args:
            tables: the tables.
            names: other names for modules, by path.
            about: what they are about, where they are of networks.
        """
        console.tell_merged(names or {})
        console.show(list(tables), self.format, self.output, names, self.lang, about)

    def show_view(self, view: View, tables: Iterable[Table]) -> None:
        """Write tables of one network, under the names that its view has for its modules."""
        self.show(tables, view.names, view.about)

    def check_drawing(self) -> None:
        """See that a chart can be written so.

        Raises:
            UnetscopeError: it cannot.
        """
        hint = "a terminal, `-o FILE.txt` and `-o FILE.svg` show a chart"
        if self.format != "terminal":
            raise UnetscopeError(f"`--plot` draws text and SVG, not {self.format}", hint=hint)
        if self.output is not None and self.output.suffix.lower() not in ("", ".txt", ".svg"):
            raise UnetscopeError(f"{self.output}: `--plot` draws text and SVG", hint=hint)

    def draw(self, drawing: Chart | Curves) -> None:
        """Draw in a terminal or, with `-o FILE.svg`, as an image; see `check_drawing`."""
        from unetscope.render import chart, curves
        from unetscope.table import Chart

        self.check_drawing()
        as_image = self.output is not None and self.output.suffix.lower() == ".svg"
        width = None if self.output else console.style().width
        if isinstance(drawing, Chart):
            drawn = chart.svg(drawing) if as_image else chart.text(drawing, width)
        else:
            drawn = curves.svg(drawing) if as_image else curves.text(drawing, width)
        console.emit(drawn, self.output)


@dataclass(frozen=True)
class TaughtOptions(TableOptions):
    """How tables are written that can teach."""

    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Below each table, what it shows and why.",
            rich_help_panel=SHOW,
        ),
    ] = False

    def taught(self, tables: Iterable[Table], teacher: Callable[[], Teacher]) -> list[Table]:
        """Tables with what there is to say below them, if that is wanted."""
        if not self.explain:
            return list(tables)
        from unetscope.views.teaching import taught

        if self.format == "csv":
            console.info("csv holds rows alone: what `--explain` says is left out")
        return taught(tables, teacher())

    def show_view(self, view: View, tables: Iterable[Table]) -> None:
        """Write tables of one network, with what there is to say of it."""

        def teacher() -> Teacher:
            from unetscope.views.teaching import of_network

            return of_network(view)

        super().show_view(view, self.taught(tables, teacher))


@dataclass(frozen=True)
class FindingOptions(TableOptions):
    """How findings are written, and where to."""

    format: FindingFormat = "terminal"


@dataclass(frozen=True)
class ChangeOptions(WrittenOptions):
    """How changes are written."""

    format: ChangeFormat = "terminal"
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="All changes and where they are; without, a terminal shows about one screen.",
            rich_help_panel=SHOW,
        ),
    ] = False

    @property
    def shows_every(self) -> bool:
        """Whether all changes are wanted: only a terminal has screens to fill."""
        return self.every or self.format != "terminal"

    @property
    def for_reviewers(self) -> bool:
        """Whether what is written is a comment."""
        from unetscope.render import FORMATS, Reader

        return FORMATS[self.format].reader is Reader.REVIEWERS

    def show(
        self,
        judged: Sequence[Judged],
        output: Path | None = None,
        *,
        names: bool = False,
        about: About | None = None,
    ) -> None:
        """Write diffs as was asked for, and add them to the summary of a GitHub job if this is one.

        Args:
            judged: one or more.
            output: a file, instead of stdout.
            names: whether the old and the new name of each tensor are wanted too.
            about: the two networks, if there are two.
        """
        from unetscope.render import FORMATS
        from unetscope.views.diff import tables
        from unetscope.words import Words

        words, reader = Words(self.lang), FORMATS[self.format].reader
        found = tables(judged, words, reader, names=names, every=self.shows_every)
        console.show(found, self.format, output, language=self.lang, about=about)
        console.add_to_job(tables(judged, words, FORMATS["markdown"].reader), self.lang)


@dataclass(frozen=True)
class GateOptions:
    """Which changes may pass."""

    fail_on: Annotated[
        str | None,
        typer.Option(
            help="This class of changes and all above it fail: breaking, behavioural, cost, "
            "cosmetic; or none. Without, cost.",
            metavar="CLASS",
            autocompletion=completing.one(completing.severities),
            rich_help_panel=GATE,
        ),
    ] = None
    max_params: Annotated[
        str | None,
        typer.Option(
            help="The most parameters: +1%, 900M, 1.2B.", metavar="BOUND", rich_help_panel=GATE
        ),
    ] = None
    max_macs: Annotated[
        str | None,
        typer.Option(
            help="The most multiply-adds: 420G, +5%.", metavar="BOUND", rich_help_panel=GATE
        ),
    ] = None
    max_memory: Annotated[
        str | None,
        typer.Option(
            help="The most activation memory: +64MiB, 1GiB.", metavar="BOUND", rich_help_panel=GATE
        ),
    ] = None

    def gate(self) -> Gate:
        """The gate of the nearest `pyproject.toml`, with these options going before it.

        Raises:
            UnetscopeError: one of them has no such value.
        """
        from unetscope.rules.gate import Gate
        from unetscope.sources.settings import nearest_file, section

        given = {
            option.name.replace("_", "-"): value
            for option in fields(self)
            if (value := getattr(self, option.name)) is not None
        }
        file = nearest_file(Path.cwd())
        written = {} if file is None else section(file, "diff")
        return Gate.of(written, given, str(file))
