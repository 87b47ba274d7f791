"""The residual stack, as the articles draw it, and the ledger of what was really joined.

The ledger tells of the skips, a table of joins of all that was put together.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from unetscope.analysis.anatomy import Count, block_of, count, is_layer, stack_use, unit_of
from unetscope.analysis.joins import Join, JoinClass
from unetscope.analysis.producers import Producer, function_at, producer
from unetscope.analysis.skips import added, through
from unetscope.record import SkipEvent
from unetscope.table import Cell, Column, Kind, Part, Table
from unetscope.views.legends import legended, of_joins
from unetscope.views.producers import PRODUCER, in_words, made_by, makers, told
from unetscope.views.view import View, code, in_code, phrase


def residuals(view: View) -> list[Table]:
    """What the encoder left for the decoder, one row a tensor, and how the count adds up.

    As in the article, the ResNet is named where a transformer follows it; beside it stands what
    really made the tensor, as in the ledger. Pushes are those of the ledger too: where they are not
    the rows' own numbers, a column tells them.
    """
    network, words, anatomy = view.network, view.words, view.anatomy
    values = view.residuals
    if not values:
        return []
    rows = tuple(
        (
            Cell.of(index, strong=True),
            _layer(view, value),
            view.dims(value)[1:],
            made_by(view, value),
            _push(view, view.push_numbers.get(value)),
        )
        for index, value in enumerate(values)
        if view.holds(network.graph.module(value))
    )
    if not rows:
        return []
    columns = (
        Column("index", words.index),
        Column("producer_layer", words.producer_layer),
        Column("channels_and_size", words.channels_and_size, Kind.CHANNELS_AND_SIZE),
        Column("producer", words.made_by, priority=1, keys=PRODUCER),
        Column("push", words.push),
    )
    counted = count(network, anatomy, values)
    total, formula = Part(counted.total), formula_of(counted)
    note = phrase(words.residual_sum, None, sum=code(formula), total=total)
    if formula == str(counted.total):
        note = phrase(words.residual_total, None, total=total)
    table = Table(
        "residuals",
        words.residuals,
        columns,
        rows,
        after=(note,),
        data={
            "total": counted.total,
            "from_entry": counted.entry,
            "from_layers": list(counted.layers),
            "from_resamplers": list(counted.resamplers),
            **({"from_later": counted.later} if counted.later else {}),
        },
    )
    return [table.without("push") if values == network.pushed else table]


def _push(view: View, push: int | None) -> Cell:
    return Cell.of(view.words.none if push is None else push, data=push)


def formula_of(counted: Count) -> str:
    """How the count adds up, as the article writes it: `1 + 2*4 + 1*3`."""
    terms = [str(counted.entry)] if counted.entry else []
    for numbers in (counted.layers, [n for n in counted.resamplers if n]):
        if not any(numbers):
            continue
        if len(set(numbers)) == 1:
            terms.append(f"{numbers[0]}*{len(numbers)}")
        else:
            terms.append(f"({' + '.join(map(str, numbers))})")
    if counted.later:
        terms.append(str(counted.later))
    return " + ".join(terms)


def _layer(view: View, value: int) -> Cell:
    """The layer that a residual is known by: the n-th ResNet of its block, or its downsampler."""
    network, words = view.network, view.words
    block = block_of(network, view.anatomy.encoder, value)
    unit = None if block is None else unit_of(network, block, value)
    if block is None or unit is None:
        origin = in_words(view, found := producer(network, value))
        return Cell.of(in_code(origin), code=True, data=str(found))
    ending = words.downsampler_of
    if not network.resamples(unit):
        resnets = [other for other in network.units(block) if is_layer(network, other)]
        ending = words.nth_resnet.format(resnets.index(unit) + 1)
    return Cell((code(in_code(network.path(block))), Part(ending)), network.path(unit))


def ledger(view: View) -> list[Table]:
    """Every join of a skip: who pushed what, who popped it, and whether it was a stack."""
    network, words = view.network, view.words
    skips = network.trace.skips
    if not skips:
        return []
    columns = (
        Column("push", words.push),
        Column("producer", words.producer, keys=PRODUCER),
        Column("shape", words.shape, Kind.TUPLE, priority=1),
        Column("held_bytes", words.bytes_held, Kind.BYTES, priority=3),
        Column("pop", words.pop, priority=2),
        Column("consumer", words.consumer, keys=("consumer", "consumer_function")),
        Column("calls_between", words.calls_between, priority=4),
        Column(
            "channels",
            words.channels_joined,
            priority=2,
            keys=("channels_before", "channels_after"),
        ),
        Column("through", words.on_the_way, code=True, priority=1),
        Column("added", words.added_on_the_way, code=True, priority=1),
    )
    rows = [
        _entry(view, pop, skip)
        for pop, skip in enumerate(skips)
        if view.holds(network.graph.module(skip.value)) or view.holds(_body(view, skip))
    ]
    if not rows:
        return []
    table = Table(
        "ledger",
        words.ledger,
        columns,
        tuple(rows),
        after=conclusion(view),
        data=conclusion_data(view),
    )
    table = table.without(*(key for key in ("through", "added") if table.is_blank(key)))
    return [legended(words, table, "held_bytes", "calls_between", "through", "added")]


def _entry(view: View, pop: int, skip: SkipEvent) -> tuple[Cell, ...]:
    network = view.network
    join = network.join(skip)
    consumer = network.consumer(skip)
    taker = function_at(network, skip.op)
    if consumer is not None:
        taker = Producer(network.path(consumer))
    born = network.graph.born(skip.value)
    starts = network.starts
    between = bisect_left(starts, join.clock) - bisect_right(starts, born)
    before, after = view.dims(skip.onto)[1], view.dims(join.outputs[0])[1]
    return (
        Cell.of(skip.push),
        made_by(view, skip.value),
        Cell.of(view.dims(skip.value), Kind.TUPLE),
        Cell.of(network.spec(skip.value).nbytes, Kind.BYTES),
        Cell.of(pop),
        told(view, taker),
        Cell.of(between),
        Cell((Part(before), Part(" -> "), Part(after)), (before, after)),
        _through(view, skip),
        _added(view, skip),
    )


def _through(view: View, skip: SkipEvent) -> Cell:
    """What a skip passes on its way, such as a lateral convolution."""
    names = through(view.network.graph, skip)
    return Cell.of(view.some(names), code=True, data=names)


def _added(view: View, skip: SkipEvent) -> Cell:
    """What was added to a skip on its way, such as a ControlNet's residual."""
    return makers(view, added(view.network.graph, skip))


