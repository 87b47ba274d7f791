"""Lessons on what goes in, the parts and blocks, and the skips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from unetscope.analysis.anatomy import count, is_layer, stack_use
from unetscope.analysis.field import receptive_field
from unetscope.analysis.joins import JoinClass
from unetscope.analysis.meanings import PREDICTION, output_meanings
from unetscope.ops import OpKind
from unetscope.table import Kind, Table
from unetscope.units import spell
from unetscope.views.lesson_facts import Facts
from unetscope.views.skips import formula_of


def _model(facts: Facts, _: Table) -> Iterator[str]:
    trace, cost = facts.network.trace, facts.view.cost
    convolutions = OpKind.CONVOLUTION in facts.network.graph.kinds
    if convolutions and not cost.unknown and 0 < trace.total_params < cost.total:
        times = spell(cost.total // trace.total_params, Kind.COUNT)
        yield facts.words.weights_used_again.format(times=times)


def _io(facts: Facts, _: Table) -> Iterator[str]:
    if PREDICTION in output_meanings(facts.network):
        yield facts.words.one_step
    if facts.text is not None:
        tokens, width = facts.view.dims(facts.text)[-2:]
        yield facts.words.text_is_tokens.format(tokens=tokens, width=width)


def _parts(facts: Facts, _: Table) -> Iterator[str]:
    if facts.ends is None or not facts.network.trace.skips:
        return
    entered, left, made = facts.ends
    if facts.area(left) < facts.area(entered) and facts.area(made) > facts.area(left):
        yield facts.words.down_and_up.format(large=facts.size(entered), small=facts.size(left))


def _encoder(facts: Facts, _: Table) -> Iterator[str]:
    words, halvings = facts.words, facts.halvings
    widths = words.listed.join(
        f"{facts.size(value)}: {channels}" for value, _, channels in facts.levels
    )
    if any(halvings):
        yield words.channels_double.format(
            doubled=sum(halvings), halvings=len(halvings), widths=widths
        )
    elif halvings and len({channels for _, _, channels in facts.levels}) == 1:
        yield words.channels_stay.format(widths=widths)
    every, timed = len(facts.resnets), len(facts.timed)
    if timed:
        template = words.time_everywhere if timed == every > 1 else words.time_somewhere
        yield template.format(all=every, timed=timed)
    if facts.text is not None:
        yield words.cross_attention


def _encoder_steps(facts: Facts, _: Table) -> Iterator[str]:
    if facts.network.trace.skips:
        yield facts.words.pushes_and_goes_on


def _middle(facts: Facts, _: Table) -> Iterator[str]:
    network, words, sample = facts.network, facts.words, facts.network.sample
    block = next(iter(facts.view.anatomy.middle), None)
    made = None if block is None else network.main_output(block)
    if block is None or made is None or sample is None or not network.is_map(sample):
        return
    whole, here = network.size(sample), network.size(made)
    if whole != here and all(full % side == 0 for full, side in zip(whole, here, strict=True)):
        each = tuple(full // side for full, side in zip(whole, here, strict=True))
        yield words.stands_for.format(each=spell(each, Kind.SIZE))
        if field := receptive_field(network, made):
            sees_all = all(seen >= full for seen, full in zip(field, whole, strict=True))
            yield (words.sees_all if sees_all else words.sees_some).format(
                field=spell(field, Kind.SIZE), sample=spell(whole, Kind.SIZE)
            )
    if (positions := facts.attends_to_all(block)) and positions > 1:
        yield words.attends_to_all.format(positions=spell(positions, Kind.COUNT))


def _decoder(facts: Facts, _: Table) -> Iterator[str]:
    network, parts = facts.network, facts.view.anatomy
    pops, counted = len(network.trace.skips), count(network, parts, facts.view.residuals)
    down, up = (
        [sum(is_layer(network, unit) for unit in network.units_of([block])) for block in blocks]
        for blocks in (parts.encoder, parts.decoder[::-1])
    )
    mirrored = [layers + 1 for layers in down] == up
    if mirrored and counted.entry == 1 and any(counted.resamplers) and pops == sum(up):
        yield facts.words.one_resnet_more


def _steps(facts: Facts, _: Table) -> Iterator[str]:
    kinds = {facts.network.graph.kinds[skip.op] for skip in facts.network.trace.skips}
    if kinds == {OpKind.JOIN}:
        yield facts.words.cat_then_mix
    elif kinds == {OpKind.SUM}:
        yield facts.words.sum_mixes


def _residuals(facts: Facts, _: Table) -> Iterator[str]:
    words = facts.words
    counted = count(facts.network, facts.view.anatomy, facts.view.residuals)
    formula = formula_of(counted)
    if formula == str(counted.total) or not all(counted.layers):
        return  # nothing to read, or a list with blocks that leave nothing
    terms = [words.term_entry.format(count=counted.entry)] if counted.entry else []
    for numbers, alike, each in (
        (counted.layers, words.term_layers, words.term_layers_each),
        (
            [n for n in counted.resamplers if n],
            words.term_resamplers,
            words.term_resamplers_each,
        ),
    ):
        if any(numbers):
            terms.append(_term(words.listed, numbers, alike, each))
    if counted.later:
        terms.append(words.term_later.format(count=counted.later))
    yield words.formula_of_the_stack.format(formula=formula, terms=words.listed.join(terms))


def _term(listed: str, numbers: Sequence[int], alike: str, each: str) -> str:
    if len(set(numbers)) == 1 < len(numbers):
        return alike.format(count=numbers[0], blocks=len(numbers))
    return each.format(counts=listed.join(map(str, numbers)))


def _ledger(facts: Facts, _: Table) -> Iterator[str]:
    network, skips = facts.network, facts.network.trace.skips
    classes = {join.kind for join in facts.view.joins if join.skips}
    if classes != {JoinClass.SKIP}:
        return
    if all(network.size(skip.value) == network.size(skip.onto) for skip in skips):
        yield facts.words.what_skips_are_for
        sizes = {network.size(skip.value) for skip in skips}
        if stack_use(network).last_in_first_out and len(sizes) > 1:
            yield facts.words.why_a_stack


def _joins(facts: Facts, _: Table) -> Iterator[str]:
    if any(join.kind is JoinClass.RESIDUAL for join in facts.view.joins):
        yield facts.words.residual_sums


LESSONS: Mapping[str, Callable[[Facts, Table], Iterator[str]]] = {
    "model": _model,
    "io": _io,
    "parts": _parts,
    "stages": _parts,
    "encoder": _encoder,
    "encoder_steps": _encoder_steps,
    "residuals": _residuals,
    "ledger": _ledger,
    "middle": _middle,
    "decoder": _decoder,
    "steps": _steps,
    "joins": _joins,
}
"""The key of a table -> what there is to say below it."""
