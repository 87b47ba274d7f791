"""What holds for any two networks."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from narrow_configs import NARROWING, OTHER_LEVELS
from small_networks import narrow, narrow_trace

from unetscope.analysis.diff import SEVERITIES, ChangeSeverity, diff
from unetscope.errors import UnetscopeError
from unetscope.files import locks as lock_files
from unetscope.files import traces

VARIANTS = {
    "plain": (),
    "wider": ("block_out_channels=[8, 24]",),
    "deeper": ("layers_per_block=2",),
    "no middle": ("mid_block_type=null",),
    "linear": ("use_linear_projection=true",),
    "heads": ("attention_head_dim=4",),
    "other text": ("cross_attention_dim=10",),
    "no attention": (
        "down_block_types=[DownBlock2D, DownBlock2D]",
        "up_block_types=[UpBlock2D, UpBlock2D]",
    ),
    **OTHER_LEVELS,
}


@pytest.fixture(scope="module")
def locks():
    return {name: narrow(*overrides) for name, overrides in VARIANTS.items()}


@pytest.mark.parametrize("name", VARIANTS)
def test_nothing_changed_from_a_network_to_itself(locks, name):
    found = diff(locks[name], locks[name])
    assert found.changes == ()
    assert found.names == ()
    assert found.config == ()


@pytest.mark.parametrize("one", VARIANTS)
def test_the_way_back_is_the_mirror_image(locks, one):
    names = list(VARIANTS)
    for other in names[names.index(one) :]:  # the others have been mirrored into this one
        there, back = diff(locks[one], locks[other]), diff(locks[other], locks[one])
        mirrored = Counter(single.mirrored() for c in back.changes for single in c.singles())
        assert Counter(single for c in there.changes for single in c.singles()) == mirrored
        assert Counter(map(str, there.names)) == Counter(str(pair[::-1]) for pair in back.names)
        assert {(c.id, c.count) for c in there.changes} == {
            (c.mirrored().id, c.count) for c in back.changes
        }


@pytest.mark.parametrize("name", VARIANTS)
def test_a_lock_survives_writing_and_reading(locks, name):
    text = lock_files.dumps(locks[name])
    assert lock_files.loads(text) == locks[name]
    assert lock_files.dumps(lock_files.loads(text)) == text


# Key -> values of a network as narrow as NARROWING, and the worst class of what they change: None
# where the network is provably the same.
MUTATIONS = {
    "in_channels": (st.sampled_from([3, 5, 8]), ChangeSeverity.BREAKING),
    "out_channels": (st.sampled_from([3, 5, 8]), ChangeSeverity.BREAKING),
    "block_out_channels": (
        st.lists(st.sampled_from([8, 12, 16, 24]), min_size=2, max_size=2).filter(
            lambda widths: widths != [8, 16]
        ),
        ChangeSeverity.BREAKING,
    ),
    "layers_per_block": (st.sampled_from([2, 3]), ChangeSeverity.BREAKING),
    "cross_attention_dim": (st.integers(1, 12).filter(lambda n: n != 6), ChangeSeverity.BREAKING),
    "mid_block_type": (st.sampled_from(["null", "UNetMidBlock2D"]), ChangeSeverity.BREAKING),
    "use_linear_projection": (st.just("true"), ChangeSeverity.BREAKING),
    "resnet_time_scale_shift": (st.just("scale_shift"), ChangeSeverity.BREAKING),
    "transformer_layers_per_block": (st.sampled_from([2, 3]), ChangeSeverity.BREAKING),
    "class_embed_type": (st.just("timestep"), ChangeSeverity.BREAKING),
    "norm_num_groups": (st.sampled_from([1, 2, 8]), ChangeSeverity.BEHAVIOURAL),
    "norm_eps": (st.sampled_from(["1e-4", "1e-6", "0.1"]), ChangeSeverity.BEHAVIOURAL),
    "act_fn": (st.sampled_from(["gelu", "relu", "mish"]), ChangeSeverity.BEHAVIOURAL),
    "attention_head_dim": (st.sampled_from([1, 4, 8]), ChangeSeverity.BEHAVIOURAL),
    "flip_sin_to_cos": (st.just("false"), ChangeSeverity.BEHAVIOURAL),
    "freq_shift": (st.sampled_from([1, 2]), ChangeSeverity.BEHAVIOURAL),
    "downsample_padding": (st.just(0), ChangeSeverity.BEHAVIOURAL),
    "mid_block_scale_factor": (st.sampled_from([2, "0.5"]), ChangeSeverity.BEHAVIOURAL),
    "only_cross_attention": (st.just("true"), ChangeSeverity.BREAKING),
    "center_input_sample": (st.just("true"), ChangeSeverity.BEHAVIOURAL),
    "dropout": (st.sampled_from(["0.1", "0.5"]), ChangeSeverity.COST),
    "sample_size": (st.sampled_from([16, 32, 128]), None),
}


@pytest.fixture(scope="module")
def plain():
    return narrow()


@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.sampled_from(sorted(MUTATIONS)).flatmap(
        lambda key: st.tuples(st.just(key), MUTATIONS[key][0])
    )
)
def test_any_change_of_a_config_shows(plain, mutation):
    key, value = mutation
    try:
        mutated = narrow(f"{key}={value}")
    except UnetscopeError:
        return  # no network
    found = diff(plain, mutated)
    assert [change.key for change in found.config] == [f"unet.{key}"]
    assert found.worst is MUTATIONS[key][1], found.changes
    assert all(change.id in SEVERITIES for change in found.changes)


SCRIPT = """
import sys
from pathlib import Path
from unetscope.files import locks as lock_files
from unetscope.files import traces
from unetscope.analysis.diff import diff
from unetscope.analysis.digest import digest
one, other = (digest(traces.load(Path(path))) for path in sys.argv[1:])
sys.stdout.buffer.write(lock_files.dumps(one))
print(diff(one, other))
"""


def test_the_same_whatever_the_hash_seed_locale_and_folder(tmp_path):
    paths = [tmp_path / "one.json", tmp_path / "other.json"]
    for path, overrides in zip(paths, (NARROWING[:0], ("layers_per_block=2",)), strict=True):
        path.write_bytes(traces.dumps(narrow_trace(*overrides)))
    root = str(Path(__file__).parents[2])
    printed = set()
    for seed, locale, folder in (("0", "C", "/"), ("1", "C.UTF-8", tmp_path), ("7", "tr_TR", root)):
        environment = {
            "PYTHONHASHSEED": seed,
            "LC_ALL": locale,
            "PYTHONPATH": root,
            "PYTHONUTF8": "1",
            "PATH": os.environ["PATH"],
        }
        command = [sys.executable, "-c", SCRIPT, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, check=True, env=environment, cwd=folder)
        printed.add(done.stdout)
    assert len(printed) == 1
    assert len(printed.pop()) > 10_000
