"""`unetscope diff` with a checkpoint on either side: tensors, and no word of anything else."""

import json
import subprocess
import sys

import pytest
from checkpoint_files import ROOT, write

from unetscope.analysis.diff import tensor_diff
from unetscope.analysis.diff.bare import bare
from unetscope.analysis.names import compvis_names
from unetscope.checkpoints.known import in_original_names
from unetscope.files import locks, traces

LOCK = ROOT / "configs" / "locks" / "sd15.lock"


@pytest.fixture
def published(tmp_path, sd15_shapes):
    """Stable Diffusion 1.5 as diffusers publishes it."""
    return write(tmp_path / "diffusion_pytorch_model.safetensors", sd15_shapes, "F16")


@pytest.fixture
def full(tmp_path, sd15_compvis):
    """Stable Diffusion 1.5 as CompVis published it, with other networks' tensors."""
    unet = {f"model.diffusion_model.{name}": shape for name, shape in sd15_compvis.items()}
    others = {"first_stage_model.quant_conv.weight": (8, 8), "alphas_cumprod": (1000,)}
    return write(tmp_path / "v1-5-pruned.safetensors", {**unet, **others}, "F16")


def reported(diff, *arguments):
    """The changes that were reported as JSON."""
    code, out, _ = diff(*arguments, "-f", "json")
    return code, json.loads(out)


def test_equal_tensors_are_not_called_equal_networks(diff, published):
    for pair in ((LOCK, published), (published, LOCK), (published, published.parent)):
        code, out, err = diff(*pair)
        assert code == 0
        assert "has the same tensors as" in out
        assert "same network" not in out
        assert "MACs" not in out
        assert "686 tensors (float16)" in err
        assert "tensors alone are compared" in err
        assert reported(diff, *pair)[1]["changes"] == []


def test_a_config_against_a_checkpoint(diff, published):
    assert reported(diff, "sd15", published)[1]["changes"] == []
    code, found = reported(diff, published, "sdxl_base")
    assert code == 1
    assert {change["id"].partition("-")[0] for change in found["changes"]} <= {
        *("param", "params", "module")
    }
    assert [total["id"] for total in found["totals"]] == ["params"]


def test_compvis_names_are_one_line(diff, full, published, sd15_compvis, sd15_shapes):
    for pair, forth in (((LOCK, full), True), ((full, LOCK), False), ((published, full), True)):
        code, found = reported(diff, *pair)
        assert code == 0
        assert [change["id"] for change in found["changes"]] == ["module-renamed"]
        ends = ["diffusers", "CompVis"] if forth else ["CompVis", "diffusers"]
        assert [found["changes"][0][end] for end in ("old", "new")] == ends
        ours, theirs = ("old", "new") if forth else ("new", "old")
        names = {row[ours]: row[theirs] for row in found["names"]}
        assert names.keys() == sd15_shapes.keys()
        assert set(names.values()) == sd15_compvis.keys()
        assert names["mid_block.attentions.0.proj_in.bias"] == "middle_block.1.proj_in.bias"


@pytest.mark.parametrize("config", ["sdxl_base", "lcm_sdxl", "if_II_L", "ssd_1b", "sd21"])
def test_every_dialect_is_found_from_either_side(config):
    """Names that CompVis has no counterpart for stay as they are."""
    lock = locks.load(ROOT / "configs" / "locks" / f"{config}.lock")
    shapes = {t.name: t.shape for t in lock.tensors if not t.buffer and t.tied_to is None}
    assert not tensor_diff(lock, bare("same", shapes)).changes
    known = compvis_names(shapes)
    other = bare("other", {known.get(name, name): shape for name, shape in shapes.items()})
    forth, back = tensor_diff(lock, other), tensor_diff(other, lock)
    assert [change.id for change in forth.changes] == ["module-renamed"]
    assert dict(forth.names) == {name: now for name, now in known.items() if name != now}
    assert set(forth.changes[0].mirrored().parts) == set(back.changes[0].parts)
    assert {pair[::-1] for pair in back.names} == set(forth.names)


OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def test_attentions_under_their_old_names(tmp_path, diff):
    lock = locks.load(ROOT / "configs" / "locks" / "ddpm_cifar10_32.lock")
    shapes = {tensor.name: tensor.shape for tensor in lock.tensors}
    for ours, once in OLD_NAMES.items():
        shapes = {name.replace(f".{ours}.", f".{once}."): s for name, s in shapes.items()}
    path = write(tmp_path / "m.safetensors", shapes)
    _, found = reported(diff, "ddpm_cifar10_32", path)
    assert [(c["old"], c["new"]) for c in found["changes"]] == [("diffusers", "diffusers < 0.15")]
    assert {(row["old"].split(".")[-2], row["new"].split(".")[-2]) for row in found["names"]} == {
        ("to_q", "query"),
        ("to_k", "key"),
        ("to_v", "value"),
        ("0", "proj_attn"),
    }


