"""`unetscope log`: which commits changed a network, in real repositories."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from narrow_configs import TINY
from repositories import layers

from unetscope import api
from unetscope.sources.configs import ConfigNetwork

BIGGER = "extends: base.yaml\nunet: {layers_per_block: 2}\n"


@pytest.fixture
def traced(monkeypatch):
    """The options of each network that is traced."""
    found, trace = [], ConfigNetwork.trace

    def counted(network):
        found.append(network.spec.unet)
        return trace(network)

    monkeypatch.setattr(ConfigNetwork, "trace", counted)
    return found


@pytest.fixture
def log(unetscope, repository):
    """A function that returns the rows of `unetscope log`, and what stands beside them."""

    def run(*arguments):
        done = unetscope("log", *arguments, "-f", "json")
        assert done.code in (0, 1), done.err
        document = json.loads(done.out)["log"]
        return document["rows"], document

    return run


def told(rows):
    return [(row["subject"], row["status"], row["severity"]) for row in rows]


def test_commits_that_changed_the_network_newest_first(log, repository, traced):
    repository.commit("first", unet=layers(1))
    repository.commit("elsewhere", other="a: 1\n")
    repository.commit("comment", unet=f"# mine\n{layers(1)}")
    repository.commit("an explicit default", unet=layers(1) + "  dropout: 0.0\n")
    repository.commit("deeper", unet=layers(2))
    sha = repository.commit("back", unet=layers(1))
    rows, document = log("unet.yaml")
    assert told(rows) == [
        ("back", "changed", "breaking"),
        ("deeper", "changed", "breaking"),
        ("first", "created", None),
    ]
    assert [row["what"] for row in rows[:2]] == [
        "layers_per_block: 2 -> 1", "layers_per_block: 1 -> 2"
    ]  # fmt: skip
    assert (rows[0]["commit"], rows[0]["author"], rows[0]["date"][:16]) == (
        sha, "Ada", "2024-05-01T00:18"
    )  # fmt: skip
    assert rows[0]["parameters"] == rows[2]["parameters"]
    assert rows[0]["parameters_delta"] == -rows[1]["parameters_delta"] < 0
    assert (document["commits"], document["complete"]) == (5, True)
    assert len(traced) == 2  # the revert costs nothing, nor do a comment and a default


def test_what_a_config_extends_counts_as_it_was(log, repository):
    repository.commit("base", **{"configs/base": TINY})
    repository.commit("heir", **{"configs/unet": BIGGER})
    repository.commit("wider", **{"configs/base": TINY.replace("[8]", "[16]")})
    repository.commit("alone", **{"configs/unet": layers(2).replace("[8]", "[16]")})
    repository.commit("no heir's", **{"configs/base": TINY})
    rows, document = log("configs/unet.yaml")
    assert told(rows) == [("wider", "changed", "breaking"), ("heir", "created", None)]
    assert rows[0]["what"] == "block_out_channels.0: 8 -> 16"
    assert document["commits"] == 5


@pytest.mark.parametrize("seed", range(2))
def test_it_is_what_each_commit_shows_beside_the_one_before(log, repository, seed):
    """Every commit of a random history, read on its own by `REVISION:FILE`."""
    random, path, base, expected = Random(seed), "unet", "base", []
    repository.commit("0", base=layers(1), unet=f"extends: {base}.yaml\nunet: {{}}\n")
    before = api.load(f"HEAD:{path}.yaml")
    for number in range(1, 16):
        match random.choice(["base", "heir", "rename", "rename base", "elsewhere", "break"]):
            case "base":
                repository.commit(str(number), **{base: layers(random.randint(1, 2))})
            case "heir":
                text = f"extends: {base}.yaml\nunet: {{norm_num_groups: {random.choice([4, 8])}}}\n"
                repository.commit(str(number), **{path: text})
            case "rename":
                old, path = path, f"unet{number}"
                repository.git("mv", f"{old}.yaml", f"{path}.yaml")
                repository.commit(str(number))
            case "rename base":
                old, base = base, f"base{number}"
                repository.git("mv", f"{old}.yaml", f"{base}.yaml")
                text = (repository.folder / f"{path}.yaml").read_text(encoding="utf-8")
                repository.commit(str(number), **{path: text.replace(f"{old}.", f"{base}.")})
            case "elsewhere":
                repository.commit(str(number), other=f"a: {number}\n")
            case "break":
                text = (repository.folder / f"{path}.yaml").read_text(encoding="utf-8")
                repository.commit(str(number), **{path: text.replace("unet:", "unit:")})
                expected.append((str(number), "broken"))
                repository.commit(f"{number} mended", **{path: text})
                expected.append((f"{number} mended", "mended"))
        now = api.load(f"HEAD:{path}.yaml")
        if api.diff(before, now).changes:
            expected.append((str(number), "changed"))
        before = now
    rows, _ = log(f"{path}.yaml")
    found = [(row["subject"], row["status"]) for row in reversed(rows)]
    assert found == [("0", "created"), *expected]
    assert {status for _, status in expected} >= {"changed"}


def test_renames_are_followed(log, repository):
    repository.commit("first", **{"a/unet": layers(1)})
    (repository.folder / "b").mkdir()
    repository.git("mv", "a/unet.yaml", "b/tiny.yaml")
    repository.commit("moved")
    repository.commit("deeper", **{"b/tiny": layers(2)})
    repository.commit("another of the old name", **{"a/unet": layers(3)})
    rows, _ = log("b/tiny.yaml")
    assert told(rows) == [("deeper", "changed", "breaking"), ("first", "created", None)]
    assert [row["path"] for row in rows] == ["b/tiny.yaml", "a/unet.yaml"]


def test_a_side_that_did_not_see_the_rename(log, repository):
    repository.commit("first", unet=layers(1) + "# a line\n" * 20)
    repository.git("checkout", "-qb", "side")
    repository.commit("deeper", unet=layers(2) + "# a line\n" * 20)
    repository.git("checkout", "-q", "main")
    repository.git("mv", "unet.yaml", "tiny.yaml")
    repository.commit("renamed")
    repository.git("merge", "-q", "side", "-m", "merged")
    rows, _ = log("tiny.yaml")
    assert told(rows) == [("deeper", "changed", "breaking"), ("first", "created", None)]
    rows, _ = log("tiny.yaml", "--first-parent")
    assert told(rows) == [("merged", "changed", "breaking"), ("first", "created", None)]


def test_a_merge_counts_if_it_is_like_no_parent(log, repository):
    text = TINY.replace("name: tiny\n", "name: tiny\n" + "# apart\n" * 9)
    repository.commit("first", unet=text)
    repository.git("checkout", "-qb", "side")
    repository.commit("resized", unet=text + "inputs: {batch: 2}\n")
    repository.git("checkout", "-q", "main")
    repository.commit("deeper", unet=text.replace("layers_per_block: 1", "layers_per_block: 2"))
    repository.git("merge", "-q", "side", "-m", "merged")
    rows, _ = log("unet.yaml")
    assert told(rows)[0] == ("merged", "changed", "cost")
    assert {row["subject"] for row in rows[1:]} == {"deeper", "resized", "first"}


def test_a_broken_config_is_a_line_and_the_history_goes_on(log, unetscope, repository):
    repository.commit("first", unet=layers(1))
    repository.commit("oops", unet=layers(1).replace("unet:", "unit:"))
    repository.commit("worse", unet="{")
    repository.commit("fixed", unet=layers(1))
    repository.commit("oops again", unet="extends: nowhere.yaml\n")
    repository.commit("fixed otherwise", unet=layers(2))
    repository.commit("gone", unet=None)
    repository.commit("again", unet=layers(1))
    rows, _ = log("unet.yaml")
    assert [(row["subject"], row["status"], row["changes"]) for row in rows] == [
        ("again", "created", None),
        ("gone", "removed", None),
        ("fixed otherwise", "mended", rows[2]["changes"]),
        ("oops again", "broken", None),
        ("fixed", "mended", 0),
        ("worse", "broken", None),
        ("oops", "broken", None),
        ("first", "created", None),
    ]
    assert rows[2]["changes"]
    oops = rows[6]
    assert oops["error"].startswith(f"{oops['commit'][:7]}:unet.yaml:3:1: ")
    assert "tmp" not in unetscope("log", "unet.yaml").out


def test_a_base_that_comes_later_mends(log, repository):
    repository.commit("heir", unet=BIGGER)
    repository.commit("base", base=TINY)
    rows, _ = log("unet.yaml")
    assert told(rows) == [("base", "mended", None), ("heir", "broken", None)]
    assert rows[0]["what"] == "valid; no network before it is known"


def test_the_folder_of_a_model(log, repository):
    config = {"_class_name": "UNet2DModel", "sample_size": 8, "block_out_channels": [8],
              "norm_num_groups": 8, "down_block_types": ["DownBlock2D"],
              "up_block_types": ["UpBlock2D"], "add_attention": False}  # fmt: skip
    for count in (1, 2):
        text = json.dumps({**config, "layers_per_block": count})
        repository.write("model/unet/config.json", text)

        repository.commit(f"of {count}")
    rows, _ = log("model")
    assert told(rows) == [("of 2", "changed", "breaking"), ("of 1", "created", None)]
    assert rows[0]["path"] == "model/unet/config.json"


def test_options_that_no_commit_takes(unetscope, repository):
    repository.commit("first", unet=layers(1))
    repository.commit("second", unet=layers(2))
    done = unetscope("log", "unet.yaml", "--set", "layer_per_block=3")
    assert (done.code, done.out) == (2, "")
    assert "layers_per_block" in done.err
    assert unetscope("log", "unet.yaml", "--set", "norm_num_groups=4").code == 0


def test_fresh_locks_stand_for_traces(log, unetscope, repository, traced):
    for count in (1, 2, 3):
        repository.write("unet.yaml", layers(count))
        if count != 2:
            assert unetscope("lock", "unet.yaml").code == 0
        repository.commit(f"of {count}")
    traced.clear()
    rows, _ = log("unet.yaml")
    assert [row["from_lock"] for row in rows] == [True, False, True]
    assert [unet.layers_per_block for unet in traced] == [2]
    assert "Read from their locks and not traced: 2." in unetscope("log", "unet.yaml").out
    traced.clear()
    rows, _ = log("unet.yaml", "--height", "16", "--width", "16")
    assert len(traced) == 3
    rows, _ = log("unet.yaml", "--dtype", "fp16")
    assert not any(row["from_lock"] for row in rows)
    repository.write("unet.lock", "unetscope lock, format 9999\n")
    repository.commit("of a newer unetscope")
    repository.commit("4", unet=layers(4))
    assert log("unet.yaml")[0][0]["from_lock"] is False


def test_locks_spare_torch(repository, unetscope):
    for count in (1, 2):
        repository.write("unet.yaml", layers(count))
        unetscope("lock", "unet.yaml")
        repository.commit(f"of {count}")
    code = (
        "import sys; from unetscope.cli import run; code = run(['log', 'unet.yaml']);"
        "sys.exit(code or ('torch' in sys.modules) * 3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 commits" in done.stdout


def test_a_lock_has_a_history_of_its_own(log, unetscope, repository):
    for count in (1, 2):
        repository.write("unet.yaml", layers(count))
        unetscope("lock", "unet.yaml", "-o", "tests.lock")
        repository.commit(f"of {count}")
    rows, _ = log("tests.lock")
    assert told(rows) == [("of 2", "changed", "breaking"), ("of 1", "created", None)]


def test_ranges_and_counts(log, unetscope, repository):
    shas = [repository.commit(f"of {count}", unet=layers(count)) for count in (1, 2, 3, 4)]
    repository.git("tag", "v1", shas[1])

    def subjects(*arguments):
        return [row["subject"][3:] for row in log("unet.yaml", *arguments)[0]]

    assert subjects("--range", "v1..") == subjects("--range", "v1..HEAD") == ["4", "3"]
    assert subjects("--range", "v1..HEAD~1") == ["3"]
    assert subjects("--range", "v1") == ["2", "1"]
    assert subjects("--range", "v1..v1") == []
    assert subjects("-n", "1") == ["4"]
    assert subjects("-n", "9") == ["4", "3", "2", "1"]
    rows, document = log("unet.yaml", "-n", "2")
    assert (len(rows), document["complete"]) == (2, False)
    assert "earlier ones are left out" in unetscope("log", "unet.yaml", "-n", "2").out
    rows, _ = log("unet.yaml", "--range", "v1..HEAD~1")
    assert rows[0]["what"] == "layers_per_block: 2 -> 3"  # compared with what was before the range


def test_from_anywhere(log, repository, monkeypatch, tmp_path):
    repository.commit("first", **{"configs/base": TINY, "configs/unet": BIGGER})
    (repository.folder / "link.yaml").symlink_to("configs/unet.yaml")
    expected = log("configs/unet.yaml")[0]
    assert log("link.yaml")[0] == log(repository.folder / "configs" / "unet.yaml")[0] == expected
    monkeypatch.chdir(repository.folder / "configs")
    assert log("unet.yaml")[0] == expected
    monkeypatch.chdir(tmp_path)
    assert log("repository/configs/unet.yaml")[0] == expected


def test_what_lies_outside_is_no_base(log, repository):
    Path("../base.yaml").write_text(TINY, encoding="utf-8")
    repository.commit("up", unet="extends: ../base.yaml\nunet: {}\n")
    repository.commit("far up", unet="extends: ../../../../../../base.yaml\nunet: {}\n")
    repository.commit("itself", unet="extends: unet.yaml\nunet: {}\n")
    repository.commit("a folder", unet="extends: .\nunet: {}\n")
    repository.commit("large", unet=f"# {'x' * 1_000_001}\n{TINY}")
    assert {row["status"] for row in log("unet.yaml")[0]} == {"broken"}


def test_links_are_followed(log, repository):
    repository.write("store/base.yaml", TINY)
    (repository.folder / "base.yaml").symlink_to("store/base.yaml")
    repository.commit("first", unet=BIGGER)
    (repository.folder / "base.yaml").unlink()
    (repository.folder / "base.yaml").symlink_to("nowhere.yaml")
    repository.commit("astray")
    assert told(log("unet.yaml")[0]) == [("astray", "broken", None), ("first", "created", None)]


@pytest.mark.parametrize("form", ["terminal", "markdown", "html", "json", "csv"])
def test_hostile_names_are_text(unetscope, repository, form):
    subject = "\x1b[31m=1+1 | <b>`@everyone` \u202e" + "x" * 200
    name = "\x1b]0;title\x07 [bold]x[/bold]\tunet"
    author = {"GIT_AUTHOR_NAME": "\x1b[2J<script>|Eve\u202e"}
    repository.write(f"{name}.yaml", layers(1))
    repository.git("add", "-A")
    repository.git("commit", "-q", "-m", subject, **author)
    repository.write(f"{name}.yaml", "\x07: [")
    repository.git("commit", "-qam", "-- --exec", **author)
    done = unetscope("log", f"{name}.yaml", "-f", form)
    assert done.code == 0, done.err
    for text in (done.out, done.err):
        assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert "Eve" in done.out
    if form == "html":
        assert "<script>|" not in done.out
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(done.out)))
        assert len(rows) == 2
    if form == "json":
        rows = json.loads(done.out)["log"]["rows"]
        assert rows[1]["subject"] == subject
        assert rows[1]["path"] == f"{name}.yaml"


HOSTILE = """
[log]
    showSignature = true
    follow = false
    date = relative
    mailmap = false
