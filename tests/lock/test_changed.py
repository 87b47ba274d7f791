"""`lock --changed`: what a change reaches, as pre-commit's hook asks for it."""

import re
import shutil
import subprocess

import pytest

CONFIG, LOCK = "configs/unet.yaml", "configs/unet.lock"


@pytest.fixture
def tree(project, unetscope):
    """A git repository of a base, its heirs in other folders, and their locks."""
    subprocess.run(["git", "init", "-q"], check=True)
    for folder in ("heirs", "ignored"):
        (project / folder).mkdir()
    (project / ".gitignore").write_text("ignored/\n")
    files = {
        "heirs/son.yaml": "extends: ../configs/unet.yaml\nname: Son\n",
        "heirs/grandson.yaml": "extends: son.yaml\nname: Grandson\n",
        "heirs/free.yaml": "extends: ../configs/unet.yaml\nname: Free\n",
        "heirs/other.yaml": (project / CONFIG).read_text(),
        "ignored/son.yaml": "extends: ../configs/unet.yaml\n",
    }
    for name, text in files.items():
        (project / name).write_text(text)
    locked = [CONFIG, *(name for name in files if "free" not in name)]
    assert unetscope("lock", *locked).code == 0
    return project


def wrote(done):
    return {line[6:] for line in done.err.splitlines() if line.startswith("wrote ")}


def test_heirs_are_locked_with_what_they_extend(unetscope, tree, change):
    change("layers_per_block: 1", "layers_per_block: 2")
    done = unetscope("lock", "--changed", "--check", CONFIG)
    assert done.code == 1
    assert done.out.count("stale") == 3
    done = unetscope("lock", "--changed", "--exit-non-zero-on-write", CONFIG, "README.md")
    assert done.code == 1
    assert wrote(done) == {LOCK, "heirs/son.lock", "heirs/grandson.lock"}
    assert unetscope("lock", "--changed", "--exit-non-zero-on-write", CONFIG).code == 0


def test_a_base_that_is_gone_is_missed_by_its_heirs(unetscope, tree):
    (tree / CONFIG).unlink()
    done = unetscope("lock", "--changed", CONFIG)
    assert done.code == 2
    assert "heirs/son.yaml:1:1: there is no file" in done.err
    assert re.search(rf"^{LOCK} +orphaned ", done.out, re.MULTILINE)


def test_a_lock_written_by_hand_is_written_anew(unetscope, tree):
    lock = tree / "heirs" / "son.lock"
    text = lock.read_text()
    lock.write_text(text.replace("name: Son", "name: Sun"))
    done = unetscope("lock", "--changed", "--exit-non-zero-on-write", "heirs/son.lock")
    assert (done.code, wrote(done), lock.read_text()) == (1, {"heirs/son.lock"}, text)
    lock.unlink()
    assert wrote(unetscope("lock", "--changed", "heirs/son.lock")) == {"heirs/son.lock"}


def test_a_lock_that_was_left_is_found_though_no_file_is_named(unetscope, tree):
    assert unetscope("lock", "--changed").code == 0
    (tree / "heirs" / "grandson.yaml").unlink()
    shutil.copy(tree / LOCK, tree / "ignored" / "no.lock")
    (tree / "poetry.lock").write_text("[[package]]\n")
    done = unetscope("lock", "--changed", "--exit-non-zero-on-write")
    assert done.code == 1
    assert "Locks: 1, not as they should be: 1." in done.out
    assert "heirs/grandson.lock  orphaned" in done.out


def test_json_without_a_lock_is_no_config_of_ours(unetscope, tree):
    (tree / "configs" / "index.json").write_text("{}")
    assert unetscope("lock", "--changed", "configs/index.json").code == 0


def test_it_needs_a_repository(unetscope, project):
    done = unetscope("lock", "--changed", CONFIG)
    assert (done.code, done.out) == (2, "")
    assert "there is no git repository here" in done.err


def test_it_needs_configs_or_changes(unetscope, project):
    done = unetscope("lock")
    assert (done.code, done.out) == (2, "")
    assert "expected a config, found none" in done.err
