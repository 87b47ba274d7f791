"""From YAML to a `Spec`: a network and its inputs, checked, without torch."""

from __future__ import annotations

from unetscope.config.files import shipped
from unetscope.config.loading import load
from unetscope.config.spec import Inputs, Spec

__all__ = ["Inputs", "Spec", "load", "shipped"]
