"""Which changes may pass."""

import pytest

from unetscope.analysis.diff import Change, ChangeSeverity, Diff, Total
from unetscope.errors import UnetscopeError
from unetscope.rules.gate import Action, Gate, bound, severity

ONE = {
    ChangeSeverity.BREAKING: Change("param-removed", "a", None, (1,), None),
    ChangeSeverity.BEHAVIOURAL: Change("attr-changed", "a", "a", 1, 2, "heads"),
    ChangeSeverity.COST: Change("macs", "", "", 100, 110),
    ChangeSeverity.COSMETIC: Change("module-renamed", "a", "b", "a", "b"),
}


def made(*changes):
    return Diff("old", "new", changes, (Total("params", 10, 10), Total("macs", 100, 110)))


@pytest.mark.parametrize("bar", [*ChangeSeverity, None])
@pytest.mark.parametrize("of", ChangeSeverity)
def test_a_class_and_all_above_it_fail(bar, of):
    breaches = Gate(bar).judge(made(ONE[of])).breaches
    assert bool(breaches) is (bar is not None and of >= bar)


def test_a_renaming_passes_unless_asked():
    assert not Gate().judge(made(ONE[ChangeSeverity.COSMETIC])).breaches


@pytest.mark.parametrize(
    ("text", "cost", "limit"),
    [
        ("+1%", "params", 1010),
        ("+0.15%", "params", 1001),
        ("-10%", "params", 900),
        ("900", "params", 900),
        ("1.2k", "params", 1200),
        ("900M", "params", 900_000_000),
        ("1.2B", "params", 1_200_000_000),
        ("+5", "params", 1005),
        ("420G", "macs", 420_000_000_000),
        ("420 GMACs", "macs", 420_000_000_000),
        ("+64MiB", "activation-memory", 1000 + 64 * 2**20),
        ("1GB", "activation-memory", 10**9),
        ("-100B", "activation-memory", 900),
    ],
)
def test_bounds(text, cost, limit):
    assert bound(text, cost).limit(1000) == limit


@pytest.mark.parametrize("text", ["", "5%", "many", "+", "1e3", "5MiB", "--5", "\u0663"])
def test_what_is_no_bound(text):
    with pytest.raises(UnetscopeError, match="expected a bound"):
        bound(text, "params")


@pytest.mark.parametrize(("text", "fails"), [("+10%", False), ("+9%", True), ("109", True)])
def test_a_bound_decides_for_its_total(text, fails):
    gate = Gate(None, {"macs": bound(text, "macs")})
    breaches = gate.judge(made(ONE[ChangeSeverity.COST])).breaches
    assert [each.setting for each in breaches] == ["max-macs"] * fails
    within = Gate(ChangeSeverity.COST, gate.bounds).judge(made(ONE[ChangeSeverity.COST])).breaches
    assert bool(within) is fails


def test_a_bound_holds_where_nothing_changed():
    breaches = Gate(bounds={"params": bound("9", "params")}).judge(made()).breaches
    assert [(each.setting, each.limit, each.change.new) for each in breaches] == [
        ("max-params", 9, 10)
    ]


def test_actions_go_before_severities():
    changes = tuple(ONE.values())
    actions = {
        "param-removed": Action.warn,
        "attr-changed": Action.allow,
        "module-renamed": Action.deny,
    }
    judged = Gate(ChangeSeverity.BEHAVIOURAL, {}, actions).judge(made(*changes))
    assert ONE[ChangeSeverity.BEHAVIOURAL] not in judged.shown
    assert ONE[ChangeSeverity.BREAKING] in judged.shown
    assert [each.change.id for each in judged.breaches] == ["module-renamed"]


def test_names_of_severities():
    assert severity("none") is None
    assert severity("breaking") is ChangeSeverity.BREAKING
    with pytest.raises(UnetscopeError, match="unknown severity"):
        severity("braking")
