"""What `check` finds in configs and networks, and the gate of `diff` and `lock`."""

from __future__ import annotations

from collections.abc import Mapping

from unetscope.findings import RULES, Rule


def every_rule() -> Mapping[str, Rule]:
    """All rules by id: importing the modules that hold them registers them."""
    from unetscope import families
    from unetscope.rules import surprises, traced  # noqa: F401

    families.every()
    return RULES
