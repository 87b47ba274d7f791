"""Whatever a command is given, it answers: a few cases of each kind, and all that ever failed.

`python benchmarks/fuzz.py` tries many more and adds what it finds to the corpus.
"""

from __future__ import annotations

import pytest
from fuzz_cases import CORPUS, KINDS, bases, cases, corpus, read, stored
from fuzz_oracle import answered
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

# What fails here is made small by benchmarks/fuzz.py, which stops in time.
A_FEW = settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", autouse=True)
def outside_a_job():
    bases()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        yield


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("kind", KINDS)
def test_a_few(kind):
    @A_FEW
    @given(cases(kind))
    def every(case):
        answer = answered(case)
        assert not answer.faults, answer.err

    every()


@pytest.mark.parametrize(("kind", "line"), list(corpus()))
def test_what_was_found(kind, line):
    answer = answered(read(line, kind))
    assert not answer.faults, answer.err


@A_FEW
@given(st.sampled_from(list(KINDS)).flatmap(cases))
def test_cases_are_stored_whole(case):
    assert read(stored(case), case.kind) == case


def test_the_corpus_is_small():
    assert sum(path.stat().st_size for path in CORPUS.iterdir()) < 200_000
