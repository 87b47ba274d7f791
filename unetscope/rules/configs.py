"""All that can be said of a config, however much is wrong with it.

A misspelt key is read as the one it means, and where a value is at fault the others are checked
without it. What might only follow from a fault is left out, so that one cause is one finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from unetscope.config.document import Document
from unetscope.config.loading import check_options, convert, inputs_of
from unetscope.config.sections import (
    DEFAULT_FAMILY,
    InputsSection,
    check_file,
    keys_of,
)
from unetscope.errors import nearest
from unetscope.families import FAMILIES, find
from unetscope.families.family import Options
from unetscope.families.sizes import check_sizes
from unetscope.findings import (
    GROUPS,
    HEADS,
    LIST_LENGTH,
    RESIDUALS,
    REVERSE_MISSING,
    SIZE,
    SKIP_CHANNELS,
    TOO_LARGE,
    UNKNOWN_KEY,
    Finding,
    Path,
)
from unetscope.rules.surprises import Configured, surprises

_LENGTHS = {LIST_LENGTH.id, REVERSE_MISSING.id, RESIDUALS.id}
_PLAIN = {rule.id for rule in (GROUPS, HEADS, SKIP_CHANNELS, SIZE, TOO_LARGE)}
"""With these errors it is still plain which network is meant."""


@dataclass
class Checked:
    """What was found in a config.

    Attributes:
        findings: errors and warnings, each once, with their places.
        network: the network, if it is plain which one is meant.
    """

    findings: list[Finding] = field(default_factory=list)
    network: Configured | None = None


def check(document: Document) -> Checked:
    """Everything that is wrong with a config, and what may surprise in it."""
    checked = Checked()
    found = list(document.problems)
    if not found:
        of_form = list(check_file(document.data))
        if sections := _sections(document.data):
            document = _as_meant(document, of_form, sections)
            of_form = list(dict.fromkeys([*of_form, *check_file(document.data)]))
        found = of_form
        if sections:
            at_fault = {finding.path[:2] for finding in found}
            found = [*found, *_meaning(_without(document, at_fault), at_fault, checked)]
    checked.findings = [each.placed(document.places) for each in dict.fromkeys(found)]
    return checked


def _sections(data: Any) -> dict[str, list[str]]:
    """The keys that `unet` and `inputs` may hold; none if the config has no family's options."""
    if not isinstance(data, dict) or not isinstance(data.get("unet"), dict):
        return {}
    family = data.get("family", DEFAULT_FAMILY)
    if not isinstance(family, str) or family not in FAMILIES:
        return {}
    options: type[Options] = find(family).options
    return {"unet": list(keys_of(options)), "inputs": list(keys_of(InputsSection))}


def _as_meant(
    document: Document, found: Iterable[Finding], sections: dict[str, list[str]]
) -> Document:
    """The document with misspelt keys corrected, each still at its place."""
    data, places = dict(document.data), dict(document.places)
    for finding in found:
        if finding.id != UNKNOWN_KEY.id or len(finding.path) != 2:
            continue
        section, key = str(finding.path[0]), str(finding.path[1])
        inner = dict(data[section])
        meant = nearest(key, sections[section])
        value = inner.pop(key)
        if meant is not None and meant not in inner:
            inner[meant] = value
            for path, place in document.places.items():
                if path[:2] == (section, key):
                    moved: Path = (section, meant, *path[2:])
                    places[moved] = place
        data[section] = inner
    return replace(document, data=data, places=places)


def _without(document: Document, paths: set[Path]) -> Document:
    """The document without the values at these paths, of two keys at most."""
    data = {key: value for key, value in document.data.items() if (key,) not in paths}
    for section in ("unet", "inputs"):
        if isinstance(data.get(section), dict):
            kept = data[section].items()
            data[section] = {key: value for key, value in kept if (section, key) not in paths}
    return replace(document, data=data)


def _meaning(document: Document, at_fault: set[Path], checked: Checked) -> Iterator[Finding]:
    """What the rules say of the values that have the right form."""
    unknown = {str(path[1]) for path in at_fault if len(path) > 1}
    family = find(document.data.get("family", DEFAULT_FAMILY))
    while unknown.isdisjoint(family.level_keys):
        config, _, unet = convert(document.data)
        inputs = inputs_of(config.inputs, family, unet)
        faults = _unrelated(check_options(family, unet, document.places), unknown)
        yield from faults
        if lengths := {fault.path[:2] for fault in faults if fault.id in _LENGTHS}:
            unknown |= {str(path[-1]) for path in lengths}
            document = _without(document, lengths)
            continue
        size = (inputs.height, inputs.width)
        faults_of_sizes = check_sizes(family, unet, inputs.batch, size, inputs.tokens)
        of_sizes = _unrelated(faults_of_sizes, unknown)
        yield from of_sizes
        if {fault.id for fault in faults} <= _PLAIN:
            checked.network = Configured(
                family, unet, inputs, document.places, str(document.data.get("name") or "")
            )
            keys = {fault.path[:2] for fault in (*faults, *of_sizes)}
            surprising = _unrelated(surprises(checked.network), unknown)
            yield from (finding for finding in surprising if finding.path[:2] not in keys)
        return


def _unrelated(findings: Iterable[Finding], unknown: set[str]) -> list[Finding]:
    """The findings that do not speak of keys whose values are unknown.

    A message that holds the word `height` need not mean the key, one with `norm_num_groups` does.
    """
    names = {key for key in unknown if "_" in key}
    return [
        finding
        for finding in findings
        if unknown.isdisjoint(map(str, finding.path))
        and names.isdisjoint(re.findall(r"\w+", f"{finding.message} {finding.hint or ''}"))
    ]
