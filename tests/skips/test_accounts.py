"""What `skips` shows of all joins: their classes, what skips pass on their way, doubts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from rich.cells import cell_len
from skip_ledgers import network_of

from unetscope.analysis.joins import JoinClass
from unetscope.render import Style, render
from unetscope.table import Table
from unetscope.views.skips import accounted, all_joins, ledger
from unetscope.views.view import View
from unetscope.words import Language

SD15 = {"skip": 12, "residual": 86, "branches": 32, "embedding": 23, "context": 16}


def view_of(name: str, language: str = "en") -> View:
    return View.of(network_of(name).trace, language)


def data(*tables: Table) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(list(tables), "json"))
    return found


def test_every_join_of_sd15_is_in_one_class(unetscope: Any) -> None:
    done = unetscope("skips", "sd15", "--all-joins", "-f", "json")
    found = json.loads(done.out)
    counts = found["ledger"]["joins"]
    assert set(counts) == {kind.value for kind in JoinClass}
    assert {kind: count for kind, count in counts.items() if count} == SD15
    rows = found["joins"]["rows"]
    assert len(rows) == sum(SD15.values())
    assert Counter(row["class"] for row in rows) == SD15
    assert rows[0] == {
        "class": "embedding",
        "module": "time_proj",
        "function": "torch.cat",
        "operands": ["torch.cos in time_proj", "torch.sin in time_proj"],
        "shape": [1, 320],
        "note": None,
    }
    assert all(row["note"] is None for row in rows)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "All joins: 12 skips, 86 residual, 32 branches, 23 embeddings, 16 context."),
        ("zh", "全部汇合：12 个跨层连接、86 个残差、32 个分支、23 个嵌入、16 个上下文。"),
    ],
)
def test_the_counts_stand_below_the_verdict(unetscope: Any, language: str, sentence: str) -> None:
    done = unetscope("skips", "sd15", "--lang", language)
    assert done.out.splitlines()[-1] == sentence


def test_csv_holds_the_joins_alone(unetscope: Any) -> None:
    done = unetscope("skips", "ddpm_cifar10_32", "--all-joins", "-f", "csv")
    first, *rows = done.out.splitlines()
    assert first == "class,module,function,operands,shape,note"
    said, about = done.err.splitlines()
    assert said == "csv holds one table: the ledger is left out"
    assert about.startswith("DDPM CIFAR-10 · ")
    counts = json.loads(unetscope("skips", "ddpm_cifar10_32", "-f", "json").out)["ledger"]["joins"]
    assert Counter(row.split(",")[0] for row in rows) == Counter(counts)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", ["fpn", "u net 3 plus of 5 levels", "restormer"])
def test_tables_fit(name: str, language: Language, width: int) -> None:
    view = view_of(name, language.value)
    shown = render([*ledger(view), all_joins(view)], "terminal", Style(width=width))
    assert max(map(cell_len, shown.splitlines())) <= width
    assert f"━━ {view.words.joins}" in shown
    assert view.words.join_class in render([all_joins(view)], "markdown")


def test_what_a_skip_passes_is_named() -> None:
    rows = data(*ledger(view_of("fpn")))["ledger"]["rows"]
    assert {row["producer"]: row["through"] for row in rows} == {
        "c4": ["lateral.2"],
        "c3": ["lateral.1"],
        "c2": ["lateral.0"],
    }
    (table,) = ledger(view_of("fpn"))
    assert "through" in table.keys
    assert "added" not in table.keys


@pytest.mark.parametrize(
    ("name", "pushed", "expected"),
    [
        ("skips through a function: relu", "enc.0", ["F.relu"]),
        ("skips through a function: padding and cropping", "enc.0", ["F.pad", "[]"]),
        ("u net with valid convolutions", "enc.0", ["[]"]),
        ("skips through a function: noise added", "enc.0", ["+"]),
        ("attention u net", "enc.1", ["gate.1"]),
        ("all levels in one join", "c2", ["lateral.0", "F.interpolate"]),
    ],
)
def test_functions_on_the_way_are_named_too(name: str, pushed: str, expected: list[str]) -> None:
    rows = data(*ledger(view_of(name)))["ledger"]["rows"]
    assert [row["through"] for row in rows if row["producer"] == pushed] == [expected]


@pytest.mark.parametrize(
    "name",
    [
        "diffusion u net",
        "joined by copies into views",
        "joined by concatenation of a concatenation",
    ],
)
def test_nothing_on_the_way_takes_no_column(name: str) -> None:
    (table,) = ledger(view_of(name))
    assert "through" not in table.keys


def test_what_was_added_is_not_told_twice(unetscope: Any) -> None:
    done = unetscope("skips", "sd15", "--controlnet", "controlnet_sd15", "-f", "json")
    rows = json.loads(done.out)["ledger"]["rows"]
    assert all("added" in row and "through" not in row for row in rows)


def test_long_skips_are_named() -> None:
    (table,) = ledger(view_of("u vit"))
    found = data(table)["ledger"]
    assert found["joins"]["long_skip"] == found["popped"] == len(found["long_skip_pops"]) == 2
    shown = render([table], "terminal")
    first = found["rows"][0]
    assert (
        f"Long skips at one resolution: pop 0 (push {first['push']}, {first['producer']}), pop 1"
    ) in shown
    assert "2 long skips" in shown


def test_joins_that_pop_several_say_how_many() -> None:
    found = data(*ledger(view_of("u net 3 plus of 5 levels")))["ledger"]
    assert found["joins"]["skip"] < found["popped"]
    assert (
        f"{found['joins']['skip']} skips ({found['popped']} pops)"
        in accounted(view_of("u net 3 plus of 5 levels"))[0]
    )


@pytest.mark.parametrize("language", Language)
def test_doubts_are_said_with_skips_or_without(language: Language) -> None:
    lone = view_of("one concatenation at one resolution", language.value)
    assert not lone.network.trace.skips
    assert accounted(lone)[1:] == [
        lone.words.doubtful["lone"].format(
            lone.words.function_of.format(module="Net", function="torch.cat")
        )
    ]
    products = view_of("maxima of skip and decoder", language.value)
    maxima = [
        products.words.function_of.format(
            module="Net",
            function=products.words.function_after.format(function="torch.maximum", call=call),
        )
        for call in ("ups.1", "ups.0")
    ]
    both = products.some(maxima)
    assert accounted(products)[1:] == [products.words.doubtful["product"].format(both)]
    (note,) = [row["note"] for row in data(all_joins(lone))["joins"]["rows"] if row["note"]]
    assert note == "lone"
    assert lone.words.doubts["lone"] in render([all_joins(lone)], "markdown")


def test_a_network_without_skips_says_what_it_joins(unetscope: Any) -> None:
    target = "torch.nn:TransformerEncoderLayer"
    given = ("--kwargs", "{d_model: 8, nhead: 2, batch_first: true}", "--input", "1,5,8")
    done = unetscope("skips", target, *given)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("TransformerEncoderLayer joins no skips\nAll joins: ")
    done = unetscope("skips", target, *given, "--all-joins", "-f", "json")
    rows = json.loads(done.out)["joins"]["rows"]
    assert rows
    assert f"All joins: {len(rows)} residual" in done.err


def test_every_class_has_words() -> None:
    words = view_of("fpn").words
    assert set(words.one_join) == set(words.several_joins) == {kind.value for kind in JoinClass}
    assert set(words.doubts) == set(words.doubtful)


@pytest.mark.parametrize("name", ["restormer", "yolo neck", "double u net", "dense net"])
def test_there_is_a_row_for_each_join(name: str) -> None:
    view = view_of(name)
    rows = data(all_joins(view))["joins"]["rows"]
    assert len(rows) == len(view.joins)
    doubts = {row["note"] for row in rows} - {None}
    assert len(accounted(view)) == 1 + len(doubts)
