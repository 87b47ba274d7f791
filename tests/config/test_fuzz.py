"""Whatever a file holds, the answer is a network or an error of our own."""

from __future__ import annotations

import json

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from unetscope.config import load
from unetscope.config.document import Document, parse
from unetscope.config.loading import findings
from unetscope.config.sections import InputsSection, keys_of
from unetscope.errors import Place, UnetscopeError
from unetscope.families.diffusers.blocks import DOWN_BLOCKS, MID_BLOCKS, UP_BLOCKS
from unetscope.families.diffusers.levels import levels_of
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

IN_A_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

YAML_LIKE = st.lists(
    st.sampled_from(
        [
            *"[]{},:-?&*!|>'\"%@`#~\n \t.",
            "unet", "inputs", "extends", "sd15", "\n  ", ": ", "- ", "&a ", "*a", "<<", "!!int ",
            "---\n", "...\n", "%YAML 1.2\n", "1e5", "null", "0x", "\\x", "é", "\r\n", "\u2028",
            "layers_per_block: ",
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip

OPTION = st.sampled_from(list(keys_of(UNet2DConditionConfig))) | st.text(max_size=5)
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-2, 70_000)
    | st.integers()
    | st.floats()
    | st.sampled_from(["silu", "DownBlock2D", "UpBlock2D", "text_time", "projection", "fourier"])
    | st.text(max_size=5)
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def refused(function, *arguments, **options):
    """Where a refusal points and what it says; anything but our own errors passes through."""
    try:
        function(*arguments, **options)
    except UnetscopeError as error:
        return error.place, error.message
    return None, ""


@IN_A_FILE
@example(b"\x80")
@example(b"\x80\2")
@given(st.binary() | YAML_LIKE.map(str.encode) | st.text().map(lambda text: text.encode("utf-16")))
def test_bytes(write, content):
    place, said = refused(load, write(content))
    assert place is None or said


@IN_A_FILE
@given(st.text() | YAML_LIKE)
def test_text(text):
    place, said = refused(parse, text, "x.yaml")
    assert place is None or place.file == "x.yaml"
    assert place is None or said


@IN_A_FILE
@given(st.text() | YAML_LIKE)
def test_overrides(text):
    for override in (text, f"block_out_channels.{text}", f"norm_eps={text}"):
        place, _ = refused(load, "sd15", overrides=[override])
        assert place is None or place.file.startswith("--set ")


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(OPTION, VALUE, max_size=8),
    st.dictionaries(st.sampled_from(list(keys_of(InputsSection))), VALUE),
)
def test_mappings(options, inputs):
    place = Place("x.yaml")
    document = Document({"unet": options, "inputs": inputs}, {(): place})
    for finding in findings(document):
        assert finding.error(document.places).place == place


LEVELS = st.integers(0, 3)


@settings(deadline=None, max_examples=300)
@given(
    st.fixed_dictionaries(
        {
            "down_block_types": st.lists(st.sampled_from(list(DOWN_BLOCKS)), max_size=3),
            "up_block_types": st.lists(st.sampled_from(list(UP_BLOCKS)), max_size=3),
            "block_out_channels": st.lists(st.integers(1, 8), max_size=3),
        },
        optional={
            "mid_block_type": st.sampled_from([*MID_BLOCKS, None]),
            "norm_num_groups": st.integers(1, 4),
            "attention_head_dim": LEVELS | st.lists(LEVELS, max_size=3),
            "layers_per_block": LEVELS | st.lists(LEVELS, max_size=3),
            "transformer_layers_per_block": LEVELS
            | st.lists(LEVELS | st.lists(LEVELS, max_size=3), max_size=3),
            "reverse_transformer_layers_per_block": st.lists(
                LEVELS | st.lists(LEVELS, max_size=3), max_size=3
            ),
        },
    )
)
def test_what_is_accepted_can_be_spelled_out(options):
    """Rules that look at levels must not be reached by lists that disagree."""
    if not list(findings(Document({"unet": options}, {(): Place("x.yaml")}))):
        levels = levels_of(msgspec.convert(options, UNet2DConditionConfig))
        assert len(levels) == len(options["down_block_types"])


@settings(deadline=None)
@given(OPTION.filter(str.isidentifier), VALUE)
def test_any_value_of_any_option(key, value):
    place, said = refused(load, "sd15", overrides=[f"{key}={json.dumps(value)}"])
    assert place is None or said
