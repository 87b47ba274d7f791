"""The ledger of each small network is the one that an expert would write down."""

from __future__ import annotations

import pytest
from skip_case import CASES, Case
from skip_ledgers import BY_NAME, DECIDED, differences, network_of

from unetscope.analysis.joins import find_joins

UNDECIDED = {
    "hrnet": "its head joins a map that went down once and came back, as a U of one level does",
    "octave convolutions": "the first layer joins two ways in the form of a U of one level",
}
"""Networks in which the flow alone shows a skip where an expert sees none, and why."""


def marked(cases: list[Case]) -> list[object]:
    return [
        pytest.param(case, marks=pytest.mark.xfail(reason=UNDECIDED[case.name], strict=True))
        if case.name in UNDECIDED
        else case
        for case in cases
    ]


def named(case: Case) -> str:
    return case.name.replace(" ", "_")


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(CASES)


@pytest.mark.parametrize("case", marked(DECIDED), ids=named)
def test_ledger(case: Case) -> None:
    assert not differences(case), case.why


@pytest.mark.parametrize("case", [case for case in CASES if case.classes], ids=named)
def test_classes_of_its_other_joins(case: Case) -> None:
    if case.name == "octave convolutions":
        pytest.xfail(UNDECIDED[case.name])
    found = {join.kind.value for join in find_joins(network_of(case.name))}
    assert case.classes <= found, case.why
