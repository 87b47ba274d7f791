"""What other repositories use: the action's script and the pre-commit hook, really run in one."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "unetscope"
CONFIG, LOCK = "configs/unet.yaml", "configs/unet.lock"


SERVER = """
import json, os, socket, sys
import torch
import unetscope.__main__ as it
import unetscope.cli, unetscope.tracing

with socket.socket(socket.AF_UNIX) as listening:
    listening.bind(sys.argv[1])
    listening.listen()
    print("ready", flush=True)
    while True:
        asking, _ = listening.accept()
        _, streams, *_ = socket.recv_fds(asking, 1, 3)
        folder, environment, *arguments = json.load(asking.makefile())
        if not (child := os.fork()):
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            sys.stdin, sys.stdout, sys.stderr = map(open, range(3), "rww")
            sys.argv[1:] = arguments
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            it.main()
        for stream in streams:
            os.close(stream)
        asking.send(bytes([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]))
        asking.close()
"""
CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({path!r})
    socket.send_fds(server, [b"?"], [0, 1, 2])
    server.sendall(json.dumps([os.getcwd(), dict(os.environ), *sys.argv[1:]]).encode())
    server.shutdown(socket.SHUT_WR)
    sys.exit(server.recv(1)[0])
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Of processes that find `unetscope` and know no GitHub.

    What they find asks a process that has torch imported already to fork and be `unetscope`.
    """
    folder = tmp_path_factory.mktemp("bin")
    path, shim = folder / "socket", folder / "unetscope"
    shim.write_text(CLIENT.format(python=sys.executable, path=str(path)))
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    kept = {key: text for key, text in os.environ.items() if not key.startswith("GITHUB_")}
    kept["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-c", SERVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=kept) as server:
        assert server.stdout.readline() == b"ready\n"
        yield {**kept, "PATH": f"{folder}:{kept['PATH']}"}
        server.kill()


@pytest.fixture
def repository(project, environment):
    """The project under git, and a function that runs a command in it."""

    def run(*command, **more):
        return subprocess.run(
            command, cwd=project, capture_output=True, text=True, env={**environment, **more}
        )

    run("git", "init", "-q", "-b", "main")
    for key in ("name", "email"):
        run("git", "config", f"user.{key}", "someone")
    run("git", "add", ".")
    run("git", "commit", "-qm", "a config")
    return run


def check(repository, project, **more):
    """What the action's script leaves: exit code and log, comment, summary, outputs."""
    for name in ("summary", "output", "runner/unetscope-comment.md"):
        (project / name).unlink(missing_ok=True)
    (project / "runner").mkdir(exist_ok=True)
    (project / "output").touch()
    (project / "summary").touch()
    given = {
        "CONFIGS": "configs/*.yaml",
        "RUNNER_TEMP": str(project / "runner"),
        "GITHUB_STEP_SUMMARY": str(project / "summary"),
        "GITHUB_OUTPUT": str(project / "output"),
        **more,
    }
    done = repository("bash", str(ACTION / "check.sh"), **given)
    outputs = dict(line.split("=", 1) for line in (project / "output").read_text().splitlines())
    comment = Path(outputs["comment"]).read_text() if "comment" in outputs else ""
    return done, comment, (project / "summary").read_text(), outputs


def test_a_pull_request_fails_and_then_passes(repository, project, change, unetscope):
    done, comment, _, outputs = check(repository, project)
    assert (done.returncode, comment, outputs) == (1, "", {})
    assert f"::error file={CONFIG},line=1,title=lock::{LOCK} is missing" in done.stdout

    unetscope("lock", CONFIG)
    repository("git", "add", ".")
    repository("git", "commit", "-qm", "its lock")
    done, comment, summary, outputs = check(repository, project, BASE="main")
    assert (done.returncode, done.stdout, comment, summary) == (0, "", "", "")
    assert outputs == {"compared": "true"}

    repository("git", "switch", "-qc", "wider")
    change("[8, 16]", "[8, 24]")
    done, comment, summary, _ = check(repository, project, BASE="main")
    assert done.returncode == 1
    assert f"{LOCK} is stale" in done.stderr
    assert f"::error file={CONFIG},line=4,col=27,title=param-reshaped" in done.stdout
    assert comment == f"<!-- unetscope-diff -->\n\n{summary}"
    assert summary.startswith("Fails: 1 of 1 networks changed since ")

    unetscope("lock", CONFIG)
    done, comment, _, outputs = check(repository, project, BASE="main", ARGUMENTS="--fail-on none")
    assert (done.returncode, outputs["compared"]) == (0, "true")
    assert "16 -> 24" in comment

    (project / "configs" / "broken.yaml").write_text("unet:\n  a: [\n")
    done, comment, _, outputs = check(repository, project, BASE="main", ARGUMENTS="--fail-on none")
    assert done.returncode == 2
    assert "::error file=configs/broken.yaml,line=3,col=1,title=unchecked::" in done.stdout
    assert "16 -> 24" in comment
    assert "compared" not in outputs


def test_what_was_deleted_is_found_by_the_glob(repository, project):
    repository("git", "rm", "-q", CONFIG)
    done, comment, _, _ = check(repository, project, BASE="main")
    assert done.returncode == 1
    assert f"| `{CONFIG}` | deleted |" in comment


def test_a_base_that_was_not_fetched_is_not_passed_over(repository, project, unetscope):
    unetscope("lock", CONFIG)
    done, comment, summary, outputs = check(repository, project, BASE="origin/main")
    assert (done.returncode, comment, summary, outputs) == (2, "", "", {})
    assert "no revision `origin/main`" in done.stderr


