"""Every call of a network, and the functions inside one module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unetscope.errors import UnetscopeError, nearest
from unetscope.table import Cell, Column, Kind, Part, Table, Value
from unetscope.views.view import View, between, settings


def calls(view: View, depth: int | None = None) -> list[Table]:
    """The tree of calls with shapes, attributes and own parameters, `depth` levels of it.

    A module is named below the one that called it; data hold its whole path.
    """
    network, words = view.network, view.words
    trace = network.trace
    times: dict[str, int] = {}
    levels: list[int] = []
    rows: list[tuple[Value, ...]] = []
    for call, step in enumerate(trace.steps):
        levels.append(0 if step.parent is None else levels[step.parent] + 1)
        times[step.module] = times.get(step.module, 0) + 1
        if depth is not None and levels[call] > depth:
            continue
        if not view.holds(step.module):
            continue
        module = network.module(call)
        rows.append(
            (
                Cell.of("  " * levels[call] + _below(view, call), code=True, data=step.module),
                module.kind,
                _shapes(view, [a.value for a in step.inputs]),
                _shapes(view, list(step.outputs)),
                settings(module.attributes, unset=False),
                module.own_parameters,
                times[step.module],
            )
        )
    columns = (
        Column("path", words.path),
        Column("class", words.module_class, priority=1),
        Column("input_shapes", words.input_dims, priority=3),
        Column("output_shapes", words.output_dims),
        Column("attributes", words.attributes, priority=6),
        Column("own_parameters", words.own_parameters, Kind.COUNT, priority=2),
        Column("call", words.called, priority=4),
    )
    idle = _never_called(view)
    after = []
    if idle and depth is None and view.block is None:
        after.append(Cell.of(f"{words.never_called}: {words.listed.join(idle)}."))
    data = {"never_called": idle}
    return [Table("calls", words.calls, columns, tuple(rows), after=tuple(after), data=data)]


def _below(view: View, call: int) -> str:
    """A module's path below the module that called it; the root's class."""
    network = view.network
    step = network.step(call)
    if step.parent is None:
        return step.module or network.module(call).kind
    return view.below(step.module, network.path(step.parent))


def _never_called(view: View) -> list[str]:
    """The modules that the pass never called, those that only hold others apart."""
    trace = view.network.trace
    used = set()
    for path in {step.module for step in trace.steps}:
        while path:
            used.add(path)
            path = path.rpartition(".")[0]
    return [
        module.path
        for module in trace.modules
        if module.path and module.path not in used and not module.kind.startswith("Module")
    ]


def functions(view: View, path: str) -> list[Table]:
    """The functions that ran inside one module, and its child calls, in order, for each call.

    Raises:
        UnetscopeError: the network has no such module, or never called it.
    """
    network, words = view.network, view.words
    trace = network.trace
    if path not in network.modules:
        raise UnetscopeError(
            f"no module `{path}` in {trace.name}", hint=_did_you_mean(path, network.modules)
        )
    found = [call for call, step in enumerate(trace.steps) if step.module == path]
    if not found:
        inside = [s.module for s in trace.steps if s.module.startswith(f"{path}.")]
        raise UnetscopeError(
            f"`{path}` was never called",
            hint=f"`{inside[0]}` inside it was" if inside else None,
        )
    columns = (
        Column("function", words.function, code=True),
        Column("arguments", words.arguments, code=True, priority=1),
        Column("operands", words.operands, code=True, priority=2),
        Column("input_shapes", words.input_dims),
        Column("output_shapes", words.output_dims),
    )
    tables = []
    for time, call in enumerate(found, 1):
        events = [(trace.ops[op].clock, op, True) for op in network.ops[call]]
        events += [(network.step(c).start, c, False) for c in network.children[call]]
        rows = []
        for _, index, is_op in sorted(events):
            if is_op:
                op = trace.ops[index]
                # Weights stand in the tree; here the data is followed.
                given = [v for v in op.inputs if not _is_weight(view, v)]
                row: tuple[Value, ...] = (
                    op.name,
                    op.detail,
                    _operands(view, given, path),
                    _shapes(view, given),
                    _shapes(view, list(op.outputs)),
                )
            else:
                step = network.step(index)
                given = [argument.value for argument in step.inputs]
                name = Cell.of(view.below(step.module, path), code=True, data=step.module)
                row = (
                    name,
                    network.module(index).kind,
                    _operands(view, given, path),
                    _shapes(view, given),
                    _shapes(view, list(step.outputs)),
                )
            rows.append(row)
        title = path or view.name
        if len(found) > 1:
            title += f" ({words.called} {time})"
        tables.append(
            Table(
                "ops",
                f"{words.ops}: {title}",
                columns,
                tuple(rows),
                repeats=True,
                data={"path": path, "call": time},
            )
        )
    return tables


def _operands(view: View, values: Sequence[int], path: str) -> Cell:
    """What made each operand, in the order of the call, as the module's own code would say it."""
    origins = [view.network.graph.origin(value) for value in values]
    near = [view.below(name.removesuffix(f" in {path}"), path) for name in origins]
    return Cell.of(", ".join(near), code=True, data=origins)


def _is_weight(view: View, value: int) -> bool:
    """Whether a value is one of the network's own tensors."""
    trace = view.network.trace
    return trace.values[value].source is not None and all(
        value != argument.value for argument in trace.inputs
    )


def _did_you_mean(path: str, known: Iterable[str]) -> str | None:
    close = nearest(path, known)
    return f"did you mean `{close}`?" if close else None


def _shapes(view: View, values: list[int]) -> Cell:
    shapes = [view.dims(value) for value in values]
    return Cell(tuple(between([Part(dims, Kind.TUPLE) for dims in shapes], ", ")), shapes)
