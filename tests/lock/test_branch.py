"""`unetscope diff --base`: what a branch changed, in real repositories."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET

import jsonschema
import pytest
from narrow_configs import NARROW

from unetscope.config import load
from unetscope.config.files import shipped
from unetscope.render import PLAIN
from unetscope.render.comment import MOST, comment
from unetscope.sources.chains import chain, extract
from unetscope.sources.chosen import _translated
from unetscope.sources.trees import Tree
from unetscope.table import Column, Table
from unetscope.views.branch_document import schema

CONFIG, LOCK = "configs/unet.yaml", "configs/unet.lock"
GROUPS = ("norm_num_groups: 4", "norm_num_groups: 2")


@pytest.fixture
def git(project, monkeypatch):
    """A function that runs git in the project, where `main` holds one config and its lock."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*arguments, cwd=project):
        who = ("-c", "user.name=n", "-c", "user.email=n@example.org")
        more = ("-c", "protocol.file.allow=always")
        command = ["git", *who, *more, *arguments]
        return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout

    run("init", "-q", "-b", "main")
    run("add", ".")
    run("commit", "-qm", "first")
    run("switch", "-qc", "topic")
    return run


@pytest.fixture
def commit(git):
    def run():
        git("add", ".")
        git("commit", "-qm", "more")

    return run


@pytest.fixture
def report(unetscope):
    """A function that compares with `main` and returns exit code, document and rows by path."""

    def run(*arguments, base="main"):
        compared = [] if base is None else ["--base", base]
        done = unetscope("diff", *compared, "-f", "json", *arguments)
        content = json.loads(done.out)
        jsonschema.validate(content, schema())
        assert content["exit_code"] == done.code
        return done.code, content, {row["path"]: row for row in content["networks"]}

    return run


