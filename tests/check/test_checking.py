"""Everything is found in one run, and nothing that only follows from something else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unetscope.config.document import Document, parse
from unetscope.config.loading import document_of, findings
from unetscope.errors import Place
from unetscope.findings import Severity
from unetscope.rules.configs import check


def found(text):
    return [
        (finding.place.line, finding.place.column, finding.id)
        for finding in check(parse(text, "it.yaml")).findings
    ]


def test_every_fault_at_its_place():
    text = """\
unet:
  down_block_types: [CrossAttnDownBlock2D, CrossAttnDownBlock2D, DownBlock2D]
  up_block_types: [UpBlock2D, CrossAttnUpBlock2D, CrossAttnUpBlock2D]
  block_out_channels: [320, 650, 1280]
  attention_head_dim: [5, 10]
  act_fn: silly
  norm_num_group: 32
  norm_eps: big
inputs: {height: 62, widht: 64}
"""
    assert sorted(found(text)) == [
        (4, 29, "groups"),
        (5, 3, "list-length"),
        (6, 3, "unsupported"),
        (7, 3, "unknown-key"),
        (8, 3, "wrong-value"),
        (9, 22, "unknown-key"),
    ]


def test_a_misspelt_key_is_read_as_it_is_meant():
    text = "unet:\n  block_out_chanels: [320, 650, 1280, 1280]\n  cross_attention_dim: 768\n"
    assert found(text) == [(2, 3, "unknown-key"), (2, 28, "groups"), (2, 28, "heads")]
    assert (2, 28, "wrong-value") in found(text.replace("650", "wide"))


def test_nothing_is_said_of_what_is_unknown():
    """The lists would fit three levels, if only it were known that there are three."""
    text = "unet:\n  down_block_types: 3\n  block_out_channels: [320, 640, 1280]\n"
    assert found(text) == [(2, 3, "wrong-value")]


def test_warnings_beside_errors():
    text = "unet:\n  norm_num_groups: 30\n  cross_attention_dim: 770\n"
    assert sorted(found(text)) == [(2, 3, "groups"), (3, 3, "text-width")]


@pytest.mark.parametrize(
    "text",
    ["", "3", "[]", "unet: 3", "unet: {}\nfamily: [1]", "unet: {}\nfamily: Net", "name: x",
     "unet: {}\ninputs: 3\nnam: y"],
)  # fmt: skip
def test_what_is_hardly_a_config(text):
    findings = check(parse(text, "it.yaml")).findings
    assert findings
    assert all(finding.severity is Severity.ERROR for finding in findings)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 70), st.sampled_from(["silu", "DownBlock2D", "x"]),
    st.lists(st.integers(1, 4).map(lambda n: 32 * n), max_size=5),
    st.lists(st.one_of(st.integers(0, 9), st.lists(st.integers(1, 3), max_size=4)), max_size=4),
)  # fmt: skip
SOURCE = document_of("sd15")
KEYS = [*SOURCE.data["unet"], "reverse_transformer_layers_per_block", "block_out_chanels"]


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=4))
def test_it_finds_errors_where_loading_does(changes):
    """It goes further than loading, which stops at the first; it never says less."""
    data = {**SOURCE.data, "unet": {**SOURCE.data["unet"], **changes}}
    places = {("unet", key): Place("it.yaml", 1, 1) for key in data["unet"]}
    document = Document(data, {**SOURCE.places, **places})
    first = {(finding.id, finding.message) for finding in findings(document)}
    errors = {f.id for f in check(document).findings if f.severity is Severity.ERROR}
    assert {name for name, _ in first} <= errors
    assert bool(errors) == bool(first)
