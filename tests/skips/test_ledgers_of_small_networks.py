"""The ledger of each small network is the one that an expert would write down."""

from __future__ import annotations

import pytest
from skip_case import CASES, Case
from skip_ledgers import BY_NAME, DECIDED, differences, network_of


def named(case: Case) -> str:
    return case.name.replace(" ", "_")


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(CASES)


@pytest.mark.parametrize("case", DECIDED, ids=named)
def test_ledger(case: Case) -> None:
    assert not differences(case), case.why


@pytest.mark.parametrize("case", [case for case in CASES if case.classes], ids=named)
def test_classes_of_its_other_joins(case: Case) -> None:
    joins = pytest.importorskip("unetscope.analysis.joins")
    found = {join.kind.value for join in joins.find_joins(network_of(case.name).graph)}
    assert case.classes <= found, case.why
