"""Escapes of workflow commands and of XML: what is in a name stays a name."""

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from unetscope.render import PLAIN, github, junit
from unetscope.table import Column, Table

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def unescaped(text):
    for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, character)
    return text


def command(**finding):
    keys = ("level", "file", "line", "column", "id", "message")
    row = tuple(finding.get(key) for key in keys)
    return github.render([Table("findings", "", tuple(Column(k, "") for k in keys), (row,))], PLAIN)


@given(TEXT, TEXT)
def test_one_command_a_line_whatever_it_says(file, message):
    text = command(level="error", file=file, line=3, message=message)
    assert text.count("\n") == 1
    assert text.startswith("::error file=")
    properties, _, said = text.strip("\n").removeprefix("::error ").partition("::")
    assert properties.count(",") == 1
    name, line = properties.split(",")
    assert line == "line=3"
    printable = file.isprintable() and message.isprintable()
    if printable:
        assert unescaped(name.removeprefix("file=")) == file
        assert unescaped(said) == message


def test_a_finding_without_a_place():
    assert command(level="notice", message="50% a:b,c") == "::notice::50%25 a:b,c\n"


@given(TEXT, TEXT)
def test_xml_whatever_it_says(name, text):
    columns = tuple(Column(key, "") for key in ("case", "failure", "text"))
    rows = ((name, text, text), (name, None, text))
    root = ET.fromstring(junit.render([Table("cases", name, columns, rows)], PLAIN))
    assert root[0].get("failures") == "1"
    if name.isprintable():
        assert root[0][0].get("name") == name
