"""`unetscope identify`, and the other commands with a checkpoint."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil

import pytest
from checkpoint_files import ROOT, write

from unetscope.checkpoints.gathering import gathered
from unetscope.config import load
from unetscope.errors import UnetscopeError
from unetscope.files import locks
from unetscope.render import Style, streamed
from unetscope.sources import Request, resolve
from unetscope.views import identify as views
from unetscope.words import Words


@pytest.fixture(scope="module")
def small():
    """The tensors of a small shipped network."""
    lock = locks.load(ROOT / "configs" / "locks" / "article_003.lock")
    return {tensor.name: tensor.shape for tensor in lock.tensors if tensor.persistent}


@pytest.fixture
def folder(tmp_path, monkeypatch, small, sd15_compvis):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    write(tmp_path / "small.safetensors", small)
    write(tmp_path / "in" / "deep" / "v1.safetensors", sd15_compvis, "F16")
    (tmp_path / "in" / "broken.gguf").write_bytes(b"GGUF\3\0\0\0")
    (tmp_path / "in" / "notes.txt").write_text("no weights")
    return tmp_path


def test_one_row_a_file(folder, unetscope):
    shown = unetscope("identify", "small.safetensors", "in", "-f", "csv")
    assert shown.code == 2
    assert "1 of 3 could not be read" in shown.err
    rows = {row["file"]: row for row in csv.DictReader(io.StringIO(shown.out))}
    assert list(rows) == ["small.safetensors", "in/broken.gguf", "in/deep/v1.safetensors"]
    certainties = [row["certainty"] for row in rows.values()]
    assert certainties == ["exact", "unreadable", "exact"]
    assert rows["in/deep/v1.safetensors"]["networks"] == "sd14;sd15"
    assert rows["in/deep/v1.safetensors"]["parameters"] == "859520964"
    assert rows["in/broken.gguf"]["error"]


def test_the_same_in_every_form(folder, unetscope):
    rows = json.loads(unetscope("identify", "small.safetensors", "in", "-f", "json").out)
    assert [row["certainty"] for row in rows["files"]["rows"]] == ["exact", "unreadable", "exact"]
    for form in ("terminal", "markdown", "html", "latex"):
        shown = unetscope("identify", "small.safetensors", "in/deep", "-f", form)
        assert shown.code == 0
        assert "sd14, sd15" in shown.out.replace("\\_", "_")
    written = unetscope("identify", "small.safetensors", "in/deep", "-o", "found.csv")
    assert (written.code, written.out) == (0, "")
    assert (folder / "found.csv").read_text().count("exact") == 2


def test_csv_has_the_lists_of_json(folder, unetscope, small):
    wrong = {"a;b": (2,)} | dict.fromkeys([*small][:2], (7,))
    write(folder / "wrong.safetensors", wrong)
    arguments = "identify", "wrong.safetensors", "in/deep", "-f"
    told = json.loads(unetscope(*arguments, "json").out)["files"]["rows"]
    rows = [*csv.DictReader(io.StringIO(unetscope(*arguments, "csv").out))]
    assert any(";" in text for text in told[0]["evidence"])
    for row, record in zip(rows, told, strict=True):
        for key, value in record.items():
            if isinstance(value, list):
                field = row[key]
                assert (json.loads(field) if field[0] == "[" else field.split(";")) == value


def test_one_file_is_told_in_full(folder, unetscope):
    shown = unetscope("identify", "in/deep")
    assert shown.code == 0
    for text in ("sd14, sd15", "859,520,964", "float16", "all 686 names", "which of sd14, sd15"):
        assert text in shown.out
    chinese = unetscope("identify", "in/deep", "--lang", "zh").out
    assert "完全一致" in chinese
    assert "names and shapes" not in chinese
    data = json.loads(unetscope("identify", "in/deep", "-f", "json").out)
    assert data["files"]["rows"][0]["networks"] == ["sd14", "sd15"]
    assert data["parts"]["rows"][0]["parameters"] == 859_520_964


def test_a_config_with_exactly_these_tensors(folder, unetscope, small):
    text = unetscope("identify", "small.safetensors", "--yaml").out
    (folder / "mine.yaml").write_text(text)
    lock = resolve(Request("mine.yaml")).lock()
    assert {tensor.name: tensor.shape for tensor in lock.tensors} == small
    assert load("mine.yaml").network == load("article_003").network
    several = unetscope("identify", "small.safetensors", "in", "--yaml")
    assert (several.code, several.out) == (2, "")


def test_which_files_are_meant(folder):
    index = "m.safetensors.index.json"
    pipeline = folder / "in" / "pipeline"
    (pipeline / "unet").mkdir(parents=True)
    (pipeline / "model_index.json").write_text("{}")
    shutil.copy("small.safetensors", pipeline / "unet" / "diffusion_pytorch_model.safetensors")
    for name in ("m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors", index):
        (folder / "in" / name).touch()
    (folder / "in" / "alone-00001-of-00002.safetensors").touch()
    (folder / "in" / "tokenizer.index.json").touch()
    (folder / "elsewhere").symlink_to(folder / "in")
    inside = ["alone-00001-of-00002.safetensors", "broken.gguf", index, "deep/v1.safetensors"]
    assert list(gathered(["in"])) == [f"in/{name}" for name in [*inside, "pipeline"]]
    assert next(iter(gathered(["."]))) == "small.safetensors"
    assert not any(name.startswith("elsewhere") for name in gathered(["."]))
    assert list(gathered(["**/v1*"])) == ["in/deep/v1.safetensors"]
    assert list(gathered(["small.safetensors", "small.*"])) == ["small.safetensors"]
    (folder / "none").mkdir()
    for name in ("none", "*.nothing"):
        assert name in gathered([name])[name].message


def test_what_is_no_unet_or_more_than_one(folder, unetscope, sd15_shapes):
    """A LoRA, and a UNet in a pipeline beside something else."""
    lora = {}
    for name, shape in sd15_shapes.items():
        if ".attn" in name and name.endswith(".weight") and len(shape) == 2:
            layer = f"lora_unet_{name.removesuffix('.weight').replace('.', '_')}"
            lora[f"{layer}.lora_down.weight"] = (4, shape[1])
            lora[f"{layer}.lora_up.weight"] = (shape[0], 4)
    write(folder / "lora.safetensors", lora, "F16")
    pipeline = folder / "pipeline"
    for inside in ("unet", "other"):
        (pipeline / inside).mkdir(parents=True)
    (pipeline / "model_index.json").write_text("{}")
    write(pipeline / "unet" / "diffusion_pytorch_model.safetensors", sd15_shapes, "F16")
    write(pipeline / "other" / "model.safetensors", {"some.weight": (3,)}, "F16")
    names = "lora.safetensors", "pipeline"
    told = json.loads(unetscope("identify", *names, "-f", "json").out)["files"]["rows"]
    assert [row["certainty"] for row in told] == ["component", "exact"]
    assert "LoRA" in told[0]["label"]
    assert told[1]["networks"] == ["sd14", "sd15"]
    assert len(told[1]["parts"]) == 2
    assert told[1]["parameters"] == 859_520_964
    shown = unetscope("identify", "pipeline").out
    assert "unet/" in shown
    refused = unetscope("params", "lora.safetensors")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: lora.safetensors: no UNet: ")


def test_words_wider_than_a_column_stay_in_it():
    words, error = Words("en"), UnetscopeError("reverse_transformer_layers_per_block " * 3)
    rows = iter([views.row(views.Row("a.gguf", error), words)])
    samples = views.samples(["a.gguf"], words)
    shown = "".join(streamed(views.files([], words), rows, samples, "terminal", Style(60)))
    assert max(map(len, shown.splitlines())) <= 60
    assert shown.replace(" ", "").replace("\n", "").count(error.message.split()[0]) == 3


@pytest.mark.parametrize("form", ["terminal", "csv"])
def test_a_row_is_written_before_the_next_file_is_read(form):
    words, names = Words("en"), ["a.gguf", "much/longer.safetensors"]
    read = []

    def rows():
        for name in names:
            read.append(name)
            yield views.row(views.Row(name, UnetscopeError("why")), words)

    table = views.files([], words)
    pieces = streamed(table, rows(), views.samples(names, words), form, Style(80))
    for seen in ([], names[:1], names):
        piece = next(pieces)
        assert read == seen
        assert all(name in piece for name in seen[-1:])
        assert form == "csv" or max(map(len, piece.splitlines())) <= 80


def test_what_stands_in_a_folder_is_no_trap(folder):
    """A pipe that nobody writes to, links to the folder itself, to nothing and to themselves, and
    a folder that nobody may read.
    """
    os.mkfifo(folder / "in" / "pipe.safetensors")
    (folder / "in" / "deep" / "again").symlink_to(folder / "in")
    (folder / "in" / "deep" / "gone.safetensors").symlink_to(folder / "nowhere")
    (folder / "in" / "loop.safetensors").symlink_to("loop.safetensors")
    (folder / "in" / "closed").mkdir(mode=0)
    found = gathered(["in"])
    readable = [name for name, error in found.items() if error is None]
    assert readable == ["in/broken.gguf", "in/deep/v1.safetensors"]
    for link in ("in/loop.safetensors", "in/deep/gone.safetensors"):
        assert found[link].message == "a link that leads nowhere"
    (folder / "in" / "closed").chmod(0o700)


@pytest.fixture
def closed(folder, small):
    """Folders that may be listed but not entered, or neither, and a file that may not be read."""
    write(folder / "in" / "closed.safetensors", small).chmod(0)
    if os.access(folder / "in" / "closed.safetensors", os.R_OK):
        pytest.skip("whoever runs this may read everything")
    modes = {"listed": 0o600, "pipeline/vae": 0, "pipeline/unet": 0o700}
    for inside, mode in modes.items():
        (folder / inside).mkdir(parents=True)
        write(folder / inside / "model.safetensors", small)
        (folder / inside).chmod(mode)
    (folder / "pipeline" / "model_index.json").write_text("{}")
    yield folder
    for inside in modes:
        (folder / inside).chmod(0o700)


def test_what_may_not_be_read_is_told(closed, unetscope):
    shown = unetscope("identify", ".", "-f", "csv")
    assert shown.code == 2
    assert "4 of 6 could not be read" in shown.err
    errors = {row["file"]: row["error"] for row in csv.DictReader(io.StringIO(shown.out))}
    for file in ("in/closed.safetensors", "listed/model.safetensors"):
        assert errors[file] == "cannot be read: permission denied"
    assert errors["pipeline"] == "cannot read the folder `pipeline/vae`: permission denied"
    told = "cannot read the folder `listed`: permission denied"
    assert told in unetscope("params", "listed").err


def test_a_file_that_an_index_names_is_told_by_its_name(folder, unetscope):
    index = {"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}
    (folder / "m.safetensors.index.json").write_text(json.dumps(index))
    write(folder / "m-1.safetensors", {"a": (1,)})
    (folder / "m-2.safetensors").write_bytes(b"")
    rows = json.loads(unetscope("identify", ".", "-f", "json").out)["files"]["rows"]
    (error,) = [row["error"] for row in rows if row["file"] == "m.safetensors.index.json"]
    assert error.startswith("m-2.safetensors: ")


def test_a_missing_file_is_told_with_the_one_that_was_meant(folder, unetscope):
    shown = unetscope("identify", "in/deep/v1.safetensor")
    assert (shown.code, shown.out) == (2, "")
    assert "no such file" in shown.err
    assert "did you mean `in/deep/v1.safetensors`?" in shown.err


def test_a_config_is_no_weights_file(folder, unetscope):
    (folder / "mine.yaml").write_text("extends: sd15\n")
    shown = unetscope("identify", "mine.yaml")
    assert (shown.code, shown.out) == (2, "")
    assert "no weights" in shown.err
    assert "`unetscope show mine.yaml` reads one" in shown.err


def test_of_equal_networks_the_one_that_others_extend_stands_for_the_file(folder, unetscope):
    text = unetscope("identify", "in/deep/v1.safetensors", "--yaml").out
    assert text.splitlines()[-1] == "extends: sd15"
    assert "the config of `sd15` is used" in unetscope("params", "in/deep/v1.safetensors").err


def test_what_a_network_alone_lacks_is_no_remark(folder, unetscope, sd15_shapes):
    """Of what may be a whole pipeline it is; a mark of how tensors are stored is no part."""
    twice = {f"{at}.{name}": s for name, s in sd15_shapes.items() for at in ("unet", "unet_ema")}
    write(folder / "twice.safetensors", twice | {"scaled_fp8": (0,)}, "F16")
    vae = {"vae.encoder.conv_in.weight": (128, 3, 3, 3)}
    write(folder / "with.safetensors", twice | vae, "F16")
    shown = unetscope("identify", "twice.safetensors", "with.safetensors", "-f", "json").out
    alone, whole = json.loads(shown)["files"]["rows"]
    assert (alone["remarks"], len(alone["parts"])) == ([], 2)
    assert whole["remarks"] == ["no text encoder: loaders that want one refuse this file"]


def test_networks_in_one_file_are_told_apart(folder, unetscope, sd15_shapes):
    """The largest that is no average is the file's; what is unlike it is no average of it."""
    larger = dict(sd15_shapes) | {"conv_in.weight": (320, 9, 3, 3)}
    unlike = {f"ema_unet.{name}": shape for name, shape in larger.items()}
    write(
        folder / "two.safetensors", {f"unet.{n}": s for n, s in sd15_shapes.items()} | unlike, "F16"
    )
    data = json.loads(unetscope("identify", "two.safetensors", "-f", "json").out)
    assert data["files"]["rows"][0]["networks"] == ["sd14", "sd15"]
    assert [(part["kind"], part["name"], part["prefix"]) for part in data["parts"]["rows"]] == [
        ("unet", "sd15_inpaint", "ema_unet."),
        ("unet", "sd14, sd15", "unet."),
    ]
    renamed = {f"unet_b.{name.removeprefix('ema_unet.')}": s for name, s in unlike.items()}
    write(
        folder / "two.safetensors", {f"a.{n}": s for n, s in sd15_shapes.items()} | renamed, "F16"
    )
    assert "sd15_inpaint" in unetscope("identify", "two.safetensors", "-f", "csv").out
    assert unetscope("diff", "sd15_inpaint", "two.safetensors").code == 0


