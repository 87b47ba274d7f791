"""Files that are no YAML, or not the part of it that a config needs."""

from __future__ import annotations

import pytest

from unetscope.config.document import DEEPEST, MOST_VALUES, parse
from unetscope.config.files import LARGEST_FILE

REFUSED = {
    "a list that does not end": (
        "unet:\n  block_out_channels: [320, 640\n  layers_per_block: 2\n",
        "x.yaml:3:19: not YAML: did not find expected ',' or ']' while parsing a flow sequence",
    ),
    "a tab for a space": (
        "unet:\n\tlayers_per_block: 2\n",
        "x.yaml:2:1: not YAML: a tab where spaces are expected",
    ),
    "a duplicate key": (
        "unet:\n  layers_per_block: 2\n  norm_num_groups: 32\n  layers_per_block: 1\n",
        "x.yaml:4:3: unet.layers_per_block: duplicate key, first given on line 2",
    ),
    "a duplicate section": (
        "unet: {}\ninputs: {}\n'unet': {}\n",
        "x.yaml:3:1: unet: duplicate key, first given on line 1",
    ),
    "a tag that names code": (
        "unet: !!python/object/apply:os.system [echo]\n",
        'x.yaml:1:7: the tag "tag:yaml.org,2002:python/object/apply:os.system" is refused; '
        "a config holds plain values",
    ),
    "a merge key": (
        "base: &base {layers_per_block: 1}\nunet:\n  <<: *base\n",
        "x.yaml:3:3: merge keys (<<) are refused\n"
        "hint: `extends` takes over the values of another config",
    ),
    "an alias of nothing": ("unet: *base\n", "x.yaml:1:7: the alias *base names no value above it"),
    "an alias of itself": (
        "unet: &unet {x: [*unet]}\n",
        "x.yaml:1:18: the alias *unet names no value above it",
    ),
    "a key that is no string": (
        "unet:\n  1: 2\n",
        "x.yaml:2:3: expected a key that is a string, found 1",
    ),
    "a key that is a list": (
        "unet:\n  [a, b]: 2\n",
        "x.yaml:2:3: expected a key that is a string, found a list or mapping",
    ),
    "keys in keys": (
        "? " * 100_000,
        "x.yaml:1:3: expected a key that is a string, found a list or mapping",
    ),
    "an alias of a list for a key": (
        "a: &a [1]\n*a : 2\n",
        "x.yaml:2:1: expected a key that is a string, found a list of 1",
    ),
    "a second document": (
        "unet: {}\n---\nunet: {}\n",
        "x.yaml:2:1: a second document; a config is one document",
    ),
    "a long number": (
        f"unet: {{norm_eps: 0.{'1' * 5000}}}\n",
        "x.yaml:1:18: a number of 5,002 characters; the bound is 64",
    ),
    "too deep": (
        "unet: " + "[" * 100_000,
        f"x.yaml:1:{7 + DEEPEST}: nested deeper than 16 levels, the bound for a config",
    ),
    "too many values": (
        f"unet: [{'1, ' * MOST_VALUES}]\n",
        "x.yaml:1:30002: more than 10,000 values, the bound for a config",
    ),
    "a file too large": (
        "#" * (LARGEST_FILE + 1),
        "x.yaml: larger than 1,000,000 bytes, the bound for a config",
    ),
    "a picture": (
        b"\x89PNG\r\n\x1a\n",
        "x.yaml: not a text file: byte 0x89 at offset 0 is not UTF-8",
    ),
    "UTF-16": ("unet: {}".encode("utf-16"), "x.yaml: UTF-16 text; a config is UTF-8"),
    "Latin-1": (
        "# é\nname: déjà\n".encode("latin-1"),
        "x.yaml: not a text file: byte 0xe9 at offset 2 is not UTF-8",
    ),
    "zeros": (
        "name: é\nunet: \0\n",
        "x.yaml:2:7: not a text file: control character U+0000",
    ),
    "an empty file": (
        "",
        "x.yaml: the config is empty; expected a mapping with the key unet",
    ),
    "a comment": (
        "# unet\n",
        "x.yaml: the config is empty; expected a mapping with the key unet",
    ),
    "a list": ("- unet\n", "x.yaml:1:1: expected a mapping, found a list of 1"),
    "a word": ("unet\n", 'x.yaml:1:1: expected a mapping, found the string "unet"'),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(write, refusal, content, said):
    assert refusal(write(content)) == said


def test_an_alias_bomb(write, refusal):
    """A thousand million values from ten lines."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 9):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    said = refusal(write("\n".join(lines)))
    assert said.endswith(": more than 10,000 values, the bound for a config")


def test_aliases_in_aliases(write, refusal):
    lines = ["a0: &a0 x"]
    lines += [f"a{n}: &a{n} {'[' * 15}*a{n - 1}{']' * 15}" for n in range(1, 50)]
    said = refusal(write("\n".join(lines)))
    assert said == "x.yaml:2:10: nested deeper than 16 levels, the bound for a config"


def test_aliases_are_values_at_their_own_keys():
    document = parse("a: &a [1, {b: 2}]\nc: *a\n", "x.yaml")
    assert document.data == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}
    assert str(document.places["c",]) == "x.yaml:2:1"


def test_a_byte_order_mark_is_no_text(write):
    from unetscope.config import load

    assert load(write("\N{BYTE ORDER MARK}extends: sd15\n".encode())).unet.layers_per_block == 2


def test_places():
    document = parse("é: 'ü'\nunet:\n  - a\n  -   b: 1\n      c: [x,  y]\n", "x.yaml")
    assert {path: (place.line, place.column) for path, place in document.places.items()} == {
        (): (1, 1),
        ("é",): (1, 1),
        ("unet",): (2, 1),
        ("unet", 0): (3, 5),
        ("unet", 1): (4, 7),
        ("unet", 1, "b"): (4, 7),
        ("unet", 1, "c"): (5, 7),
        ("unet", 1, "c", 0): (5, 11),
        ("unet", 1, "c", 1): (5, 15),
    }
