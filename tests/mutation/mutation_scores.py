"""What `diff` says of many changes, counted."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

import mutation_configs as configs
from mutation_edits import mutants
from mutation_judge import Subject, Truth, Verdict, judged, subject

NETWORKS = {path.stem: path for path in sorted((Path(__file__).parent / "networks").glob("*.py"))}
"""The networks that are edited, by name."""


@dataclass(frozen=True)
class Tried:
    """A change and what was said of it.

    Attributes:
        what: the change, as lines or in words.
        verdict: what it does and what was said of it.
    """

    what: str
    verdict: Verdict

    def __str__(self) -> str:
        said = ", ".join(self.verdict.ids) or self.verdict.failure or "nothing"
        return f"{self.what}\n      {self.verdict.truth.value}; said: {said}"


@dataclass
class Score:
    """What was said of many changes.

    Attributes:
        tried: each change that runs.
        broken: how many others do not run.
    """

    tried: list[Tried] = field(default_factory=list)
    broken: int = 0

    def of(self, *truths: Truth) -> list[Tried]:
        """The changes that do this."""
        return [one for one in self.tried if one.verdict.truth in truths]

    @property
    def changed(self) -> list[Tried]:
        """What has to be found."""
        return self.of(Truth.BREAKS, Truth.RESULT)

    @property
    def missed(self) -> list[Tried]:
        """What has to be found and was not, or could not since the pass failed."""
        return [one for one in self.changed if not one.verdict.alarm]

    @property
    def misjudged(self) -> list[Tried]:
        """What was found but called breaking where it is behavioural, or the other way round."""
        return [one for one in self.changed if one.verdict.alarm and not one.verdict.right]

    @property
    def alarms(self) -> list[Tried]:
        """What changes nothing and was called a change."""
        return [one for one in self.of(Truth.SAME) if not one.verdict.right]

    @property
    def unseen(self) -> list[Tried]:
        """What changes results by values that no pass on meta has, and was not found."""
        return [one for one in self.of(Truth.VALUES) if not one.verdict.alarm]

    @property
    def found(self) -> float:
        """The share of what has to be found that was."""
        return 1 - len(self.missed) / len(self.changed) if self.changed else 1.0

    def __add__(self, other: Score) -> Score:
        return Score(self.tried + other.tried, self.broken + other.broken)


def mutated(name: str, count: int, seed: int) -> Score:
    """The score of `count` mutants of a network that run, or of all if it has fewer."""
    source = NETWORKS[name].read_text(encoding="utf-8")
    score = Score()

    def tried() -> Iterator[Tried]:
        old = subject(source)
        for mutant in mutants(source, seed):
            try:
                new = subject(mutant.source)
            except Exception:  # whatever code raises that makes no sense
                score.broken += 1
            else:
                yield Tried(f"{mutant.kind}: {mutant.edit}", judged(old, new))

    score.tried += islice(tried(), count)
    return score


def rewritten(pairs: Iterable[tuple[str, tuple[str, str]]]) -> Score:
    """The score of rewrites.

    Raises:
        Exception: whatever a source raises.
    """
    known = cache(subject)
    return Score([Tried(name, judged(known(old), known(new))) for name, (old, new) in pairs])


def reconfigured(name: str, count: int, seed: int) -> Score:
    """The score of `count` changes of a small config that run, or of all if it has fewer."""
    score = Score()
    changes = list(configs.cases(name))
    random.Random(seed).shuffle(changes)

    def tried() -> Iterator[Tried]:
        old = configs.subject(configs.small(name))
        for change, spec in changes:
            try:
                new: Subject = configs.subject(spec)
            except Exception:  # an index that the smaller table has not
                score.broken += 1
            else:
                yield Tried(change, judged(old, new))

    score.tried += islice(tried(), count)
    return score