[gpg]
    program = touch RAN;
[core]
    fsmonitor = touch RAN
    pager = touch RAN
    quotePath = true
    attributesFile = .attributes
[diff]
    external = touch RAN
    renames = false
    relative = true
    noprefix = true
[diff "any"]
    textconv = touch RAN
    command = touch RAN
[filter "any"]
    smudge = touch RAN
[color]
    ui = always
[alias]
    log = !touch RAN
[format]
    pretty = oneline
"""


def test_what_a_repository_sets_changes_nothing(log, repository):
    repository.write(".attributes", "* filter=any diff=any\n")
    repository.commit("first", **{"sub/unet": layers(1)})
    repository.git("mv", "sub/unet.yaml", "sub/tiny.yaml")
    repository.commit("renamed")
    repository.commit("deeper", **{"sub/tiny": layers(2)})
    expected = log("sub/tiny.yaml")
    with (repository.folder / ".git" / "config").open("a") as config:
        config.write(HOSTILE)
    assert log("sub/tiny.yaml") == expected
    assert len(expected[0]) == 2
    assert not list(repository.folder.rglob("RAN*"))


def test_a_shallow_clone_says_what_is_missing(unetscope, repository, tmp_path, monkeypatch):
    for count in (1, 2, 3):
        repository.commit(f"of {count}", unet=layers(count))
    subprocess.run(
        ["git", "clone", "-q", "--depth", "2", f"file://{repository.folder}", tmp_path / "clone"],
        check=True,
    )
    monkeypatch.chdir(tmp_path / "clone")
    done = unetscope("log", "unet.yaml", "-f", "json")
    document = json.loads(done.out)["log"]
    assert [row["status"] for row in document["rows"]] == ["changed", "earliest"]
    assert document["shallow"] is True
    assert "git fetch --unshallow" in done.err
    done = unetscope("log", "unet.yaml", "--range", "HEAD~2..")
    assert done.code == 2
    assert "git fetch --unshallow" in done.err
    subprocess.run(["git", "fetch", "-q", "--unshallow"], check=True)
    done = unetscope("log", "unet.yaml", "-f", "json")
    assert [row["status"] for row in json.loads(done.out)["log"]["rows"]][-1] == "created"
    assert "unshallow" not in done.err


def test_first_bad_does_not_pass_a_history_that_ends_broken(unetscope, repository):
    repository.commit("one", unet=layers(1))
    broken = repository.commit("broken", unet="unet: [\n")
    for more in (), ("--range", "HEAD~1..HEAD"):
        done = unetscope("log", "unet.yaml", "--first-bad", *more, "-f", "json")
        found = json.loads(done.out)["log"]
        assert (done.code, found["first_bad"], found["unread"]) == (2, None, [broken])
    assert "Not known: " in unetscope("log", "unet.yaml", "--first-bad").out


def test_a_name_with_a_line_break(log, repository):
    for count in (1, 2):
        repository.write("a\nb.yaml", layers(count))
        repository.commit(f"of {count}")
    rows, _ = log("a\nb.yaml")
    assert [row["status"] for row in rows] == ["changed", "created"]


def test_a_partial_clone_says_what_is_missing(unetscope, repository, tmp_path, monkeypatch):
    repository.git("config", "uploadpack.allowFilter", "true")
    for count in (1, 2):
        repository.commit(f"of {count}", unet=layers(count))
    clone = ["git", "clone", "-q", "--filter=blob:none", f"file://{repository.folder}"]
    subprocess.run([*clone, tmp_path / "clone"], check=True)
    monkeypatch.chdir(tmp_path / "clone")
    done = unetscope("log", "unet.yaml")
    assert (done.code, done.out) == (2, "")
    assert "error: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.yaml"], "no `nowhere.yaml`, and no commit that holds it"),
        (["new.yaml"], "`new.yaml` is in no commit"),
        (["unet.yaml", "--range", "mian.."], "no revision `mian`\nhint: did you mean `main`?"),
        (["unet.yaml", "--range", "--output=x"], "no revision `--output=x`"),
        (["unet.yaml", "--range", "main...main"], "expected `A..B`"),
        (["unet.yaml", "--range", "^main"], "expected `A..B`"),
        (["new.yaml", "--range", "main"], "no commit of `main` holds `new.yaml`"),
        (["HEAD:unet.yaml"], "name the file itself: `unet.yaml`"),
        (["torch.nn:Linear"], "is code"),
        (["unet.yaml", "--max-params", "3"], "`--max-params` goes with `--first-bad`"),
        (["unet.yaml", "--first-bad", "-n", "2"], "`--max-count` has no meaning"),
        (["unet.yaml", "--trust-code"], "--trust-code"),
        (["../other.yaml"], "in no git repository"),
    ],
)
def test_what_has_no_history(unetscope, repository, arguments, said):
    repository.commit("first", unet=layers(1))
    repository.write("new.yaml", layers(1))
    Path("../other.yaml").write_text(TINY, encoding="utf-8")
    done = unetscope("log", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_no_commits_and_no_git(unetscope, repository, monkeypatch):
    repository.write("unet.yaml", TINY)
    done = unetscope("log", "unet.yaml")
    assert (done.code, "no commit here yet" in done.err) == (2, True)
    monkeypatch.setenv("PATH", "")
    done = unetscope("log", "unet.yaml")
    assert (done.code, "git cannot be run" in done.err) == (2, True)
