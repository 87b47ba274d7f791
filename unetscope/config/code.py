"""Code that a file names: never imported; a hint says how a user who trusts it would run it.

Such a file is for Hydra (`_target_`, its arguments beside it), CompVis' code (`target`, `params`)
or Lightning (`class_path`, `init_args`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*)\.(?P<attribute>[^\W\d]\w*)", re.ASCII)
_ARGUMENTS = {"_target_": None, "target": "params", "class_path": "init_args"}
_WITHOUT_CODE = ("_convert_", "_recursive_")
_LONGEST = 200
_PLACES = (("unet",), ("model", "params", "unet_config"), ("model",), ())


@dataclass(frozen=True)
class Code:
    """A class or factory with its arguments.

    Attributes:
        target: `pkg.module:attr`.
        arguments: by name.
    """

    target: str
    arguments: Mapping[str, Any]

    @property
    def command(self) -> str:
        """What a user would type to run it; arguments that a shell might read are left out."""
        text = json.dumps(self.arguments)
        brief = text if len(text) <= _LONGEST and "'" not in text else "{…}"
        return f"unetscope trace {self.target}" + (f" --kwargs '{brief}'" if self.arguments else "")

    @property
    def hint(self) -> str:
        """How to run it for a user who trusts it."""
        return f"if you trust it, `unetscope trace FILE --trust-code` or `{self.command}` runs it"


def code_of(data: Any) -> Code | None:
    """The code that a mapping names, with its arguments; None if it names none."""
    if not isinstance(data, dict):
        return None
    for key, holder in _ARGUMENTS.items():
        target = data.get(key)
        if not isinstance(target, str) or len(target) > _LONGEST:
            continue
        match = _NAME.fullmatch(target)
        if match is None:
            continue
        others = {k: v for k, v in data.items() if k != key and k not in _WITHOUT_CODE}
        arguments = others if holder is None else data.get(holder) or {}
        if isinstance(arguments, dict):
            return Code(f"{match['module']}:{match['attribute']}", arguments)
    return None


def code_of_network(data: Any) -> Code | None:
    """The code of a file's network: under `unet`, where CompVis keeps it, or at the top."""
    for path in _PLACES:
        inner = data
        for key in path:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if (found := code_of(inner)) is not None:
            return found
    return None
