"""From what a user named to a `Lock`: read, digested from a saved trace, or made by one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unetscope.commands.passes import Request
from unetscope.errors import Place, UnetscopeError

if TYPE_CHECKING:
    from unetscope.analysis.diff import Change, Diff
    from unetscope.lock import Lock


@dataclass(frozen=True)
class Subject:
    """A network that is locked or compared.

    Attributes:
        source: what the user called it.
        lock: its digest.
        file: the file that it was named by; None if by a shipped name, code or a revision.
        places: of a config, where each of its values stands.
        tensors_only: whether nothing but its tensors is known: it is a checkpoint.
    """

    source: str
    lock: Lock
    file: Path | None = None
    places: Mapping[Any, Place] = field(default_factory=dict)
    tensors_only: bool = False

    def place(self, change: Change, diff: Diff) -> Place | None:
        """The line that most likely caused a change, if it stands in a file."""
        from unetscope.analysis.diff.configs import cause, nearest_place

        if self.file is None:
            return None
        path = cause(change, diff, (module.path for module in self.lock.modules))
        found = nearest_place(path, self.places)
        return found if isinstance(found, Place) else Place(str(self.file), 1)


def compared(old: Subject, new: Subject) -> Diff:
    """What changed; networks of one name are told apart by what the user called them."""
    from unetscope.analysis.diff import diff, tensor_diff

    tensors_only = old.tensors_only or new.tensors_only
    found = (tensor_diff if tensors_only else diff)(old.lock, new.lock)
    if found.old != found.new or old.source == new.source:
        return found
    return replace(found, old=old.source, new=new.source)


def subject(request: Request, *, placed: bool = False, weights: bool = False) -> Subject:
    """The network of a request.

    Args:
        request: a lock, a saved trace, a config, a file at a git revision, or code.
        placed: whether the places of a config's values are needed.
        weights: whether a checkpoint will do.

    Raises:
        UnetscopeError: there is no such thing, or it does not run.
    """
    from unetscope import lockfile, store
    from unetscope.checkpoints.files import is_checkpoint
    from unetscope.commands.passes import obtain
    from unetscope.commands.revisions import checked_out, is_revision

    if is_revision(request.source):
        with checked_out(request.source) as path:
            found = subject(replace(request, source=str(path)), weights=weights)
            return replace(found, source=request.source, file=None)
    path = Path(request.source)
    if is_checkpoint(path):
        return _weights(request.source, path, wanted=weights)
    file = path if path.is_file() else None
    if file is not None and lockfile.is_lock(file):
        return Subject(request.source, lockfile.load(file), file)
    from unetscope.analysis.digest import digest

    if file is not None and store.is_trace(file):
        return Subject(request.source, digest(store.load(file)), file)
    locked = digest(obtain(request))
    has_places = placed and file is not None and request.published is None
    places = request.spec().places if has_places else {}
    return Subject(request.source, locked, file, places)


def _weights(source: str, path: Path, *, wanted: bool) -> Subject:
    """The tensors of a checkpoint's UNet."""
    from unetscope.analysis.diff.bare import bare
    from unetscope.checkpoints import contents, files
    from unetscope.commands import console

    if not wanted:
        raise UnetscopeError(
            "a checkpoint: it holds the tensors of a network, not what it does with them",
            hint="`unetscope diff CONFIG CHECKPOINT` compares its tensors",
            place=Place(str(path)),
        )
    tensors, left_out = contents.unet(files.read(path))
    types = ", ".join(sorted({spec.dtype for spec in tensors.values()}))
    console.say(f"note: `{source}` holds {len(tensors)} tensors ({types or 'no type'})")
    if left_out:
        others = ", ".join(f"{part} ({count})" for part, count in left_out.items())
        console.say(f"note: left out, as no tensors of the UNet: {others}")
    lock = bare(source, {name: spec.shape for name, spec in tensors.items()})
    return Subject(source, lock, tensors_only=True)


def fitting(request: Request, sources: Iterable[str]) -> list[Request]:
    """One request a source: what describes inputs of code goes to code, sizes to configs alone."""
    from unetscope.checkpoints.files import is_checkpoint
    from unetscope.commands.revisions import is_revision
    from unetscope.lockfile import is_lock

    found = []
    for source in sources:
        path = Path(source)
        made = is_checkpoint(path) or (
            path.is_file() and (is_lock(path) or replace(request, source=source).is_saved)
        )
        plain = Request(source)
        if made or (is_revision(source) and source.endswith(".lock")):
            found.append(plain)
        elif plain.is_target and not is_revision(source):
            code = Request(
                source,
                device=request.device,
                dtype=request.dtype,
                inputs=request.inputs,
                input_file=request.input_file,
                kwargs=request.kwargs,
            )
            found.append(code)
        else:
            found.append(
                Request(
                    source,
                    batch=request.batch,
                    height=request.height,
                    width=request.width,
                    tokens=request.tokens,
                    **_inputs_of_published(plain, request),
                )
            )
    code_given = request.inputs or request.input_file or request.kwargs is not None
    if code_given and not any(each.is_target or each.inputs or each.input_file for each in found):
        raise UnetscopeError(
            "`--input`, `--input-file` and `--kwargs` go with code, such as `pkg.module:Unet`"
        )
    return found


def _inputs_of_published(plain: Request, request: Request) -> dict[str, Any]:
    """What describes inputs, if diffusers builds the network, which has no `inputs` section."""
    described = request.inputs or request.input_file
    if not described or not Path(plain.source).exists() or plain.published is None:
        return {}
    return {"inputs": request.inputs, "input_file": request.input_file}
