"""What every view reads: a network, its parts, the words and the dims to show."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from unetscope.analysis.anatomy import Anatomy, anatomy, residuals
from unetscope.analysis.cost import Cost
from unetscope.analysis.joins import Join, find_joins
from unetscope.analysis.names import names_in
from unetscope.analysis.network import Network
from unetscope.analysis.parameters import Held, parameters
from unetscope.analysis.partition import partition, parts_of
from unetscope.errors import UnetscopeError, did_you_mean
from unetscope.ops import UNSEEN
from unetscope.record import Trace, lies_in
from unetscope.table import About, Cell, Kind, Part, Table
from unetscope.views.about import Subject, about
from unetscope.wording import MOST_NAMES
from unetscope.words import Words

Dim = int | str


@dataclass(frozen=True)
class View:
    """A trace as it is to be shown.

    Attributes:
        network: the trace with its cross-references.
        words: the language.
        dims: the dims of a value, as numbers or, for `--symbolic`, as `B`, `H/8` …
        attentions: whether step tables show transformers too.
        depth: how many levels of calls a tree shows below its first; None for all.
        settings: whether people read in a tree what modules are given and set to.
        block: the one block to show, by path; None for all.
        names: other names for modules, by path (see `analysis.names`).
        notes: sentences that belong below the tables.
        symbolic: whether dims are in symbols, so that one is `B` only if it really is the batch.
        names_of: the code base that `names` come from.
        typed: what names the network on a command line: its source, then options; empty if unknown.
    """

    network: Network
    words: Words
    dims: Callable[[int], tuple[Dim, ...]]
    attentions: bool = False
    block: str | None = None
    depth: int | None = None
    settings: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    symbolic: bool = False
    names_of: str = "diffusers"
    typed: tuple[str, ...] = ()

    @classmethod
    def of(cls, trace: Trace, language: str = "en", names: str = "diffusers") -> View:
        """The plain view of a trace, in the module names of a code base.

        Raises:
            UnetscopeError: that code base has no names for anything in the network.
        """
        network, known = Network(trace), names_in(names, trace)
        if names != "diffusers" and not known:
            raise UnetscopeError(
                f"`--names {names}`: {trace.name} has no names there",
                hint="UNets have them that diffusers' names say the blocks of: "
                "`down_blocks.0.resnets.0`",
            )
        dims = lambda value: network.spec(value).shape  # noqa: E731
        return cls(network, Words(language), dims, names=known, names_of=names)

    @cached_property
    def subject(self) -> Subject:
        """The network, and what made it what it is."""
        return Subject.of_trace(self.network.trace, self.names_of)

    @property
    def name(self) -> str:
        """The network, never without what changed it."""
        return self.subject.network

    @property
    def about(self) -> About:
        """What stands above the tables of this view."""
        return about(self.subject, self.words)

    @cached_property
    def anatomy(self) -> Anatomy:
        """The parts of the network."""
        return anatomy(self.network)

    @cached_property
    def held(self) -> tuple[Held, ...]:
        """The parameters of the network, each once."""
        return parameters(self.network.trace)

    @cached_property
    def cost(self) -> Cost:
        """Its multiply-adds."""
        return Cost(self.network)

    @cached_property
    def blocks(self) -> dict[str, str]:
        """The block of every module, by path; see `partition`."""
        return partition(self.network, "block")

    @cached_property
    def parts(self) -> dict[str, str]:
        """The part of every module, likewise."""
        return parts_of(self.network, self.anatomy, self.blocks)

    @cached_property
    def part_names(self) -> dict[str, str]:
        """What the parts are called; without a decoder, what comes last is no final convolution."""
        names = {part: self.words.part_names[part] for part in self.words.part_names}
        if not self.anatomy.decoder:
            names["exit"] = names["outputs"]
        return names

    @cached_property
    def residuals(self) -> tuple[int, ...]:
        """The residual stack: what the encoder left for the decoder, joined later or not."""
        return residuals(self.network, self.anatomy)

    @cached_property
    def residual_numbers(self) -> dict[int, int]:
        """The place of each residual in the stack."""
        return {value: number for number, value in enumerate(self.residuals)}

    @cached_property
    def push_numbers(self) -> dict[int, int]:
        """The place of each value that is joined among the ledger's pushes."""
        return {value: number for number, value in enumerate(self.network.pushed)}

    @cached_property
    def skipped(self) -> frozenset[int]:
        """What waits for the decoder: residuals, and what arrives at the joins.

        Those differ where a ControlNet's residuals are added on the way.
        """
        joins = ((self.network.join(skip), skip) for skip in self.network.trace.skips)
        arrived = (join.inputs[skip.operand] for join, skip in joins)
        return frozenset((*self.network.pushed, *self.residuals, *arrived))

    @property
    def left(self) -> list[int]:
        """What the encoder left for the decoder and no join took, as in pruned decoders."""
        return [value for value in self.residuals if value not in self.network.pushes]

    @cached_property
    def joins(self) -> tuple[Join, ...]:
        """Every join of the pass, in the order in which they ran."""
        return find_joins(self.network)

    def some(self, names: Sequence[str]) -> str:
        """The first few names, and how many more there are, in the language that is shown."""
        return some(self.words, names)

    def shows(self, call: int) -> bool:
        """Whether a block is to be shown."""
        return self.block is None or self.network.path(call) == self.block

    def path(self, name: str) -> str:
        """The path that a user means: with dots or brackets, in diffusers' names or CompVis'."""
        path = dotted(name)
        if path in self.network.modules:
            return path
        theirs = names_in("compvis", self.network.trace)
        return next((ours for ours, other in theirs.items() if other == path), path)

    def below(self, path: str, parent: str) -> str:
        """A module's path below another's, under the names that are to be shown."""
        name, above = self.names.get(path, path), self.names.get(parent, parent)
        return name.removeprefix(f"{above}.") if above else name

    def holds(self, path: str) -> bool:
        """Whether a module lies in the block that is to be shown."""
        return self.block is None or lies_in(path, self.block)

    @cached_property
    def unseen(self) -> int:
        """How many tensors were made by nobody knows what, which may lack in any data flow."""
        return sum(len(op.outputs) for op in self.network.trace.ops if op.name == UNSEEN)

    @property
    def ragged(self) -> int:
        """How many tensors have rows of several lengths."""
        return len(self.network.trace.ragged)

    @cached_property
    def closed(self) -> list[str]:
        """What modules took or returned that may hold tensors and that nobody looked into."""
        trace = self.network.trace
        found = {
            f"{self.names.get(step.module, step.module) or trace.name}: {each.name} ({each.kind})"
            for step in trace.steps
            for each in step.closed
        }
        return sorted(found)

    @property
    def untold(self) -> list[str]:
        """What may lack in any data flow, or looks otherwise than it is, in sentences."""
        counts = (self.words.ragged, self.ragged), (self.words.unseen, self.unseen)
        said = [sentence.format(count) for sentence, count in counts if count]
        if self.closed:
            said.append(self.words.closed.format(self.some(self.closed)))
        return [*said, *self.notes]

    def told(self, tables: list[Table]) -> list[Table]:
        """Tables of the data flow, with those sentences below the last where there are such."""
        if not self.untold or not tables:
            return tables
        *before, last = tables
        facts = {"ragged": self.ragged, "unseen": self.unseen, "closed": self.closed}
        data = {**last.data, **{name: fact for name, fact in facts.items() if fact}}
        after = (*last.after, *map(Cell.of, self.untold))
        return [*before, replace(last, after=after, data=data)]

    def batched(self, value: int) -> tuple[Dim, ...]:
        """The dims of a value with `B` for the batch, as the articles write them."""
        return self.dims(value) if self.symbolic else ("B", *self.dims(value)[1:])


