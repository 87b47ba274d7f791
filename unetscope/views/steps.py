"""How the skips are used: one table for each module in whose body skips are joined.

Numbered as in the article on Stable Diffusion's UNet, which leaves out attention: transformers get
letters (2.2a), so that its numbers stay.
"""

from __future__ import annotations

from dataclasses import dataclass

from unetscope.record import Op
from unetscope.table import BREAK, Cell, Column, Kind, Part, Table
from unetscope.views.view import View, code, in_code, phrase


def steps(view: View) -> list[Table]:
    """The joins and the calls around them, in order, for each module that joins skips.

    Where those are blocks of the decoder, its blocks without a skip have tables too, and each has
    the number of its block.
    """
    joins = (view.network.join(skip).step for skip in view.network.trace.skips)
    bodies = [body for body in dict.fromkeys(joins) if body is not None]
    numbered = dict(enumerate(bodies, 1))
    decoder = view.anatomy.decoder
    if set(bodies) <= set(decoder):
        numbered = {
            number: block
            for number, block in enumerate(decoder, 1)
            if block in bodies or view.network.units(block)
        }
    return [
        _Body(view, body, number).table() for number, body in numbered.items() if view.shows(body)
    ]


@dataclass(frozen=True)
class _Body:
    """The body of a module that joins skips."""

    view: View
    call: int
    number: int

    def table(self) -> Table:
        network, words = self.view.network, self.view.words
        path = network.path(self.call) or network.module(self.call).kind
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
            Column("output_shape", words.output_dims, Kind.SHAPE, code=True),
        )
        entered = self._entered()
        caption = Cell(
            (
                Part(f"{words.sample_in} ", strong=True),
                Part("sample_in", strong=True, code=True),
                Part(": "),
                Part(self.view.batched(entered), Kind.SHAPE, code=True),
                Part(f" ({words.from_producer} "),
                code(in_code(network.graph.origin(entered))),
                Part(")"),
            ),
            None,
        )
        return Table(
            "steps",
            f"{words.steps_of}: {in_code(path)}",
            columns,
            tuple(self._rows(entered)),
            before=(caption,),
            after=self._left_out(),
            level=2,
            repeats=True,
            data={
                "block": path,
                "sample_in_shape": self.view.dims(entered),
                "sample_in_producer": network.graph.origin(entered),
            },
        )

    def _entered(self) -> int:
        """The feature map that comes in.

        It is the module's own, or what the decoder's first block is given, or what the first skip
        is joined to.
        """
        network = self.view.network
        first = self._first()
        given = network.main_input(self.call if first is None else first)
        if given is not None:
            given = network.before_join(given)
        if given is None or given in network.pushed:
            joined = (s.onto for s in network.trace.skips if network.join(s).step == self.call)
            given = next(joined, given)
        assert given is not None
        return given

    def _first(self) -> int | None:
        """The decoder's first block, if this is the body that runs the blocks."""
        decoder = self.view.anatomy.decoder
        return decoder[0] if decoder and self.call == self.view.network.trunk else None

    def _rows(self, entered: int) -> list[tuple[Cell, ...]]:
        network = self.view.network
        joins = {s.op for s in network.trace.skips if network.join(s).step == self.call}
        events: list[tuple[int, int, bool]] = [
            (network.trace.ops[op].clock, op, True) for op in joins
        ]
        events += [(network.step(child).start, child, False) for child in self._calls()]
        rows: list[tuple[Cell, ...]] = []
        known = {entered: "sample_in"}
        number, letter = 0, 0
        for _, index, is_join in sorted(events):
            if not is_join and network.is_transformer(index):
                letter += 1
                if not self._is_left_out(index):
                    label = f"{self.number}.{number}{chr(ord('a') + letter - 1)}"
                    rows.append(self._call_row(label, index, known))
                continue
            number, letter = number + 1, 0
            label = f"{self.number}.{number}"
            make = self._join_row if is_join else self._call_row
            rows.append(make(label, index, known))
        return rows

    def _calls(self) -> list[int]:
        """The calls of this body that return a feature map; in the trunk, those of the decoder."""
        network, start = self.view.network, 0
        if self.call == network.trunk:
            start = min(network.join(skip).clock for skip in network.trace.skips)
            if (begun := self._first()) is not None:
                start = min(start, network.step(begun).start)
        return [
            child
            for child in network.children[self.call]
            if network.step(child).start >= start and network.main_output(child) is not None
        ]

    def _is_left_out(self, call: int) -> bool:
        """Whether a call of this body has no row, as transformers have none in the article."""
        return not self.view.attentions and self.view.network.is_transformer(call)

    def _left_out(self) -> tuple[Cell, ...]:
        """Which calls have no row, and how to see them."""
        network, words = self.view.network, self.view.words
        paths = [
            self.view.below(network.path(child), network.path(self.call))
            for child in self._calls()
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

    def _residual(self, value: int) -> str:
        """What was pushed by its index in the residual stack."""
        return f"res[{self.view.residuals.index(value)}]"

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
        if value in network.pushed:
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
        origin = graph.origin(value)
        return f"{words.from_producer} {in_code(origin)}", f"from {origin}"

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
        dims = self.view.batched(value)
        return Cell.of(dims, Kind.SHAPE, code=True, strong=strong, data=self.view.dims(value))
