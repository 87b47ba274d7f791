"""A network's stages: what it does at which resolution, down, at the bottom and back up."""

from __future__ import annotations

from unetscope.analysis.anatomy import in_a_row
from unetscope.analysis.cost import unknown
from unetscope.analysis.stages import Stage, channels, entered, left, sizes
from unetscope.analysis.stages import stages as find_stages
from unetscope.analysis.ways_down import spanning
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.producers import in_words
from unetscope.views.view import View, without_formula


def stages(view: View) -> list[Table]:
    """One row a resolution and way, whose parameters and multiply-adds add up to the totals.

    Skips are named by their push, as in the ledger. What makes no feature map, such as the time's
    embedding, is the last row. Lines below say what was not counted and that several UNets run in a
    row, which are not told apart.
    """
    network, words, trace = view.network, view.words, view.network.trace
    found = find_stages(network)
    if not any(stage.maps for stage in found):
        return []
    parted = any(stage.part for stage in found)
    rows = tuple(
        (
            _name(view, stage),
            _size(view, stage) if stage.maps or parted else Cell.of(words.no_map, data=None),
            _modules(view, stage),
            _channels(view, stage),
            stage.parameters,
            stage.macs,
            _numbers(stage.pushed),
            _numbers(stage.popped),
        )
        for stage in found
    )
    columns = (
        Column("part", words.part, read=parted),
        Column("size", words.stage_size, keys=("size_before", "size_after")),
        Column("modules", words.modules, priority=3),
        Column("channels", words.channels, priority=1, keys=("channels_before", "channels_after")),
        Column("parameters", words.parameters, Kind.COUNT),
        Column("macs", words.macs, Kind.MACS),
        Column("pushed", words.pushes_here, priority=2),
        Column("popped", words.pops_here, priority=2),
    )
    blank = Cell.of("", data=None)
    total: tuple[Value, ...] = (
        Cell.of(words.total, data="total"),
        blank if parted else Cell.of(words.total, data=None),
        *(blank,) * 2,
        trace.total_params,
        trace.total_macs,
        *(blank,) * 2,
    )
    notes = []
    if trace.skips:
        notes.append(Cell.of(words.skips_by_push))
    data: dict[str, object] = {}
    if (number := in_a_row(network, spanning(network) or None)) > 1:
        notes.append(Cell.of(words.stages_in_a_row.format(number)))
        data["in_a_row"] = number
    if lacking := unknown(trace):
        notes.append(without_formula(words, lacking))
        data["without_formula"] = lacking
    table = Table("stages", words.stages, columns, rows, total, after=tuple(notes), data=data)
    dropped = [] if trace.skips else ["pushed", "popped"]
    return [table.without(*dropped)]


def _name(view: View, stage: Stage) -> Cell:
    """The part of a stage; without parts it is known by its size alone."""
    words = view.words
    if not stage.maps:
        return Cell.of(words.no_map, data="no_feature_map")
    return Cell.of("" if stage.part is None else words.stage_parts[stage.part], data=stage.part)


def _size(view: View, stage: Stage) -> Cell:
    """The spatial dims, and those at its end where convolutions without padding trimmed them."""
    found = [
        tuple(view.dims(value)[dim] for dim in spatial)
        for value, spatial in sizes(view.network, stage)
    ]
    if not found:
        return Cell.of(None, data=None)
    parts = [Part(found[0], Kind.SIZE)]
    if len(found) > 1:
        parts += [Part(" -> "), Part(found[1], Kind.SIZE)]
    return Cell(tuple(parts), (list(found[0]), list(found[-1])))


def _modules(view: View, stage: Stage) -> Cell:
    """The modules that worked there, the first and the last of many."""
    names = [in_words(view, one) for one in stage.modules]
    shown = ", ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]}"
    return Cell.of(shown, code=True, data=list(map(str, stage.modules)))


def _channels(view: View, stage: Stage) -> Cell:
    network = view.network
    ends = entered(network, stage), left(network, stage)
    before, after = (None if v is None else channels(network, v) for v in ends)
    if not stage.maps:
        return Cell.of(None, data=None)
    return Cell((Part(before), Part(" -> "), Part(after)), (before, after))


def _numbers(numbers: list[int]) -> Cell:
    """Numbers of skips, a run of several by its ends: `0-2, 4`, and as they are popped `4, 2-0`."""
    runs: list[list[int]] = []
    for number in numbers:
        run = runs[-1] if runs else []
        steps = {1, -1} if len(run) == 1 else {run[1] - run[0]} if run else set()
        if run and number - run[-1] in steps & {1, -1}:
            run.append(number)
        else:
            runs.append([number])
    texts = [f"{r[0]}-{r[-1]}" if len(r) > 2 else ", ".join(map(str, r)) for r in runs]
    return Cell.of(", ".join(texts), data=numbers)
