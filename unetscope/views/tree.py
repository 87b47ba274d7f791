"""The tree of calls: what ran in what, what it returned, and its share of the network."""

from __future__ import annotations

from unetscope.analysis.cost import unknown
from unetscope.analysis.subtotals import never_called, outermost, subtotals
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.view import View, code, phrase, settings, shapes, without_formula

_MOST_SHAPES = 2
"""Shapes of one call that people read; an encoder may return a map of each level."""


def calls(view: View) -> list[Table]:
    """The calls of modules, as deep as `view.depth` says, each with all that ran during it.

    A row's parameters and multiply-adds are those of its module, of its own functions and of the
    rows below it; parameters count at a module's first call. So the rows of one level, and what
    their parents do themselves, add up to the network's totals. A module is named below the one
    that called it; data hold its whole path.
    """
    network, words, trace = view.network, view.words, view.network.trace
    found = subtotals(network)
    all_parameters, all_macs = trace.total_params, trace.total_macs
    times: dict[str, int] = {}
    levels: dict[int | None, int] = {None: -1}
    rows: list[tuple[Value, ...]] = []
    parameters = macs = folded = again = 0
    for call, step in enumerate(trace.steps):
        times[step.module] = times.get(step.module, 0) + 1
        if not view.holds(step.module):
            continue
        level = levels[call] = levels.get(step.parent, -1) + 1
        module, sums = network.module(call), found[call]
        if level == 0:
            parameters, macs = parameters + sums.parameters, macs + sums.macs
        if view.depth is not None and level > view.depth:
            folded += 1
            continue
        again += sums.counted_before
        rows.append(
            (
                Cell.of("  " * level + _below(view, call), code=True, data=step.module),
                module.kind,
                shapes(view, [a.value for a in step.inputs], _MOST_SHAPES),
                shapes(view, step.outputs, _MOST_SHAPES),
                Cell.of(words.counted_above, data=0) if sums.counted_before else sums.parameters,
                _share(sums.parameters, all_parameters),
                sums.macs,
                _share(sums.macs, all_macs),
                module.own_parameters,
                sums.own_macs,
                times[step.module],
                settings(module.attributes, unset=False),
            )
        )
    if not rows:
        return []
    columns = (
        Column("path", words.path),
        Column("class", words.module_class, priority=2),
        Column("input_shapes", words.input_dims, priority=5, read=view.settings),
        Column("output_shapes", words.output_dims),
        Column("parameters", words.parameters, Kind.COUNT, zeros=False),
        Column("parameters_share", words.share, Kind.SHARE, priority=3, zeros=False),
        Column("macs", words.macs, Kind.MACS, zeros=False),
        Column("macs_share", words.share, Kind.SHARE, priority=3, zeros=False),
        Column("own_parameters", words.own_parameters, Kind.COUNT, read=False),
        Column("own_macs", words.own_macs, Kind.MACS, read=False),
        Column("call", words.called, priority=4, read=max(times.values()) > 1),
        Column("attributes", words.attributes, priority=6, read=view.settings),
    )
    blank = Cell.of("", data=None)
    total = (
        Cell.of(words.total, data="total"),
        *(blank,) * 3,
        parameters,
        _share(parameters, all_parameters),
        macs,
        _share(macs, all_macs),
        *(blank,) * 4,
    )
    idle = [path for path in never_called(network) if view.holds(path)]
    after = []
    if folded:
        number, option, every = Part(folded), code("--depth N"), code("--modules")
        after.append(phrase(words.folded, None, number=number, option=option, every=every))
    if again:
        after.append(Cell.of(words.counted_at_first.format(words.counted_above)))
    if idle:
        names = code(words.listed.join(outermost(idle)))
        after.append(phrase(words.never_called, None, names=names))
        if any(network.modules[path].own_parameters for path in idle):
            after.append(Cell.of(words.counted_around))
    if lacking := unknown(trace):
        after.append(without_formula(words, lacking))
    data = {"depth": view.depth, "calls_folded": folded, "never_called": idle}
    return [Table("calls", words.calls, columns, tuple(rows), total, after=tuple(after), data=data)]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _below(view: View, call: int) -> str:
    """A module's path below the module that called it; the root's class."""
    network = view.network
    step = network.step(call)
    if step.parent is None:
        return step.module or network.module(call).kind
    return view.below(step.module, network.path(step.parent))
