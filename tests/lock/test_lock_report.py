"""What `lock --check` reports of locks that are not as they should be, in every format."""

import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from unetscope.render import FORMATS
from unetscope.table import Content

CONFIG, LOCK = "configs/unet.yaml", "configs/unet.lock"
CHANGES = sorted(name for name, one in FORMATS.items() if Content.CHANGES in one.holds)
HOSTILE = "x\n::error::@me | <b>$(id)`.yaml"


@pytest.fixture
def bad(project, change, unetscope):
    """A lock of each state, with what `--check` is asked for; names as hostile as files take."""
    folder = project / "configs"
    for name in ("stale.yaml", "gone.yaml", "torn.yaml", HOSTILE):
        shutil.copy(folder / "unet.yaml", folder / name)
    assert unetscope("lock", *sorted(folder.glob("*.yaml"))).code == 0
    for name in ("missing.yaml", "twice.yaml", "twice.yml"):
        shutil.copy(folder / "unet.yaml", folder / name)
    (folder / "broken.yaml").write_text("unet: {layers: [}\n")
    (folder / "gone.yaml").unlink()
    stale = folder / "stale.yaml"
    stale.write_text(stale.read_text().replace("layers_per_block: 1", "layers_per_block: 2"))
    torn = folder / "torn.lock"
    lines = torn.read_text().split("\n")
    lines[6:7] = ["<<<<<<< HEAD", lines[6], "=======", lines[6], ">>>>>>> theirs"]
    torn.write_text("\n".join(lines))
    (folder / HOSTILE).write_text("name: [\n")
    (folder / "poetry.lock").write_text("[[package]]\n")
    return sorted(path.relative_to(project).as_posix() for path in folder.glob("*.y*ml"))


def states(report):
    return {Path(row["lock"]).stem: row["state"] for row in report["locks"]}


def test_each_state_is_found(unetscope, bad):
    done = unetscope("lock", "--check", *bad, "-f", "json")
    assert done.code == 2
    report = json.loads(done.out)
    assert states(report) == {
        "unet": "current",
        "stale": "stale",
        "missing": "missing",
        "gone": "orphaned",
        "torn": "unreadable",
        "twice": "colliding",
        "broken": "unchecked",
        Path(HOSTILE).stem: "unchecked",
    }
    assert (report["exit_code"], report["passes"]) == (2, False)
    (torn,) = (row for row in report["locks"] if row["state"] == "unreadable")
    assert (torn["file"], torn["line"]) == ("configs/torn.lock", 7)
    assert "merge conflict; `unetscope lock configs/torn.yaml` writes a new one" in torn["message"]
    assert {row["lock"] for row in report["changes"]} == {"configs/stale.lock"}
    ids = [report["changes"][part["change"]]["id"] for part in report["parts"]]
    assert len(ids) >= 2
    assert set(ids) <= {change["id"] for change in report["changes"] if change["count"] > 1}


def test_every_format_says_all_and_is_valid(unetscope, bad):
    for form in CHANGES:
        done = unetscope("lock", "--check", *bad, "-f", form)
        assert done.code == 2
        for name in ("stale", "missing", "gone", "torn", "twice", "broken"):
            assert f"configs/{name}." in done.out
        assert not re.search("^::error::@me", done.out + done.err, re.MULTILINE)
        see_valid(form, done.out, bad=True)


@pytest.mark.parametrize("form", CHANGES)
def test_nothing_to_say_is_a_valid_report(unetscope, project, form, monkeypatch):
    assert unetscope("lock", CONFIG).code == 0
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary"))
    done = unetscope("lock", "--check", CONFIG, "-f", form)
    assert done.code == 0
    see_valid(form, done.out, bad=False)
    assert not (project / "summary").exists()


def see_valid(form, text, *, bad):
    match form:
        case "json":
            assert isinstance(json.loads(text), dict)
        case "sarif":
            (run,) = json.loads(text)["runs"]
            assert bool(run["results"]) == bad
            files = [
                place["physicalLocation"]["artifactLocation"]["uri"]
                for result in run["results"]
                for place in result["locations"]
            ]
            assert all(set(file) < set(map(chr, range(33, 127))) for file in files)
        case "junit":
            root = ET.fromstring(text)
            assert bool(root.findall(".//failure")) == bad
            assert root.findall(".//testcase")
        case "github":
            assert all(line.startswith("::error ") for line in text.splitlines())
            assert bool(text) == bad
        case "html":
            assert text.count("<b>$") == 0
            assert text.rstrip().endswith("</html>")
        case "terminal" | "markdown":
            assert ("not as they should be: 7" if bad else "Locks: 1, all is well.") in text


def test_a_lock_without_a_config_of_its_own_is_no_orphan(unetscope, project):
    (project / "net.py").write_text(
        "import torch\nfrom torch import nn\n\ndef net():\n    return nn.Conv2d(3, 4, 3)\n"
    )
    unetscope("lock", CONFIG)
    code = "net:net", "-o", "configs/net.lock", "--input", "input=1,3,8,8"
    assert unetscope("lock", *code).code == 0
    assert unetscope("lock", "--check", CONFIG).code == 0
    assert unetscope("lock", CONFIG, "--height", "32", "-o", "configs/tall.lock").code == 0
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert "configs/tall.lock  orphaned" in done.out
    (project / LOCK).unlink()
    done = unetscope("lock", CONFIG, "--height", "32", "--check", "-f", "json")
    missing, _ = json.loads(done.out)["locks"]
    # A command that leaves out `--height` would write another lock.
    assert (missing["state"], missing["message"]) == ("missing", None)


def test_an_orphan_lies_in_the_folder_of_locks_too(unetscope, project):
    (project / "pyproject.toml").write_text('[tool.unetscope]\nlocks = "locks"\n')
    unetscope("lock", CONFIG)
    assert unetscope("lock", "--check", CONFIG).code == 0
    shutil.copy(project / "configs/locks/unet.lock", project / "configs/locks/old.lock")
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert "configs/locks/old.lock  orphaned" in done.out


def test_one_file_under_two_names_is_one(unetscope, project):
    assert unetscope("lock", CONFIG, f"./{CONFIG}", project / CONFIG).code == 0


def test_a_second_yaml_is_refused_though_it_was_not_named(unetscope, project):
    shutil.copy(project / CONFIG, project / "configs" / "unet.yml")
    done = unetscope("lock", CONFIG)
    assert (done.code, done.out) == (2, "")
    assert f"`{CONFIG}` and `configs/unet.yml` have one lock, {LOCK}" in done.err
    (project / "configs" / "unet.yml").write_text("steps: 3\n")
    assert unetscope("lock", CONFIG).code == 0


def test_writing_reports_too(unetscope, project):
    report = json.loads(unetscope("lock", CONFIG, "-f", "json").out)
    assert (states(report), report["passes"]) == ({"unet": "written"}, True)
    report = json.loads(unetscope("lock", CONFIG, "-f", "json").out)
    assert states(report) == {"unet": "current"}
