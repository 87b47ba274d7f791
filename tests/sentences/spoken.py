"""What unetscope says to people, read from its source: the templates of its messages and help."""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import unetscope
from unetscope import cli
from unetscope.commands.help_page import examples_of, paragraphs

ROOT = Path(unetscope.__file__).parent
HOLE = "{}"
MOST = 64
"""Spellings of one message that are told apart."""
TALK = frozenset({"info", "debug", "progress"})
FINDINGS = {"at": 1, "in_module": 1, "in_file": 1, "Rule": 2, "rule": 2}
"""What makes findings and rules -> the place of the message among its arguments."""
# Faults of a program that calls unetscope, which no command shows; and what pytest shows.
NOT_SHOWN = frozenset({"pytest_plugin.py"})


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(ROOT.rglob("*.py")):
        if file.name not in NOT_SHOWN:
            yield file, ast.parse(file.read_text(encoding="utf-8"))


def messages() -> dict[str, str]:
    """Every template of an error, a hint, a finding, a rule or talk -> one place that has it."""
    found: dict[str, str] = {}
    for file, tree in sources():
        for scope in scopes(tree):
            for node in said_in(scope):
                for text in spellings(node, scope, tree):
                    for line in text.split("\n"):
                        found.setdefault(line.strip(), f"{file.relative_to(ROOT)}:{node.lineno}")
    return found


def written() -> set[str]:
    """Every text that stands in the source, with `{}` for what is filled in."""
    found: set[str] = set()
    for _, tree in sources():
        for scope in scopes(tree):
            for node in own(scope):
                if isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
                    found.update(spellings(node, scope, tree))
    return found


def helped() -> set[str]:
    """Every paragraph of help, and the headings."""
    root = cli._parser()
    found: set[str] = set()
    for command in (root, *root.commands.values()):
        for thing in (command, *command.params):
            found.update(filter(None, [*paragraphs(thing.help), thing.rich_help_panel]))
        found.update(example.shows for example in examples_of(command))
    return found


def scopes(tree: ast.Module) -> Iterator[Any]:
    """Every function, and the file for what stands in none."""
    yield tree
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def own(scope: Any) -> Iterator[Any]:
    """What stands in a scope, but in no function of it, which is a scope of its own."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef):
            yield node
            yield from own(node)


def said_in(scope: Any) -> Iterator[Any]:
    """The expressions that become messages."""
    for node in own(scope):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            is_error = name.endswith("Error") and not hasattr(builtins, name)
            if (is_error or name in TALK or name == "BadParameter") and node.args:
                yield node.args[0]
            if name in FINDINGS:
                yield from node.args[FINDINGS[name] : FINDINGS[name] + 2]
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "hint")
        elif isinstance(node, ast.Assign) and is_attribute(node.targets[0], "hint", "message"):
            yield node.value


def is_attribute(target: Any, *names: str) -> bool:
    return isinstance(target, ast.Attribute) and target.attr in names


def spellings(node: Any, scope: Any, tree: ast.Module, depth: int = 0) -> list[str]:
    """The templates that an expression may spell; none if it is no text of this file."""
    if depth > 6:
        return []

    def inner(part: Any) -> list[str]:
        return spellings(part, scope, tree, depth + 1)

    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.JoinedStr(values=values):
            parts = [inner(value) or [HOLE] for value in values]
            combined = itertools.islice(itertools.product(*parts), MOST)
            return ["".join(combination) for combination in combined]
        case ast.FormattedValue(value=value):
            return inner(value) if isinstance(value, ast.IfExp | ast.Name) else []
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            before, after = inner(left), inner(right)
            if before or after:
                return [a + b for a in before or [HOLE] for b in after or [HOLE]]
        case ast.IfExp(body=body, orelse=other):
            return [*inner(body), *inner(other)]
        case ast.BoolOp(values=values):
            return [text for value in values for text in inner(value)]
        case ast.Name(id=name):
            values = assigned(name, scope)
            begun = [
                text for value in values if not refers_to(value, name) for text in inner(value)
            ]
            ends = [end for value in values for end in continued(value, name)]
            return [text + end for text in begun for end in ends] if ends else begun
        case ast.Call(func=ast.Name(id=name)):
            return returned(name, tree, depth)
    return []


def assigned(name: str, scope: Any) -> list[Any]:
    """What a scope assigns to a name."""
    values = []
    for node in own(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                values += [v for t, v in pairs if isinstance(t, ast.Name) and t.id == name]
    return values


def refers_to(value: Any, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))


def continued(value: Any, name: str) -> list[str]:
    """What is added where a name is assigned itself with more behind it: `f"{name}, found {x}"`."""
    if not (isinstance(value, ast.JoinedStr) and refers_to(value.values[0], name)):
        return []
    constants = (
        part.value if isinstance(part, ast.Constant) else HOLE for part in value.values[1:]
    )
    return ["".join(constants)]


def returned(name: str, tree: ast.Module, depth: int) -> list[str]:
    """What a function of the same file returns."""
    return [
        text
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == name
        for node in ast.walk(function)
        if isinstance(node, ast.Return)
        for text in spellings(node.value, function, tree, depth + 1)
    ]