def test_nothing_changed_and_nothing_is_read(project, git, unetscope, report):
    (project / "configs" / "heir.yaml").write_text("extends: unet.yaml\n")
    git("add", ".")
    git("commit", "-qm", "heir")
    git("switch", "-qc", "further")
    code, _, rows = report(base="topic")
    assert code == 0
    assert {row["status"] for row in rows.values()} == {"unchanged"}
    assert unetscope("diff", "--base", "topic").out.startswith("Nothing changed since topic (")
    for form in ("markdown", "github"):
        assert unetscope("diff", "--base", "topic", "-f", form).out == ""
    assert json.loads(unetscope("diff", "--base", "topic", "-f", "sarif").out)["runs"]
    script = (
        "import sys; from unetscope import cli\n"
        "code = cli.run(['diff', '--base', 'topic', 'configs/', '-q'])\n"
        "sys.exit(code or bool({'torch', 'msgspec'} & {*sys.modules} - {'msgspec'}))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=project).returncode == 0


def test_only_text_needs_no_pass(project, git, change, unetscope):
    change("name: Narrow", "name: Narrower # indeed")
    change("layers_per_block: 1", "layers_per_block: 1\n  act_fn: silu")
    script = (
        "import json, sys; from unetscope import cli\n"
        "code = cli.run(['diff', '--base', 'main', '-q', '-f', 'json', *sys.argv[1:]])\n"
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    for more, code in ((), 0), (("--fail-on", "cosmetic"), 1):
        done = subprocess.run(
            [sys.executable, "-c", script, *more], cwd=project, capture_output=True, text=True
        )
        (row,) = json.loads(done.stdout)["networks"]
        assert (row["status"], row["severity"], done.returncode) == ("text-only", "cosmetic", code)
    done = unetscope("diff", "--base", "main")
    assert done.out.startswith("Nothing changed since ")
    assert "text only" in done.out
    assert unetscope("diff", "--base", "main", "-f", "markdown").out == ""


def test_a_branch_is_compared_with_where_it_left_its_base(git, commit, change, report, unetscope):
    change(*GROUPS)
    commit()
    git("switch", "-q", "main")
    change("[8, 16]", "[8, 24]")
    commit()
    git("switch", "-q", "topic")
    done = unetscope("diff", "--base", "main")
    assert "where HEAD left main" in done.err
    code, content, rows = report()
    assert code == 1
    assert [row["key"] for row in content["config"]] == ["unet.norm_num_groups"]
    assert rows[CONFIG]["parameters_before"] == rows[CONFIG]["parameters_after"] > 0
    # The tips of both are another question.
    _, content, _ = report("main", "HEAD", base=None)
    assert len(content["config"]) == 2


@pytest.mark.parametrize(
    "base", ["origin/main", "mian", "nowhere", "--output=x", "", "main:configs"]
)
def test_a_base_that_is_not_there(git, unetscope, base):
    done = unetscope("diff", f"--base={base}", "configs")
    assert (done.code, done.out) == (2, "")
    assert "no revision" in done.err
    assert "hint: " in done.err


def test_a_revision_beside_a_network(git, unetscope):
    for names in (("main", CONFIG), ("sd15", "main"), ("main", "nowhere")):
        done = unetscope("diff", *names)
        assert (done.code, done.out) == (2, "")
        assert "`main` is a revision, and `" in done.err
        assert "diff --base main" in done.err


@pytest.fixture
def clone(project, git, commit, change, monkeypatch):
    """A function that clones `topic` of the project, changed, and goes there."""

    def run(*arguments):
        change(*GROUPS)
        commit()
        there = project.parent / f"{project.name}-clone"
        url = project.as_uri()
        git("clone", "-q", "-b", "topic", *arguments, url, str(there), cwd=project.parent)
        monkeypatch.chdir(there)
        return there

    return run


def test_a_shallow_clone_says_what_to_fetch(clone, git, unetscope, report):
    there = clone("--depth=1")
    done = unetscope("diff", "--base", "origin/main")
    fetch = "git fetch --unshallow origin +refs/heads/main:refs/remotes/origin/main"
    assert (done.code, done.out) == (2, "")
    assert f"`{fetch}` brings the branch" in done.err
    git(
        "fetch", "-q", "--depth=1", "origin", "+refs/heads/main:refs/remotes/origin/main", cwd=there
    )
    done = unetscope("diff", "--base", "origin/main")
    assert (done.code, done.out) == (2, "")
    assert "no commit in common: this clone is shallow" in done.err
    assert "`git fetch --unshallow --tags origin` brings the history" in done.err
    git(*fetch.split()[1:], cwd=there)
    assert report(base="origin/main")[2][CONFIG]["status"] == "changed"


def test_auto_is_the_remotes_default_branch(clone, git, unetscope):
    there = clone()
    git("remote", "set-head", "origin", "topic", cwd=there)
    assert "the base is origin/topic" in unetscope("diff", "--base", "auto").err
    git("remote", "set-head", "origin", "--delete", cwd=there)
    done = unetscope("diff", "--base", "auto")
    assert (done.code, done.err.splitlines()[0]) == (1, "the base is origin/main")
    git("branch", "-dr", "origin/main", cwd=there)
    done = unetscope("diff", "--base", "auto")
    assert done.code == 2
    assert "git remote set-head origin --auto" in done.err
    git("remote", "remove", "origin", cwd=there)
    assert "there is no remote" in unetscope("diff", "--base", "auto").err


def test_renamed_deleted_and_new(project, git, commit, change, report):
    git("switch", "-q", "main")
    (project / "configs" / "gone.yaml").write_text(NARROW.replace("[8, 16]", "[12, 20]"))
    commit()
    git("switch", "-qc", "moving")
    (project / "models").mkdir()
    git("mv", CONFIG, "models/net.yaml")
    path = project / "models" / "net.yaml"
    path.write_text(path.read_text().replace(*GROUPS))
    git("rm", "-q", "configs/gone.yaml")
    (project / "configs").mkdir(exist_ok=True)
    (project / "configs" / "fresh.yaml").write_text("extends: sd15\nunet: {layers_per_block: 1}\n")
    code, content, rows = report("configs", "models", "--fail-on", "none", "--max-params", "1M")
    assert code == 1  # a bound that is no difference holds for what is new, too
    assert {p: (r["status"], r["was"], r["passes"]) for p, r in rows.items()} == {
        "configs/fresh.yaml": ("new", None, False),
        "configs/gone.yaml": ("deleted", None, True),
        "models/net.yaml": ("renamed", CONFIG, True),
    }
    assert rows["configs/fresh.yaml"]["parameters_before"] is None
    assert rows["configs/gone.yaml"]["severity"] == "breaking"
    assert [c["id"] for c in content["changes"] if c["network"] == "models/net.yaml"] == [
        "attr-changed",
        "network-renamed",
    ]
    # What left the folder that was named is found all the same.
    assert report("configs", "--fail-on", "none")[2]["models/net.yaml"]["was"] == CONFIG


def test_a_lock_that_was_left_behind_fails(project, git, commit, unetscope, report):
    git("switch", "-q", "main")
    unetscope("lock", CONFIG)
    (project / "poetry.lock").write_text("# of somebody else\n")
    commit()
    git("switch", "-qc", "further")
    git("mv", CONFIG, "configs/net.yaml")
    code, _, rows = report("--fail-on", "none")
    assert (code, rows["configs/net.yaml"]["orphaned_lock"]) == (1, LOCK)
    done = unetscope("diff", "--base", "main", "--fail-on", "none", "-f", "github")
    assert f"::error file={LOCK},line=1,title=lock::" in done.out
    git("mv", LOCK, "configs/net.lock")
    code, _, rows = report("--fail-on", "none")
    assert (code, list(rows)) == (0, ["configs/net.yaml"])


def test_locks_of_tests_are_compared_without_torch(project, git, commit, change, unetscope, report):
    (project / "tests").mkdir()
    git("switch", "-q", "main")
    for name in ("same", "other", "gone"):
        unetscope("lock", CONFIG, "-o", f"tests/{name}.lock")
    commit()
    git("switch", "-qc", "further")
    change(*GROUPS)
    unetscope("lock", CONFIG, "-o", "tests/other.lock")
    git("checkout", "-q", CONFIG)
    git("rm", "-q", "tests/gone.lock")
    script = (
        "import sys; from unetscope import cli\n"
        "code = cli.run(['diff', '--base', 'main', '-q'])\n"
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=project).returncode == 1
    _, content, rows = report()
    assert {path: row["status"] for path, row in rows.items()} == {
        CONFIG: "unchanged",
        "tests/gone.lock": "deleted",
        "tests/other.lock": "changed",
        "tests/same.lock": "unchanged",
    }
    assert {c["id"] for c in content["changes"]} == {"network-deleted", "attr-changed"}
    (project / "tests" / "same.lock").write_text("<<<<<<< HEAD\nunetscope lock, format 4\n")
    code, _, rows = report()
    assert (code, rows["tests/same.lock"]["status"]) == (2, "unreadable")


def test_what_heirs_have_in_common_is_said_once(project, git, commit, change, report, unetscope):
    for layers in (1, 2, 3):
        text = f"extends: unet.yaml\nunet: {{layers_per_block: {layers}}}\n"
        (project / "configs" / f"heir{layers}.yaml").write_text(text)
    commit()
    git("switch", "-qc", "further")
    change(*GROUPS)
    heir = project / "configs" / "heir3.yaml"
    heir.write_text(heir.read_text().replace("3}", "3, attention_head_dim: 4}"))
    code, _, rows = report(base="topic")
    assert code == 1
    assert [row["status"] for row in rows.values()] == ["base-changed"] * 2 + ["changed"] * 2
    out = unetscope("diff", "--base", "topic").out
    _, alike, own = out.split("━━ ")
    assert alike.startswith("4 networks change alike: configs/heir1.yaml, ")
    assert own.startswith("configs/heir3.yaml\n")
    assert "num_groups 4 -> 2 (21-41 modules)" in alike
    assert "norm_num_groups" in alike
    assert "norm_num_groups" not in own
    assert "heads 2 -> 4" in own
    marked = unetscope("diff", "--base", "topic", "-f", "github").out.splitlines()
    assert len(marked) == 2
    assert f"::error file={CONFIG},line=10," in marked[0]
    assert (
        "This line also concerns: configs/heir2.yaml, configs/heir3.yaml, configs/unet.yaml."
        in marked[0]
    )
    root = ET.fromstring(unetscope("diff", "--base", "topic", "-f", "junit").out)
    assert [suite.get("failures") for suite in root] == ["4", "1", "1", "2", "1"]
    git("rm", "-qf", CONFIG)
    assert {row["status"] for row in report(base="topic")[2].values()} == {"unreadable", "deleted"}


def test_a_broken_config_is_found_at_its_line_beside_the_others(
    project, git, change, report, unetscope
):
    change(*GROUPS)
    (project / "configs" / "broken.yaml").write_text("extends: sd15\nunet:\n  a: [\n")
    code, _, rows = report()
    broken = rows["configs/broken.yaml"]
    assert (code, broken["status"], broken["error_line"], broken["passes"]) == (
        2,
        "unreadable",
        4,
        None,
    )
    assert rows[CONFIG]["severity"] == "behavioural"
    done = unetscope("diff", "--base", "main", "-f", "github")
    assert "::error file=configs/broken.yaml,line=4,col=1,title=unchecked::" in done.out
    assert f"::error file={CONFIG}," in done.out


def test_a_config_that_could_not_be_read_at_the_base_is_mended(project, git, commit, report):
    (project / CONFIG).write_text("unet: [\n")
    commit()
    git("switch", "-qc", "further")
    (project / CONFIG).write_text(NARROW)
    code, _, rows = report(base="topic")
    assert (code, rows[CONFIG]["status"]) == (0, "mended")
    assert rows[CONFIG]["error_file"].endswith(f":{CONFIG}")


def test_a_base_outside_of_all_commits_is_never_said_to_be_mended(project, commit, change, report):
    outside = project.parent / f"{project.name}-outside.yaml"
    outside.write_text(NARROW)
    config = project / "configs" / "heir.yaml"
    config.write_text(f"extends: ../../{outside.name}\n")
    commit()
    code, _, rows = report("configs/heir.yaml", base="topic")
    assert (code, rows["configs/heir.yaml"]["status"]) == (0, "unchanged")
    config.write_text(f"extends: ../../{outside.name}\nunet: {{norm_num_groups: 2}}\n")
    code, _, rows = report("configs/heir.yaml", base="topic")
    assert (code, rows["configs/heir.yaml"]["status"]) == (2, "unreadable")


def test_a_base_in_a_submodule_is_what_its_commit_was(
    project, git, commit, report, tmp_path_factory
):
    shared = tmp_path_factory.mktemp("shared")
    git("init", "-q", "-b", "main", cwd=shared)
    for text in NARROW, NARROW.replace(*GROUPS):
        (shared / "base.yaml").write_text(text)
        git("add", ".", cwd=shared)
        git("commit", "-qm", "base", cwd=shared)
    git("submodule", "add", "-q", str(shared), "shared")
    git("checkout", "-q", "HEAD~1", cwd=project / "shared")
    (project / "configs" / "heir.yaml").write_text("extends: ../shared/base.yaml\n")
    commit()
    assert report("configs/heir.yaml", base="topic")[0] == 0
    git("checkout", "-q", "main", cwd=project / "shared")
    git("switch", "-qc", "further")
    commit()
    for arguments, base in (((), "topic"), (("topic", "further"), None)):
        code, _, rows = report(*arguments, "configs/heir.yaml", base=base)
        row = rows["configs/heir.yaml"]
        assert (code, row["status"], row["severity"]) == (1, "base-changed", "behavioural")
    git("submodule", "-q", "deinit", "-f", "shared")
    assert report("configs/heir.yaml", base="topic")[0] == 2


@pytest.mark.parametrize("adopted", [True, False])
def test_locks_that_move_with_the_settings_are_no_networks(
    project, git, commit, unetscope, report, adopted
):
    settings = project / "pyproject.toml"
    settings.write_text("" if adopted else '[tool.unetscope]\nlocks = "locks"\n')
    unetscope("lock", CONFIG)
    commit()
    git("switch", "-qc", "further")
    settings.write_text('[tool.unetscope]\nlocks = "locks"\n' if adopted else "")
    (project / "configs" / "locks").mkdir(exist_ok=True)
    places = [LOCK, "configs/locks/unet.lock"]
    git("mv", *(places if adopted else places[::-1]))
    commit()
    code, _, rows = report(base="topic")
    assert (code, [row["status"] for row in rows.values()]) == (0, ["unchanged"])


def test_a_broken_base_is_said_once_of_all_its_heirs(project, git, commit, unetscope):
    for name in "ab":
        (project / "configs" / f"{name}.yaml").write_text("extends: unet.yaml\n")
    commit()
    (project / CONFIG).write_text("unet: [\n")
    done = unetscope("diff", "--base", "topic")
    assert done.code == 2
    assert done.err.count("not YAML") == done.out.count("not YAML") == 1
    assert done.out.count("unreadable") == 3


def test_the_first_run(project, git, report):
    git("rm", "-rq", "--cached", ".")
    git("commit", "-q", "--allow-empty", "-m", "nothing")
    git("switch", "-qc", "first")
    code, _, rows = report(base="topic")
    assert (code, rows[CONFIG]["status"]) == (0, "new")


def test_the_index(git, change, unetscope):
    change(*GROUPS)
    git("add", ".")
    change("[8, 16]", "[8, 24]")
    first = json.loads(unetscope("diff", f"HEAD:{CONFIG}", f":{CONFIG}", "-f", "json").out)
    then = json.loads(unetscope("diff", f":{CONFIG}", CONFIG, "-f", "json").out)
    assert [c["key"] for c in first["config"]] == ["unet.norm_num_groups"]
    assert [c["key"] for c in then["config"]] == ["unet.block_out_channels"]
    done = unetscope("diff", ":configs/other.yaml", CONFIG)
    assert (done.code, "no `configs/other.yaml` in the index" in done.err) == (2, True)


def test_what_a_merge_left_open_is_in_no_index(git, commit, change, unetscope):
    change(*GROUPS)
    commit()
    git("switch", "-q", "main")
    change("norm_num_groups: 4", "norm_num_groups: 1")
    commit()
    with pytest.raises(subprocess.CalledProcessError):
        git("merge", "-q", "topic")
    done = unetscope("diff", f":{CONFIG}", "sd15")
    assert (done.code, done.out) == (2, "")
    assert "a merge has left it open" in done.err


def test_links_are_followed_at_both_times(project, git, commit, change, report, unetscope):
    (project / "link.yaml").symlink_to(CONFIG)
    (project / "folder").symlink_to("configs", target_is_directory=True)
    (project / "out.yaml").symlink_to("/etc/hostname")
    commit()
    git("switch", "-qc", "further")
    change(*GROUPS)
    _, _, rows = report("link.yaml", "folder/", base="topic")
    assert {path: row["status"] for path, row in rows.items()} == {
        CONFIG: "changed",
        "link.yaml": "changed",
    }
    for old in ("HEAD:link.yaml", "HEAD:folder/unet.yaml"):
        assert unetscope("diff", old, CONFIG).code == 1
    done = unetscope("skips", "HEAD:out.yaml")
    assert (done.code, "a link to no file" in done.err) == (2, True)


def test_what_a_sparse_checkout_leaves_out_is_as_the_index_has_it(project, git, commit, report):
    (project / "other").mkdir()
    (project / "other" / "heir.yaml").write_text("extends: ../configs/unet.yaml\n")
    commit()
    git("sparse-checkout", "set", "configs")
    assert not (project / "other").exists()
    code, _, rows = report(base="topic")
    assert (code, {row["status"] for row in rows.values()}) == (0, {"unchanged"})
    code, _, rows = report()
    assert (code, rows["other/heir.yaml"]["status"]) == (2, "unreadable")


class Files(Tree):
    """The files of a folder, as a repository that ships the shipped configs has them."""

    name = "files"

    def __init__(self, top):
        self.top = top

    @property
    def paths(self):
        return [str(path.relative_to(self.top)) for path in self.top.rglob("*")]

    def holds(self, path):
        return (self.top / path).is_file()

    def pinned(self, path):
        return None

    def identity(self, path):
        return self.content(path).hex()

    def content(self, path):
        return (self.top / path).read_bytes()


def test_shipped_configs_are_files_of_the_repository_that_ships_them(tmp_path):
    top = shipped()["sd15"].parents[1]
    found = chain(Files(top), "configs/bk_sdm_base.yaml", top)
    assert list(found.values()) == [
        f"configs/{name}.yaml" for name in ("bk_sdm_base", "sd14", "sd15")
    ]
    assert extract(Files(top), "configs/bk_sdm_base.yaml", tmp_path, top)
    base = tmp_path / "configs" / "sd15"
    base.write_text(base.read_text().replace("norm_num_groups: 32", "norm_num_groups: 16"))
    heir = str(tmp_path / "configs" / "bk_sdm_base.yaml")
    assert (load(heir).unet.norm_num_groups, load("bk_sdm_base").unet.norm_num_groups) == (16, 32)
    # Of another repository, they are none of its files.
    assert list(chain(Files(top), "configs/sd14.yaml")) == ["configs/sd14.yaml"]


def test_nothing_is_written_beside_the_folder(tmp_path):
    """A shipped config is looked for beside its heir, from where its own base may lie outside."""
    texts = {
        "heir.yaml": "extends: sd14\n",
        "configs/sd14.yaml": "extends: ../base.yaml\n",
        "base.yaml": "name: base\n",
    }

    class Told(Files):
        def holds(self, path):
            return path in texts

        def content(self, path):
            return texts[path].encode()

    top, folder = shipped()["sd14"].parents[1], tmp_path / "folder"
    assert list(chain(Told(top), "heir.yaml", top)) == ["heir.yaml", "sd14"]
    assert extract(Told(top), "heir.yaml", folder, top)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_paths_that_mean_nothing(project, git, unetscope):
    (project / "README.md").write_text("# Hello\n")
    (project / "empty").mkdir()
    for path, said in (
        ("nowhere/", "no file matches `nowhere/`"),
        ("configs/*.yml", "no file matches"),
        ("README.md", "no config"),
        ("/etc", "not in this repository"),
        ("empty", "git knows no file in `empty`"),
    ):
        done = unetscope("diff", "--base", "main", path)
        assert (done.code, done.out) == (2, "")
        assert said in done.err
    for arguments in ((), (CONFIG,), (CONFIG, CONFIG, CONFIG), (CONFIG, CONFIG, "--comment", "x")):
        done = unetscope("diff", *arguments)
        assert done.code == 2
        assert "--base" in done.err


def test_other_files_in_a_folder_are_no_configs(project, git, report, unetscope):
    (project / "tsconfig.json").write_text('{"extends": "./base.json", "compilerOptions": {}}')
    (project / "ci.yml").write_text("on: push\njobs: {}\n")
    (project / "broken.yml").write_text("jobs: [\n")
    (project / "heir.yaml").write_text("extends: configs/unet.yaml\n")
    assert list(report()[2]) == [CONFIG, "heir.yaml"]
    typo = project / "typo.yaml"
    typo.write_text("family: UNet2DModel\nunett: {}\n")
    assert report()[2]["typo.yaml"]["status"] == "unreadable"
    typo.unlink()
    # What was named itself is meant to be one.
    assert report("*.yml")[0] == 2
    (project / "pyproject.toml").write_text('[tool.unetscope]\nconfigs = ["configs/"]\n')
    assert list(report()[2]) == [CONFIG]
    (project / "pyproject.toml").write_text('[tool.unetscope]\nconfigs = "configs/"\n')
    assert "tool.unetscope.configs: expected paths" in unetscope("diff", "--base", "main").err


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.yaml", ["a.yaml", ".yaml"], ["b/a.yaml", "a.yml"]),
        ("**/*.yaml", ["a.yaml", "b/c/a.yaml"], ["a.yml"]),
        ("b/**", ["b/a", "b/c/a"], ["c/b/a"]),
        ("u[0-9]?.y", ["u1x.y"], ["ua1.y", "u1/.y"]),
        ("[!a]", ["b"], ["a"]),
        ("[^a].+", ["^.+", "a.+"], ["b.+", "axx"]),
        ("[", ["["], ["x"]),
    ],
)
def test_globs(glob, yes, no):
    import re

    pattern = re.compile(_translated(glob))
    assert all(map(pattern.fullmatch, yes))
    assert not any(map(pattern.fullmatch, no))


