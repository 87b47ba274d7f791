"""What an output is about: model, overrides, inputs, element type, version, in one line.

The same is a record for programs. It holds no times and no paths but those that the user typed, so
that the same input gives the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from unetscope.record import TensorSpec, Trace
from unetscope.table import About
from unetscope.units import size
from unetscope.version import __version__
from unetscope.words import Words

if TYPE_CHECKING:
    from unetscope.lock import Lock
    from unetscope.rules.surprises import Configured
    from unetscope.sources import Request, Source

WIDTH = 120
"""Columns that the line keeps to where its inputs can be said shorter."""
_LEAST = 30
"""Columns that the inputs have however long the rest is."""
_LONGEST = 60
"""Characters of one override, or of the arguments of code."""
_MOST_OVERRIDES = 3
TEXT = re.compile(r"encoder_hidden_states|text|prompt|caption")
"""What names of inputs have in them that are a text's tokens."""
_INTEGERS = ("int", "uint", "bool")


@dataclass(frozen=True)
class Subject:
    """A network as an output shows it; what is not known of it is None.

    Attributes:
        model: its name.
        config: its config, its file or its code as the user named it; empty if there is none.
        overrides: what changed that config, as the user wrote it.
        arguments: what code was given to build it.
        inputs: names, shapes and element types; None where they are not one thing.
        dtype: of its parameters; of several, all, most elements first.
        device: where it ran.
        traced_by: the version of unetscope that ran it.
        names: whose names its modules are shown under.
        is_code: whether `config` names code, which then says more than the name of its class.
    """

    model: str
    config: str = ""
    overrides: tuple[str, ...] = ()
    arguments: str = ""
    inputs: tuple[tuple[str, TensorSpec], ...] | None = None
    dtype: str | None = None
    device: str | None = None
    traced_by: str | None = None
    names: str = "diffusers"
    is_code: bool = field(default=False, kw_only=True)

    @classmethod
    def of_trace(cls, trace: Trace, names: str = "diffusers") -> Subject:
        """The network of a trace, made now or saved."""
        run = trace.provenance
        inputs = tuple((given.name, trace.values[given.value].spec) for given in trace.inputs)
        held = (p.spec for m in trace.modules for p in m.parameters if p.tied_to is None)
        known: dict[str, Any] = {}
        if run is not None:
            known = {
                "config": run.config,
                "overrides": run.overrides,
                "arguments": run.arguments,
                "device": run.device,
                "traced_by": run.unetscope,
                "is_code": bool(run.config) and not trace.config,
            }
        dtype = _dtype(held, inputs)
        return cls(trace.name, inputs=inputs, dtype=dtype, names=names, **known)

    @classmethod
    def of_lock(cls, lock: Lock, source: Source, names: str = "diffusers") -> Subject:
        """The network of a source, from its lock."""
        request = source.request
        inputs = tuple((t.name, TensorSpec(t.shape, t.dtype)) for t in lock.inputs)
        tensors = [t for t in lock.tensors if not t.buffer and t.tied_to is None]
        dtype = _dtype((TensorSpec(t.shape, t.dtype) for t in tensors), inputs)
        return cls(
            lock.name,
            _reference(request),
            **request.changes,
            inputs=inputs or None,
            dtype=dtype,
            traced_by=lock.tools.get("unetscope"),
            names=names,
            is_code=not lock.config and source.file is None,
        )

    @classmethod
    def of_request(cls, request: Request, known: Mapping[str, Any]) -> Subject:
        """A network that runs at several sizes of its inputs.

        Args:
            request: what the user named.
            known: what its traces say of where it comes from; see `Runnable.known`.
        """
        return cls(
            known.get("name", request.source),
            known.get("reference", _reference(request)),
            **request.changes,
            dtype=request.dtype,
            device=request.device,
            traced_by=__version__,
            is_code=not known.get("config"),
        )

    @classmethod
    def of_config(cls, configured: Configured, request: Request) -> Subject:
        """The network that a config describes, which need not run."""
        sizes = configured.inputs
        size_ = (sizes.height, sizes.width)
        given = configured.family.inputs(configured.unet, sizes.batch, size_, sizes.tokens)
        return cls(
            configured.name or request.source,
            _reference(request),
            **request.changes,
            inputs=tuple(_flat(given)),
            dtype=request.dtype,
        )

    @property
    def network(self) -> str:
        """The network and what changed it: `Stable Diffusion 1.5, block_out_channels.3=960`."""
        said = [self.config if self.is_code else self.model]
        said += map(_short, self.overrides[:_MOST_OVERRIDES])
        if rest := len(self.overrides) - _MOST_OVERRIDES:
            said += [f"… +{rest}"] * (rest > 0)
        said += [_short(self.arguments)] * bool(self.arguments)
        return ", ".join(map(_one_line, said))

    def rest(self, words: Words) -> str:
        """All else that the line says, as long as `WIDTH` leaves room for."""
        made = [self.dtype] if self.dtype else []
        if made and self.device not in (None, "meta"):
            made = [words.on_device.format(dtype=self.dtype, device=self.device)]
        tool = [_versions(words, self.traced_by)]
        if self.names != "diffusers":
            tool.insert(0, words.names_of.format(self.names))
        fixed = len("".join([self.network, *made, *tool])) + 3 * (1 + len(tool)) + 2
        listed = words.listed
        given = listed.join([*self._inputs(words, max(WIDTH - fixed, _LEAST)), *made])
        return "".join(f" · {part}" for part in (given, *tool) if part)

    def _inputs(self, words: Words, room: int) -> list[str]:
        """The inputs in so many columns: with their sizes, the last by name, the rest counted."""
        said = self._entries(words)
        for index in range(len(said) - 1, 0, -1):
            if _wide(said) > room:
                said[index] = (said[index][1], said[index][1])
        texts, left = [full for full, _ in said], 0
        while len(texts) > 1 and len(", ".join(texts)) > room:
            texts.pop()
            left += 1
        return [*texts, words.others.format(left)] if left else texts

    def _entries(self, words: Words) -> list[tuple[str, str]]:
        """Each input with its size, and by name alone.

        One number an image, such as the time step, tells nothing and is left out, where there is
        something else to tell.
        """
        told = self.inputs or ()
        batch = next((spec.shape[0] for _, spec in told if len(spec.shape) > 1), 1)
        maps = [(n, spec) for n, spec in told if spec.shape not in ((), (1,), (batch,))] or told
        names = _bare([name for name, _ in maps])
        entries: list[tuple[str, str]] = []
        has_text = False
        pairs = zip(names, maps, strict=True)
        for name, alike in groupby(pairs, lambda pair: re.sub(r"\.\d+$", "", pair[0])):
            group = [spec for _, (_, spec) in alike]
            first = group[0]
            is_integer = first.dtype.startswith(_INTEGERS)
            if len(group) > 1:
                text = f"{name} ({len(group)})"
                entries.append((text, text))
            elif (
                not has_text and TEXT.search(name) and len(first.shape) == (2 if is_integer else 3)
            ):
                has_text = True
                text = words.tokens.format(first.shape[1])
                entries.append((text, text))
            else:
                other = f" {first.dtype}" if first.dtype != self.dtype else ""
                entries.append((f"{name} {size(first.shape)}{other}", name))
        return entries

    @property
    def data(self) -> dict[str, Any]:
        """The same for programs."""
        inputs = self.inputs
        return {
            "model": self.model,
            "config": self.config or None,
            "overrides": list(self.overrides),
            "arguments": self.arguments or None,
            "inputs": inputs
            and [{"name": n, "shape": list(s.shape), "dtype": s.dtype} for n, s in inputs],
            "dtype": self.dtype,
            "device": self.device,
            "names": self.names,
            "unetscope": __version__,
            "traced_by": self.traced_by,
        }


