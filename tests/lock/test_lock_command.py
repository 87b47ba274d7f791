"""`unetscope lock`: where locks go, when they are written, what `--check` finds."""

import json
import stat

import pytest

from unetscope.files import locks

CONFIG, LOCK = "configs/unet.yaml", "configs/unet.lock"


def test_it_writes_beside_the_config_and_then_has_nothing_to_do(unetscope, project):
    done = unetscope("lock", CONFIG)
    assert (done.code, done.out) == (0, "")
    assert f"wrote {LOCK}" in done.err
    assert sorted(path.name for path in (project / "configs").iterdir()) == [
        "unet.lock",
        "unet.yaml",
    ]
    before = (project / LOCK).stat().st_mtime_ns
    again = unetscope("lock", CONFIG)
    assert again.code == 0
    assert "wrote" not in again.err
    assert (project / LOCK).stat().st_mtime_ns == before


def test_other_tools_alone_are_no_reason_to_write(unetscope, project):
    unetscope("lock", CONFIG)
    path = project / LOCK
    path.write_text(path.read_text().replace('"torch": "', '"torch": "0.'))
    text = path.read_text()
    assert unetscope("lock", "--check", CONFIG).code == 0
    assert unetscope("lock", CONFIG).code == 0
    assert path.read_text() == text


def test_check_finds_a_missing_lock(unetscope, project):
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert f"{LOCK} is missing" in done.err
    assert not (project / LOCK).exists()


def test_check_prints_the_diff_of_a_stale_one(unetscope, project, change):
    unetscope("lock", CONFIG)
    change("layers_per_block: 1", "layers_per_block: 2")
    text = (project / LOCK).read_text()
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert "param-added" in done.out
    assert "unet.layers_per_block" in done.out
    assert f"{LOCK} is stale" in done.err
    assert (project / LOCK).read_text() == text
    unetscope("lock", CONFIG)
    assert unetscope("lock", "--check", CONFIG).code == 0


def test_another_config_of_the_same_network_is_stale_too(unetscope, project, change):
    unetscope("lock", CONFIG)
    change("name: Narrow", "name: Slim")
    done = unetscope("lock", "--check", CONFIG)
    assert (done.code, done.out) == (1, "")
    assert "the same network from another config" in done.err


def test_one_bad_config_does_not_hide_the_others(unetscope, project):
    (project / "configs" / "bad.yaml").write_text("extends: sd15\nunet: {layers: 1}\n")
    done = unetscope("lock", "configs/bad.yaml", CONFIG)
    assert done.code == 2
    assert "configs/bad.yaml:2:8" in done.err
    assert (project / LOCK).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sd15",), "-o"),
        (("nowhere.yaml",), "nowhere.yaml"),
        (("configs/unet.yaml", "configs/unet.yaml", "-o", "x.lock"), "several"),
        (("configs/unet.lock",), "is a lock"),
    ],
)
def test_where_a_lock_belongs_must_be_known(unetscope, project, arguments, said):
    unetscope("lock", CONFIG)
    done = unetscope("lock", *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_shipped_config_with_a_place(unetscope, project):
    assert unetscope("lock", "sd15", "-o", "mine.lock").code == 0
    assert locks.load(project / "mine.lock").totals.parameters == 859_520_964


def test_a_lock_that_is_damaged(unetscope, project):
    (project / LOCK).write_text("{}")
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 2
    assert "damaged" in done.err
    assert unetscope("lock", CONFIG).code == 0
    assert unetscope("lock", "--check", CONFIG).code == 0


def test_a_write_that_fails_leaves_the_old_lock(unetscope, project, change, monkeypatch):
    unetscope("lock", CONFIG)
    text = (project / LOCK).read_text()
    change("layers_per_block: 1", "layers_per_block: 2")
    folder = project / "configs"

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    done = unetscope("lock", CONFIG)
    assert done.code == 2
    assert "no space left" in done.err
    assert (project / LOCK).read_text() == text
    assert len(list(folder.iterdir())) == 2


def test_its_mode_is_that_of_any_file(unetscope, project):
    unetscope("lock", CONFIG)
    assert stat.S_IMODE((project / LOCK).stat().st_mode) & 0o600 == 0o600


def test_exit_code_for_hooks(unetscope, project):
    assert unetscope("lock", "--exit-non-zero-on-write", CONFIG).code == 1
    assert unetscope("lock", "--exit-non-zero-on-write", CONFIG).code == 0


def test_annotations_of_missing_and_stale_locks(unetscope, project, change):
    done = unetscope("lock", "--check", CONFIG, "-f", "github")
    assert done.out.startswith(f"::error file={CONFIG},line=1,title=lock::{LOCK} is missing")
    unetscope("lock", CONFIG)
    change("norm_num_groups: 4", "norm_num_groups: 2")
    done = unetscope("lock", "--check", CONFIG, "-f", "github")
    assert done.out.startswith(f"::error file={CONFIG},line=10,col=3,title=attr-changed::")


def test_its_schema(unetscope):
    done = unetscope("lock", "--schema")
    assert done.code == 0
    assert json.loads(done.out)["$defs"]["Lock"]
