"""`unetscope diff`: sources, forms, rules and exit codes."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt

from unetscope.render import Content, formats, markdown, render
from unetscope.table import Column, Table
from unetscope.views.branch_document import schema as schema_of_branch
from unetscope.views.diff import ANCHOR
from unetscope.views.diff_document import schema as schema_of_diff

CONFIG, LOCK = "configs/unet.yaml", "configs/unet.lock"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def changed(unetscope, project, change):
    """A project whose config was locked and then changed: old, new."""
    unetscope("lock", CONFIG)
    change("[8, 16]", "[8, 24]")
    return LOCK, CONFIG


@pytest.fixture
def heads(unetscope, project, change):
    """The same with another number of heads."""
    unetscope("lock", CONFIG)
    change("attention_head_dim: 2", "attention_head_dim: 4")
    return LOCK, CONFIG


@pytest.fixture
def repository(project):
    """The project under git."""

    def git(*arguments):
        command = ["git", "-c", "user.name=n", "-c", "user.email=n@example.org", *arguments]
        subprocess.run(command, cwd=project, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    return git


def test_equal_networks(unetscope, project):
    unetscope("lock", CONFIG)
    done = unetscope("diff", LOCK, CONFIG)
    assert done.code == 0
    assert "is the same network as" in done.out
    assert unetscope("diff", LOCK, CONFIG, "-f", "markdown").out == ""
    assert unetscope("diff", LOCK, CONFIG, "-f", "github").out == ""


def test_a_config_a_lock_and_a_saved_trace_are_one(unetscope, project):
    unetscope("lock", CONFIG)
    unetscope("trace", CONFIG, "--save", "t.json", "--sections", "model")
    for old in (CONFIG, LOCK, "t.json"):
        for new in (CONFIG, LOCK, "t.json"):
            assert unetscope("diff", old, new, "--fail-on", "cosmetic").code == 0


def test_code_is_compared_too(unetscope, project, monkeypatch):
    monkeypatch.syspath_prepend(str(project))
    (project / "small_nets.py").write_text(
        "from torch import nn\n"
        "def one(): return nn.Sequential(nn.Conv2d(3, 8, 3))\n"
        "def other(): return nn.Sequential(nn.Conv2d(3, 9, 3))\n"
    )
    arguments = ("small_nets:one", "small_nets:other", "--input", "1,3,8,8")
    done = unetscope("diff", *arguments)
    assert done.code == 1
    assert "8 -> 9" in done.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "behavioural"), 1),
        (("--fail-on", "breaking"), 0),
        (("--fail-on", "none"), 0),
        (("--fail-on", "braking"), 2),
        (("--fail-on", "none", "--max-macs", "1"), 1),
        (("--fail-on", "none", "--max-macs", "+0%"), 0),
        (("--max-memory", "much"), 2),
    ],
)
def test_exit_codes(unetscope, heads, arguments, code):
    done = unetscope("diff", *heads, *arguments)
    assert done.code == code
    assert "Traceback" not in done.err


def test_a_broken_bound_says_measurement_and_bound(unetscope, changed):
    done = unetscope("diff", *changed, "--fail-on", "none", "--max-params", "+1%")
    assert done.code == 1
    last = done.out.splitlines()[-1]
    content = json.loads(unetscope("diff", *changed, "-f", "json", "--max-params", "+1%").out)
    failure = next(f for f in content["failures"] if f["rule"] == "max-params")
    assert f"{failure['measured']:,} is above {failure['limit']:,}" in last
    assert "--max-params +1%" in last


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ('fail-on = "none"', 0),
        ('attr-changed = "allow"', 0),
        ('attr-changed = "warn"', 0),
        ('attr-changed = "deny"\nfail-on = "none"', 1),
        ('max-params = "1k"\nfail-on = "none"', 1),
        ('attr-changed = "forbid"', 2),
        ('attr-chnged = "deny"', 2),
        ("fail-on = 3", 2),
        ("max-params = [", 2),
    ],
)
def test_rules_of_a_project(unetscope, heads, project, rules, code):
    (project / "pyproject.toml").write_text(f"[tool.unetscope.diff]\n{rules}\n")
    done = unetscope("diff", *heads)
    assert done.code == code
    assert ("pyproject.toml" in done.err) is (code == 2)


def test_options_go_before_the_rules_of_a_project(unetscope, heads, project):
    (project / "pyproject.toml").write_text('[tool.unetscope.diff]\nfail-on = "none"\n')
    assert unetscope("diff", *heads, "--fail-on", "cost").code == 1


def test_what_is_allowed_is_not_shown(unetscope, heads, project):
    (project / "pyproject.toml").write_text('[tool.unetscope.diff]\nattr-changed = "allow"\n')
    assert "heads" not in unetscope("diff", *heads).out


def test_json_follows_its_schema(unetscope, changed):
    done = unetscope("diff", *changed, "-f", "json")
    content = json.loads(done.out)
    schema = json.loads(unetscope("diff", "--schema").out)
    assert schema == {**schema_of_diff(), "$defs": {"branch": schema_of_branch()}}
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    assert content["passes"] is False
    assert content["counts"]["breaking"] == 4
    assert content["config"] == [{"key": "unet.block_out_channels", "old": [8, 16], "new": [8, 24]}]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "changes": [{}]}, schema)
    for rows in (content[key] for key in ("totals", "changes", "parts", "failures", "config")):
        assert not any(isinstance(value, dict) for row in rows for value in row.values())
    several = [index for index, row in enumerate(content["changes"]) if row["count"] > 1]
    assert several == list(dict.fromkeys(part["change"] for part in content["parts"]))


@pytest.mark.parametrize("form", formats(Content.CHANGES))
def test_every_format_of_a_diff_says_what_changed(unetscope, changed, form):
    done = unetscope("diff", *changed, "-f", form)
    assert done.code == 1
    assert "param-reshaped" in done.out
    assert done.err == ""


def test_markdown_reads_as_a_comment(unetscope, changed):
    text = unetscope("diff", *changed, "-f", "markdown").out
    anchor, about, verdict = text.split("\n\n")[:3]
    assert anchor == f"<!-- {ANCHOR} -->"
    assert about.startswith(f"**Narrow ({LOCK}); Narrow ({CONFIG})** · sample 1x4x16x16, ")
    assert verdict.startswith(f"From **{LOCK}** to **{CONFIG}**: 4 breaking, ")
    assert text.count("<details>") == text.count("</details>") == 1
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    assert sum(token.type == "table_open" for token in tokens) == 3
    assert text.isprintable() or "\x1b" not in text


def test_markdown_is_cut_below_what_github_takes():
    rows = tuple((f"row {index}", "x" * 40) for index in range(5_000))
    columns = (Column("a", "A"), Column("b", "B"))
    shown, hidden = (Table("t", "", columns, rows, folded=folded) for folded in (False, True))
    assert render([shown, hidden], "markdown").count("| row ") == 10_000  # no comment
    text = render([replace(shown, anchor=ANCHOR), hidden], "markdown")
    assert len(text) <= markdown.LARGEST_COMMENT
    assert text.count("more are left out here.") == 2
    shown = text.count("| row ") // 2
    assert f"{5_000 - shown} more are left out here." in text


def test_github_marks_the_line_that_caused_it(unetscope, changed, project):
    done = unetscope("diff", *changed, "-f", "github")
    (line,) = done.out.splitlines()
    number = next(
        index
        for index, text in enumerate((project / CONFIG).read_text().splitlines(), 1)
        if "block_out_channels" in text
    )
    assert line.startswith(f"::error file={CONFIG},line={number},col=27,title=param-reshaped%2C ")
    assert "%0A~ param-reshaped down_blocks.1: " in line


def test_github_warns_of_what_passes(unetscope, heads):
    done = unetscope("diff", *heads, "-f", "github", "--fail-on", "none")
    assert done.out.startswith(f"::warning file={CONFIG},line=8,col=3,title=attr-changed")


def test_junit_is_xml_with_a_failure_for_each_change_that_fails(unetscope, heads):
    root = ET.fromstring(unetscope("diff", *heads, "-f", "junit").out)
    (suite,) = root
    cases = suite.findall("testcase")
    assert suite.get("tests") == str(len(cases)) == "1"
    assert suite.get("failures") == "1"
    assert cases[0].get("name").startswith("attr-changed ")
    equal = ET.fromstring(unetscope("diff", CONFIG, CONFIG, "-f", "junit").out)
    assert equal[0].get("failures") == "0"


def test_the_summary_of_a_github_job(unetscope, heads, project, monkeypatch):
    summary = project / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    unetscope("diff", *heads, "-f", "github")
    text = summary.read_text()
    assert text.startswith(f"before\n<!-- {ANCHOR} -->")
    assert "heads 2 -> 4" in text


def test_names_of_tensors_are_printed_on_request(unetscope, project, monkeypatch):
    monkeypatch.syspath_prepend(str(project))
    (project / "other_names.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, name):\n"
        "        super().__init__()\n"
        "        self._own = name\n"
        "        setattr(self, name, nn.Conv2d(3, 3, 1))\n"
        "    def forward(self, x): return getattr(self, self._own)(x)\n"
        "def old(): return Net('first')\n"
        "def new(): return Net('second')\n"
    )
    arguments = ("diff", "other_names:old", "other_names:new", "--input", "1,3,4,4")
    done = unetscope(*arguments)
    assert done.code == 0
    assert "up to renaming" in done.out
    assert "first.weight" not in done.out
    assert "second.weight" in unetscope(*arguments, "--renamed").out


def test_a_file_at_a_revision(unetscope, project, repository, change, monkeypatch):
    change("[8, 16]", "[8, 24]")
    done = unetscope("diff", f"HEAD:{CONFIG}", CONFIG)
    assert done.code == 1
    assert "[8, 16]" in done.out
    monkeypatch.chdir(project / "configs")
    assert unetscope("diff", f"HEAD:{CONFIG}", "unet.yaml").code == 1
    assert unetscope("diff", "HEAD:unet.yaml", "unet.yaml").code == 1


def test_a_file_at_a_revision_is_run_too(unetscope, project, repository, change):
    change("attention_head_dim: 2", "attention_head_dim: 4")
    done = unetscope("diff", f"HEAD:{CONFIG}", CONFIG, "--verify", "cpu", "-f", "json")
    (run,) = json.loads(done.out)["verified"]
    assert (done.code, run["equal"]) == (1, False)


def test_what_a_file_at_a_revision_extends_is_of_that_revision(
    unetscope, project, repository, change
):
    (project / "configs" / "more.yaml").write_text(
        "extends: unet.yaml\nunet: {layers_per_block: 2}\n"
    )
    repository("add", ".")
    repository("commit", "-qm", "second")
    change("[8, 16]", "[8, 24]")
    done = unetscope("diff", "HEAD:configs/more.yaml", "configs/more.yaml", "-f", "json")
    assert json.loads(done.out)["config"][0]["old"] == [8, 16]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"nowhere:{CONFIG}", "no revision `nowhere`"),
        ("HEAD:configs/other.yaml", "no `configs/other.yaml` at HEAD"),
        (f"--output=x:{CONFIG}", "o"),
        ("HEAD:configs/bad.yaml", "HEAD:configs/bad.yaml:1:1"),
    ],
)
def test_revisions_that_cannot_be_read(unetscope, project, source, said, repository):
    (project / "configs" / "bad.yaml").write_text("unit: {}\n")
    repository("add", ".")
    repository("commit", "-qm", "bad")
    done = unetscope("diff", source, CONFIG)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


HOSTILE = """
[core]
    fsmonitor = touch RAN
    sshCommand = touch RAN
    pager = touch RAN
    hooksPath = .
    editor = touch RAN
