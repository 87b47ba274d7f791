"""A name is a path first, then a shipped config."""

from __future__ import annotations

import pytest

from unetscope.config import load, shipped
from unetscope.config.files import read_index


def test_a_shipped_config_from_any_folder(folder):
    for reference in ("sd15", "sd15.yaml", str(shipped()["sd15"])):
        spec = load(reference)
        assert (spec.reference, spec.name) == (reference, "Stable Diffusion 1.5")


def test_a_path_comes_first(write):
    mine = "extends: sd15\nname: Mine\n"
    write(mine, "sd15.yaml")
    write(mine, "sd21_base")
    write(mine, "mine/sd15.yaml")
    assert load("sd15.yaml").name == "Mine"
    assert load("./sd15.yaml").name == "Mine"
    assert load("./mine/sd15.yaml").name == "Mine"
    assert load("sd15").name == "Stable Diffusion 1.5"
    assert load("sd21_base").name == "Mine"


def test_a_folder_is_no_config(folder, refusal):
    (folder / "sd15").mkdir()
    (folder / "mine").mkdir()
    assert load("sd15").name == "Stable Diffusion 1.5"
    assert refusal("mine").startswith(
        '"mine" is a folder without unet/config.json or config.json\n'
    )


def test_a_missing_file(write, refusal):
    table = "`unetscope list` shows the shipped configs"
    assert refusal("sdd15") == (
        f'there is no file and no shipped config "sdd15"\nhint: did you mean "sd15"? {table}'
    )
    assert refusal("./sd15.yaml") == (
        f'there is no file and no shipped config "./sd15.yaml"\nhint: did you mean "sd15"? {table}'
    )
    assert refusal("zzz") == f'there is no file and no shipped config "zzz"\nhint: {table}'
    write("unet: {}", "mine.yaml")
    assert refusal("mine") == (
        'there is no file and no shipped config "mine"\nhint: did you mean "mine.yaml"?'
    )


def test_odd_names(refusal):
    assert refusal("").startswith('"" is a folder')
    assert refusal("a\0b").startswith('there is no file and no shipped config "a\\u0000b"')
    assert refusal("x" * 5000).startswith('cannot look for "xxx')
    assert refusal("\x1b[31m").startswith('there is no file and no shipped config "\\u001b[31m"')


def test_the_name_of_a_config_without_one_is_its_file(write):
    spec = load(write("extends: sd15\n", "pruned.yaml"))
    assert (spec.name, spec.source) == ("pruned", "")


@pytest.mark.parametrize("name", read_index())
def test_a_repository_of_a_model_hub_names_its_shipped_twin(name, refusal):
    repository = read_index()[name]["source"].partition(",")[0]
    if "/" not in repository:  # the articles'
        return
    for reference in (repository, repository.upper(), f"https://huggingface.co/{repository}"):
        message, hint = refusal(reference).split("\nhint: ")
        assert message.endswith("; nothing is downloaded from a model hub")
        assert f"`{name}`" in hint


def test_a_repository_of_the_same_name(refusal):
    assert refusal("somebody/stable-diffusion-v1-5").endswith(
        "hint: `sd15` is the shipped config of runwayml/stable-diffusion-v1-5, "
        "which has the same name"
    )


def test_another_repository(folder, refusal):
    assert refusal("somebody/unknown").endswith(
        "nothing is downloaded from a model hub\n"
        "hint: download the model's unet/config.json (or config.json), and name that file"
    )
    (folder / "somebody").mkdir()
    for path in ("somebody/unknown", "./unknown", "../x/unknown", "a/b/c", "x/unknown.yaml"):
        assert "hub" not in refusal(path)


def test_letters_in_another_order(refusal):
    assert 'did you mean "sd15"?' in refusal("sd51")
    assert 'did you mean "sd21"?' in refusal("sd12")


def test_a_name_is_one_line(write):
    assert (
        load(write("extends: sd15\nname: |\n  Mine,\n\n   and yours\n")).name == "Mine, and yours"
    )
    assert load(write('extends: sd15\nname: "\\n"\n', "mine.yaml")).name == "mine"
