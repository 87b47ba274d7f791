"""How much of what changes a network `diff` finds, and how often it raises a false alarm.

    python benchmarks/mutations.py [--mutants 400] [--configs 25] [--seed 1] [--networks waves]

Networks, edits, rewrites and the judge stand in tests/mutation. Each network is edited at one place
many times; on the CPU, old and new get equal weights and inputs, which shows what an edit does, and
`diff` compares their locks. Prints the scores, then every change that was not judged right. Exit 1
if a score is below its target.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "mutation")]
sys.path.append(str(ROOT))  # whatever PYTHONPATH names comes first

import mutation_configs  # noqa: E402
from mutation_judge import Truth  # noqa: E402
from mutation_rewrites import algebra, spellings  # noqa: E402
from mutation_scores import (  # noqa: E402
    NETWORKS,
    Score,
    mutated,
    reconfigured,
    rewritten,
)

FOUND = 0.99
"""Of what changes a network, the share that is found, at least."""
ALARMS = 0.03
"""Of other spellings, the share that is called a change, at most."""

COLUMNS = ("run", "broken", "changed", "found", "share", "misjudged", "same", "alarms", "unseen")


def scored(title: str, names: Iterable[str], score: Callable[[str], Score]) -> dict[str, Score]:
    """The scores by name, and their table printed."""
    scores = {}
    for name in names:
        began = time.perf_counter()
        scores[name] = score(name)
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    if scores:
        print(title, *table(scores), "", sep="\n", flush=True)
    return scores


def table(scores: dict[str, Score]) -> Iterator[str]:
    """A line for each score, and one for all."""
    yield f"{'':24}" + "".join(f"{column:>11}" for column in COLUMNS)
    for name, score in {**scores, "all": sum(scores.values(), Score())}.items():
        changed = len(score.changed)
        numbers = [len(score.tried), score.broken, changed, changed - len(score.missed)]
        share = f"{score.found:.2%}" if changed else "-"
        rest = [len(score.misjudged), len(score.of(Truth.SAME)), len(score.alarms)]
        cells = [*numbers, share, *rest, len(score.unseen)]
        yield f"{name:24}" + "".join(f"{cell!s:>11}" for cell in cells)


def details(scores: dict[str, Score]) -> Iterator[str]:
    """Every change that was not judged right, by what is wrong with it."""
    for title, wrong in {
        "Missed": "missed",
        "Found, but breaking called behavioural or the other way round": "misjudged",
        "Changes nothing, but called a change": "alarms",
        "Not seen, since no pass on meta has the values of buffers": "unseen",
    }.items():
        found = [(name, one) for name, score in scores.items() for one in getattr(score, wrong)]
        if found:
            yield f"\n{title} ({len(found)}):"
            yield from (f"  {name}: {one}" for name, one in found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=400, help="of each network")
    parser.add_argument("--configs", type=int, default=25, help="changes of each config")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS))
    options = parser.parse_args()
    edited = partial(mutated, count=options.mutants, seed=options.seed)
    changed = partial(reconfigured, count=options.configs, seed=options.seed)
    names = mutation_configs.SMALL if options.configs else ()
    networks = scored("Edits of networks", options.networks, edited)
    configs = scored("Changes of configs", names, changed)
    groups = {"spellings": spellings, "algebra": algebra}
    rewrites = scored("Rewrites", groups, lambda name: rewritten(groups[name]()))
    print("\n".join(details({**networks, **configs, **rewrites})))
    below = list(failures(networks, configs, rewrites["spellings"]))
    print("\n" + ("\n".join(below) or "All scores reach their targets."))
    raise SystemExit(1 if below else 0)


def failures(
    networks: dict[str, Score], configs: dict[str, Score], spelled: Score
) -> Iterator[str]:
    """Which scores are below their targets."""
    for name, score in networks.items():
        if score.found < FOUND:
            yield f"{name}: {score.found:.2%} found, the target is {FOUND:.0%}"
        if breaking := [one for one in score.missed if one.verdict.truth is Truth.BREAKS]:
            yield f"{name}: {len(breaking)} changes of `state_dict` not found, the target is none"
    for name, score in configs.items():
        if wrong := len(score.missed) + len(score.misjudged) + len(score.alarms):
            yield f"{name}: {wrong} changes of the config judged wrong, the target is none"
    share = len(spelled.alarms) / len(spelled.tried)
    if share > ALARMS:
        yield f"spellings: {share:.1%} are called a change, the target is {ALARMS:.0%} at most"
    if other := [one.what for one in spelled.tried if one.verdict.truth is not Truth.SAME]:
        yield f"spellings that are no rewrites: {', '.join(other)}"


if __name__ == "__main__":
    main()