@pytest.mark.parametrize("config", ["adm_imagenet64", "iddpm_imagenet64_cond", "ldm_celebahq_256"])
def test_queries_keys_and_values_in_one_tensor(tmp_path, diff, config):
    lock = locks.load(ROOT / "configs" / "locks" / f"{config}.lock")
    shapes = in_original_names({tensor.name: tensor.shape for tensor in lock.tensors})
    path = write(tmp_path / "m.safetensors", shapes)
    for pair, ends in (
        ((config, path), ("diffusers", "CompVis")),
        ((path, config), ("CompVis", "diffusers")),
    ):
        code, found = reported(diff, *pair)
        assert code == 0
        assert [(c["id"], c["old"], c["new"]) for c in found["changes"]] == [
            ("module-renamed", *ends)
        ]
        fused = [row for row in found["names"] if ".qkv." in row["old"] + row["new"]]
        assert len(fused) == 3 * sum(".qkv." in name for name in shapes)
    assert "tensors of" in (err := diff(config, path)[2])
    assert "have other shapes than in diffusers, such as `input_blocks." in err


def test_what_a_full_checkpoint_holds_beside_the_unet(diff, full):
    err = diff(LOCK, full)[2]
    assert "autoencoder (1)" in err
    assert "other (1)" in err


def test_tensors_that_differ(diff, tmp_path, sd15_shapes):
    shapes = dict(sd15_shapes)
    del shapes["conv_in.bias"]
    shapes["conv_in.weight"] = (320, 9, 3, 3)
    shapes["extra.weight"] = (3,)
    path = write(tmp_path / "m.safetensors", shapes)
    for pair, ids in (
        ((LOCK, path), {"conv_in.bias": "param-removed", "extra.weight": "param-added"}),
        ((path, LOCK), {"conv_in.bias": "param-added", "extra.weight": "param-removed"}),
    ):
        code, found = reported(diff, *pair)
        assert code == 1
        told = {c["now"] or c["was"]: c["id"] for c in found["changes"]}
        assert told == {**ids, "conv_in.weight": "param-reshaped", "": "params"}


def test_a_renamed_block_is_one_line(diff, tmp_path, sd15_shapes):
    shapes = {n.replace("mid_block.", "bottleneck."): shape for n, shape in sd15_shapes.items()}
    _, found = reported(diff, LOCK, write(tmp_path / "m.safetensors", shapes))
    assert [(c["id"], c["was"], c["now"]) for c in found["changes"]] == [
        ("module-renamed", "mid_block", "bottleneck")
    ]


def test_parameters_are_bounded(diff, published):
    assert diff(LOCK, published, "--max-params", "+0%")[0] == 0
    assert diff(LOCK, published, "--max-params", "1M")[0] == 1


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\xff" * 64, b"{}", b"unet: {}\n" * 4])
def test_damaged_files_are_exit_2(diff, tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    for pair in ((LOCK, path), (path, LOCK)):
        code, out, err = diff(*pair)
        assert (code, out) == (2, "")
        assert err.startswith(f"error: {path}: ")


def test_names_of_any_form_are_compared(diff, tmp_path):
    shapes = {
        "a": (1,),
        "a.b": (1,),
        "a..c": (2,),
        ".": (3,),
        "..d": (4,),
        "²": (1,),
        "x" * 500: (),
    }
    shapes[".".join("e" * 250)] = (2,)
    path = write(tmp_path / "m.safetensors", shapes)
    assert diff(path, path)[0] == 0
    assert diff(LOCK, path)[0] == 1
    assert diff(path, LOCK)[0] == 1


def loaded_by(*arguments):
    """The modules that a fresh interpreter holds after `unetscope diff ARGUMENTS`."""
    script = (
        "import sys\nfrom unetscope import cli\n"
        f"code = cli.run({['diff', *map(str, arguments)]!r})\n"
        "print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    code, *modules = done.stderr.splitlines()[-1].split()
    return int(code), set(modules)


def test_torch_stays_out(tmp_path, published, full, sd15):
    saved = tmp_path / "t.json"
    saved.write_bytes(traces.dumps(sd15))
    for pair in ((LOCK, published), (saved, published), (published, full)):
        code, modules = loaded_by(*pair)
        assert code == 0
        assert not modules & {"torch", "safetensors"}


def test_the_hash_seed_changes_nothing(full):
    printed = {
        subprocess.run(
            [sys.executable, "-m", "unetscope", "diff", str(LOCK), str(full), "--renamed"],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
            cwd=ROOT,
        ).stdout
        for seed in "123"
    }
    assert len(printed) == 1