def conclusion(view: View) -> tuple[Cell, ...]:
    """Whether the skips, of which there are some, were used as a stack; in sentences."""
    words, found = view.words, stack_use(view.network)
    order = words.lifo if found.last_in_first_out else words.not_lifo
    lines = [
        phrase(
            words.verdict,
            None,
            pushed=Part(found.pushed),
            popped=Part(found.popped),
            order=Part(order, strong=True),
        )
    ]
    if view.left:
        lines.append(phrase(words.left, None, names=makers(view, view.left).parts[0]))
    for sentence, skips in (
        (words.out_of_order, found.out_of_order),
        (words.reused, found.reused),
        (words.long_skips, _long_skips(view)),
    ):
        if skips:
            lines.append(Cell.of(sentence.format(_names(view, skips))))
    return (*lines, *map(Cell.of, accounted(view)))


def conclusion_data(view: View) -> dict[str, object]:
    """The same as values: numbers of pushes and pops, and of joins of each class."""
    found = stack_use(view.network)
    return {
        "pushed": found.pushed,
        "popped": found.popped,
        "last_in_first_out": found.last_in_first_out,
        "never_joined": makers(view, view.left).data,
        "out_of_order_pushes": [skip.push for skip in found.out_of_order],
        "out_of_order_pops": _pops(view, found.out_of_order),
        "reused_pushes": [skip.push for skip in found.reused],
        "long_skip_pops": _pops(view, _long_skips(view)),
        "joins": {each.value: number for each, number in _counts(view).items()},
    }


