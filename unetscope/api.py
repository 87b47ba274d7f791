"""The public door: what a program, a notebook, a test or a command asks of unetscope.

    import unetscope

    unet = unetscope.load("sd15", layers_per_block=1)   # or a path, code, a saved trace, a lock
    unet.params(by="part")                              # rows, as pandas.DataFrame takes them
    unetscope.diff("sd15", unet).changes
    unetscope.identify("model.safetensors").label       # what a weights file is
    unetscope.trace(model, sample, timestep)            # any nn.Module

Importing this module imports no torch; it comes with the first pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError
from unetscope.record import Trace
from unetscope.sources import Request, Source, resolve
from unetscope.sources.reruns import Progress, see_device, unwatched, verification
from unetscope.sources.source import Info
from unetscope.wording import harmless

if TYPE_CHECKING:
    from torch import nn

    from unetscope.analysis.diff import Diff
    from unetscope.checkpoints.header import Header
    from unetscope.checkpoints.identified import Identified
    from unetscope.config import Spec
    from unetscope.findings import Finding
    from unetscope.lock import Lock
    from unetscope.table import Table
    from unetscope.views.view import View

Row = dict[str, Any]
"""One row of a table by the keys of `--format json`: strings, numbers, None and lists of them."""


def _no_info(text: str) -> None:
    """A program gets no messages, only what it asks for."""


def trace(model: nn.Module, /, *args: Any, **kwargs: Any) -> Trace:
    """Run `model(*args, **kwargs)` once and record it: calls, functions, shapes, skips.

    Every argument after the model is `forward`'s, whatever its name, so this function has no
    options of its own; `unetscope.tracing.trace(model, args, kwargs, name=…)` has.

    The pass is without gradients and in eval mode. The model, its hooks and modes, the random state
    and torch are left as they were, also after an error. On the meta device nothing is computed and
    nothing allocated:

        >>> import torch, unetscope
        >>> from torch import nn
        >>> with torch.device("meta"):
        ...     model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 3, 1))
        ...     t = unetscope.trace(model, torch.zeros(1, 3, 64, 64))
        >>> t.total_params, t.total_macs
        (251, 983040)
        >>> rows = unetscope.load(t).tables()["calls"]
        >>> [(row["path"], row["output_shapes"]) for row in rows][1:]
        [('0', [(1, 8, 64, 64)]), ('1', [(1, 8, 64, 64)]), ('2', [(1, 3, 64, 64)])]

    Args:
        model: any module; of one that `torch.compile` or `nn.DataParallel` made, the network
            inside is traced.
        *args: the positional inputs, on the model's device.
        **kwargs: the inputs by name.

    Raises:
        ForwardError: `forward` failed; the error's `trace` holds what happened until then.
        UnetscopeError: it is no module, or holds some whose inside cannot be seen.
    """
    from torch import nn

    from unetscope import tracing

    found: object = model  # not everyone checks types
    if not isinstance(found, nn.Module):
        kind = f"the class `{found.__name__}`" if isinstance(found, type) else f"{found!r:.60}"
        raise UnetscopeError(f"expected an nn.Module, found {kind}")
    return tracing.trace(model, args, kwargs)


def load(
    source: str | Path | Trace | Lock | Spec,
    /,
    *,
    batch: int | None = None,
    height: int | None = None,
    width: int | None = None,
    tokens: int | None = None,
    device: str = "meta",
    dtype: str = "float32",
    inputs: Sequence[str] = (),
    input_file: Path | None = None,
    kwargs: Mapping[str, Any] | None = None,
    controlnet: str | None = None,
    **overrides: Any,
) -> Architecture:
    """A network by what names it: all that a command of `unetscope` takes.

        >>> import unetscope
        >>> unetscope.load("sd15", block_out_channels=[320, 640, 1280, 960]).trace().total_params
        724349444

    Args:
        source: a config file, the name of a shipped config, a saved trace, a lock, a checkpoint, a
            file at a git revision (`HEAD~1:configs/unet.yaml`), or code (`pkg.module:attr`); also a
            `Trace`, a `Lock` or a config's `Spec` itself.
        batch: images at once, instead of the config's.
        height: rows of the (latent) sample, instead of the config's.
        width: columns of the (latent) sample, instead of the config's.
        tokens: tokens of the text, instead of the config's.
        device: where the pass runs; nothing is allocated on `meta`.
        dtype: element type of weights and inputs, by torch's name.
        inputs: what the `forward` of code takes, as `--input` describes it: `x=1,3,64,64`.
        input_file: the same in a YAML file.
        kwargs: arguments of a class or factory that `source` names.
        controlnet: the config of a ControlNet that steers the UNet.
        **overrides: options of the config's `unet`, in the place of its own.

    Raises:
        UnetscopeError: there is no such source, it describes no network, or an option has no
            meaning for it.
    """
    if not isinstance(source, (str, Path)):
        return Architecture(_given(source))
    request = _request(
        source,
        batch=batch,
        height=height,
        width=width,
        tokens=tokens,
        device=device,
        dtype=dtype,
        inputs=inputs,
        input_file=input_file,
        kwargs=kwargs,
        controlnet=controlnet,
        **overrides,
    )
    return Architecture(resolve(request, _no_info))


def read(path: str | Path, /) -> Trace | Lock | Header:
    """What a file holds that unetscope or others wrote: a saved trace, a lock, or a checkpoint.

    Of a checkpoint (safetensors, GGUF or what `torch.save` wrote) only the header is read: it
    maps the names of its tensors to shapes and element types. No code that a pickle names is run.

    Raises:
        UnetscopeError: it is none of these, or is damaged.
    """
    from unetscope.checkpoints import files as checkpoints
    from unetscope.files import locks, traces

    path = Path(path)
    if checkpoints.is_checkpoint(path):
        return checkpoints.read(path)
    return locks.load(path) if locks.is_lock(path) else traces.load(path)


def identify(source: str | Path | Mapping[str, Any], /) -> Identified:
    """What a weights file is: a fact, how certain it is, and the evidence for it.

    Only headers are read, no code that a pickle names is run, and torch is imported only to build
    a network that is no published one.

        >>> import unetscope
        >>> tensors = unetscope.load("sd21").lock().tensors
        >>> found = unetscope.identify({tensor.name: tensor.shape for tensor in tensors})
        >>> found.certainty.value, found.label
        ('exact', 'sd20, sd21, sd21_base')

    Args:
        source: a file (safetensors, GGUF or what `torch.save` wrote), the index of several, a
            folder with either, or a pipeline of diffusers; or the shape of each tensor by its
            name, as a tuple, a `TensorSpec` or the tensor itself (`model.state_dict()`).

    Raises:
        UnetscopeError: it cannot be read, is of no known kind, is damaged, or exceeds a bound.
    """
    from unetscope.sources.identifying import identify as find

    return find(source)


def diff(
    old: str | Path | Trace | Lock | Spec | Architecture,
    new: str | Path | Trace | Lock | Spec | Architecture,
    /,
    *,
    verify: str | None = None,
    progress: Progress = unwatched,
) -> Diff:
    """All that changed from one network to another; `changes` is empty if they are equal.

    Args:
        old: what `load` takes, or what it returns.
        new: the same.
        verify: cpu or cuda: where both networks, which must be configs or code, run with equal
            weights and inputs, so that their outputs are compared too.
        progress: shows how far these runs are.

    Raises:
        UnetscopeError: one of them cannot be had, as in `load`, or cannot run for real.
    """
    from unetscope.analysis.diff import diff as compare
    from unetscope.families import defaults

    before, after = (each if isinstance(each, Architecture) else load(each) for each in (old, new))
    if verify is not None:
        why = "it holds no network to run"
        networks = before.source.runnable(why), after.source.runnable(why)
        see_device(verify)
    tensors_only = before.source.tensors_only or after.source.tensors_only
    locks = before.source.comparable(), after.source.comparable()
    if tensors_only:
        from unetscope.sources.translating import tensor_diff

        found = tensor_diff(*locks, after.source.info)
    else:
        found = compare(*locks, defaults)
    if verify is not None:
        from unetscope.analysis.diff.verified import with_verification

        found = with_verification(found, verification(*networks, verify, progress))
    names = before.source.name, after.source.name
    if found.old != found.new or names[0] == names[1]:
        return found
    return replace(found, old=names[0], new=names[1])


def check(
    source: str | Path,
    /,
    *,
    ignore: Sequence[str] = (),
    **options: Any,
) -> list[Finding]:
    """Everything that is wrong with a config or code, and what may surprise in it.

    Args:
        source: what `load` takes, by name.
        ignore: ids of findings to leave out; `unetscope check --list-rules` lists them.
        **options: those of `load`.

    Raises:
        UnetscopeError: there is no such source, it cannot be read, or an option has no meaning for
            it. A config that describes no network is no error: that is a finding.
    """
    from unetscope.rules import known_ids
    from unetscope.sources import checking

    ignored = known_ids(ignore)
    checked = checking.check(_request(source, **options), _no_info)
    return [finding for finding in checked.findings if finding.id not in ignored]


class Architecture:
    """A network as it was named, and the questions about it.

    Rows are flat dicts with the keys of `--format json`: `pandas.DataFrame(unet.params())`. In a
    notebook, and printed by rich, it shows its parts and its skip ledger.

    Attributes:
        source: what was named, found and read.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    @classmethod
    def of(cls, request: Request, info: Info) -> Architecture:
        """The network that a request of the command line names."""
        return cls(resolve(request, info))

    def trace(self) -> Trace:
        """One pass over the network; made once.

        Raises:
            ForwardError: it failed.
            UnetscopeError: the source is a lock or a checkpoint, which hold no trace.
        """
        return self._trace

    @cached_property
    def _trace(self) -> Trace:
        return self.source.trace()

    def lock(self) -> Lock:
        """The lock of the network, as `unetscope lock` writes it.

        Raises:
            UnetscopeError: as `trace`; a lock is its own.
        """
        return self.source.lock()

    def to_json(self) -> str:
        """The whole trace as JSON, as `unetscope trace --save` writes it."""
        from unetscope.files import traces

        return traces.dumps(self.trace()).decode()

    def to_dict(self) -> dict[str, Any]:
        """The whole trace as dicts, lists, strings and numbers."""
        data: dict[str, Any] = json.loads(self.to_json())["trace"]
        return data

    @property
    def provenance(self) -> dict[str, Any]:
        """What the network is, as `--format json` says it: model, config, overrides, inputs.

        It holds no times, and no paths but those that were named.

        Raises:
            UnetscopeError: as `lock`.
        """
        from unetscope.sources.saved import Saved, SavedTrace
        from unetscope.views.about import Subject

        if isinstance(self.source, Saved) and not isinstance(self.source, SavedTrace):
            return Subject.of_lock(self.source.comparable(), self.source).data
        return self._view.subject.data

    def params(self, by: str = "block", **options: Any) -> list[Row]:
        """The parameters, one row a group.

        Args:
            by: `block`, `part`, `stage-kind`, `type`, `mbw`, `module` or `tensor`.
            **options: `depth`, `top`, `match` and `lora_rank`, as the command takes them.
        """
        from unetscope.views.params import Choice, params

        return _rows(params(self._view, Choice(by, **options))[0])

    def flops(self, by: str = "block", **options: Any) -> list[Row]:
        """The multiply-adds (MACs), one row a group; 1 MAC is 2 FLOPs.

        Args:
            by: `block`, `part`, `stage-kind`, `type`, `mbw`, `module` or `op`.
            **options: `depth` and `top`, as the command takes them.
        """
        from unetscope.views.flops import flops

        return _rows(flops(self._view, by, **options)[0])

    def memory(self, section: str = "memory") -> list[Row]:
        """What one forward pass holds in memory, in bytes.

        Args:
            section: `memory`, `weights`, `peak`, `blocks`, `skips` or `training`.
        """
        from unetscope.views.memory import memory

        return [row for table in memory(self._view, section)[0] for row in _rows(table)]

    def skips(self) -> list[Row]:
        """The skip ledger, one row a join; empty if nothing is joined."""
        from unetscope.views.skips import ledger

        return [row for table in ledger(self._view) for row in _rows(table)]

    def blocks(self) -> list[Row]:
        """One row a block: path, part, class, shapes, parameters and multiply-adds inside.

        Parameters are counted where the network first calls them.
        """
        from unetscope.analysis.control import blocks, parts_beside
        from unetscope.analysis.partition import nearest

        trace, network, anatomy = self.trace(), self._view.network, self._view.anatomy
        parts = {block: part for part, held in vars(anatomy).items() for block in held}
        beside = parts_beside(network)
        counted: set[str] = set()
        rows = []
        for block in blocks(network):
            inside = network.below(block)
            modules = {network.path(call) for call in inside} - counted
            counted |= modules
            given, made = network.main_input(block), network.main_output(block)
            macs = [trace.ops[op].macs for call in inside for op in network.ops[call]]
            rows.append(
                {
                    "path": network.path(block),
                    "part": parts.get(block) or nearest(network.path(block), beside),
                    "class": network.module(block).kind,
                    "input_shape": None if given is None else list(network.spec(given).shape),
                    "output_shape": None if made is None else list(network.spec(made).shape),
                    "parameters": sum(network.modules[path].own_parameters for path in modules),
                    "macs": sum(filter(None, macs)),
                }
            )
        return rows

    def tables(self) -> dict[str, list[Row]]:
        """The rows of every table of `unetscope trace` by its key; `calls` is every call.

        Code that has no blocks as diffusers' UNets do has its own: `stages` in the place of the
        articles' `parts`, `encoder` and so on.

        A table that this network has not is left out. Step tables, one for each body that joins
        skips, follow each other under `steps`, each row with its `block`; those of the encoder and
        of the middle under `encoder_steps` and `middle_steps`.
        """
        from unetscope.views.sections import fitting, show
        from unetscope.views.step_table import STEPS
        from unetscope.views.tree import calls

        found, _ = show(self._view, [name for name in fitting(self._view) if name != "calls"])
        rows: dict[str, list[Row]] = {}
        for table in [*found, *calls(self._view)]:
            if not table.columns:
                continue
            shared = {"block": table.data["block"]} if table.key in STEPS else {}
            rows.setdefault(table.key, []).extend({**shared, **row} for row in _rows(table))
        return rows

    @cached_property
    def _view(self) -> View:
        from unetscope.views.view import View

        return View.of(self.trace())

    def _at_a_glance(self) -> list[Table]:
        from unetscope.views.sections import fitting, show

        whole = [n for n in fitting(self._view, overview=True) if n not in ("verdict", "next")]
        found, _ = show(self._view, [*whole, "ledger"])
        return [table.as_read for table in found]

    def __repr__(self) -> str:
        return harmless(f"<Architecture of {self.source.name}>")

    def _repr_html_(self) -> str:
        """Heading, inputs, parts and skip ledger, as notebooks show them."""
        from unetscope.render.html import fragment

        return fragment(self._at_a_glance(), self._view.about)

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """The same, as `rich.print` shows it."""
        from rich.text import Text

        from unetscope.render import Style, render

        style = Style(options.max_width, color=console.color_system is not None)
        text = render(self._at_a_glance(), "terminal", style, self._view.about)
        yield Text.from_ansi(text.rstrip("\n"))


def _given(value: Trace | Lock | Spec) -> Source:
    """A trace, a lock or a config that a program has in hand."""
    from unetscope.lock import Lock
    from unetscope.sources.configs import ConfigNetwork
    from unetscope.sources.saved import SavedLock, SavedTrace

    request = Request(value.name)
    if isinstance(value, Trace):
        return SavedTrace(request, _no_info, value)
    if isinstance(value, Lock):
        return SavedLock(request, _no_info, value)
    return ConfigNetwork(replace(request, source=value.reference), _no_info, value)


def _request(source: str | Path, **options: Any) -> Request:
    """The request for a source with the options of `load`; all others override the config's."""
    known = {field.name for field in fields(Request)} - {"source", "overrides"}
    given = {name: value for name, value in options.items() if name in known}
    overrides = {name: value for name, value in options.items() if name not in known}
    if given.get("kwargs") is not None:
        given["kwargs"] = json.dumps(given["kwargs"])
    given["inputs"] = tuple(given.get("inputs", ()))
    texts = tuple(f"{name}={json.dumps(value)}" for name, value in overrides.items())
    return Request(str(source), overrides=texts, **given)


def _rows(table: Table) -> list[Row]:
    return [table.record(row) for row in table.rows]
