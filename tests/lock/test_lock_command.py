"""`unetscope lock`: where locks go, when they are written, what `--check` finds."""

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
    path.write_text(path.read_text().replace("torch: ", "torch: 0."))
    text = path.read_text()
    assert unetscope("lock", "--check", CONFIG).code == 0
    assert unetscope("lock", CONFIG).code == 0
    assert path.read_text() == text


def test_lines_may_end_as_windows_ends_them(unetscope, project):
    unetscope("lock", CONFIG)
    path = project / LOCK
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert unetscope("lock", "--check", CONFIG).code == 0


def test_another_layout_is_stale_and_written_anew(unetscope, project):
    unetscope("lock", CONFIG)
    path = project / LOCK
    text = path.read_text()
    path.write_text(text.replace("padding=1", "padding=[1, 1]", 1))
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert "the same network in another layout; `unetscope lock configs/unet.yaml`" in done.out
    assert unetscope("lock", CONFIG).code == 0
    assert path.read_text() == text


def test_a_newer_format_is_never_written_over(unetscope, project):
    text = f"unetscope lock, format {locks.FORMAT + 1}\n"
    (project / LOCK).write_text(text)
    for arguments in ((CONFIG,), ("--check", CONFIG), (CONFIG, "-o", LOCK)):
        done = unetscope("lock", *arguments)
        assert (done.code, done.out) == (2, "")
        assert f"a lock of format {locks.FORMAT + 1}, which is newer" in done.err
        assert (project / LOCK).read_text() == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "format_version": 3,\n  "name": "Narrow"\n}\n', "of the earlier JSON format"),
        ("unetscope lock, format 4\n\nname\n", f"{LOCK}:3: a damaged lock"),
    ],
)
def test_what_is_no_lock_of_today_is_written_over_and_said(unetscope, project, text, said):
    (project / LOCK).write_text(text)
    done = unetscope("lock", "--check", CONFIG)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert f"`unetscope lock {CONFIG}` writes a new one" in done.err
    done = unetscope("lock", CONFIG)
    assert done.code == 0
    assert said in done.err
    assert "it is written anew" in done.err
    assert unetscope("lock", "--check", CONFIG).code == 0


def test_a_setting_says_where_locks_live(unetscope, project):
    (project / "pyproject.toml").write_text('[tool.unetscope]\nlocks = "locks"\n')
    other = project / "more" / "unet.yaml"
    other.parent.mkdir()
    other.write_text((project / CONFIG).read_text().replace("Narrow", "Other"))
    done = unetscope("lock", CONFIG, "more/unet.yaml")
    assert done.code == 0
    assert "wrote configs/locks/unet.lock" in done.err
    assert locks.load(project / "configs/locks/unet.lock").name == "Narrow"
    assert locks.load(project / "more/locks/unet.lock").name == "Other"
    assert unetscope("lock", "--check", CONFIG, "more/unet.yaml").code == 0
    (project / "more" / "pyproject.toml").write_text("")
    done = unetscope("lock", "--check", CONFIG, "more/unet.yaml", "-f", "github")
    assert done.code == 1
    assert "more/unet.lock is missing: `unetscope lock more/unet.yaml` writes it" in done.out


@pytest.mark.parametrize("folder", ["3", '""', '"/tmp"', '"../locks"', '"a/../b"', '"a\\u0000b"'])
def test_locks_live_below_their_config(unetscope, project, folder):
    (project / "pyproject.toml").write_text(f"[tool.unetscope]\nlocks = {folder}\n")
    done = unetscope("lock", CONFIG)
    assert done.code == 2
    assert "tool.unetscope.locks: expected a folder in that of the config" in done.err


def test_two_configs_never_have_one_lock(unetscope, project):
    (project / "configs" / "unet.json").write_text("{}")
    done = unetscope("lock", CONFIG, "configs/unet.json")
    assert done.code == 2
    assert f"`{CONFIG}` and `configs/unet.json` have one lock, {LOCK}" in done.err
    assert not (project / LOCK).exists()


def test_check_finds_a_missing_lock(unetscope, project):
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert f"{LOCK}  missing  `unetscope lock {CONFIG}` writes it" in done.out
    assert not (project / LOCK).exists()


def test_check_prints_the_diff_of_a_stale_one(unetscope, project, change):
    unetscope("lock", CONFIG)
    change("layers_per_block: 1", "layers_per_block: 2")
    text = (project / LOCK).read_text()
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert "param-added" in done.out
    assert "unet.layers_per_block" in done.out
    assert f"{LOCK}  stale  the network changed; `unetscope lock {CONFIG}`" in done.out
    assert (project / LOCK).read_text() == text
    unetscope("lock", CONFIG)
    assert unetscope("lock", "--check", CONFIG).code == 0


def test_another_config_of_the_same_network_is_stale_too(unetscope, project, change):
    unetscope("lock", CONFIG)
    change("name: Narrow", "name: Slim")
    done = unetscope("lock", "--check", CONFIG)
    assert done.code == 1
    assert "the same network from another config" in done.out


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


def test_a_lock_is_told_of_its_config_or_that_it_has_none(unetscope, project):
    unetscope("lock", CONFIG)
    assert f"`{CONFIG}`" in unetscope("lock", "--check", LOCK).err
    (project / CONFIG).unlink()
    said = unetscope("lock", "--check", LOCK).err
    assert f"it belongs to no config here: name what it is of, and `-o {LOCK}`" in said


def test_a_shipped_config_with_a_place(unetscope, project):
    assert unetscope("lock", "sd15", "-o", "mine.lock").code == 0
    assert locks.load(project / "mine.lock").totals.parameters == 859_520_964


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


def test_the_grammar_names_all_that_a_text_holds(unetscope, project):
    done = unetscope("lock", "--grammar")
    assert done.code == 0
    assert f'"unetscope lock, format {locks.FORMAT}"' in done.out
    unetscope("lock", CONFIG)
    titles = [line for line in (project / LOCK).read_text().splitlines() if line[:1].strip()]
    for title in titles[1:]:
        assert f'"{title.partition(":")[0]}' in done.out, title
