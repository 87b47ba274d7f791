"""A value that YAML 1.1 reads otherwise is taken as it is meant, and a note says so."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from unetscope.config import load
from unetscope.config.document import parse
from unetscope.errors import ConfigError

SIZES = "inputs: {height: 8, width: 8}\n"


def test_a_note_on_stderr_names_file_line_and_key(unetscope, write):
    name = write(
        "extends: sd15\nunet:\n  norm_eps: 1e-6\n  block_out_channels: [320, 640, 0x500, 1280]\n"
    )
    said = (
        "note: x.yaml:3:13: unet.norm_eps: PyYAML and editors read YAML 1.1, where 1e-6 is a "
        "string; written 1.0e-6, it is that number everywhere\n"
    )
    for command in ("show", "check", "params"):
        result = unetscope(command, name)
        assert (result.code, result.err) == (0, said)
    assert unetscope("show", "-q", name).err == ""
    assert unetscope("show", name, "--set", "dropout=1e-1").err == said
    assert load(name).unet.norm_eps == 1e-6


def test_what_it_extends_is_named_too(unetscope, write):
    write("extends: sd15\nunet: {dropout: 1e-1}\n", "base.yaml")
    err = unetscope("show", write("extends: base.yaml\n")).err
    assert err.startswith("note: base.yaml:2:17: unet.dropout: ")


@pytest.mark.parametrize(
    ("text", "reading", "writing"),
    [
        ("1e-5", "a string", "1.0e-5"),
        ("1E5", "a string", "100000.0"),
        ("017", "15", "17"),
        ("0o17", "a string", "15"),
        ("1_000", "1000", '"1_000"'),
        ("1:30", "90", '"1:30"'),
        ("on", "true", '"on"'),
        ("No", "false", '"No"'),
        ("2025-09-15", "a date", '"2025-09-15"'),
        ("2025-99-15", "an error", '"2025-99-15"'),
    ],
)
def test_what_the_note_says(text, reading, writing):
    document = parse(f"key: [{text}]", "x.yaml")
    (note,) = document.notes
    assert note.startswith(f"x.yaml:1:7: key.0: PyYAML and editors read YAML 1.1, where {text} is")
    assert f" {text} is {reading}; written {writing}, it is " in note
    (value,) = document.data["key"]
    assert yaml.safe_load(writing) == value
    assert parse(f"key: {writing}", "x.yaml").data == {"key": value}


@given(
    st.text("0123456789.eE+-_:xob", min_size=1, max_size=8)
    | st.sampled_from(["y", "N", "yes", "OFF", "~", "null", "true", "TRUE", ".inf", "-.INF", "="])
    | st.floats(allow_nan=False).map(repr)
    | st.integers().map(str)
)
def test_there_is_a_note_where_the_readings_differ_and_nowhere_else(text):
    try:
        document = parse(f"[{text}]", "x.yaml")
    except ConfigError:
        return  # not one plain scalar
    if isinstance(document.data[0], dict):
        return
    try:
        other = yaml.safe_load(f"[{text}]")
    except (yaml.YAMLError, ValueError):
        other = None
    same = repr(other) == repr(document.data)
    assert bool(document.notes) != same


def test_files_that_were_not_written_for_unetscope_get_no_note(unetscope, write):
    name = write('{"_class_name": "UNet2DConditionModel", "norm_eps": 1e-05}', "config.json")
    assert "YAML" not in unetscope("show", name).err


def test_a_file_at_a_revision_is_named_as_the_user_named_it(unetscope, write):
    write("extends: sd15\nunet: {dropout: 1e-1}\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *command], check=True)
    for command in ("show", "check"):
        err = unetscope(command, "HEAD:x.yaml").err
        assert err.startswith("note: HEAD:x.yaml:2:17: unet.dropout: "), err
