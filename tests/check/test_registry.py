"""The registry of rules."""

from __future__ import annotations

import pytest

from unetscope.analysis.network import Network
from unetscope.errors import Place
from unetscope.findings import GROUPS, RULES, Finding, Rule, Severity, rule
from unetscope.rules import every_rule
from unetscope.rules.surprises import Configured


@pytest.fixture
def scratch():
    """Rules that a test registers are gone after it."""
    known = dict(every_rule())
    yield
    RULES.clear()
    RULES.update(known)


def test_an_id_that_no_rule_has_cannot_be_written():
    with pytest.raises(ValueError, match="there is no rule `grups`"):
        Finding("grups", ("unet",), "expected a divisor")


@pytest.mark.usefixtures("scratch")
def test_an_id_is_registered_once():
    Rule("once", Severity.ERROR, "Once.")
    with pytest.raises(ValueError, match="there are two rules `once`"):
        Rule("once", Severity.WARNING, "Twice.")


@pytest.mark.usefixtures("scratch")
def test_a_severity_and_a_summary_must_be_given():
    with pytest.raises(TypeError, match="severity"):
        Rule("none")
    with pytest.raises(TypeError, match="summary"):
        rule("none", Severity.ERROR)


@pytest.mark.usefixtures("scratch")
def test_a_decorated_function_is_a_rule():
    @rule("odd", Severity.WARNING, "A number is odd.")
    def odd(number: int):
        if number % 2:
            yield odd.at(("number",), f"{number} is odd")

    assert RULES["odd"] is odd
    assert list(odd(2)) == []
    [found] = odd(3)
    assert (found.id, found.severity, found.path) == ("odd", Severity.WARNING, ("number",))


@pytest.mark.usefixtures("scratch")
def test_a_function_of_the_config_runs_once_it_is_decorated(check, narrow):
    @rule("one-layer", Severity.WARNING, "A level has one ResNet.")
    def one_layer(network: Configured):
        if network.unet.layers_per_block == 1:
            yield one_layer.at(("unet", "layers_per_block"), "one ResNet alone", "most have two")

    assert check(narrow()).out == (
        "narrow.yaml:7:3: warning [one-layer] unet.layers_per_block: one ResNet alone\n"
        "  hint: most have two\n"
        "Errors: 0. Warnings: 1.\n"
    )
    assert check(narrow(), "--ignore", "one-layer").out == "Nothing found.\n"
    assert "A level has one ResNet." in check("--list-rules").out


@pytest.mark.usefixtures("scratch")
def test_a_function_of_the_trace_runs_once_it_is_decorated(check, narrow):
    @rule("few-skips", Severity.ERROR, "There are few skips.", traced=True)
    def few_skips(network: Network):
        yield few_skips.in_module("", f"{len(network.trace.skips)} skips")

    done = check(narrow())
    assert done.code == 1
    assert done.out.startswith("narrow.yaml:2:1: error [few-skips] 4 skips\n")


def test_every_rule_is_described():
    for name, each in every_rule().items():
        assert name == each.id
        assert isinstance(each.severity, Severity)
        assert each.summary.endswith(".")


def test_a_finding_at_its_place():
    places = {(): Place("it.yaml", 1, 1), ("unet",): Place("it.yaml", 2, 1)}
    found = GROUPS.at(("unet", "norm_num_groups"), "expected a divisor", "4 would do")
    placed = found.placed(places)
    assert str(placed.place) == "it.yaml:2:1"
    assert placed.message == "unet.norm_num_groups: expected a divisor"
    assert str(found.error(places)) == (
        "it.yaml:2:1: unet.norm_num_groups: expected a divisor\nhint: 4 would do"
    )
    assert found.error({}).place is None
