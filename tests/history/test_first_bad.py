"""`unetscope log --first-bad`: the commit that broke a bound."""

import json
from itertools import pairwise

import pytest
from narrow_configs import TINY
from repositories import layers


@pytest.fixture
def first_bad(unetscope, repository):
    """A function that returns the exit code, the commit and what else is known."""

    def run(*arguments):
        done = unetscope("log", "unet.yaml", "--first-bad", *arguments, "-f", "json")
        assert done.code in (0, 1), done.err
        found = json.loads(done.out)["log"]
        assert [row["commit"] for row in found["rows"]] == [found["first_bad"]] * len(found["rows"])
        assert bool(done.code) == (bool(found["first_bad"]) or "bad_before" in found)
        return done.code, found["first_bad"], found

    return run


def parameters(unetscope):
    rows = json.loads(unetscope("log", "unet.yaml", "-f", "json").out)["log"]["rows"]
    return [row["parameters"] for row in reversed(rows)]


def test_small_steps_add_up(first_bad, unetscope, repository):
    shas = [repository.commit(f"of {n}", unet=layers(n)) for n in (4, 5, 6)]
    sizes = parameters(unetscope)
    share = 100 * (sizes[2] - sizes[0]) / sizes[0]
    assert all(100 * (b - a) / a < share for a, b in pairwise(sizes))
    _, sha, found = first_bad("--max-params", f"+{share - 0.5:.2f}%")
    assert (sha, found["base"]) == (shas[2], shas[0])
    assert first_bad("--max-params", str(sizes[2]))[:2] == (0, None)
    assert first_bad("--max-params", str(sizes[2] - 1))[1] == shas[2]
    assert first_bad("--max-params", str(sizes[0] - 1))[1] == shas[0]  # from its creation on
    assert first_bad("--max-memory", "+0")[1] == shas[1]


def test_the_range_says_what_is_compared(first_bad, repository):
    shas = [repository.commit(f"of {n}", unet=layers(n)) for n in (1, 2, 3)]
    assert first_bad("--range", f"{shas[1]}..", "--max-params", "+1%")[1] == shas[2]
    code, sha, found = first_bad("--range", f"{shas[1]}..", "--max-params", "1")
    assert (code, sha, found["bad_before"], found["base"]) == (1, None, True, shas[1])


def test_severities(first_bad, repository):
    repository.commit("first", unet=TINY)
    groups = repository.commit("groups", unet=TINY.replace("groups: 8", "groups: 4"))
    deeper = repository.commit("deeper", unet=layers(2))
    assert first_bad()[1] == groups
    assert first_bad("--fail-on", "behavioural")[1] == groups
    assert first_bad("--fail-on", "breaking")[1] == deeper
    assert first_bad("--fail-on", "none")[:2] == (0, None)
    repository.write("pyproject.toml", '[tool.unetscope.diff]\nfail-on = "breaking"\n')
    assert first_bad()[1] == deeper
    # Options stand alone: the project's own bar says nothing of a bound that is asked about.
    assert first_bad("--max-params", "1G")[:2] == (0, None)


def test_broken_commits_may_have_done_it(first_bad, unetscope, repository):
    repository.commit("first", unet=TINY)
    repository.commit("oops", unet="{")
    repository.commit("fixed", unet=TINY)
    oops = repository.commit("oops again", unet="{")
    bad = repository.commit("deeper", unet=layers(2))
    repository.commit("back", unet=TINY)
    _, sha, found = first_bad("--max-params", "+1%")
    assert (sha, found["or_one_of"], found["passes_again"]) == (bad, [oops], True)
    assert found["rows"][0]["status"] == "mended"
    said = unetscope("log", "unet.yaml", "--first-bad", "--max-params", "+1%").out
    assert f"describe no network: {oops[:7]}" in said
    assert "passes again" in said
    assert "the bound that --max-params +1% sets" in said


def test_nothing_to_measure(unetscope, repository):
    repository.commit("broken", unet="{")
    done = unetscope("log", "unet.yaml", "--first-bad")
    assert (done.code, done.out) == (2, "")
    assert "no commit of `unet.yaml` describes a network" in done.err
