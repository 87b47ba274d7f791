"""`unetscope schema`: the JSON Schema that editors use for completion."""

from __future__ import annotations

from unetscope.commands import console
from unetscope.commands.options import Output, Quiet, Verbose


def schema_text() -> str:
    """The schema of a config file as JSON."""
    import json

    from unetscope.config.json_schema import json_schema

    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def schema_command(output: Output = None, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Print the JSON Schema of config files, for editors."""
    console.emit(schema_text(), output)
