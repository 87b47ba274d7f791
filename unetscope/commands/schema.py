"""`unetscope schema`: the JSON Schema that editors use for completion."""

from __future__ import annotations

from unetscope.commands import console
from unetscope.commands.help_page import examples
from unetscope.commands.options import MessageOptions, Output, grouped


@examples(
    ("unetscope schema -o unetscope.schema.json", "A file for the YAML support of an editor."),
)
@grouped
def schema_command(messages: MessageOptions, output: Output = None) -> None:
    """Print the JSON Schema of config files, for editors."""
    import json

    from unetscope.config.json_schema import json_schema

    console.emit(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", output)
