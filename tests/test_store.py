"""Saved traces: what comes back, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unetscope.errors import ForwardError, UnetscopeError
from unetscope.files import traces
from unetscope.record import Provenance, Trace
from unetscope.tracing import trace


class Skipping(nn.Module):
    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, channels, 2, stride=2)
        self.up = nn.ConvTranspose2d(channels, channels, 2, stride=2)
        self.leave = nn.Conv2d(2 * channels, channels, 1)
        self.threshold, self.name = float("inf"), "naïve ✓"

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        return self.leave(torch.cat([self.up(self.down(x)), x], dim=1))


def plain() -> Trace:
    return trace(Skipping(), (torch.zeros(1, 4, 8, 8),))


def half_on_meta() -> Trace:
    model = Skipping().to("meta", torch.bfloat16)
    return trace(model, (torch.zeros(1, 4, 8, 8, device="meta", dtype=torch.bfloat16),))


def tied() -> Trace:
    model = nn.Sequential(nn.Embedding(5, 2), nn.Linear(2, 5, bias=False), nn.BatchNorm1d(3))
    model[1].weight = model[0].weight
    return trace(
        model, (torch.zeros(1, 3, dtype=torch.int64),), name="tied", config={"a": [1, "b"]}
    )


def failed() -> Trace:
    with pytest.raises(ForwardError) as caught:
        trace(Skipping(), (torch.zeros(1, 4, 7, 7),))
    return caught.value.trace


TRACES = [plain, half_on_meta, tied, failed]


@pytest.mark.parametrize("make", TRACES)
def test_what_is_saved_comes_back(make: Callable[[], Trace], tmp_path: Path) -> None:
    record = make()
    path = tmp_path / "t.json"
    path.write_bytes(traces.dumps(record))
    assert traces.is_trace(path)
    loaded = traces.load(path)
    assert loaded == record
    assert loaded.provenance == record.provenance
    assert traces.dumps(loaded) == traces.dumps(record)
    assert path.read_bytes().endswith(b"}\n")


def test_failures_and_skips_are_saved() -> None:
    assert traces.loads(traces.dumps(failed())).failure is not None
    assert len(traces.loads(traces.dumps(plain())).skips) == 1


def test_equal_traces_give_equal_text_apart_from_provenance() -> None:
    stated = Provenance("2", "cpu", "0")
    first, second = (dataclasses.replace(plain(), provenance=stated) for _ in range(2))
    assert traces.dumps(first) == traces.dumps(second)


def refused(text: bytes) -> UnetscopeError:
    with pytest.raises(UnetscopeError) as caught:
        traces.loads(text, "mine.json")
    assert re.match(r"mine\.json:(\d+:)? ", str(caught.value))
    return caught.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not a saved trace"),
        (b"name: sd15\n", "not a saved trace"),
        (b"\xff\xfe", "not a saved trace"),
        (b"[1]", "not a saved trace"),
        (b"3", "not a saved trace"),
        (b"null", "not a saved trace"),
        (b"{}", "it has no `unetscope_trace`"),
        (b'{"block_out_channels": [320]}', "it has no `unetscope_trace`"),
        (b'{"unetscope_trace": "x"}', "not a saved trace"),
        (b'{"unetscope_trace": 99, "trace": {}}', "format 99, which is newer"),
        (b'{"unetscope_trace": 0}', "an earlier format"),
        (b'{"unetscope_trace": 2}', "a damaged trace"),
        (b'{"unetscope_trace": 2, "trace": {"name": 3}}', "`$.trace.name`"),
        (b"[" * 100_000, "not a saved trace"),
    ],
)
def test_files_that_are_no_trace(text: bytes, message: str) -> None:
    assert message in refused(text).message


def test_a_newer_format_says_what_to_do() -> None:
    text = traces.dumps(plain()).replace(b'"unetscope_trace":2', b'"unetscope_trace":3')
    assert refused(text).hint == "a newer unetscope wrote it: update this one"


def test_a_file_that_was_cut_off() -> None:
    text = traces.dumps(plain())
    for length in range(0, len(text) - 2, 97):
        refused(text[:length])


def damaged(change: Callable[[dict[str, Any]], None]) -> bytes:
    document = json.loads(traces.dumps(plain()))
    change(document["trace"])
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.pop("ops"),
        lambda t: t["steps"][0].update(start="one"),
        lambda t: t["values"][0]["spec"].update(shape="4"),
        lambda t: t["values"][0]["spec"].update(shape=[1.5]),
        lambda t: t.update(modules={}),
        lambda t: t["modules"][0].update(attributes=[]),
        lambda t: t.update(name=None),
    ],
)
def test_a_value_of_the_wrong_kind(change: Callable[[dict[str, Any]], None]) -> None:
    assert "a damaged trace" in refused(damaged(change)).message


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["values"][0].update(storage=999),
        lambda t: t["values"][0].update(storage=-1),
        lambda t: t["values"][-1].update(op=999),
        lambda t: t["values"][-1].update(call=999),
        lambda t: t["values"][0]["spec"].update(dtype="float128"),
        lambda t: t["values"][0]["spec"].update(shape=[-1]),
        lambda t: t["ops"][0].update(step=999),
        lambda t: t["ops"][0].update(inputs=[999]),
        lambda t: t["ops"][0].update(outputs=[999]),
        lambda t: t["steps"][1].update(parent=999),
        lambda t: t["steps"][1].update(parent=1),
        lambda t: t["steps"][1].update(module="nowhere"),
        lambda t: t["steps"][1].update(outputs=[999]),
        lambda t: t["steps"][1]["inputs"][0].update(value=999),
        lambda t: t["skips"][0].update(op=999),
        lambda t: t["skips"][0].update(value=999),
        lambda t: t["skips"][0].update(onto=-1),
        lambda t: t["skips"][0].update(operand=9),
        lambda t: t.update(outputs=[999]),
        lambda t: t["inputs"][0].update(value=999),
    ],
)
def test_a_reference_to_nothing(change: Callable[[dict[str, Any]], None]) -> None:
    assert "a damaged trace" in refused(damaged(change)).message


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"inner": value}
    return value


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["ops"][-1].update(clock=10**8),
        lambda t: t["ops"][-1].update(clock=-1),
        lambda t: t["ops"][0].update(clock=t["ops"][1]["clock"]),
        lambda t: t["ops"].reverse(),
        lambda t: t["steps"][0].update(end=10**8),
        lambda t: t["steps"][1].update(start=t["steps"][1]["end"], end=t["steps"][1]["start"]),
        lambda t: t["steps"][2].update(parent=1),
        lambda t: t["ops"][-1].update(step=1),
        lambda t: t["storages"][-1].update(born=10**8),
        lambda t: t["storages"][-1].update(died=-1),
        lambda t: t["storages"][-1].update(nbytes=-1),
        lambda t: t["storages"][-1].update(nbytes=10**40),
        lambda t: t["ops"][0].update(macs=-1),
        lambda t: t["ops"][0].update(attention_macs=10**6),
        lambda t: t["skips"][0].update(push=-1),
        lambda t: t["values"][0]["spec"].update(shape=[10**40]),
        lambda t: t["values"][0]["spec"].update(shape=[2**60] * 3),
        lambda t: t.update(config=nested(200)),
    ],
)
def test_numbers_that_no_pass_has(change: Callable[[dict[str, Any]], None]) -> None:
    assert "a damaged trace" in refused(damaged(change)).message


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200))
def test_any_bytes(text: bytes) -> None:
    refused(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_any_change_is_refused_or_is_a_trace(data: st.DataObject) -> None:
    document = json.loads(SAVED)
    at: Any = document["trace"]
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], (dict, list)) or not at[key] or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = data.draw(json_values)
    text = json.dumps(document).encode()
    try:
        record = traces.loads(text)
    except UnetscopeError:
        return
    assert isinstance(record, Trace)
    assert traces.loads(traces.dumps(record)) == record


SAVED = traces.dumps(plain())


def test_what_is_no_trace_by_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b'{"_class_name": "UNet2DConditionModel"}')
    assert not traces.is_trace(path)
    path.write_bytes(b"")
    assert not traces.is_trace(path)
    # Written anew by another tool, with spaces, it is still one.
    path.write_text(json.dumps(json.loads(SAVED), indent=2))
    assert traces.is_trace(path)
    assert traces.load(path) == plain()


def test_loading_needs_no_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "t.json"
    path.write_bytes(SAVED)
    code = f"""
import sys
from pathlib import Path
from unetscope.files import traces
record = traces.load(Path({str(path)!r}))
print(len(record.skips), "torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "False"]
