"""The functions and calls in the body of one module, in order."""

from __future__ import annotations

from collections.abc import Sequence

from unetscope.analysis.producers import producer
from unetscope.errors import UnetscopeError, did_you_mean
from unetscope.table import Cell, Column, Table, Value
from unetscope.views.producers import in_words
from unetscope.views.view import View, listed, shapes


def functions(view: View, path: str) -> list[Table]:
    """The functions that ran inside one module, and its child calls, in order, for each call.

    Raises:
        UnetscopeError: the network has no such module, or never called it.
    """
    network, words = view.network, view.words
    trace = network.trace
    if path not in network.modules:
        raise UnetscopeError(
            f"no module `{path}` in {trace.name}", hint=did_you_mean(path, network.modules)
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
        Column("class", words.module_class, code=True, priority=3),
        Column("arguments", words.arguments, code=True, priority=1),
        Column("operands", words.operands, code=True, priority=2),
        Column("input_shapes", words.input_dims),
        Column("output_shapes", words.output_dims),
    )
    blank = Cell.of("", data=None)
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
                    blank,
                    op.detail,
                    _operands(view, given, path),
                    shapes(view, given),
                    shapes(view, op.outputs),
                )
            else:
                step = network.step(index)
                given = [argument.value for argument in step.inputs]
                name = Cell.of(view.below(step.module, path), code=True, data=step.module)
                row = (
                    name,
                    network.module(index).kind,
                    blank,
                    _operands(view, given, path),
                    shapes(view, given),
                    shapes(view, step.outputs),
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
    found = [producer(view.network, value) for value in values]
    near = [view.below(in_words(view, one, near=path), path) for one in found]
    return Cell.of(listed(view.words, near), code=True, data=list(map(str, found)))


def _is_weight(view: View, value: int) -> bool:
    """Whether a value is one of the network's own tensors."""
    trace = view.network.trace
    return trace.values[value].source is not None and all(
        value != argument.value for argument in trace.inputs
    )
