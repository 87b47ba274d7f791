"""What tests share: traces of shipped and of small configs."""

from __future__ import annotations

import gc
import inspect
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from unetscope import cli, config
from unetscope.commands import console
from unetscope.errors import ConfigError
from unetscope.record import Trace
from unetscope.sources import Request, resolve
from unetscope.sources.configs import ConfigNetwork
from unetscope.sources.torchvision_operators import lend_missing

# The workers of pytest-xdist share the cores already; torch reads this when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
for changes_output in ("FORCE_COLOR", "NO_COLOR", "UNETSCOPE_LANG"):
    os.environ.pop(changes_output, None)
# Tests are about what runs now; those of the cache switch it on.
os.environ["UNETSCOPE_NO_CACHE"] = "1"
lend_missing()

TRACES_KEPT = 32
REFERENCE = Path(__file__).parent / "reference"

# Each run tries the same examples, so that a change fails for what it changed; `pytest
# --hypothesis-profile explore` draws new ones, and more. A slow machine is no failure.
settings.register_profile("unetscope", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile("unetscope")


@pytest.fixture(scope="session")
def sd15() -> Trace:
    """The trace of Stable Diffusion 1.5 at 64x64."""
    return resolve(Request("sd15")).trace()


@pytest.fixture(scope="session")
def article() -> dict[str, Any]:
    """The tables of the article on Stable Diffusion's UNet, cell by cell."""
    text = (REFERENCE / "sd15_tables.json").read_text(encoding="utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refusal():
    """What is said of a config that is refused."""

    def refusal(reference, **arguments):
        with pytest.raises(ConfigError) as caught:
            config.load(reference, **arguments)
        assert caught.value.exit_code == 2
        return str(caught.value)

    return refusal


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def trace_once() -> Callable[[ConfigNetwork], Trace]:
    """The `trace` of configs, of which it keeps the latest."""
    kept: dict[str, Trace] = {}
    trace = ConfigNetwork.trace

    def remembered(network: ConfigNetwork) -> Trace:
        if type(network) is not ConfigNetwork:
            return trace(network)
        spec = network.spec
        key = repr((network.request, spec.family, spec.unet, spec.inputs, network.known))
        kept[key] = kept.pop(key, None) or trace(network)
        if len(kept) > TRACES_KEPT:
            del kept[next(iter(kept))]
        return kept[key]

    return remembered


@pytest.fixture
def unetscope(request, capsys, monkeypatch, trace_once):
    """A function that runs `unetscope ARGUMENTS` and returns its `Result`.

    Commands share the traces of configs, but where a test may have patched what a pass does.
    """
    if "monkeypatch" not in inspect.signature(request.function).parameters:
        monkeypatch.setattr(ConfigNetwork, "trace", trace_once)

    def run(*arguments):
        monkeypatch.setattr(console, "_quiet", False)
        monkeypatch.setattr(console, "_verbose", False)
        code = cli.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        see_options(list(map(str, arguments)), printed.err)
        return Result(code, printed.out, printed.err)

    return run


def see_options(arguments: list[str], said: str) -> None:
    """See that a command speaks of no option that it has not, but in whole commands."""
    commands = cli._parser().commands
    command = next((commands[name] for name in arguments if name in commands), cli._parser())
    known = {"--help", *(name for option in command.params for name in option.opts)}
    own = re.sub(r"`(unetscope|git|pip) [^`]*`", "", said)
    spoken_of = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", own))
    given = {argument.partition("=")[0] for argument in arguments}
    assert spoken_of <= known | given, (arguments, said)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
