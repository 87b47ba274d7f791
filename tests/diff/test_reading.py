"""What a reader of a diff sees: modules, ranges, the smallest difference, about one screen."""

import re
from dataclasses import replace
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_networks import Chain, SmallUNet, conv, locked, narrow
from test_flow import REWIRED, changes
from torch import nn

import unetscope
from unetscope import families
from unetscope.analysis.diff import ChangeSeverity, diff, tensor_diff
from unetscope.analysis.diff.bare import bare
from unetscope.analysis.names import compvis_names
from unetscope.render import Style, render
from unetscope.rules.gate import Gate
from unetscope.table import Reader
from unetscope.views.change import line, plain, what, where
from unetscope.views.diff import Judged, tables
from unetscope.views.places import pairs, ranges
from unetscope.words import Words

EN = Words("en")
LOCKS = "configs/locks/{}.lock"


def published(old, new):
    return unetscope.diff(LOCKS.format(old), LOCKS.format(new))


def shown(found, *, every=False, width=120, language="en"):
    judged = Judged(Gate(None).judge(found), lambda change: None)
    written = tables([judged], Words(language), Reader.PEOPLE, every=every)
    return render(written, "terminal", Style(width, language=language))


def lines(old, new):
    return [line(change, EN) for change in diff(old, new).changes]


def test_what_went_is_named_by_module():
    found = published("sd15", "bk_sdm_small")
    old, new = (unetscope.read(LOCKS.format(name)) for name in ("sd15", "bk_sdm_small"))
    kinds = {module.path: module.kind for module in old.modules}
    gone = [c for c in found.changes if c.id == "param-removed"]
    for change in gone:
        tops = change.parts if change.parts[0].parts else (change,)
        for top in tops:
            assert kinds[top.was] == top.old
            inside = {t.name for t in old.tensors if t.name.startswith(f"{top.was}.")}
            assert {part.was for part in top.parts} == inside
    counts = [prod(part.old) for change in gone for part in change.singles()]
    assert sum(counts) == old.totals.parameters - new.totals.parameters
    texts = [line(change, EN) for change in gone]
    assert "- param-removed down_blocks.0.resnets.1: ResnetBlock2D  2,255,040 parameters" in texts
    assert any(
        text.startswith("- param-removed mid_block: UNetMidBlock2DCrossAttn ") for text in texts
    )
    assert sum("skip-repaired" in line(change, EN) for change in found.changes) == 1


def test_layers_that_are_alike_are_one_line_with_a_range():
    old = locked(nn.Sequential(*(conv(4, 4) for _ in range(3))))
    new = locked(nn.Sequential(*(conv(4, 4) for _ in range(7))))
    assert lines(old, new)[0] == f"+ param-added 3..6: Conv2d ×4  {4 * (4 * 4 * 9 + 4)} parameters"
    assert lines(new, old)[0].startswith("- param-removed 3..6: Conv2d ×4 ")


def test_a_tensor_of_a_module_that_stays_is_named_itself():
    old, new = (locked(nn.Conv2d(4, 4, 3, bias=bias)) for bias in (True, False))
    assert lines(old, new)[0] == "- param-removed bias: (4,)"
    chains = [
        locked(nn.Sequential(*(nn.Conv2d(4, 4, 1, bias=b) for _ in "ab"))) for b in (True, False)
    ]
    assert lines(*chains)[0] == "- param-removed 0..1.bias: 8 parameters (2 tensors)"


paths = st.lists(
    st.sampled_from(["down", "up", "mid.{}", "b{}"]).flatmap(
        lambda word: st.tuples(
            st.integers(0, 12), st.integers(0, 4), st.sampled_from(["q", "k", "x.y"])
        ).map(lambda n: f"{word.format(n[1])}.{n[0]}.at{n[1]}.{n[2]}")
    )
)


def spelled_out(text):
    """The paths that a range stands for, by another reading than the one that wrote it."""
    braces = re.search(r"{([^}]*)}", text)
    if braces:
        return [
            p
            for word in braces[1].split(",")
            for p in spelled_out(text.replace(braces[0], word, 1))
        ]
    run = re.search(r"(\d+)\.\.(\d+)", text)
    if not run:
        return [text]
    numbers = range(int(run[1]), int(run[2]) + 1)
    return [
        p for n in numbers for p in spelled_out(text[: run.start()] + str(n) + text[run.end() :])
    ]


@given(paths)
def test_a_range_holds_exactly_its_paths(found):
    held = [path for each in ranges(found) for path in each.paths]
    assert sorted(held) == sorted(set(found))
    assert sorted(p for each in ranges(found) for p in spelled_out(each.text)) == sorted(held)


@given(paths, st.randoms())
def test_pairs_of_names_are_never_others(found, random):
    old = list(dict.fromkeys(found))
    new = random.sample(old, len(old))
    told = set()
    for before, after in pairs(list(zip(old, new, strict=True))):
        told |= set(zip(spelled_out(before), spelled_out(after), strict=True))
    # Ranges in braces are spelled out word by word on both sides.
    assert told == set(zip(old, new, strict=True))


SMALLEST = {
    "a number": "gt(0 -> 1) (after add, before where)",
    "a bound": "clamp(…, max=1 -> 2) (after where, before pow(2))",
    "a difference": "sub(1, …) -> sub(1) (after self.one, before self.two)",
    "another comparison": "gt(0) -> ge(0) (after add, before where)",
    "another dim": "+ flip(dims=(1)) (after permute(0, 2, 1), before split(parts=3, dim=2))",
    "what a layer is given": "self.one ← input=add#1 -> self.enter (after add, before sub(1, …))",
    "what is concatenated": "cat ← …, self.enter -> self.one (after div, before self.leave)",
}