def test_the_script_says_what_it_could_not_do(repository, project):
    done = repository("bash", str(ACTION / "check.sh"), CONFIGS="nowhere/*.yaml")
    assert done.returncode == 2
    assert "no config matches" in done.stderr


def test_the_action_runs_its_scripts():
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    runs = "\n".join(step["run"] for step in action["runs"]["steps"])
    for script in ("check.sh", "comment.py"):
        assert f"$GITHUB_ACTION_PATH/{script}" in runs
    assert subprocess.run(["bash", "-n", str(ACTION / "check.sh")]).returncode == 0
    # Inputs reach the scripts as environment, so that none is run as code.
    assert "${{" not in runs


def test_the_example_uses_the_actions_inputs():
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    example = yaml.safe_load((ROOT / ".github" / "unetscope-example.yml").read_text())
    (job,) = example["jobs"].values()
    assert set(job["steps"][-1]["with"]) <= set(action["inputs"])


GITHUB = """#!{python} -IS
import json, pathlib, sys
state = pathlib.Path({state!r})
known, arguments = json.loads(state.read_text()), sys.argv[1:]
if "graphql" in arguments:
    for page in (known["comments"][:1], known["comments"][1:]):
        nodes = {{"nodes": page}}
        print(json.dumps({{"data": {{"repository": {{"pullRequest": {{"comments": nodes}}}}}}}}))
    sys.exit()
if known["readonly"]:
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
method, path = arguments[arguments.index("-X") + 1 :][:2]
said = json.load(sys.stdin)["body"] if "--input" in arguments else None
known["calls"].append([method, path, said])
state.write_text(json.dumps(known))
"""


@pytest.fixture
def pull_request(repository, project):
    """A function that runs the action's script against a stub of GitHub; the calls that changed."""
    gh, state = project / "bin" / "gh", project / "state"
    gh.parent.mkdir()
    gh.write_text(GITHUB.format(python=sys.executable, state=str(state)))
    gh.chmod(0o755)
    (project / "c.md").write_text("<!-- unetscope-diff -->\n\nnew\n")

    def run(comments, comment="c.md", key="ci-unetscope", readonly=False):
        nodes = [
            {"databaseId": number, "body": body, "viewerDidAuthor": own}
            for number, body, own in comments
        ]
        state.write_text(json.dumps({"comments": nodes, "calls": [], "readonly": readonly}))
        done = repository(
            sys.executable,
            str(ACTION / "comment.py"),
            PATH=f"{gh.parent}:{os.environ['PATH']}",
            REPOSITORY="some/one",
            PULL_REQUEST="3",
            COMMENT=comment,
            KEY=key,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(state.read_text())["calls"], done.stdout

    return run


OURS = "<!-- unetscope-diff ci-unetscope -->"
ONE, ALL = "repos/some/one/issues/comments/7", "repos/some/one/issues/3/comments"


@pytest.mark.parametrize(
    ("comment", "earlier", "calls"),
    [
        ("c.md", [], [["POST", ALL, f"{OURS}\n\nnew\n"]]),
        ("c.md", [(7, f"{OURS}\n\nold", True)], [["PATCH", ONE, f"{OURS}\n\nnew\n"]]),
        ("", [(7, f"{OURS}\n\nold", True)], [["DELETE", ONE, None]]),
        ("", [], []),
        # A person quotes it, another job has its own, somebody else wrote the same.
        ("", [(6, f"> {OURS}", True), (8, f"{OURS}\nmine", False)], []),
        ("", [(6, "<!-- unetscope-diff ci-other -->\n\nold", True)], []),
        ("", [(6, "hello", False), (7, f"{OURS}\n\nold", True)], [["DELETE", ONE, None]]),
    ],
)
def test_one_comment_of_a_job_is_kept_up_to_date(pull_request, comment, earlier, calls):
    assert pull_request(earlier, comment)[0] == calls


def test_a_key_is_no_markup(pull_request):
    ((_, _, body),), _ = pull_request([], key="a --> @all\n`x`")
    assert body.splitlines()[0] == "<!-- unetscope-diff a-all-x- -->"


def test_a_fork_may_not_comment_and_passes(pull_request):
    calls, printed = pull_request([], readonly=True)
    assert calls == []
    assert printed.startswith("::notice title=unetscope::no comment was written: gh: Resource")
    assert printed.count("\n") == 1


@pytest.mark.skipif(shutil.which("pre-commit") is None, reason="pre-commit is not installed")
def test_the_hook_writes_locks_and_then_passes(repository, project, change):
    hook, isolated = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    told = ("id", "language", "description")
    assert {**hook, **{key: isolated[key] for key in told}} == isolated
    assert (hook["language"], isolated["language"]) == ("system", "python")
    hooks = {"repo": "local", "hooks": [hook]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [hooks]}))
    (project / "other.yaml").write_text("no: config\n")
    repository("git", "add", ".")

    def commit():
        home = str(project.parent / "pre-commit")
        return repository("pre-commit", "run", "--all-files", PRE_COMMIT_HOME=home)

    first = commit()
    assert first.returncode == 1, first.stdout + first.stderr
    assert f"wrote {LOCK}" in first.stdout
    assert commit().returncode == 0
    change("layers_per_block: 1", "layers_per_block: 2")
    repository("git", "add", ".")
    assert commit().returncode == 1
    assert commit().returncode == 0
    (project / "configs" / "unet.yaml").unlink()
    repository("git", "add", "configs")
    left = commit()
    assert left.returncode == 1
    assert f"{LOCK}  orphaned" in left.stdout
