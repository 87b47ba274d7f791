"""Lines below tables that say what short titles and names in them mean, where they occur."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from unetscope.analysis.module_kinds import GSC
from unetscope.table import Cell, Table, paragraph
from unetscope.words import Words
from unetscope.words_teaching import TeachingWords

_SAME = {"merge_blocks": "merge_block"}
_CORES = {"self_attention", "cross_attention", "joint_attention"}


def legended(words: Words, table: Table, *keys: str) -> Table:
    """A table of which some columns have a legend, unless they hold nothing."""
    sentences = TeachingWords(words.language).legends
    columns = (
        replace(column, legend=sentences[_SAME.get(column.key, column.key)])
        if column.key in keys and not table.is_blank(column.key)
        else column
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


def of_kinds(words: Words, kinds: Iterable[str]) -> list[Cell]:
    """What the kinds among rows are that no code calls so."""
    return [Cell.of(TeachingWords(words.language).gsc)] if GSC in kinds else []


def of_joins(words: Words, classes: Iterable[str]) -> list[Cell]:
    """What the classes of joins among rows are."""
    words = TeachingWords(words.language)
    known = words.join_meanings
    sentences = [
        words.join_legend.format(name=words.one_join[each], means=known[each])
        for each in dict.fromkeys(classes)
        if each in known
    ]
    return [paragraph(sentences)] if sentences else []


def of_work(words: Words, kinds: Iterable[str]) -> list[Cell]:
    """What the kinds of work among rows are whose names do not say it."""
    words = TeachingWords(words.language)
    known, found = words.work_meanings, set(kinds)
    sentences = [known["core"]] if found & _CORES else []
    if "product" in found:
        sentences.append(known["product"])
    return [paragraph(sentences)] if sentences else []