@pytest.mark.parametrize("case", SMALLEST)
def test_the_smallest_difference_is_shown_with_its_place(case):
    (change,) = changes(REWIRED[case])
    assert plain(what(change, EN)) == SMALLEST[case]


def test_what_moved_is_no_edit_twice():
    layers = {"a": conv(4, 4), "b": conv(4, 4, 1), "c": nn.SiLU()}
    (change,) = diff(locked(Chain("abc", **layers)), locked(Chain("bac", **layers))).changes
    text = plain(what(change, EN))
    assert text in (
        "self.a moved: before self.b -> after self.b",
        "self.b moved: after self.a -> before self.a",
    )


def test_a_cut_argument_is_not_the_one_that_differs():
    class Long(nn.Module):
        def __init__(self, last):
            super().__init__()
            self.last = last

        def forward(self, x):
            names = (f"{n}" for n in range(40))
            return x.reshape(1, 4, *[1 for _ in names], 64).sum(-1 if self.last else -2)

    for change in diff(locked(Long(True)), locked(Long(False))).changes:
        old, _, new = plain(what(change, EN)).partition(" -> ")
        assert old != new


def test_swapped_skips_are_not_one_range():
    found = diff(locked(SmallUNet(joins=(1, 0))), locked(SmallUNet(joins=(0, 1))))
    (change,) = [c for c in found.changes if c.id == "skip-repaired"]
    assert plain(where(change, EN)) == "ups.0 > ups.1, ups.1 > ups.0"
    assert plain(what(change, EN)) == "from downs.0..1 (2 joins)"


def test_a_skip_comes_from_the_old_place_and_then_from_the_new():
    (change,) = [
        replace(part, old="downs.0", new="downs.1")
        for part in diff(locked(SmallUNet(joins=(1, 0))), locked(SmallUNet(joins=(0, 1)))).changes
        if part.id == "skip-repaired"
    ]
    single = replace(change, parts=())
    assert plain(what(single, EN)) == "from downs.0 -> downs.1"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_two_generations_fit_one_screen(language):
    found = published("sd15", "sdxl_base")
    assert shown(found, language=language).count("\n") <= 52
    assert "--all" in shown(found, language=language)
    every = shown(found, every=True, language=language)
    assert "--all" not in every
    rows = re.findall(r"^[-+~>] ", every, re.MULTILINE)
    assert len(rows) == sum(bool(c.where or c.parts) for c in found.changes)


def test_a_cut_list_shows_each_kind_of_change_and_counts_the_rest():
    found = published("sd15", "sdxl_base")
    text = shown(found)
    worst = [c.id for c in found.changes if c.severity >= ChangeSeverity.BEHAVIOURAL]
    assert all(kind in text for kind in worst)
    changed, _, configs = text.partition(EN.config_changed)
    rows = re.findall(r"^[-+~>] ", changed, re.MULTILINE)
    rest = sum(map(int, re.findall(r"(\d+) more: ", changed)))
    assert len(rows) + rest == sum(bool(c.where or c.parts) for c in found.changes)
    assert configs.count("\nunet.") + configs.count("\ninputs.") + int(
        re.findall(r"(\d+) more: ", configs)[0]
    ) == len(found.config)


@pytest.mark.parametrize(
    ("old", "new"),
    [((), ("dropout=0.0",)), (("layers_per_block=[1, 1]",), ()), ((), ("flip_sin_to_cos=true",))],
)
def test_a_default_that_is_written_down_is_no_difference(old, new):
    assert diff(narrow(*old), narrow(*new), families.defaults).config == ()


def test_a_default_is_shown_where_the_other_config_has_another_value():
    (found,) = diff(narrow(), narrow("dropout=0.1"), families.defaults).config
    assert (found.key, found.old, found.new) == ("unet.dropout", 0.0, 0.1)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ((), "is the same network as"),
        (("in_channels=5",), "old checkpoints do not load"),
        (("in_channels=5",), "callers have to pass or take other tensors"),
        (("norm_eps=1e-4",), "old checkpoints load and give other results"),
        (("dropout=0.1",), "results stay the same"),
    ],
)
def test_the_first_sentence_says_what_to_do(overrides, said):
    assert said in shown(diff(narrow(), narrow(*overrides)), width=400).split("\n")[0]


def test_old_checkpoints_of_renamed_tensors_load_under_other_names_alone():
    old, new = (Chain([name], **{name: conv(4, 4)}) for name in "ab")
    first = shown(diff(locked(old), locked(new)), width=400).split("\n")[0]
    assert "up to renaming" in first
    assert "--renamed" in first


def test_the_root_is_one_of_several_places():
    class Net(nn.Module):
        def __init__(self, eps):
            super().__init__()
            self.eps, self.norm = eps, nn.GroupNorm(2, 4, eps=eps)

        def forward(self, x):
            return self.norm(x)

    found = diff(locked(Net(1e-5)), locked(Net(1e-3)))
    assert plain(where(found.changes[0], EN)) == "the network, norm"


def test_names_of_another_code_base_are_one_line_of_bearable_length():
    lock = unetscope.read(LOCKS.format("sd15"))
    shapes = {tensor.name: tensor.shape for tensor in lock.tensors}
    known = compvis_names(shapes)
    other = bare("other", {known[name]: shape for name, shape in shapes.items()})
    found = tensor_diff(lock, other)
    assert "diffusers > CompVis (391 modules)" in shown(found)
    assert shown(found, every=True).count("\n") < 80
