"""`--trust-code`: the user says that the code which a file names may run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from unetscope.errors import Place, UnetscopeError

if TYPE_CHECKING:
    from unetscope.commands.passes import Request


def trusted(request: Request) -> Request:
    """The request for the class or factory that a file names, with the arguments beside it.

    Raises:
        UnetscopeError: the file names none.
    """
    from unetscope.config.code import network
    from unetscope.config.document import read
    from unetscope.config.files import locate

    if request.is_target:
        return request
    path = locate(request.source)
    found = network(read(path).data)
    if found is None:
        raise UnetscopeError(
            "`--trust-code`: it names no code that makes a network",
            hint="code is named as `_target_: pkg.module.Class`, with its arguments beside it",
            place=Place(str(path)),
        )
    if request.kwargs is not None:
        raise UnetscopeError(
            "`--kwargs` and `--trust-code` do not go together: the file has the arguments",
            hint=f"`{found.command}` is the same",
        )
    return replace(request, source=found.target, kwargs=json.dumps(found.arguments))
