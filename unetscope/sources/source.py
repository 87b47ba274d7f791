"""What a source can give: a trace, a lock, a config, and a network that runs again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from unetscope.errors import ForwardError, Place, UnetscopeError
from unetscope.files.reading import is_file
from unetscope.sources.request import Request

if TYPE_CHECKING:
    from torch import nn

    from unetscope.analysis.diff import Change, Diff
    from unetscope.lock import Lock
    from unetscope.record import Trace
    from unetscope.sources.inputs import Given

Info = Callable[[str], None]
"""Is called with each message for the user, such as which inputs were guessed."""


S = TypeVar("S", bound="Source")
R = TypeVar("R", bound="Runnable")


class Source(ABC):
    """What a user named, found and read.

    Attributes:
        request: its name, and the options for it.
        info: is called with each message for the user.
        takes: the options that mean something to this kind of source, by field of `Request`.
        tensors_only: whether nothing but its tensors is known, as of a checkpoint.
        what: what kind of source it is, for messages.
        by_position: whether inputs may be described by names that only the network has that it is
            compared with; they go by their places then.
        other_names: such names, each with the one that stands for it, once the network has run.
    """

    takes: ClassVar[frozenset[str]] = frozenset()
    tensors_only: ClassVar[bool] = False
    what: ClassVar[str] = "a network"

    def __init__(self, request: Request, info: Info) -> None:
        self.request = request
        self.info = info
        self.by_position = False
        self.other_names: dict[str, str] = {}

    @property
    def name(self) -> str:
        """What the user called it."""
        return self.request.source

    def at_revision(self: S, name: str, named: Callable[[Place], Place]) -> S:
        """Itself under the name that the user gave, after its temporary file is gone.

        Args:
            name: such as `HEAD~1:configs/unet.yaml`.
            named: a place in the temporary file as one in the revision.
        """
        self.request = replace(self.request, source=name)
        return self

    @property
    def file(self) -> Path | None:
        """The file that it was named by; None if by a shipped name, code or a revision."""
        path = Path(self.name)
        return path if is_file(path) else None

    @classmethod
    @abstractmethod
    def refusal(cls, request: Request, option: str) -> UnetscopeError:
        """Why this kind of source has no use for an option, a field of `Request`."""

    @abstractmethod
    def trace(self) -> Trace:
        """The trace of one pass: loaded if it was saved, else made.

        Raises:
            UnetscopeError: the source holds no network, or the network cannot run.
        """

    def lock(self) -> Lock:
        """The lock of the network.

        Raises:
            UnetscopeError: as `trace`.
        """
        return self._lock

    @cached_property
    def _lock(self) -> Lock:
        from unetscope.analysis.digest import digest

        return digest(self.trace())

    def lock_text(self) -> bytes:
        """The text of the lock, as it is written.

        Raises:
            UnetscopeError: as `trace`.
        """
        return self._lock_text

    @cached_property
    def _lock_text(self) -> bytes:
        from unetscope.files.locks import dumps

        return dumps(self.lock())

    def comparable(self) -> Lock:
        """What `diff` compares: the lock or, of a checkpoint, one of its tensors alone."""
        return self.lock()

    def config(self) -> Mapping[str, Any]:
        """The config as it is resolved, in plain values.

        Raises:
            UnetscopeError: there is none.
        """
        raise UnetscopeError(f"`{self.name}` has no config")

    def runnable(self, why: str) -> Runnable:
        """The source as a network that runs again; `why` it must, for the message.

        Raises:
            UnetscopeError: it holds no network.
        """
        raise UnetscopeError(
            f"`{self.name}` is {self.what}: {why}",
            hint=f"name the config that {self.what} was made from",
        )

    def place_of(self, change: Change, diff: Diff) -> Place | None:
        """The line that most likely caused a change, if it stands in a file."""
        return None if self.file is None else Place(str(self.file), 1)


class Runnable(Source):
    """A network that can be built, and run at any sizes of its inputs."""

    scale: int = 1
    """Pixels of the image for each row of the sample."""

    @property
    def input_dtype(self) -> str | None:
        """The element type of floating-point inputs; None for the one that each is described in."""
        return self.request.dtype

    @abstractmethod
    def build(self) -> nn.Module:
        """The network in eval mode, on the device that was asked for."""

    @abstractmethod
    def computed(self) -> nn.Module:
        """The network on cpu or cuda, with buffers as its code computes them; weights are any."""

    @abstractmethod
    def inputs(self, model: nn.Module) -> Given:
        """The arguments of `forward`, described: a `TensorSpec` stands for each tensor."""

    @abstractmethod
    def at(self: R, **sizes: int) -> R:
        """The same network at other sizes of its inputs, which are not checked.

        Raises:
            UnetscopeError: the user described the inputs, so that their sizes are fixed.
        """

    def on(self: R, device: str, dtype: str | None = None) -> R:
        """The same network on another device, maybe in another element type."""
        other = copy(self)
        other.request = replace(self.request, device=device, dtype=dtype or self.request.dtype)
        return other

    def narrow(self: R) -> R | None:
        """The same blocks with few channels and a small sample; None if nobody knows how."""
        return None

    @property
    def description(self) -> str:
        """The network and its size, in a few words."""
        return self.name

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of its inputs that are known: `batch`, `height`, `width`, `tokens`."""
        return self.request.sizes

    def check_sizes(self, flags: Mapping[str, int]) -> None:
        """See that the network can take its inputs; `flags` are those that the command line set.

        Raises:
            ConfigError: it cannot, as far as that is known before it runs.
        """

    @property
    @abstractmethod
    def known(self) -> dict[str, Any]:
        """What a trace says of where it comes from: `name`, `config`, `reference`."""

    def explain(self, error: ForwardError) -> None:
        """Add to a failed pass its most likely cause."""

    def runnable(self: R, why: str) -> R:
        """Itself."""
        return self

    def guarded(self, doing: str) -> AbstractContextManager[None]:
        """A context for the network's code, which says in one message what goes wrong there."""
        from unetscope.sources.targets import foreign

        return foreign(doing)

    def arguments(
        self, model: nn.Module, dtype: str | None = None, given: Given | None = None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and the named arguments of `forward`, as tensors of zeros.

        Args:
            model: what was built.
            dtype: of the floating-point ones, instead of `input_dtype`.
            given: described, instead of `inputs`.
        """
        from unetscope.tracing import devices

        given = given or self.inputs(model)
        described = given.args, dict(given.kwargs or {})
        args, kwargs = devices.zeros(described, self.request.device, dtype or self.input_dtype)
        return args, kwargs

    def trace(self) -> Trace:
        """One pass over the network.

        Raises:
            ForwardError: it failed; the error names its most likely cause.
            UnetscopeError: it cannot be built.
        """
        return self.run(self.build())

    def run(self, model: nn.Module, given: Given | None = None) -> Trace:
        """One pass over what `build` returned, perhaps with other inputs; see `trace`."""
        from unetscope.tracing import trace

        args, kwargs = self.arguments(model, given=given)
        try:
            return trace(model, args, kwargs, **self.known, **self.request.changes)
        except ForwardError as error:
            self.explain(error)
            raise