HOSTILE = "@all | <img> `x` $(touch ran) \u202e::error::%0A"


def test_hostile_names_are_text(project, git, commit, change, unetscope):
    name = f"configs/{HOSTILE.replace('/', '')}\n.yaml"
    (project / name).write_text(NARROW.replace("Narrow", json.dumps(HOSTILE)))
    commit()
    branch = "@all/<img>`x`$(touch${IFS}ran)|"
    git("branch", branch)
    git("switch", "-qc", "further")
    path = project / name
    path.write_text(path.read_text().replace(*GROUPS))
    for form in ("terminal", "markdown", "github", "junit", "sarif", "json", "html"):
        done = unetscope("diff", "--base", branch, "-f", form)
        assert done.code == 1
        assert "\u202e" not in done.out + done.err
        assert not list(project.rglob("ran"))
        match form:
            case "markdown":
                text, _, drawn = done.out.partition("```text\n")
                assert drawn.count("```") == 1  # all that is before its end is text
                code = text.split("<code>")
                assert "@all" not in code[0].replace("@&#8203;all", "")
                assert "<img>" not in text.replace("\\<img>", "")
            case "github":
                assert done.out.count("\n") == 1
            case "junit":
                assert HOSTILE[:8] in ET.fromstring(done.out)[0][0].get("name")
            case "json" | "sarif":
                assert json.loads(done.out)