def in_code(path: str) -> str:
    """A module's path as Python code: `up_blocks.0.resnets.1` is `up_blocks[0].resnets[1]`."""
    return re.sub(r"\.(\d+)(?!\w)", r"[\1]", path)


def dotted(path: str) -> str:
    """The reverse of `in_code`: both spellings are understood."""
    return re.sub(r"\[(\d+)\]", r".\1", path)


def code(value: object) -> Part:
    """A name from the code."""
    return Part(value, code=True)


def between(parts: Iterable[Part], separator: str) -> Iterator[Part]:
    """The parts of a list, with what separates them."""
    for index, part in enumerate(parts):
        if index:
            yield Part(separator)
        yield part


def shapes(view: View, values: Iterable[int], most: int | None = None) -> Cell:
    """The dims of several tensors, of which people read the first few: `most`, None for all."""
    found = [view.dims(value) for value in values]
    shown = [Part(dims, Kind.TUPLE) for dims in found[:most]]
    if rest := len(found) - len(shown):
        shown.append(Part(view.words.others.format(rest)))
    return Cell(tuple(between(shown, ", ")), found)


def phrase(template: str, data: object, **parts: Part) -> Cell:
    """A sentence with parts filled in for its `{names}`."""
    pieces = re.split(r"{(\w+)}", template)
    filled = [parts[p] if index % 2 else Part(p) for index, p in enumerate(pieces) if p]
    return Cell(tuple(filled), data)


def some(words: Words, names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = list(names[:MOST_NAMES])
    if rest := len(names) - len(shown):
        shown.append(words.others.format(rest))
    return listed(words, shown)


def listed(words: Words, names: Iterable[str]) -> str:
    """Several names, set apart from those that have commas in them."""
    found = list(names)
    has_commas = any(words.listed in name for name in found)
    return (words.between_columns if has_commas else words.listed).join(found)


def without_formula(words: Words, unknown: Collection[str]) -> Cell:
    """Which functions are not counted: the first few by name."""
    names = some(words, list(unknown))
    return phrase(words.no_formula, None, count=Part(len(unknown)), names=Part(names, code=True))


def settings(attributes: Mapping[str, object], *, unset: bool = True) -> Cell:
    """What a module is set to: `kernel_size=(3, 3), bias=True`.

    Args:
        attributes: by name.
        unset: whether people read of those that are None.
    """
    data = [f"{name}={value}" for name, value in attributes.items()]
    read = [text for text in data if unset or not text.endswith("=None")]
    return Cell.of(", ".join(read), data=data)


S = TypeVar("S")


def by_section(
    names: Iterable[str], sections: Mapping[str, Callable[[S], list[Table]]], subject: S
) -> tuple[list[Table], list[str]]:
    """The tables of the named sections, and the names of those that the subject has not."""
    found = {name: sections[name](subject) for name in names}
    missing = [name for name, tables in found.items() if not tables]
    return [table for tables in found.values() for table in tables], missing


def chosen(names: str | None, sections: Collection[str]) -> list[str]:
    """The sections in a comma-separated list, or all of `sections`.

    Raises:
        UnetscopeError: a name is no section, or there is none.
    """
    if names is None:
        return list(sections)
    found = [name.strip() for name in names.split(",") if name.strip()]
    if not found:
        raise UnetscopeError(f"no section is named: expected {', '.join(sections)}")
    for name in found:
        if name not in sections:
            raise UnetscopeError(
                f"no section `{name}`: expected {', '.join(sections)}",
                hint=did_you_mean(name, sections),
            )
    return list(dict.fromkeys(found))
