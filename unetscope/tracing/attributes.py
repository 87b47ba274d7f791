"""The attributes of a module that matter: what a reader would want to see, and no tensors."""

from __future__ import annotations

import math

from torch import nn

from unetscope.record import Setting

_PLAIN = (bool, int, float, str, type(None))


def attributes(module: nn.Module) -> dict[str, Setting | tuple[Setting, ...]]:
    """Plain settings of a module, such as `kernel_size`, `groups`, `eps` and `heads`.

    torch's own layers say in `__constants__` which they are; of other modules every public
    attribute counts that is a number, a string, a flag, or a tuple or list of them.
    """
    own = vars(module)
    torch_layer = type(module).__module__.startswith("torch.nn")
    names = getattr(module, "__constants__", ()) if torch_layer else own
    found: dict[str, Setting | tuple[Setting, ...]] = {}
    for name in names:
        if name in own and not name.startswith("_") and name != "training":
            value = own[name]
            if isinstance(value, _PLAIN):
                found[name] = _finite(value)
            elif isinstance(value, (tuple, list)) and all(isinstance(v, _PLAIN) for v in value):
                found[name] = tuple(map(_finite, value))
    return found


def _finite(value: Setting) -> Setting:
    """JSON has no infinity and no NaN: those are spelled."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