def _names(view: View, skips: Sequence[SkipEvent]) -> str:
    """Which pops took which pushes: `pop 3 (push 0, conv_in)`."""
    words, network = view.words, view.network
    return words.listed.join(
        words.pop_of.format(
            pop=number, push=skip.push, producer=in_words(view, producer(network, skip.value))
        )
        for number, skip in zip(_pops(view, skips), skips, strict=True)
    )


def _pops(view: View, skips: Sequence[SkipEvent]) -> list[int]:
    """The numbers of joins in the ledger."""
    numbers = {skip: number for number, skip in enumerate(view.network.trace.skips)}
    return [numbers[skip] for skip in skips]


def accounted(view: View) -> list[str]:
    """How many joins are of which class, and which are in doubt, in sentences."""
    words = view.words
    counts = []
    for kind, number in _counts(view).items():
        if number:
            name = (words.one_join if number == 1 else words.several_joins)[kind.value]
            told = words.joins_of_a_class.format(count=number, name=name)
            pops = sum(len(join.skips) for join in view.joins if join.kind is kind)
            counts.append(words.with_pops.format(joins=told, pops=pops) if pops > number else told)
    sentences = [words.all_joins.format(words.listed.join(counts) or words.none)]
    for doubt, sentence in words.doubtful.items():
        if names := [_name(view, join) for join in view.joins if join.doubt == doubt]:
            sentences.append(sentence.format(view.some(names)))
    unknown = [
        _name(view, join)
        for join in view.joins
        if join.kind is JoinClass.OTHER and join.doubt is None
    ]
    if unknown:
        sentences.append(words.of_no_class.format(view.some(unknown)))
    return sentences


def all_joins(view: View) -> Table:
    """Every join, one row each, in the order in which they ran."""
    words = view.words
    return Table(
        "joins",
        words.joins,
        (
            Column("class", words.join_class),
            Column("module", words.module, code=True),
            Column("function", words.function, code=True),
            Column("operands", words.operands, code=True, priority=3),
            Column("shape", words.shape, Kind.TUPLE, priority=2),
            Column("note", words.note, priority=1),
        ),
        tuple(_join(view, join) for join in view.joins),
        after=tuple(of_joins(words, (join.kind.value for join in view.joins))),
    )


def _join(view: View, join: Join) -> tuple[Cell, ...]:
    network, words = view.network, view.words
    op = network.trace.ops[join.op]
    module = _body(view, join)
    return (
        Cell.of(words.one_join[join.kind.value], data=join.kind.value),
        Cell.of(module or network.trace.name, code=True, data=module),
        Cell.of(op.name, code=True),
        makers(view, op.inputs, near=module),
        Cell.of(view.dims(join.value), Kind.TUPLE),
        Cell.of("" if join.doubt is None else words.doubts[join.doubt], data=join.doubt),
    )


def _body(view: View, join: Join | SkipEvent) -> str:
    """The path of the module in whose body a join ran."""
    call = view.network.trace.ops[join.op].step
    return "" if call is None else view.network.path(call)


def _name(view: View, join: Join) -> str:
    """A join as sentences name it: `up_blocks.0, torch.cat`."""
    return in_words(view, function_at(view.network, join.op))


def _counts(view: View) -> dict[JoinClass, int]:
    """How many joins are of each class."""
    found = Counter(join.kind for join in view.joins)
    return {kind: found[kind] for kind in JoinClass}


def _long_skips(view: View) -> list[SkipEvent]:
    """The skips that never leave one resolution."""
    long = {join.op for join in view.joins if join.kind is JoinClass.LONG_SKIP}
    return [skip for skip in view.network.trace.skips if skip.op in long]
