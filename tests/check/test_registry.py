"""The registry of rules."""

from __future__ import annotations

import pytest

from unetscope import findings
from unetscope.errors import Place
from unetscope.findings import GROUPS, RULES, Finding, Rule, Severity, rule
from unetscope.rules import every_rule


@pytest.fixture
def scratch(monkeypatch):
    """Rules that a test registers are gone after it."""
    monkeypatch.setattr(findings, "RULES", dict(RULES))
    return findings


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


def test_a_decorated_function_is_a_rule(scratch):
    @rule("odd", Severity.WARNING, "A number is odd.")
    def odd(number: int):
        if number % 2:
            yield odd.at(("number",), f"{number} is odd")

    assert scratch.RULES["odd"] is odd
    assert list(odd(2)) == []
    [found] = odd(3)
    assert (found.id, found.severity, found.path) == ("odd", Severity.WARNING, ("number",))


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
