"""The data flow of a pass, on a trace written by hand."""

import pytest

from unetscope.analysis.graph import Graph
from unetscope.analysis.network import Network
from unetscope.analysis.producers import producer
from unetscope.ops import OpKind
from unetscope.record import Argument, Op, Step, TensorSpec, Trace, Value

X, TEXT, WEIGHT, CONVOLVED, BIASED, POOLED, LOW, UP, JOINED, SCALE, SCALED, READ, BOTH = range(13)
# What each function makes: name, inputs, the step in whose body it runs, multiply-adds.
FUNCTIONS = {
    CONVOLVED: ("F.conv2d", (X, WEIGHT), 1, 9),
    BIASED: ("+", (CONVOLVED, WEIGHT), 1, 0),
    POOLED: ("F.avg_pool2d", (BIASED,), 0, 0),
    LOW: ("F.conv2d", (POOLED, WEIGHT), 2, 9),
    UP: ("F.interpolate", (LOW,), 0, 0),
    JOINED: ("torch.cat", (UP, BIASED), 0, 0),
    SCALE: ("torch.exp", (WEIGHT,), 0, 0),
    SCALED: ("*", (JOINED, SCALE), 0, 0),
    READ: ("@", (SCALED, TEXT), 3, 5),
    BOTH: ("torch.cat", (READ, SCALED), 0, 0),
}
SOURCES = {X: "x", TEXT: "text", WEIGHT: "weight"}
PRODUCERS = {BIASED: 1, LOW: 2}


def handmade():
    """A pass that stopped in its last step."""
    spec = TensorSpec((1, 4, 8, 8), "float32")
    ops, values = [], [Value(spec, value, source=name) for value, name in SOURCES.items()]
    for clock, (made, (name, inputs, step, macs)) in enumerate(FUNCTIONS.items()):
        ops.append(Op(name, step, 10 * clock + 15, inputs, (made,), macs=macs))
        values.append(Value(spec, made, op=clock, call=PRODUCERS.get(made)))
    steps = (
        Step("", None, 1, None, (), ()),
        Step("enter", 0, 11, 29, (Argument("x", X),), (BIASED,)),
        Step("down", 0, 41, 49, (Argument("x", POOLED),), (LOW,)),
        Step("attend", 0, 91, None, (Argument("x", SCALED),), ()),
    )
    inputs = (Argument("x", X), Argument("text", TEXT))
    return Trace("handmade", (), steps, tuple(ops), tuple(values), (), (), inputs, ())


@pytest.fixture(scope="module")
def graph():
    return Graph(handmade())


def ops(graph, *made):
    """The indices of the functions that made values."""
    return [graph.trace.values[value].op for value in made]


def test_what_made_a_value(graph):
    assert graph.op(X) is None
    assert graph.op(JOINED).name == "torch.cat"
    assert [graph.kind(v) for v in (X, UP, JOINED)] == [None, OpKind.RESAMPLING, OpKind.JOIN]
    assert [graph.born(v) for v in (WEIGHT, CONVOLVED, BIASED)] == [0, 15, 25]
    assert [graph.producer(v) for v in (CONVOLVED, BIASED, UP)] == [None, 1, None]
    assert [graph.module(v) for v in (X, CONVOLVED, BIASED, UP)] == ["", "enter", "enter", ""]
    assert [str(producer(Network(graph.trace), v)) for v in (X, WEIGHT, CONVOLVED, BIASED, UP)] == [
        *("x", "weight", "F.conv2d in enter", "enter", "F.interpolate")
    ]


def test_parents_and_readers(graph):
    assert [graph.parents[v] for v in (X, LOW, JOINED)] == [(), (POOLED, WEIGHT), (UP, BIASED)]
    assert graph.readers[BIASED] == ops(graph, POOLED, JOINED)
    assert graph.readers[BOTH] == []


def test_walking_back_takes_each_value_once_and_the_nearest_first(graph):
    assert list(graph.back(JOINED)) == [JOINED, UP, BIASED, LOW, CONVOLVED, WEIGHT, POOLED, X]
    assert list(graph.back(UP, UP, along=lambda _: ())) == [UP]
    assert list(graph.back_inside(2, LOW)) == [LOW, POOLED, WEIGHT]


def test_ways_from_one_value_to_another(graph):
    assert graph.descends(JOINED, BIASED)
    assert not graph.descends(BIASED, JOINED)
    assert not graph.descends(JOINED, SCALE)
    assert not graph.descends(JOINED, JOINED)

    def through_down(value):
        return graph.made_inside(value, graph.born(BIASED), graph.born(JOINED))

    assert [v for v in FUNCTIONS if through_down(v)] == [LOW]
    assert graph.descends(JOINED, BIASED, through=through_down)
    assert graph.descends(LOW, BIASED, through=through_down)
    assert not graph.descends(POOLED, BIASED, through=through_down)

    def around_down(value):
        return () if value == LOW else graph.parents[value]

    assert graph.descends(JOINED, BIASED, along=around_down)
    assert not graph.descends(UP, BIASED, along=around_down)


def test_a_step_that_never_ended_is_not_in_between(graph):
    assert graph.op(READ).step == 3
    assert not graph.made_inside(READ, 0, 1000)


def test_the_nearest_functions_that_multiply(graph):
    def multiplies(op):
        return op.macs > 0

    found = graph.nearest_makers(graph.op(JOINED), multiplies)
    assert found == ops(graph, LOW, CONVOLVED)
    # A scale that was computed from weights alone carries no data.
    assert graph.nearest_makers(graph.op(SCALED), multiplies) == found
    assert graph.nearest_readers(graph.op(BIASED), multiplies) == ops(graph, LOW, READ)
    assert graph.nearest_readers(graph.op(BOTH), multiplies) == []


def test_what_carries_the_inputs(graph):
    assert [v for v in range(13) if not graph.fed(v)] == [WEIGHT, SCALE]
    assert graph.ancestors(SCALED) == {SCALED, JOINED, UP, LOW, POOLED, BIASED, CONVOLVED, X}
    assert graph.source(UP, BIASED) == BIASED
    assert graph.source(SCALED) == SCALED
    assert graph.source(SCALED, TEXT) is None
    assert graph.passed(SCALED) == [SCALED, JOINED, BIASED, CONVOLVED, X]
    assert graph.passed(BOTH) == [BOTH]
    assert graph.passed(READ) == [READ]
