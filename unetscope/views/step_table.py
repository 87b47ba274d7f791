"""One step table: the calls of a body in order, and the skips that are joined or pushed among them.

Numbered as in the article on Stable Diffusion's UNet, which leaves out attention: transformers get
letters (2.2a), so that its numbers stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from unetscope.analysis.producers import producer
from unetscope.record import Op
from unetscope.table import BREAK, Cell, Column, Kind, Part, Table
from unetscope.views.producers import in_words
from unetscope.views.view import View, code, in_code, phrase

STEPS = ("encoder_steps", "middle_steps", "steps")
"""The keys of step tables; `steps` are the article's."""
_Row: TypeAlias = Callable[[str, int, dict[int, str]], tuple[Cell, ...]]
"""Makes the row of a step from its number, what it is of, and the number of each tensor."""


@dataclass(frozen=True)
class Body:
    """What is to stand in one table.

    Attributes:
        view: the network as it is to be shown.
        key: of the table, one of `STEPS`.
        number: before the dot of each step.
        call: in whose body all this ran.
        calls: those that are rows, in order; each returns a feature map.
        entered: the feature map that comes in.
        joins: the functions that join skips.
        pushes: the feature maps that are pushed.
        name: what the table is of; without one, the module of `call`.
    """

    view: View
    key: str
    number: str
    call: int
    calls: Sequence[int]
    entered: int
    joins: Sequence[int] = ()
    pushes: Sequence[int] = ()
    name: str = ""

    def table(self) -> Table:
        """Its table."""
        network, words = self.view.network, self.view.words
        path = self.name or network.path(self.call) or network.module(self.call).kind
        output = Column("output_shape", words.output_dims, Kind.SHAPE, code=True)
        if self.key != "steps":
            output = replace(output, title=words.output_tensor)
        if self.key == "encoder_steps":
            output = replace(output, keys=("output_shape", "residual", "push"))
        columns = (
            Column("step", words.step),
            Column("operation", words.operation, code=True),
            Column("inputs", words.input_tensors, keys=("inputs", "input_shapes")),
            Column(
                "layer",
                words.key_layer,
                code=True,
                priority=1,
                keys=("class", "layer", "in_channels", "out_channels"),
            ),
            output,
        )
        entered = producer(network, self.entered)
        caption = Cell(
            (
                Part(f"{words.sample_in} ", strong=True),
                Part("sample_in", strong=True, code=True),
                Part(": "),
                Part(self.view.batched(self.entered), Kind.SHAPE, code=True),
                Part(f" ({words.from_producer} "),
                code(in_code(in_words(self.view, entered))),
                Part(")"),
            ),
            None,
        )
        return Table(
            self.key,
            f"{words.steps_of[self.key]}: {in_code(path)}",
            columns,
            tuple(self._rows()),
            before=(caption,),
            after=self._left_out(),
            level=2,
            repeats=True,
            data={
                "block": path,
                "sample_in_shape": self.view.dims(self.entered),
                "sample_in_producer": entered.path,
                "sample_in_function": entered.function,
            },
        )

    def _rows(self) -> Iterator[tuple[Cell, ...]]:
        network = self.view.network
        events: list[tuple[int, int, _Row]] = [
            *((network.trace.ops[op].clock, op, self._join_row) for op in self.joins),
            *((network.step(call).start, call, self._call_row) for call in self.calls),
            *((network.graph.born(value), value, self._push_row) for value in self.pushes),
        ]
        known = {self.entered: "sample_in"}
        number, letter = 0, 0
        for _, index, row in sorted(events, key=lambda event: event[:2]):
            if row == self._call_row and network.is_transformer(index):
                letter += 1
                if not self._is_left_out(index):
                    label = f"{self.number}.{number}{chr(ord('a') + letter - 1)}"
                    yield row(label, index, known)
                continue
            number, letter = number + 1, 0
            yield row(f"{self.number}.{number}", index, known)

    def _is_left_out(self, call: int) -> bool:
        """Whether a call of this body has no row, as transformers have none in the article."""
        return not self.view.attentions and self.view.network.is_transformer(call)

    def _left_out(self) -> tuple[Cell, ...]:
        """Which calls have no row, and how to see them."""
        network, words = self.view.network, self.view.words
        paths = [
            self.view.below(network.path(child), network.path(self.call))
            for child in self.calls
            if self._is_left_out(child)
        ]
        if not paths:
            return ()
        names, option = code(self.view.some(paths)), code("--attentions")
        return (phrase(words.attentions_left_out, paths, names=names, option=option),)

    def _join_row(self, label: str, index: int, known: dict[int, str]) -> tuple[Cell, ...]:
        network, view = self.view.network, self.view
        op: Op = network.trace.ops[index]
        skips = network.skips_at.get(index, {})
        named = [
            (*self._arrived(skips[position], value), value)
            if position in skips
            else (*self._name(value, known), value)
            for position, value in enumerate(op.inputs)
        ]
        known[op.outputs[0]] = label
        return (
            Cell.of(label),
            Cell.of(op.name, code=True),
            self._inputs(named),
            Cell.of(view.words.not_applicable, code=True, data=None),
            self._shape(op.outputs[0]),
        )

    def _arrived(self, pushed: int, value: int) -> tuple[str, str]:
        """What an operand that was pushed is called, where it has another shape now too."""
        name = self._residual(pushed)
        if self.view.network.spec(value).shape == self.view.network.spec(pushed).shape:
            return name, name
        return f"{self.view.words.from_producer} {name}", f"from {name}"

    def _push_row(self, label: str, value: int, known: dict[int, str]) -> tuple[Cell, ...]:
        view, residual = self.view, self._residual(value)
        dims, push = view.batched(value), view.push_numbers.get(value)
        parts = [code(residual), Part(": "), Part(dims, Kind.SHAPE, code=True)]
        if push is None:
            parts.append(Part(f" ({view.words.never_joined})"))
        return (
            Cell.of(label),
            Cell.of("push", code=True),
            self._inputs([(*self._name(value, known), value)]),
            Cell.of(view.words.not_applicable, code=True, data=None),
            Cell(tuple(parts), (view.dims(value), residual, push)),
        )

    @cached_property
    def _own_pushes(self) -> frozenset[int]:
        return frozenset(self.pushes)

    def _residual(self, value: int) -> str:
        """What was pushed by its index in the residual stack."""
        return f"res[{self.view.residual_numbers[value]}]"

    def _call_row(self, label: str, call: int, known: dict[int, str]) -> tuple[Cell, ...]:
        network = self.view.network
        path = network.path(call)
        given, made = network.main_input(call), network.main_output(call)
        named = [] if given is None else [(*self._name(given, known), given)]
        assert made is not None
        known[made] = label
        return (
            Cell.of(label),
            Cell.of(in_code(path), code=True, data=path),
            self._inputs(named),
            self._layer(call),
            self._shape(made, strong=network.resamples(call)),
        )

    def _name(self, value: int, known: dict[int, str]) -> tuple[str, str]:
        """What a tensor is called in the table: for people, and in data.

        Args:
            value: what a row is given.
            known: of each tensor that came in or a row made, in order, the number of that row.
        """
        network, words = self.view.network, self.view.words
        if known.get(value) == "sample_in":
            return "sample_in", "sample_in"
        if value in network.pushes and value not in self._own_pushes:
            return self._residual(value), self._residual(value)
        last = next(reversed(known))
        if value == last:
            return words.previous, "previous"
        if value in known:
            return f"({known[value]})", f"step {known[value]}"
        graph = network.graph
        made_by, op = graph.producer(value), graph.op(value)
        if graph.born(value) > graph.born(last):  # nothing that has a row was made since
            if made_by is not None and self._is_left_out(made_by):
                name = self.view.below(network.path(made_by), network.path(self.call))
                return words.previous_made_by.format(in_code(name)), "previous"
            if made_by is None and op is not None and op.step == self.call:
                return words.previous_made_by.format(op.name), "from previous"
        found = producer(network, value)
        name = in_words(self.view, found)
        return f"{words.from_producer} {in_code(name)}", f"from {found}"

    def _inputs(self, named: list[tuple[str, str, int]]) -> Cell:
        parts: list[Part] = []
        for name, _, value in named:
            parts += [BREAK] if parts else []
            parts += [code(name), Part(": ")]
            parts.append(Part(self.view.batched(value), Kind.SHAPE, code=True))
        labels = [label for _, label, _ in named]
        return Cell(tuple(parts), (labels, [self.view.dims(value) for *_, value in named]))

    def _layer(self, call: int) -> Cell:
        """A call's class and the convolution or linear layer that sets its width."""
        network = self.view.network
        kind = network.module(call).kind
        layer = network.first_layer(call)
        if layer is None:
            return Cell.of(kind, code=True, data=(kind, None, None, None))
        path, channels = layer
        name = "" if path == network.path(call) else self.view.below(path, network.path(call))
        widths = f"{channels[0]} -> {channels[1]}"
        text = f"{kind}({name}: {widths})" if name else f"{kind}({widths})"
        return Cell.of(text, code=True, data=(kind, name or None, *channels))

    def _shape(self, value: int, *, strong: bool = False) -> Cell:
        dims, data = self.view.batched(value), self.view.dims(value)
        if self.key != "encoder_steps":
            return Cell.of(dims, Kind.SHAPE, code=True, strong=strong, data=data)
        return Cell.of(dims, Kind.SHAPE, code=True, strong=strong, data=(data, None, None))