def test_ten_annotations_at_most(project, git, unetscope):
    for number in range(14):
        (project / "configs" / f"n{number:02}.yaml").write_text("unet: [\n")
    lines = unetscope("diff", "--base", "main", "-f", "github").out.splitlines()
    assert len(lines) == 10
    assert "::5 more are in the summary of the job" in lines[-1]
    assert "configs/n13.yaml unchecked" in lines[-1]
    sarif = json.loads(unetscope("diff", "--base", "main", "-f", "sarif").out)
    assert len(sarif["runs"][0]["results"]) == 14


def test_the_comment_and_the_summary_of_a_job(project, git, change, unetscope, monkeypatch):
    change(*GROUPS)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    unetscope("diff", "--base", "main", "--comment", "c.md", "-f", "github")
    body = (project / "c.md").read_text()
    assert body == f"<!-- unetscope-diff -->\n\n{(project / 'summary.md').read_text()}"
    assert body == unetscope("diff", "--base", "main", "-f", "markdown").out


def test_the_comment_draws_both_networks(git, change, unetscope, tmp_path):
    change("norm_num_groups: 4", "norm_num_groups: 4\n  mid_block_type: null")
    file = tmp_path / "comment.md"
    code = unetscope("diff", "--base", "main", ".", "--comment", file).code
    assert code == 1
    text = file.read_text(encoding="utf-8")
    hidden = text[text.index(f"<summary>{CONFIG}, drawn</summary>\n\n```text\n") :]
    assert hidden.endswith("```\n\n</details>\n")
    assert "- mid_block" in hidden
    assert "- param-removed" in hidden
    lock = unetscope("diff", "--base", "main", LOCK, "-f", "markdown")
    assert "drawn</summary>" not in lock.out  # a lock holds no trace


