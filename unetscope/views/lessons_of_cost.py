"""Lessons on parameters, multiply-adds and memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from unetscope.analysis.cost import CONVOLUTION, SELF
from unetscope.analysis.parameters import numel
from unetscope.analysis.partition import OTHER
from unetscope.table import Kind, Table
from unetscope.units import spell
from unetscope.views.lesson_facts import Facts


def _weights_by_block(facts: Facts) -> dict[str, int]:
    """The parameters of each block."""
    found = Counter[str]()
    for tensor in facts.view.held:
        found[facts.view.blocks[tensor.module]] += tensor.spec.numel
    return dict(found)


def _widest(facts: Facts) -> dict[str, int]:
    """The channels that the widest convolution of each block makes."""
    found = dict[str, int]()
    for tensor in facts.view.held:
        if "Conv" in facts.network.modules[tensor.module].kind and len(tensor.spec.shape) > 2:
            block = facts.view.blocks[tensor.module]
            found[block] = max(found.get(block, 0), tensor.spec.shape[0])
    return found


def _parameters(facts: Facts, table: Table) -> Iterator[str]:
    words, network = facts.words, facts.network
    if table.data.get("lora_rank"):
        yield words.lora_factors.format(rank=table.data["lora_rank"])
    if table.data.get("by") != "block" or network.trace.failure is not None:
        return
    held, widest, sums = facts.view.held, _widest(facts), _weights_by_block(facts)
    in_convolutions = numel([t for t in held if "Conv" in network.modules[t.module].kind])
    if not widest or 2 * in_convolutions < numel(held) or len(sums) < 2:
        return
    most = max(sums, key=lambda block: sums[block])
    if most != OTHER and widest.get(most) == max(widest.values()):
        share = spell(sums[most] / numel(held), Kind.SHARE)
        yield words.where_weights_are.format(block=facts.named(most), share=share)


def _buffers(facts: Facts, _: Table) -> Iterator[str]:
    yield facts.words.buffers_are


def _flops(facts: Facts, table: Table) -> Iterator[str]:
    words, cost = facts.words, facts.view.cost
    yield words.macs_and_flops
    kinds = cost.by_kind()
    if table.data.get("by") == "block" and 2 * kinds.get(CONVOLUTION, 0) > cost.total:
        weights, work = _weights_by_block(facts), cost.by_group(facts.view.blocks)
        costly, heavy = (max(sums, key=lambda b: sums[b]) for sums in (work, weights))
        if OTHER not in (costly, heavy) and _area(facts, costly) > _area(facts, heavy) > 0:
            yield words.cost_is_elsewhere.format(
                costly=facts.named(costly),
                costly_share=spell(work[costly] / cost.total, Kind.SHARE),
                heavy=facts.named(heavy),
            )
    if kinds.get(SELF) and facts.network.rank == 4 and facts.attends_to_all():
        yield words.square_of_positions


def _area(facts: Facts, path: str) -> int:
    """The positions of the map that a block returns; 0 if it returns none."""
    network = facts.network
    for call in network.blocks:
        if network.path(call) == path:
            made = network.main_output(call)
            return 0 if made is None else facts.area(made)
    return 0


def _image(facts: Facts, table: Table) -> Iterator[str]:
    yield facts.words.image_takes_steps
    if table.record(table.rows[0])["passes_per_step"] == 2:
        yield facts.words.guided_twice


def _uncounted(facts: Facts, _: Table) -> Iterator[str]:
    yield facts.words.work_without_macs


def _memory(facts: Facts, _: Table) -> Iterator[str]:
    words, network, memory = facts.words, facts.network, facts.memory
    yield words.two_kinds_of_memory
    clock, op = memory.peak.clock, memory.op_at(memory.peak.clock)
    call = None if op is None else op.step
    while call is not None and network.main_input(call) is None:
        call = network.step(call).parent
    value = None if call is None else network.main_input(call)
    if value is None or not memory.skips:
        return
    storages = {network.trace.values[skip.value].storage for skip in memory.skips}
    alive = {network.trace.values[v].storage: s.nbytes for v, s in memory.alive(clock)}
    waiting = sum(nbytes for storage, nbytes in alive.items() if storage in storages)
    largest = max(facts.area(skip.value) for skip in memory.skips)
    template = words.peak_at_largest if facts.area(value) >= largest else words.peak_below
    yield template.format(
        size=facts.size(value),
        waiting=spell(waiting, Kind.BYTES),
        peak=spell(memory.peak.nbytes, Kind.BYTES),
    )


def _weights(facts: Facts, _: Table) -> Iterator[str]:
    yield facts.words.half_precision


def _blocks(facts: Facts, _: Table) -> Iterator[str]:
    waiting = [block.waiting_bytes for block in facts.memory.blocks]
    if not any(waiting):
        return
    top = waiting.index(max(waiting))
    rises = all(a <= b for a, b in pairwise(waiting[: top + 1]))
    falls = all(a >= b for a, b in pairwise(waiting[top:]))
    if rises and falls and facts.view.anatomy.encoder and facts.view.anatomy.decoder:
        yield facts.words.stack_fills_and_empties


def _skips(facts: Facts, _: Table) -> Iterator[str]:
    found = facts.memory.skips
    lives = [skip.joined - skip.born for skip in found]
    if (
        len(found) > 1
        and lives[0] == max(lives)
        and found[0].nbytes == max(skip.nbytes for skip in found)
    ):
        yield facts.words.early_live_long


def _training(facts: Facts, _: Table) -> Iterator[str]:
    yield facts.words.training_takes_more


LESSONS: Mapping[str, Callable[[Facts, Table], Iterator[str]]] = {
    "parameters": _parameters,
    "buffers": _buffers,
    "flops": _flops,
    "image": _image,
    "uncounted": _uncounted,
    "memory": _memory,
    "weights": _weights,
    "blocks": _blocks,
    "skips": _skips,
    "training": _training,
}
"""The key of a table -> what there is to say below it."""