[pager]
    cat-file = true
[alias]
    cat-file = !touch RAN
    rev-parse = !touch RAN
[filter "any"]
    smudge = touch RAN
    process = touch RAN
[diff "any"]
    textconv = touch RAN
[extensions]
    partialClone = origin
[remote "origin"]
    url = ext::touch RAN
    promisor = true
    partialclonefilter = blob:none
[protocol]
    allow = always
[protocol "ext"]
    allow = always
"""


def test_a_repository_of_somebody_elses_runs_nothing(unetscope, project, repository):
    (project / ".gitattributes").write_text("* filter=any diff=any\n")
    repository("add", ".")
    repository("commit", "-qm", "second")
    blob = subprocess.run(
        ["git", "rev-parse", f"HEAD:{CONFIG}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    config = project / ".git" / "config"
    config.write_text(config.read_text() + HOSTILE.replace("RAN", str(project / "ran")))
    assert unetscope("diff", f"HEAD:{CONFIG}", CONFIG).code == 0
    assert unetscope("diff", f":{CONFIG}", CONFIG).code == 0
    assert unetscope("diff", "--base", "HEAD").code == 0
    # What is missing would be fetched, by any command that the repository names.
    (project / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    done = unetscope("diff", f"HEAD:{CONFIG}", CONFIG)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert not list(project.rglob("ran"))


def test_a_bare_repository_is_not_taken_for_ours(unetscope, project, repository, monkeypatch):
    subprocess.run(["git", "clone", "-q", "--bare", ".", "inner.git"], check=True)
    monkeypatch.chdir(project / "inner.git")
    done = unetscope("skips", f"HEAD:{CONFIG}")
    assert (done.code, done.out) == (2, "")
    assert "bare" in done.err


@pytest.mark.parametrize("content", ["{}", '{"format_version": 99}', "{\n<<<<<<< HEAD\n", ""])
def test_a_bad_lock_cannot_be_compared(unetscope, project, content):
    (project / "bad.lock").write_text(content)
    done = unetscope("diff", "bad.lock", CONFIG)
    assert done.code == 2
    assert "bad.lock" in done.err


def test_two_locks_or_traces_need_no_torch(unetscope, changed, project):
    unetscope("lock", CONFIG, "-o", "new.lock")
    unetscope("trace", CONFIG, "--save", "new.json", "--sections", "model")
    script = """
import sys
from unetscope import cli
for form in ("terminal", "json", "github", "markdown", "junit"):
    assert cli.run([*sys.argv[1:], "-f", form]) == 1
    print(form, "torch" in sys.modules, file=sys.stderr)
"""
    for new in ("new.lock", "new.json"):
        done = subprocess.run(
            [sys.executable, "-c", script, "diff", LOCK, new],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(ROOT)},
        )
        assert "json False" in done.stderr
        assert "True" not in done.stderr


def test_chinese(unetscope, heads):
    assert "变化" in unetscope("diff", *heads, "--lang", "zh").out


def test_models_side_by_side(unetscope, changed):
    done = unetscope("compare", *changed, "-f", "json")
    assert done.code == 0
    rows = json.loads(done.out)["compare"]["rows"]
    assert [row["block_out_channels"] for row in rows] == [[8, 16], [8, 24]]
    assert rows[0]["parameters"] < rows[1]["parameters"]
    shares = [value for key, value in rows[0].items() if key.endswith("_share")]
    assert sum(shares) == pytest.approx(1)
