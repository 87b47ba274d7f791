"""The lock as text: what it holds, how it reads, what is no lock."""

import json
from dataclasses import replace

import jsonschema
import pytest

from unetscope import load as loaded
from unetscope.analysis.digest import digest
from unetscope.config import load
from unetscope.errors import UnetscopeError
from unetscope.files import locks

LARGEST = 300_000


@pytest.fixture(scope="module")
def stable_diffusion(sd15):
    return digest(sd15)


@pytest.fixture(scope="module")
def text(stable_diffusion):
    return locks.dumps(stable_diffusion)


def test_it_is_small(text):
    assert len(text) < LARGEST


def test_its_numbers_are_those_of_the_trace(stable_diffusion, sd15):
    assert stable_diffusion.totals.parameters == sd15.total_params == 859_520_964
    assert stable_diffusion.totals.macs == sum(stable_diffusion.macs.values()) == 401_636_720_640
    assert len(stable_diffusion.tensors) == 686
    assert len(stable_diffusion.skips) == 12
    assert [skip.push for skip in stable_diffusion.skips] == list(range(11, -1, -1))


def test_one_module_tensor_or_skip_is_one_line(text, stable_diffusion):
    lines = text.decode().splitlines()
    assert max(map(len, lines)) < 1_000
    for start, count in (
        ('    {"path": ', len(stable_diffusion.modules)),
        ('    {"push": ', 12),
        ('    {"name": ', 686 + 4),
    ):
        assert sum(line.startswith(start) for line in lines) == count


def test_it_holds_neither_paths_nor_times(tmp_path):
    path = tmp_path / "somewhere.yaml"
    path.write_text("extends: sd15\nunet: {layers_per_block: 1}\n")
    found = locks.dumps(digest(loaded(str(path)).trace())).decode()
    assert str(tmp_path) not in found
    assert "seconds" not in found
    assert "device" not in found


def test_config_values_stand_as_written(text):
    unet = json.loads(text)["config"]["unet"]
    assert unet["norm_eps"] == 1e-5
    assert unet["block_out_channels"] == [320, 640, 1280, 1280]


def test_measured_numbers_are_integers(text):
    content = json.loads(text)
    numbers = [*content["totals"].values(), *content["macs"].values()]
    numbers += [dim for tensor in content["tensors"] for dim in tensor["shape"]]
    assert {type(number) for number in numbers} == {int}


def test_a_pass_at_another_size_has_the_same_functions():
    sizes = {"height": 32, "width": 48, "batch": 2, "tokens": 9}
    here, there = (digest(loaded(load("sd15", **s)).trace()) for s in ({}, sizes))
    assert here.functions == there.functions
    assert here.modules == there.modules
    assert here.tensors == there.tensors


def test_versions_are_recorded_and_not_compared(stable_diffusion):
    assert set(stable_diffusion.tools) == {"unetscope", "torch"}
    assert replace(stable_diffusion, tools={"torch": "9.9"}) == stable_diffusion


def test_the_schema_accepts_it_and_can_refuse(text):
    content = json.loads(text)
    schema = locks.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    for damage in ({"totals": {}}, {"modules": [{"path": 3}]}, {"format_version": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**content, **damage}, schema)


def damaged(text, **changes):
    return json.dumps({**json.loads(text), **changes}).encode()


NEWER = locks.FORMAT + 1
DAMAGES = {
    "newer": (
        lambda t: damaged(t, format_version=locks.FORMAT + 1),
        f"a lock of format {locks.FORMAT + 1}",
    ),
    "no version": (lambda t: damaged(t, format_version=None), "no `format_version`"),
    "not a number": (lambda t: damaged(t, format_version=True), "no `format_version`"),
    "no JSON": (lambda t: t[:-10], "damaged"),
    "empty": (lambda t: b"", "damaged"),
    "no text": (lambda t: b"\xff\xfe\x00", "damaged"),
    "a conflict": (
        lambda t: b"{\n<<<<<<< HEAD\n" + t[2:] + b"\n=======\n>>>>>>> main\n",
        "merge conflict",
    ),
    "a list": (lambda t: b"[]", "damaged"),
    "no modules": (lambda t: damaged(t, modules=[]), "first module"),
    "a total that does not add up": (
        lambda t: t.replace(b'"parameters": 859520964', b'"parameters": 859520965'),
        "859,520,964 parameters, its total says 859,520,965",
    ),
    "a module twice": (lambda t: t.replace(b'"path": "conv_out"', b'"path": "conv_in"'), "twice"),
    "a tensor of no module": (
        lambda t: t.replace(b'"path": "conv_out"', b'"path": "x"'),
        "conv_out",
    ),
    "an unknown type": (lambda t: t.replace(b'"dtype": "int64"', b'"dtype": "int65"'), "int65"),
    "functions that are missing": (lambda t: damaged(t, functions={}), "are missing"),
    "a negative total": (
        lambda t: t.replace(b'"activation_bytes": ', b'"activation_bytes": -'),
        "expected a number from 0",
    ),
    "a deep config": (
        lambda t: damaged(t, config=json.loads('{"a": ' * 99 + "{}" + "}" * 99)),
        "nested deeper",
    ),
    "a shape of words": (lambda t: t.replace(b"[320, 4, 3, 3]", b'["wide"]'), "damaged"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_what_is_damaged_is_refused_clearly(text, case):
    damage, said = DAMAGES[case]
    with pytest.raises(UnetscopeError) as caught:
        locks.loads(damage(text), "a.lock")
    assert said in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith("a.lock: ")


def test_a_pass_that_failed_cannot_be_locked(sd15):
    from unetscope.record import Failure

    failed = replace(sd15, failure=Failure("conv_in", "F.conv2d", (), "no"))
    with pytest.raises(UnetscopeError, match="conv_in"):
        digest(failed)
