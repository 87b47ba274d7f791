"""A resolved config as YAML that reads back as the same values, in YAML 1.2 and in 1.1."""

from __future__ import annotations

import json
import re
from typing import Any

LONGEST_LINE = 100

_PLAIN = re.compile(r"[A-Za-z]([A-Za-z0-9_./()+-]|, | )*[A-Za-z0-9_./()+-]|[A-Za-z]")
_PLAIN_IN_LIST = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS_OF_YAML = re.compile(r"y|n|yes|no|on|off|true|false|null", re.IGNORECASE)
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def to_yaml(config: dict[str, Any]) -> str:
    """Write a config: its sections as blocks, everything in them on one line each."""
    lines: list[str] = []
    for key, value in config.items():
        if isinstance(value, dict) and value:
            lines += ["", f"{key}:"]
            for name, entry in value.items():
                lines += _entry(name, entry)
        else:
            lines.append(f"{key}: {_scalar_or_flow(value)}")
    return "\n".join(lines).lstrip("\n") + "\n"


def spelled(value: Any) -> str:
    """A scalar or a list in one line, as both versions of YAML read it: `1.0e-5`, `"on"`."""
    return _scalar_or_flow(value)


def _entry(name: str, value: Any) -> list[str]:
    line = f"  {name}: {_scalar_or_flow(value)}"
    if len(line) <= LONGEST_LINE or not isinstance(value, list):
        return [line]
    return [f"  {name}:", *(f"    - {_scalar_or_flow(item)}" for item in value)]


def _scalar_or_flow(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value, _PLAIN)


def _flow(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return _scalar_or_flow(value)
    return _scalar(value, _PLAIN_IN_LIST)


def _scalar(value: Any, plain: re.Pattern[str]) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return _float(value)
        case str():
            return value if _is_plain(value, plain) else _quoted(value)
    return str(value)


def _float(value: float) -> str:
    digits, _, power = repr(value).partition("e")
    if not power:
        return digits
    # YAML 1.1 reads 1e-5 as a string.
    return f"{digits if '.' in digits else f'{digits}.0'}e{int(power):+}"


def _is_plain(text: str, plain: re.Pattern[str]) -> bool:
    return bool(plain.fullmatch(text)) and not _WORDS_OF_YAML.fullmatch(text)


def _quoted(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped)