def test_a_hostile_name_is_text(folder, unetscope):
    name = "\x1b[2Jx`y\n=1+1.safetensors"
    shutil.copy("small.safetensors", name)
    for form in ("terminal", "csv", "markdown", "html", "json"):
        shown = unetscope("identify", name, "small.safetensors", "-f", form)
        assert shown.code == 0
        assert "\x1b" not in shown.out + shown.err
    config = unetscope("identify", name, "--yaml").out
    assert "\x1b" not in config
    (folder / "mine.yaml").write_text(config)
    assert load("mine.yaml").network == load("article_003").network
    assert "\x1b" not in unetscope("params", name).err


@pytest.mark.parametrize(
    "command",
    ["trace", "skips", "draw", "params", "flops", "memory", "check", "show", "compare"],
)
def test_every_command_takes_a_checkpoint(folder, unetscope, command):
    shown = unetscope(command, "small.safetensors")
    assert shown.code == 0, shown.err
    assert "note: `small.safetensors` has exactly the tensors of `article_003`" in shown.err
    ours = shown.out.replace("small.safetensors", "NAME").splitlines()[2:]
    theirs = unetscope(command, "article_003").out.splitlines()[2:]
    if command in ("skips", "params", "flops", "memory"):
        assert ours == theirs


def test_with_the_options_of_the_config(folder, unetscope):
    options = "--height", "32", "--set", "base_channels=32"
    text = unetscope("trace", "small.safetensors", *options).out
    assert "1x4x32" in text
    assert "base_channels=32" in text
    explained = unetscope("explain", "small.safetensors", "down1")
    assert explained.code == 0, explained.err
    assert unetscope("lock", "small.safetensors", "-o", "small.lock").code == 0
    assert unetscope("diff", "small.lock", "article_003").code == 0
    assert unetscope("diff", "article_003", "small.safetensors").code == 0
