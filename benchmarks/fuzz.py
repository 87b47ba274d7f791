"""Many broken inputs of every kind, and whether each command answers as it owes to.

    python benchmarks/fuzz.py [--cases 50000] [--workers 2] [--kinds trace lock] [--seed 1]

What is drawn and what counts as a fault stand in tests/fuzz. Commands run in worker processes that
are started anew after some hundred cases; a case may take 5 seconds and 1.5 GB of memory. Each
distinct fault leaves its smallest case in the corpus (--corpus), which the suite replays. Exit 1 if
there was any.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "fuzz")]

from fuzz_cases import CORPUS, KINDS, bases, cases, read, stored  # noqa: E402
from fuzz_oracle import NAMED, Case, answered  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

BATCH = 500
"""Cases of one worker."""
STUCK = 60
"""Seconds after which a worker is ended whose command heeds no signal."""
MINIMISING = 4
"""Seconds that making one case smaller may take."""


def work(kind: str, number: int, count: int, folder: Path) -> None:
    """Run some cases of one kind, and write a line of JSON about each into a folder."""
    bases()

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(kind))
    def run(case: Case) -> None:
        line = stored(case)
        (folder / "running").write_text(line)
        answer = answered(case)
        faults = [str(fault) for fault in answer.faults]
        done = {"code": answer.code, "seconds": answer.seconds, "faults": faults, "case": line}
        log.write(json.dumps(done) + "\n")
        log.flush()

    with (folder / "log").open("w") as log:
        run()


@dataclass(frozen=True)
class Batch:
    """What one worker is to do."""

    kind: str
    number: int
    count: int

    def results(self) -> list[dict[str, Any]]:
        """A dict for each case; a worker that died has one for the case that it died of."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            line = [sys.executable, __file__, "--work", self.kind, self.number, self.count, name]
            with (folder / "said").open("wb") as said:
                # Another thread of ours may be in a folder that it is about to remove.
                worker = subprocess.Popen(list(map(str, line)), cwd=ROOT, stdout=said, stderr=said)
                why = _ended(worker, folder / "log")
            log = folder / "log"
            found = [json.loads(line) for line in log.open()] if log.exists() else []
            if why:
                running = folder / "running"
                if not running.exists():
                    raise SystemExit(f"{line} {why}: {(folder / 'said').read_text()[-2000:]}")
                died = {"code": why, "seconds": 0.0, "faults": [f"the process {why} (-)"]}
                found.append({**died, "case": running.read_text()})
            return found


def _ended(worker: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for a worker; how it ended, if not as it should."""
    while worker.poll() is None:
        time.sleep(0.2)
        if log.exists() and time.time() - log.stat().st_mtime > STUCK:
            worker.kill()
            worker.wait()
            return "was stuck"
    return f"left with {worker.returncode}" if worker.returncode else ""


def smaller(case: Case, fault: str) -> Case:
    """The case without what it does not need to have this fault, as far as that is quick."""
    until = time.monotonic() + MINIMISING

    def fails(tried: Case) -> bool:
        return any(str(found) == fault for found in answered(tried).faults)

    def shrunk(text: Any, put: Callable[[Any], Case]) -> Any:
        size = len(text) // 2
        while size and time.monotonic() < until:
            at = 0
            while at < len(text) and time.monotonic() < until:
                without = text[:at] + text[at + size :]
                if fails(put(without)):
                    text = without
                else:
                    at += size
            size //= 2
        return text

    if not fails(case):
        return case
    for name in list(case.files)[case.kind in NAMED :]:
        files = {other: content for other, content in case.files.items() if other != name}
        if fails(replace(case, files=files)):
            case = replace(case, files=files)
    for name, content in case.files.items():
        if isinstance(content, bytes) and bases().get(name) != content:
            kept = case
            content = shrunk(content, lambda text: replace(
                kept, files={**kept.files, name: text}))  # noqa: B023  # fmt: skip
            case = replace(case, files={**case.files, name: content})
    for index, text in enumerate(case.arguments):
        if len(text) > 60:  # shorter ones are clear as they are
            before, after = case.arguments[:index], case.arguments[index + 1 :]
            put = lambda text: replace(case, arguments=(*before, text, *after))  # noqa: B023, E731
            case = put(shrunk(text, put))
    return case


def keep(found: dict[tuple[str, str], Case], corpus: Path) -> None:
    """Add the cases of faults that the corpus does not have."""
    corpus.mkdir(parents=True, exist_ok=True)
    for (kind, fault), case in found.items():
        file = corpus / f"{kind}.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        if not any(json.loads(line)["found"] == fault for line in lines):
            small = case if fault.startswith("the process") else smaller(case, fault)
            file.write_text("\n".join([*lines, stored(small, fault)]) + "\n")


def table(results: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """A line for each kind: cases by exit code, and the slowest."""
    yield f"{'input':12}{'cases':>8}{'0':>8}{'1':>8}{'2':>8}{'other':>8}{'slowest s':>11}"
    for kind, done in results.items():
        codes = Counter(one["code"] for one in done)
        slow = max(done, key=lambda one: one["seconds"])
        known = [codes[code] for code in (0, 1, 2)]
        counts = "".join(f"{n:8}" for n in (len(done), *known, len(done) - sum(known)))
        line = " ".join(json.loads(slow["case"])["arguments"])
        yield f"{kind:12}{counts}{slow['seconds']:11.2f}  {line[:60]!a}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    options = parser.parse_args()
    each = -(-options.cases // len(options.kinds))
    batches = [
        Batch(kind, 1_000 * options.seed + start // BATCH, min(BATCH, each - start))
        for start in range(0, each, BATCH)
        for kind in options.kinds
    ]
    began = time.perf_counter()
    results: dict[str, list[dict[str, Any]]] = defaultdict(list)
    faults: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str], Case] = {}
    with ThreadPoolExecutor(options.workers) as pool:
        for batch, done in zip(batches, pool.map(Batch.results, batches), strict=True):
            results[batch.kind] += done
            for one in done:
                for fault in one["faults"]:
                    faults[batch.kind, fault] += 1
                    case = read(one["case"], batch.kind)
                    known = found.setdefault((batch.kind, fault), case)
                    if len(one["case"]) < len(stored(known)):
                        found[batch.kind, fault] = case
            wrong = sum(1 for one in done if one["faults"])
            print(f"{batch.kind}: {len(done)} cases, {wrong} wrong", file=sys.stderr, flush=True)
    print("\n".join(table(results)))
    count = sum(map(len, results.values()))
    print(f"\n{count:,} cases in {time.perf_counter() - began:,.0f} s")
    for (kind, fault), times in faults.most_common():
        print(f"{times:6} {kind}: {fault}")
    keep(found, options.corpus)
    raise SystemExit(1 if faults else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
    else:
        main()
