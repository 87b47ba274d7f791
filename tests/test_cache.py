"""The cache: what comes out of it is what a run would say, and nothing depends on it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.narrow_configs import NARROW, TINY
from unetscope import api
from unetscope.files import cache, traces
from unetscope.sources import Request, resolve
from unetscope.tracing import Trace

PROGRAM = """
import sys
from unetscope import cli
code = cli.run(sys.argv[1:])
print(*sorted({"torch", "sympy"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty cache that is in use, below a working directory with two configs."""
    monkeypatch.delenv(cache.OFF)
    monkeypatch.setenv(cache.FOLDER, str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    Path("unet.yaml").write_text(NARROW, encoding="utf-8")
    Path("tiny.yaml").write_text(TINY, encoding="utf-8")
    return tmp_path / "cache"


@pytest.fixture
def passes(monkeypatch) -> list[str]:
    """The passes that really ran, by the network's name."""
    from unetscope.sources.source import Runnable

    ran: list[str] = []
    trace = Runnable.trace

    def counted(self: Runnable) -> Trace:
        ran.append(self.name)
        return trace(self)

    monkeypatch.setattr(Runnable, "trace", counted)
    return ran


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*")) if folder.exists() else []


COMMANDS = [
    ("trace", "unet.yaml"),
    ("params", "unet.yaml", "-f", "json"),
    ("flops", "unet.yaml", "--by", "op"),
    ("memory", "unet.yaml"),
    ("skips", "unet.yaml", "--all-joins"),
    ("explain", "unet.yaml", "up_blocks.1.resnets.0"),
    ("trace", "sd15", "--controlnet", "controlnet_sd15", "--sections", "ledger"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_second_run_says_the_same(unetscope, monkeypatch, folder, passes, command):
    cold = unetscope(*command)
    warm = unetscope(*command)
    assert (cold.code, len(passes)) == (0, 1)
    assert warm == cold
    assert unetscope(*command, "--no-cache") == cold
    assert len(passes) == 2


def test_the_second_run_imports_no_torch(folder):
    def run(*arguments: str, **environment: str) -> tuple[bytes, bytes]:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            capture_output=True,
            check=True,
            env={**os.environ, **environment},
        )
        return done.stdout, done.stderr.strip()

    cold = run("trace", "unet.yaml", PYTHONHASHSEED="1", LC_ALL="C")
    warm = run("trace", "unet.yaml", PYTHONHASHSEED="2", LC_ALL="C.UTF-8", TZ="Asia/Tokyo")
    assert cold == (warm[0], b"torch")
    assert warm[1] == b""
    assert run("params", "unet.yaml")[1] == b""


def test_what_differs_is_kept_apart(folder, passes):
    asked = [
        Request("unet.yaml"),
        Request("unet.yaml", overrides=("layers_per_block=2",)),
        Request("unet.yaml", dtype="float16"),
        Request("unet.yaml", height=32),
        Request("unet.yaml", tokens=6),
        Request("./unet.yaml"),
        Request("tiny.yaml"),
    ]
    for request in asked:
        cold, warm = (resolve(request).trace() for _ in range(2))
        assert cold == warm
        assert cold.provenance == warm.provenance
    assert len(passes) == len(asked) == len(entries(folder))
    Path("unet.yaml").write_text(NARROW.replace("[8, 16]", "[8, 24]"), encoding="utf-8")
    resolve(asked[0]).trace()
    assert len(passes) == len(asked) + 1


def test_only_passes_of_configs_on_meta_are_kept(folder, passes, monkeypatch):
    monkeypatch.syspath_prepend(str(Path.cwd()))
    Path("own.py").write_text(
        "from torch import nn\ndef make(): return nn.Conv2d(3, 4, 3)\n", encoding="utf-8"
    )
    for _ in range(2):
        api.load("own:make", inputs=["1,3,8,8"]).trace()
        api.load("tiny.yaml", device="cpu").trace()
    assert len(passes) == 4
    assert not entries(folder)


def test_without_it_nothing_is_read_or_kept(folder, passes, monkeypatch):
    api.load("tiny.yaml").trace()
    kept = entries(folder)
    resolve(Request("tiny.yaml", cache=False)).trace()
    resolve(Request("unet.yaml", cache=False)).trace()
    monkeypatch.setenv(cache.OFF, "1")
    api.load("tiny.yaml").trace()
    assert len(passes) == 4
    assert entries(folder) == kept


def test_a_damaged_entry_is_as_if_it_were_not_there(folder, passes):
    expected = resolve(Request("tiny.yaml")).trace()
    (entry,) = entries(folder)
    whole = entry.read_bytes()
    draw = random.Random(0)
    damages = [b"", whole[:20], whole[:-1], whole + b"\0", b"\0" * len(whole)]
    for _ in range(10):
        at = draw.randrange(len(whole))
        damages.append(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
    for count, damaged in enumerate(damages, 2):
        entry.write_bytes(damaged)
        assert resolve(Request("tiny.yaml")).trace() == expected
        assert len(passes) == count
        assert entry.read_bytes() == whole  # mended


def test_an_entry_says_nothing_under_another_name(folder):
    cache.keep("one", b"content")
    (entry,) = entries(folder)
    entry.rename(entry.with_stem("other"))
    assert cache.read("other") is None


def test_an_entry_of_the_right_name_that_holds_no_trace(folder, passes):
    network = resolve(Request("tiny.yaml"))
    key = network._key(f"trace {traces.FORMAT}")  # type: ignore[attr-defined]
    cache.keep(key, b"{}")
    assert network.trace().name == "tiny"
    assert len(passes) == 1


def test_other_code_or_another_torch_finds_nothing(folder, monkeypatch, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("1", encoding="utf-8")
    found = []

    def key() -> str | None:
        cache._code.cache_clear()
        return cache.key("trace", "network")

    with monkeypatch.context() as patched:
        patched.setattr(cache, "_PACKAGE", package)
        found += [key(), key()]
        (package / "a.py").write_text("22", encoding="utf-8")
        found.append(key())
        os.utime(package / "a.py", (1, 1))
        found.append(key())
        patched.setattr(cache, "_torch", lambda: "another")
        found.append(key())
        patched.setattr(cache, "_torch", lambda: None)
        assert key() is None
    cache._code.cache_clear()
    assert found[0] == found[1]
    assert len(set(found)) == 4


def test_it_stays_within_its_bounds(folder, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 10 * 1000)
    texts = {f"entry{n}": random.Random(n).randbytes(900) for n in range(9)}
    for age, (name, text) in enumerate(texts.items()):
        cache.keep(name, text)
        then = time.time() - 1000 + age
        os.utime(folder / f"{name}.unetscope", (then, then))
    assert cache.contents().nbytes <= cache.LARGEST
    assert cache.read("entry0") == texts["entry0"]  # used last from now on
    for n in range(20, 24):
        cache.keep(f"entry{n}", random.Random(n).randbytes(900))
    assert cache.contents().nbytes <= cache.LARGEST
    assert cache.read("entry0") == texts["entry0"]
    assert cache.read("entry1") is None
    assert cache.clear().entries > 5
    assert cache.contents().entries == 0


def test_many_at_once(folder):
    content = {f"entry{n}": random.Random(n).randbytes(20_000) for n in range(3)}

    def work(seed: int) -> bool:
        draw = random.Random(seed)
        for _ in range(20):
            name = draw.choice(list(content))
            match draw.randrange(8):
                case 0:
                    cache.clear()
                case 1 | 2 | 3:
                    cache.keep(name, content[name])
                case _:
                    if cache.read(name) not in (None, content[name]):
                        return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(24)))


@pytest.mark.parametrize("obstacle", ["a file", "no folder may be made"])
def test_a_folder_that_cannot_be_written(unetscope, monkeypatch, folder, passes, obstacle):
    if obstacle == "a file":
        folder.write_text("in the way", encoding="utf-8")
    else:
        monkeypatch.setenv(cache.FOLDER, "/proc/nowhere")
    assert unetscope("params", "tiny.yaml").code == 0
    assert unetscope("params", "tiny.yaml").code == 0
    assert len(passes) == 2
    assert unetscope("cache").code == 0
    assert unetscope("cache", "clear").code == 0


def test_locks_are_kept_as_text(unetscope, monkeypatch, folder, passes):
    assert unetscope("lock", "unet.yaml", "tiny.yaml").code == 0
    assert len(passes) == 2
    assert unetscope("lock", "--check", "unet.yaml", "tiny.yaml").code == 0
    lock = Path("unet.lock")
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text.replace("\n  torch: ", "\n  torch: 0"), encoding="utf-8")
    assert unetscope("lock", "--check", "unet.yaml").code == 0
    lock.write_text(text.replace("num_groups: 4", "num_groups: 2"), encoding="utf-8")
    stale = unetscope("lock", "--check", "unet.yaml")
    assert stale.code == 1
    assert "the same network from another config" in stale.out
    lock.write_text(text.replace("tools", "tolls"), encoding="utf-8")
    assert unetscope("lock", "--check", "unet.yaml").code == 2
    lock.unlink()
    assert unetscope("lock", "--check", "unet.yaml").code == 1
    assert len(passes) == 2


def test_the_command(unetscope, monkeypatch, folder):
    assert unetscope("trace", "tiny.yaml").code == 0
    shown = unetscope("cache", "-f", "json")
    assert f'"folder": "{folder}"' in shown.out
    assert '"entries": 1' in shown.out
    cleared = unetscope("cache", "clear")
    assert (cleared.code, cleared.out) == (0, "")
    assert cleared.err.startswith("thrown away: 1 entries, ")
    assert unetscope("cache", "empty").code == 2
