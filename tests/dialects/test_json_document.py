"""JSON is read as Python reads it, and every value knows where it stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unetscope.config.document import DEEPEST, MOST_VALUES
from unetscope.config.json_reader import read_json
from unetscope.errors import ConfigError

SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=-1) if isinstance(value, dict | list) else 0


LAYOUT = st.fixed_dictionaries(
    {"indent": st.sampled_from([None, 0, 2, "\t"]), "ensure_ascii": st.booleans()}
)


@given(VALUE.filter(lambda value: depth(value) <= DEEPEST), LAYOUT)
def test_it_reads_as_python_does(value, layout):
    assert read_json(json.dumps(value, **layout), "x.json").data == value


def keys_and_items(value, path=()):
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in inner:
        yield (*path, key), json.dumps(key if isinstance(value, dict) else entry)
        if isinstance(entry, dict | list):
            yield from keys_and_items(entry, (*path, key))


@given(st.lists(SCALAR) | st.dictionaries(st.text(max_size=3), SCALAR | st.lists(SCALAR)), LAYOUT)
def test_each_place_is_where_its_key_or_item_begins(value, layout):
    text = json.dumps(value, **{**layout, "ensure_ascii": True})
    lines = text.split("\n")
    places = read_json(text, "x.json").places
    wanted = dict(keys_and_items(value))
    assert set(places) == {(), *wanted}
    for path, begins in wanted.items():
        place = places[path]
        written = lines[place.line - 1][place.column - 1 :]
        assert written.startswith(begins if begins[0] not in "[{" else begins[0])


def test_tabs_and_carriage_returns_are_blanks():
    document = read_json('{\r\n\t"a":\t[1,\t2]\r\n}\r\n', "x.json")
    assert document.data == {"a": [1, 2]}
    assert str(document.places["a", 1]) == "x.json:2:11"


def test_python_writes_characters_of_four_bytes_as_two():
    assert read_json('"\\ud83d\\ude00"', "x.json").data == "😀"


REFUSED = {
    '{"a": 1': "1:8: not JSON: expected a comma or }, found the end",
    '{"a": 1 "b": 2}': '1:9: not JSON: expected a comma or }, found "\\"b\\": 2}"',
    '{"a": 1,}': "1:9: not JSON: expected a key in double quotes, found }",
    '{"a" 1}': '1:6: not JSON: expected :, found "1"',
    "{a: 1}": '1:2: not JSON: expected a key in double quotes, found "a"',
    "{'a': 1}": "1:2: not JSON: expected a key in double quotes, found \"'a'\"",
    "[1, ]": "1:5: not JSON: expected a value, found ]",
    "[1\n2]": '2:1: not JSON: expected a comma or ], found "2"',
    "[1]]": "1:4: not JSON: expected the end, found ]",
    "{} {}": "1:4: not JSON: expected the end, found {",
    '{"a": 1} // why': '1:10: not JSON: expected the end, found "//"',
    '{"a": True}': '1:7: not JSON: expected a value, found "True"',
    '{"a": 01}': '1:7: not JSON: expected a value, found "01"',
    '{"a": .5}': '1:7: not JSON: expected a value, found ".5"',
    '{"a": 0x10}': '1:7: not JSON: expected a value, found "0x10"',
    '"a': "1:1: not JSON: expected a string that ends on its line, with JSON's escapes, "
    'found "\\"a"',
    '"a\nb"': "1:1: not JSON: expected a string that ends on its line, with JSON's escapes, "
    'found "\\"a"',
    '"\\x41"': "1:1: not JSON: expected a string that ends on its line, with JSON's escapes, "
    'found "\\"\\\\x41\\""',
    '"\\ud83d"': '1:1: not JSON: expected a string of Unicode characters, found "\\"\\\\ud83d\\""',
    "\0": '1:1: not JSON: expected a value, found "\\u0000"',
    "unet: {}": '1:1: not JSON: expected a value, found "unet"',
    '{"a": 1, "b": 2,\n "a": 3}': "2:2: a: duplicate key, first given on line 1",
    f"[{'1' * 65}]": "1:2: a number of 65 characters; the bound is 64",
    "[" * 100_000: f"1:{DEEPEST + 2}: nested deeper than 16 levels, the bound for a config",
    f"[{'1,' * MOST_VALUES}1]": "1:20000: more than 10,000 values, the bound for a config",
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items(), ids=[text[:20] for text in REFUSED])
def test_refused(text, said):
    with pytest.raises(ConfigError) as caught:
        read_json(text, "x.json")
    assert str(caught.value) == f"x.json:{said}"


JSON_LIKE = st.lists(
    st.sampled_from([*'{}[]:,"\\\n\t 1-.e', '"a"', "null", "true", "NaN", "\\u00", "é", "\ud800"]),
    max_size=30,
).map("".join)


@given(st.text() | JSON_LIKE)
def test_what_it_accepts_python_accepts_too(text):
    data = place = None
    try:
        data = read_json(text, "x.json").data
    except ConfigError as error:
        place = error.place
    assert place is None or (place.file == "x.json" and place.line)
    assert data is None or repr(data) == repr(json.loads(text))