def about(subject: Subject, words: Words) -> About:
    """What an output of one network is about."""
    return About(((subject.network, subject.rest(words)),), subject.data)


def about_any(subjects: Sequence[Subject], words: Words) -> About | None:
    """What an output is about that shows networks one after the other: none, one or several."""
    if len(subjects) == 1:
        return about(subjects[0], words)
    return about_each(subjects, words) if subjects else None


def about_each(
    subjects: Sequence[Subject], words: Words, keys: Sequence[str] | None = None
) -> About:
    """What an output of several networks is about: one line if they differ in their names alone.

    Args:
        subjects: the networks.
        words: the language.
        keys: for programs, what each is called; without, they are a list.
    """
    names = [subject.network for subject in subjects]
    for at, subject in enumerate(subjects):
        alike = {other.config for other in subjects if other.network == subject.network}
        if len(alike) > 1:
            names[at] = f"{subject.network} ({_one_line(subject.config)})"
    lines = list(zip(names, (subject.rest(words) for subject in subjects), strict=True))
    rests = dict.fromkeys(rest for _, rest in lines)
    together = words.between_columns.join(name for name, _ in lines)
    if len(rests) == 1 and len(together) + len(rest := next(iter(rests))) <= WIDTH:
        lines = [(together, rest)]
    records = [subject.data for subject in subjects]
    data = records if keys is None else dict(zip(keys, records, strict=True))
    return About(tuple(lines), data)


def _versions(words: Words, traced_by: str | None) -> str:
    """This version and, where another ran the network, that one."""
    this = f"unetscope {_release(__version__)}"
    if traced_by in (None, __version__):
        return this
    return words.traced_by.format(this=this, other=_release(traced_by or ""))


def _release(version: str) -> str:
    return _one_line(version.removesuffix(".0"))


def _dtype(held: Iterable[TensorSpec], inputs: Sequence[tuple[str, TensorSpec]]) -> str | None:
    """The element types of some parameters, most elements first; without any, of the inputs."""
    counted = Counter[str]()
    for spec in held:
        counted[spec.dtype] += spec.numel
    if not counted:
        given = [spec.dtype for _, spec in inputs]
        floats = [dtype for dtype in given if not dtype.startswith(_INTEGERS)]
        return next(iter((*floats, *given)), None)
    return ", ".join(dtype for dtype, _ in counted.most_common())


def _flat(tensors: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, TensorSpec]]:
    """Each input by its full name; some are dictionaries of several."""
    for name, tensor in tensors.items():
        if isinstance(tensor, TensorSpec):
            yield f"{within}{name}", tensor
        else:
            yield from _flat(tensor, f"{within}{name}.")


def _reference(request: Request) -> str:
    """What the user named, and the ControlNet beside it."""
    return " + ".join(filter(None, (request.source, request.controlnet)))


def _bare(names: Sequence[str]) -> list[str]:
    """Names without what they are in (`added_cond_kwargs.text_embeds`), where that tells apart."""
    bare = [re.sub(r"^.*\.(?=[^\W\d])", "", name) for name in names]
    return [
        short if bare.count(short) == 1 else name for short, name in zip(bare, names, strict=True)
    ]


def _wide(entries: Sequence[tuple[str, str]]) -> int:
    return len(", ".join(full for full, _ in entries))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    text = _one_line(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
