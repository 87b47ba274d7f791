"""`unetscope schema`: the JSON Schema that editors use for completion."""

from __future__ import annotations

import json

from unetscope.config.json_schema import json_schema


def schema_text() -> str:
    """The schema of a config file as JSON."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
