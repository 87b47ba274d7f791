"""Whatever a file from elsewhere holds, the answer is a network or a `ConfigError` with a place."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unetscope import load as loaded
from unetscope.config import load
from unetscope.config.dialects.compvis_arguments import ControlNetArguments, UNetArguments
from unetscope.errors import Place, UnetscopeError
from unetscope.families import FAMILIES, every

IN_A_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-2, 70_000)
    | st.floats()
    | st.sampled_from(["sequential", "UNetModel", "silu", "DownBlock2D", "${a}", "é"])
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["model", "params", "target", "unet_config", "network_config", "control_stage_config", "unet",
     "image_size", "cond_stage_config", "_class_name", "extends"]
)  # fmt: skip
CLASSES = st.sampled_from(["x.UNetModel", "sgm.UNetModel", "cldm.ControlNet", "VideoUNet", ""])


def refused(reference):
    """Where a refusal points; None for what loads. Anything else that is raised passes through."""
    try:
        load(reference).tensors()
    except UnetscopeError as error:
        return error.place or Place("nowhere")
    return None


@IN_A_FILE
@given(st.text() | st.binary())
def test_texts(folder, content):
    content = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    (folder / "x.json").write_bytes(content)
    place = refused("x.json")
    assert place is None or place.file == "x.json"


@IN_A_FILE
@given(
    st.recursive(
        VALUE | CLASSES,
        lambda inner: st.dictionaries(KEYS, inner, max_size=4) | st.lists(inner, max_size=3),
        max_leaves=10,
    ),
    st.sampled_from(["x.json", "x.yaml"]),
)
def test_documents(write, document, name):
    place = refused(write(json.dumps(document), name))
    assert place is None or place.file == name


@IN_A_FILE
@given(
    st.sampled_from(list(FAMILIES)),
    st.dictionaries(
        st.sampled_from(sorted({key for each in every() for key in each.options.__struct_fields__}))
        | st.text(max_size=4),
        VALUE,
        max_size=4,
    ),
)
def test_options(write, family, options):
    place = refused(write({"_class_name": family, **options}))
    assert place is None or place.line


SMALL = st.integers(-1, 3)
ARGUMENTS = st.fixed_dictionaries(
    {
        "in_channels": st.just(4),
        "out_channels": st.just(4),
        "model_channels": st.sampled_from([32, 64, 96]),
        "channel_mult": st.lists(st.integers(1, 3), min_size=1, max_size=3),
        "num_res_blocks": SMALL | st.lists(SMALL, max_size=3),
        "attention_resolutions": st.lists(st.sampled_from([1, 2, 4, 8]), max_size=3),
    },
    optional={
        "num_heads": st.sampled_from([-1, 1, 2, 3, 8]),
        "num_head_channels": st.sampled_from([-1, 0, 8, 32, 64]),
        "use_spatial_transformer": st.booleans(),
        "transformer_depth": SMALL | st.lists(SMALL, max_size=3),
        "context_dim": st.sampled_from([8, 1280]) | st.lists(st.just(8), max_size=3),
        "use_linear_in_transformer": st.booleans(),
        "disable_self_attentions": st.lists(st.booleans(), max_size=3),
        "num_classes": st.sampled_from([10, "sequential", None]),
        "adm_in_channels": st.sampled_from([16, 2560, None]),
        "dropout": st.sampled_from([0, 0.1]),
    },
)
OTHER_ARGUMENTS = st.dictionaries(
    st.sampled_from([*UNetArguments.__struct_fields__, *ControlNetArguments.__struct_fields__])
    | st.text(max_size=4),
    VALUE,
    max_size=2,
)


@IN_A_FILE
@given(CLASSES, ARGUMENTS, OTHER_ARGUMENTS, VALUE)
def test_arguments(write, target, arguments, others, size):
    network = {"target": target, "params": {**arguments, **others}}
    document = {"model": {"params": {"image_size": size, "unet_config": network}}}
    place = refused(write(document, "x.yaml"))
    assert place is None or place.line


@st.composite
def sound(draw):
    """Arguments that agree with each other, mostly."""
    levels = draw(st.integers(1, 3))

    def each(entry):
        return draw(st.lists(entry, min_size=levels, max_size=levels))

    arguments = draw(ARGUMENTS)
    arguments["channel_mult"] = each(st.integers(1, 3))
    arguments["num_res_blocks"] = draw(st.integers(1, 2) | st.just(each(st.integers(1, 2))))
    arguments["transformer_depth"] = draw(st.just(1) | st.just(each(st.integers(1, 2))))
    arguments["disable_self_attentions"] = draw(st.none() | st.just(each(st.booleans())))
    arguments["num_heads"] = draw(st.sampled_from([1, 2, 8]))
    return arguments


@settings(IN_A_FILE, max_examples=60)
@given(st.sampled_from(["x.UNetModel", "sgm.UNetModel", "cldm.ControlNet"]), sound())
def test_what_is_accepted_runs(write, target, arguments):
    if target == "cldm.ControlNet":
        arguments = {**arguments, "hint_channels": 3}
        del arguments["out_channels"]
    file = write({"unet_config": {"target": target, "params": arguments}}, "x.yaml")
    if refused(file) is None:
        spec = load(file, height=32, width=32)
        assert loaded(spec).trace().outputs