def test_without_a_comment_nothing_is_drawn(git, change, unetscope, monkeypatch):
    change(*GROUPS)
    monkeypatch.setattr("unetscope.commands.diff._drawn", None)
    assert unetscope("diff", "--base", "main", ".").code == 1


@pytest.mark.parametrize("count", [1, 30, 60])
def test_drawings_are_left_out_of_a_comment_first(count):
    class Lines:
        def lines(self, width, **_):
            return ["." * width] * 20

    drawn = [Table("drawing", f"d{i}", (), (), folded=True, picture=Lines()) for i in range(count)]
    table = Table("first", "first", (Column("key", "Key"),), (("value",),))
    folded = Table("more", "more", (Column("key", "Key"),), (("other",),), folded=True)
    text = comment([*drawn, table, folded], PLAIN)
    shown = text.count("drawings are left out")
    kept = text.count("```text")
    assert len(text) <= MOST
    assert "value" in text
    assert "other" in text
    assert bool(shown) == (kept < count)
    assert not shown or f"{count - kept} drawings are left out here" in text


@pytest.mark.parametrize("count", [2, 40, 120])
def test_a_comment_is_cut_between_tables(count):
    columns = (Column("a", "A"), Column("b", "B"))
    rows = tuple((f"row {n}", "x" * 40) for n in range(60))
    first = Table("networks", "", columns, rows[:3], anchor="any")
    others = [Table("changes", f"T{n}", columns, rows, folded=n % 2 == 1) for n in range(count)]
    text = comment([first, *others], PLAIN)
    assert text.startswith("<!-- any -->\n\n|")
    assert len(text) <= MOST
    whole = text.count("## T")
    assert text.count("| row ") == 3 + 60 * whole
    assert (f"{count - whole} more tables are left out here" in text) == (whole < count)
    assert whole == count or len(text) > MOST - 6_000


def test_a_comment_of_too_many_networks_is_cut_too():
    rows = tuple((f"row {n}", "x" * 40) for n in range(5_000))
    table = Table("networks", "", (Column("a", "A"), Column("b", "B")), rows, anchor="any")
    assert len(comment([table, table], PLAIN)) <= 65_536
