"""`unetscope check`: stdout, stderr and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

AS_WRITTEN = Path(__file__).parents[1] / "configs" / "article_003_as_written.yaml"
THIRTY = ("  sample_size: 16\n", "  sample_size: 16\n  norm_num_groups: 30\n")
ODD_TEXT = ("768", "770")


def test_nothing_found(check, narrow):
    done = check(narrow())
    assert (done.code, done.out, done.err) == (0, "Nothing found.\n", "")


def test_the_article_as_written(check):
    done = check(AS_WRITTEN)
    lines = done.out.splitlines()
    assert done.code == 1
    assert lines[0].startswith(f"{AS_WRITTEN}:15:3: error [groups] unet.input_norm_groups: ")
    assert lines[1] == "  hint: 4 would do"
    assert lines[2].startswith(f"{AS_WRITTEN}:17:3: error [skip-channels] unet.up_res_channels: ")
    assert "expected 192 channels" in lines[2]
    assert "found 128, twice the 64 that go out, in norm1, conv1 and skip" in lines[2]
    assert lines[4] == "Errors: 2. Warnings: 0."


def test_an_error_is_one_finding(check, narrow):
    done = check(narrow(THIRTY))
    assert done.code == 1
    assert done.out == (
        "narrow.yaml:4:3: error [groups] unet.norm_num_groups: expected a divisor of the levels' "
        "channels, 64 and 128, found 30\n"
        "  hint: 16 divides all of block_out_channels\n"
        "Errors: 1. Warnings: 0.\n"
    )


def test_warnings_fail_if_strict(check, narrow):
    name = narrow(ODD_TEXT)
    usual, strict = check(name), check(name, "--strict")
    assert usual.out == strict.out
    assert "narrow.yaml:9:3: warning [text-width]" in usual.out
    assert (usual.code, strict.code) == (0, 1)


def test_several_configs(check, narrow):
    first, second = narrow(THIRTY, name="a.yaml"), narrow(ODD_TEXT, name="b.yaml")
    done = check(first, second)
    assert done.code == 1
    assert [line.split(":")[0] for line in done.out.splitlines() if ".yaml:" in line] == [
        "a.yaml",
        "b.yaml",
    ]


def test_a_missing_file_is_no_finding(check, narrow):
    """The others are checked all the same."""
    done = check("nowhere.yaml", narrow(THIRTY))
    assert done.code == 2
    assert 'no shipped config "nowhere.yaml"' in done.err
    assert "[groups]" in done.out


def test_what_is_no_yaml_is_a_finding(check, tmp_path):
    (tmp_path / "broken.yaml").write_text("unet: [\n", encoding="utf-8")
    done = check("broken.yaml")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("broken.yaml:2:1: error [malformed] not YAML")


def test_a_base_that_is_missing_is_a_finding(check, tmp_path):
    (tmp_path / "child.yaml").write_text("extends: gone.yaml\n", encoding="utf-8")
    done = check("child.yaml")
    assert done.code == 1
    assert done.out.startswith("child.yaml:1:1: error [malformed] ")


def test_without_a_config(check, tmp_path, narrow):
    narrow(THIRTY)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.unetscope]\nconfig = "narrow.yaml"\n', encoding="utf-8"
    )
    done = check()
    assert done.code == 1
    assert "narrow.yaml:4:3" in done.out
    assert "no config named" in done.err


def test_ignore(check, narrow):
    name = narrow(THIRTY, ODD_TEXT)
    assert "[text-width]" in check(name).out
    done = check(name, "--ignore", "groups", "--ignore", "text-width")
    assert (done.code, done.out) == (0, "Nothing found.\n")


def test_ignore_in_pyproject(check, narrow, tmp_path):
    name = narrow(THIRTY)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.unetscope.check]\nignore = ["groups"]\n', encoding="utf-8"
    )
    assert check(name).code == 0


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('ignore = ["grups"]', "did you mean `groups`?"),
        ('ignore = "groups"', "expected a list of ids"),
        ("ignore = [1]", "there is no finding 1"),
        ("ignore = [[]]", "there is no finding []"),
        ("ignored = []", "no such setting"),
    ],
)
def test_a_wrong_setting(check, narrow, tmp_path, toml, said):
    (tmp_path / "pyproject.toml").write_text(f"[tool.unetscope.check]\n{toml}\n", encoding="utf-8")
    done = check(narrow())
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_an_unknown_id(check, narrow):
    done = check(narrow(), "--ignore", "grups")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `groups`?" in done.err


def test_overrides_and_sizes(check, narrow):
    done = check(narrow(), "--set", "cross_attention_dim=770", "--height", "15")
    assert done.code == 0
    assert "--set cross_attention_dim=770: warning [text-width]" in done.out
    assert "--height 15: warning [odd-size]" in done.out


def test_legal_sizes(check):
    done = check("sd15", "--sizes", "--format", "json")
    [table] = json.loads(done.out)["sizes"]
    rows = {row["multiple_of"]: row for row in table["rows"]}
    assert {factor: row["maps"] for factor, row in rows.items()} == {
        8: [64, 32, 16, 8],
        4: [68, 34, 17, 9],
        2: [66, 33, 17, 9],
        1: [65, 33, 17, 9],
    }
    assert all(row["works"] for row in rows.values())
    assert [rows[factor]["odd_level"] for factor in (8, 4, 2, 1)] == [None, 2, 1, 0]


def test_legal_sizes_where_the_size_is_not(check):
    done = check("adm_imagenet64", "--height", "60", "--sizes")
    assert done.code == 1
    assert "[size]" in done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert any(line[:5] == ["multiples", "of", "8", "yes", "8"] for line in lines)
    assert any(line[:7] == ["multiples", "of", "4,", "not", "of", "8", "no"] for line in lines)


def test_json_says_which_networks_were_checked_with_what(check, narrow):
    one = json.loads(check(narrow(), "--set", "layers_per_block=2", "-f", "json").out)
    assert one["provenance"]["overrides"] == ["layers_per_block=2"]
    several = json.loads(check("sd15", "missing.yaml", "sdxl_base", "-f", "json").out)
    assert [each["config"] for each in several["provenance"]] == ["sd15", "sdxl_base"]
    assert "provenance" not in json.loads(check("missing.yaml", "-f", "json").out)


def test_json(check, narrow):
    done = check(narrow(THIRTY), "--format", "json")
    findings = json.loads(done.out)["findings"]
    assert (findings["errors"], findings["warnings"]) == (1, 0)
    [row] = findings["rows"]
    assert row["hint"] == "16 divides all of block_out_channels"
    assert [row[key] for key in ("level", "file", "line", "column", "id")] == [
        "error", "narrow.yaml", 4, 3, "groups",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["markdown", "csv"])
def test_tables(check, narrow, form):
    done = check(narrow(THIRTY), "--format", form)
    assert done.code == 1
    assert "groups" in done.out
    assert "narrow.yaml" in done.out


def test_github_marks_lines(check, narrow):
    name = narrow(THIRTY, name="a,b%.yaml")
    done = check(name, "--format", "github")
    assert done.code == 1
    assert done.out == (
        "::error file=a%2Cb%25.yaml,line=4,col=3,title=groups::unet.norm_num_groups: expected a "
        "divisor of the levels' channels, 64 and 128, found 30%0A"
        "16 divides all of block_out_channels\n"
    )


def test_sarif(check, narrow):
    name = narrow(THIRTY, ODD_TEXT, name="a b.yaml")
    log = json.loads(check(name, "--format", "sarif").out)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    described = {rule["id"]: rule["shortDescription"]["text"] for rule in
                 run["tool"]["driver"]["rules"]}  # fmt: skip
    assert described["groups"] == "A norm's groups do not divide its channels."
    results = {result["ruleId"]: result for result in run["results"]}
    assert set(results) == set(described) == {"groups", "text-width"}
    assert results["groups"]["level"] == "error"
    assert results["text-width"]["level"] == "warning"
    [location] = results["groups"]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b.yaml"},
        "region": {"startLine": 4, "startColumn": 3},
    }


def test_sarif_of_an_absolute_path_and_of_an_option(check, narrow, tmp_path):
    log = check(tmp_path / narrow(THIRTY), "--height", "15", "--format", "sarif").out
    results = {result["ruleId"]: result for result in json.loads(log)["runs"][0]["results"]}
    [location] = results["groups"]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"].startswith("file:///")
    assert "locations" not in results["odd-size"]


def test_sarif_of_nothing(check, narrow):
    log = json.loads(check(narrow(), "--format", "sarif").out)
    assert log["runs"][0]["results"] == []


def test_output(check, narrow, tmp_path):
    done = check(narrow(THIRTY), "-f", "sarif", "-o", "found.sarif")
    assert (done.code, done.out) == (1, "")
    assert json.loads((tmp_path / "found.sarif").read_text(encoding="utf-8"))["runs"]


def test_chinese(check, narrow):
    assert "错误：1。警告：0。" in check(narrow(THIRTY), "--lang", "zh").out


def test_torch_stays_out_where_there_are_errors(narrow, tmp_path):
    code = (
        "import sys; from unetscope import cli; code = cli.run(['check', 'narrow.yaml', "
        "'--sizes']); print(code, 'torch' in sys.modules)"
    )
    narrow(THIRTY)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "1 False"
