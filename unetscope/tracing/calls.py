"""Module calls: every module's `forward` is watched, and what its hooks do.

Hooks alone would not do: code that calls `module.forward(x)` passes them by.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from threading import get_ident
from typing import Any, ParamSpec

import torch
from torch import Tensor, nn
from torch.nn.modules import module as everywhere

from unetscope.record import Argument, Closed, Failure, Step, TensorSpec
from unetscope.tracing.contents import contents, leaves, named_leaves
from unetscope.tracing.tensors import Tensors
from unetscope.turns import of_this_thread

_NOTE = "_unetscope_failure"
P = ParamSpec("P")


def _unseen(method: Callable[P, None]) -> Callable[P, None]:
    """Let a method ask tensors for their shapes and storages without its being watched itself."""

    @wraps(method)
    def unseen(*args: P.args, **kwargs: P.kwargs) -> None:
        with torch._C.DisableTorchFunction():
            method(*args, **kwargs)

    return unseen


class Calls:
    """The tree of calls of one pass."""

    def __init__(self, paths: Mapping[nn.Module, str], tensors: Tensors) -> None:
        """`paths` names every module that is to be watched."""
        self._paths = paths
        self._tensors = tensors
        self._signatures: dict[type, tuple[str, ...]] = {}
        # One entry a call, in the order they began.
        self._begun: list[tuple[str, int | None, int, tuple[Argument, ...], list[Closed]]] = []
        self._ended: dict[int, tuple[int, tuple[int, ...]]] = {}
        # The calls that are running, outermost first, each with the first value made in it and the
        # error that was being handled when it began.
        self._open: list[tuple[int, int, BaseException | None]] = []
        # The calls that a hook has begun and whose `forward` has yet to run.
        self._announced: set[int] = set()
        # Whose calls are watched: of the thread that makes the pass, while it does.
        self._thread: int | None = None

    @property
    def current(self) -> int | None:
        """The innermost call that is running."""
        return self._open[-1][0] if self._open else None

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Watch every module's `forward`; all is as it was afterwards, whatever happens.

        A module that has hooks is hooked too, so that what they do is seen within its call. What
        other threads call meanwhile is none of this pass.
        """
        with ExitStack() as undoing:
            self._thread = get_ident()
            undoing.callback(self._ignore)
            announce, conclude = of_this_thread(self._announce), of_this_thread(self._end)
            for module, path in self._paths.items():
                if _is_hooked(module):
                    begin = module.register_forward_pre_hook(
                        announce, prepend=True, with_kwargs=True
                    )
                    undoing.callback(begin.remove)
                    end = module.register_forward_hook(conclude, always_call=True)
                    undoing.callback(end.remove)
                own = vars(module).get("forward")
                if own is not None or type(module).forward is not nn.Module.forward:
                    undoing.callback(_restore, vars(module), own)
                    vars(module)["forward"] = self._watched(module, path)
            yield

    def _ignore(self) -> None:
        """Watch nothing more, not even by a `forward` that somebody has kept."""
        self._thread = None

    def steps(self) -> tuple[Step, ...]:
        """Every call, in the order they began."""
        unfinished: tuple[None, tuple[int, ...]] = (None, ())
        steps = []
        for index, (path, parent, start, inputs, closed) in enumerate(self._begun):
            end, outputs = self._ended.get(index, unfinished)
            steps.append(Step(path, parent, start, end, inputs, outputs, tuple(closed)))
        return tuple(steps)

    def fail(self, error: BaseException, op: str | None, inputs: Sequence[TensorSpec]) -> None:
        """Note where `error` came from; the innermost place is noted first and stays.

        The error carries the note: were it held here, its frames would keep tensors alive.
        """
        path = "" if self.current is None else self._begun[self.current][0]
        of_torch = op is not None and type(error) is RuntimeError  # as all that it raises is
        message = str(error) if of_torch else f"{type(error).__name__}: {error}".rstrip(": ")
        vars(error).setdefault(_NOTE, Failure(path, op, tuple(inputs), message))

    def failure(self, error: BaseException) -> Failure:
        """Where `error`, which ended the pass, came from."""
        self.fail(error, None, ())
        failure: Failure = vars(error).pop(_NOTE)
        return failure

    def _watched(self, module: nn.Module, path: str) -> Callable[..., Any]:
        """A module's `forward`, which records the calls that no hook has begun."""
        forward: Callable[..., Any] = module.forward

        @wraps(forward)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if get_ident() != self._thread:
                return forward(*args, **kwargs)
            call = self.current
            if call in self._announced and self._begun[call][0] == path:
                self._announced.remove(call)
                return forward(*args, **kwargs)
            self._begin(module, args, kwargs)
            try:
                output = forward(*args, **kwargs)
            except Exception:
                self._end(module, args, None)
                raise
            self._end(module, args, output)
            return output

        return watched

    # Hooks return nothing: what a forward hook returns would replace the module's output.

    def _announce(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._announced.add(len(self._begun))
        self._begin(module, args, kwargs)

    @_unseen
    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tensors = self._tensors
        inputs: list[Argument] = []
        closed: list[Closed] = []
        for name, value in self._arguments(type(module), args, kwargs):
            held = contents(value, name, tensors.find)
            inputs += [
                Argument(inner, tensors.see(tensor, None if self._open else inner))
                for inner, tensor in held.tensors
            ]
            closed += [Closed(*each) for each in held.closed]
        self._open.append((len(self._begun), tensors.count, sys.exc_info()[1]))
        parent = self._open[-2][0] if len(self._open) > 1 else None
        self._begun.append((self._paths[module], parent, tensors.tick(), tuple(inputs), closed))

    @_unseen
    def _end(self, _: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        tensors = self._tensors
        error = sys.exc_info()[1]
        call, first, handled = self._open[-1]
        if output is None and error is not None and error is not handled:
            self.fail(error, None, tensors.described(leaves(args)))
            self._open.pop()
            return
        try:
            held = contents(output, "return", tensors.find)
            values = tuple([tensors.see(tensor) for _, tensor in held.tensors])
        finally:
            self._open.pop()
        self._begun[call][-1].extend(Closed(*each) for each in held.closed)
        self._ended[call] = tensors.tick(), values
        # A lone tensor that is older than the call was handed through, not produced.
        if len(values) == 1 and values[0] >= first:
            tensors.produced(values[0], call)

    def _arguments(
        self, kind: type[nn.Module], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[str, Any]]:
        """What a call was given, under the names that `forward` gives it."""
        names = self._signatures.get(kind)
        if names is None:
            names = self._signatures[kind] = _positional(kind)
        return _named(names, args, kwargs)


def arguments(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, Tensor]]:
    """The tensors that a network is given, under the names that a trace has for them."""
    for name, value in _named(_positional(type(model)), args, kwargs):
        yield from named_leaves(value, name)


def _named(
    names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """The arguments of a call by name, `names` being those of the positional ones."""
    for index, value in enumerate(args):
        yield names[index] if index < len(names) else f"args.{index}", value
    yield from kwargs.items()


def _positional(kind: type[nn.Module]) -> tuple[str, ...]:
    """The positional parameters of `forward`."""
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(kind.forward).parameters.values()
    return tuple(p.name for p in parameters if p.kind in named)[1:]


def _is_hooked(module: nn.Module) -> bool:
    return bool(
        module._forward_pre_hooks
        or module._forward_hooks
        or everywhere._global_forward_pre_hooks
        or everywhere._global_forward_hooks
    )


def _restore(holder: dict[str, Any], forward: Callable[..., Any] | None) -> None:
    """Put a module's own `forward` back; None if it had its class's."""
    if forward is None:
        del holder["forward"]
    else:
        holder["forward"] = forward
