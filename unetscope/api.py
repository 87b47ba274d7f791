"""`unetscope.trace`: what a program or a notebook calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from torch import nn

    from unetscope.record import Trace


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
        >>> [(row["path"], row["output_shapes"]) for row in t.tables()["calls"]][1:]
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
