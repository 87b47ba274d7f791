"""Edits of one place in the source of a network, drawn with a seed.

Every function of the source is edited but `inputs`: methods, `__init__` and helpers. An edit need
not make sense, and one that does not run is left out by who draws it; what counts is that slips of
every kind are among them.
"""

from __future__ import annotations

import ast
import copy
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any

_SHOWN = 3
"""Lines of an edit that are shown with what lies between those that changed."""
SIBLINGS = [
    "silu gelu relu sigmoid tanh softplus elu mish hardswish leaky_relu",
    "SiLU GELU ReLU Tanh Identity",
    "mean sum amax amin std var norm",
    "sin cos tan",
    "exp sqrt rsqrt square abs log1p",
    "maximum minimum add mul sub",
    "softmax log_softmax sigmoid",
    "avg_pool2d max_pool2d",
    "zeros ones randn",
    "zeros_like ones_like randn_like",
    "add_ sub_ mul_",
    "cumsum cumprod",
    "chunk tensor_split",
    "GroupNorm BatchNorm2d InstanceNorm2d",
    "LayerNorm RMSNorm",
    "GRU LSTM RNN",
    "addcmul addcdiv",
    "reshape view",
    "hann_window hamming_window",
    "unsqueeze squeeze",
    "flip roll",
    "append remove",
    "std_mean var_mean",
    "masked_fill masked_fill_",
    "float half double long",
]
MODES = [
    "nearest nearest-exact area bilinear bicubic linear",
    "constant reflect replicate circular zeros",
    "none tanh",
    "same valid",
]
KEYWORDS = {
    "scaled_dot_product_attention": ["is_causal=True", "scale=0.5", "scale=1.0"],
    "interpolate": ["align_corners=True", "antialias=True", "recompute_scale_factor=True"],
    "group_norm": ["eps=0.01"],
    "GroupNorm": ["eps=0.01", "affine=False"],
    "LayerNorm": ["eps=0.01", "elementwise_affine=False", "bias=False"],
    "Conv1d": ["bias=False", "padding_mode='circular'", "stride=2", "groups=2"],
    "Conv2d": ["bias=False", "padding_mode='circular'", "stride=2", "groups=2", "dilation=2"],
    "Linear": ["bias=False"],
    "Embedding": ["padding_idx=1", "max_norm=1.0", "scale_grad_by_freq=True"],
    "conv2d": ["dilation=2", "groups=2", "stride=2"],
    "linear": ["bias=None"],
    "gelu": ["approximate='tanh'"],
    "leaky_relu": ["negative_slope=0.1", "inplace=True"],
    "silu": ["inplace=True"],
    "mean": ["keepdim=True", "dtype=torch.float32"],
    "sum": ["keepdim=True", "dtype=torch.float32"],
    "softmax": ["dtype=torch.float32"],
    "var": ["correction=2"],
    "std_mean": ["correction=2"],
    "pad": ["value=1.0", "mode='replicate'"],
    "clamp": ["max=0.5", "min=0.1"],
    "avg_pool2d": ["count_include_pad=False", "padding=1", "divisor_override=3"],
    "GRU": ["bias=False", "num_layers=2"],
    "GELU": ["approximate='tanh'"],
    "register_buffer": ["persistent=False"],
    "normalize": ["p=1", "eps=1.0"],
    "roll": ["dims=0"],
}
WRAPPERS = [
    "torch.tanh(_)", "F.silu(_)", "-_", "_.abs()", "_.flip(0)", "_.flip(-1)", "_.roll(1, -1)",
    "_ * 2", "_ + 1", "_.transpose(-1, -2)", "_.clamp(-1, 1)", "_.half().double()", "_.clone()",
    "_.detach()", "_.contiguous()", "_.relu_()", "_.mul_(2)", "_.mean(0, keepdim=True)",
    "_[:1]", "_[::-1]", "_.float()", "F.dropout(_, 0.5)", "torch.zeros_like(_)", "_ ** 2",
]  # fmt: skip
OPERATORS: dict[type[ast.AST], list[type[ast.AST]]] = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.Gt: [ast.Lt, ast.GtE],
    ast.Lt: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}


@dataclass(frozen=True)
class Mutant:
    """A source after one edit.

    Attributes:
        kind: of the edit.
        source: the whole source.
        edit: the lines that changed, `OLD → NEW`.
    """

    kind: str
    source: str
    edit: str


@dataclass(frozen=True)
class Edit:
    """Fields of nodes of a syntax tree and what they become; more than one in an exchange."""

    kind: str
    sets: list[tuple[ast.AST, str, Any]]

    def applied(self, tree: ast.AST) -> str:
        """The source with it; the tree stays as it was."""
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in self.sets]
        for owner, name, value in self.sets:
            setattr(owner, name, value)
        try:
            return ast.unparse(tree)
        finally:
            for owner, name, value in before:
                setattr(owner, name, value)


def mutants(source: str, seed: int) -> Iterator[Mutant]:
    """All mutants of a source, in an order by the seed in which each kind has its turn."""
    tree = ast.parse(source)
    lines = ast.unparse(tree).splitlines()
    kinds: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits(tree):
        kinds[edit.kind].append(edit)
    order = random.Random(seed)
    for found in kinds.values():
        order.shuffle(found)
    seen = {"\n".join(lines)}
    while kinds:
        for kind in order.sample(sorted(kinds), len(kinds)):
            if not kinds[kind]:
                del kinds[kind]
                continue
            mutated = kinds[kind].pop().applied(tree)
            if mutated not in seen:
                seen.add(mutated)
                yield Mutant(kind, mutated, _lines(lines, mutated.splitlines()))


def _lines(old: list[str], new: list[str]) -> str:
    """The lines between the first and the last that changed, or those alone if these are many."""
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    changed = [block[1:] for block in blocks if block[0] != "equal"]
    (first, _, start, _), (_, last, _, end) = changed[0], changed[-1]
    if max(last - first, end - start) <= _SHOWN:
        changed = [(first, last, start, end)]
    before = [line.strip() for a, b, _, _ in changed for line in old[a:b]]
    after = [line.strip() for _, _, a, b in changed for line in new[a:b]]
    return f"{'; '.join(before) or '(nothing)'} → {'; '.join(after) or '(nothing)'}"


@dataclass
class _Scope:
    """What code in a function may name.

    Attributes:
        variables: its arguments and variables.
        attributes: attribute of `self` -> what makes it in `__init__`, such as `nn.Conv2d`.
    """

    variables: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


def edits(tree: ast.Module) -> Iterator[Edit]:
    """Every edit that is known here."""
    for top in tree.body:
        if isinstance(top, ast.ClassDef):
            attributes = _attributes(top)
            for function in top.body:
                if isinstance(function, ast.FunctionDef):
                    yield from _function_edits(function, attributes)
        elif isinstance(top, ast.FunctionDef) and top.name != "inputs":
            yield from _function_edits(top, {})


def _attributes(cls: ast.ClassDef) -> dict[str, str]:
    found = {}
    for node in ast.walk(cls):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for target in node.targets:
                if _is_of_self(target):
                    found[target.attr] = ast.unparse(node.value.func)
    return found


def _is_of_self(node: Any) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _function_edits(function: ast.FunctionDef, attributes: dict[str, str]) -> Iterator[Edit]:
    names = [argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)]
    names += [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and _stored(n)]
    scope = _Scope([name for name in dict.fromkeys(names) if name != "self"], attributes)
    yield from _exchanges(function, scope)
    for owner in ast.walk(function):
        for name, value in ast.iter_fields(owner):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for index, node in enumerate(value if isinstance(value, list) else [value]):
                if not isinstance(node, ast.AST):
                    continue
                for kind, new in _replacements(node, owner, name, scope):
                    values = list(value) if isinstance(value, list) else new
                    if isinstance(value, list):
                        values[index] = new
                    yield Edit(kind, [(owner, name, values)])
            if name in ("body", "orelse") and isinstance(value, list):
                for kind, body in _bodies(value):
                    yield Edit(kind, [(owner, name, body)])


def _stored(node: Any) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _exchanges(function: ast.FunctionDef, scope: _Scope) -> Iterator[Edit]:
    """Two attributes, or two variables, change places all over a function."""
    uses: dict[str, list[ast.Attribute]] = defaultdict(list)
    for node in ast.walk(function):
        if _is_of_self(node) and node.attr in scope.attributes:  # type: ignore[attr-defined]
            uses[node.attr].append(node)  # type: ignore[attr-defined,arg-type]
    for one, two in combinations(uses, 2):
        if scope.attributes[one] == scope.attributes[two]:
            yield Edit(
                "exchange attributes",
                [(node, "attr", two) for node in uses[one]]
                + [(node, "attr", one) for node in uses[two]],
            )


def _bodies(body: list[ast.stmt]) -> Iterator[tuple[str, list[ast.stmt]]]:
    """A block of statements without one, with two in another order, with one twice."""
    for index, statement in enumerate(body):
        if isinstance(statement, (ast.FunctionDef, ast.Pass)):
            continue
        rest = body[:index] + body[index + 1 :]
        yield "drop statement", rest or [ast.Pass()]
        if index + 1 < len(body):
            yield "swap statements", [
                *body[:index], body[index + 1], statement, *body[index + 2 :]
            ]  # fmt: skip
        if not isinstance(statement, (ast.If, ast.Return)):
            yield "repeat statement", [*body[: index + 1], *body[index:]]


Replacement = tuple[str, ast.AST]


def _replacements(node: ast.AST, owner: ast.AST, name: str, scope: _Scope) -> Iterator[Replacement]:
    """What may stand in the place of a node, with the kind of the edit."""
    for mutator in _MUTATORS:
        yield from mutator(node, owner, name, scope)


def _operand(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    called = isinstance(owner, ast.Call) and name == "func"
    if isinstance(node, ast.Name) and not _stored(node) and node.id in scope.variables:
        if not called:
            for other in scope.variables:
                if other != node.id:
                    yield "operand", ast.Name(other, ast.Load())
    elif _is_of_self(node) and not _stored(node):
        kind = scope.attributes.get(node.attr)
        for other, theirs in scope.attributes.items():
            if other != node.attr and theirs == kind:
                yield "attribute", _with(node, attr=other)


def _with(node: Any, **fields: Any) -> Any:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _swapped(values: list[Any]) -> Iterator[list[Any]]:
    for one, two in combinations(range(len(values)), 2):
        new = list(values)
        new[one], new[two] = new[two], new[one]
        yield new


def _arguments(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    if not isinstance(node, ast.Call):
        return
    for args in _swapped(node.args):
        yield "swap arguments", _with(node, args=args)
    if len(node.args) > 1:
        for index in range(len(node.args)):
            yield "drop argument", _with(node, args=node.args[:index] + node.args[index + 1 :])
    if isinstance(node.func, ast.Attribute) and len(node.args) == 1:
        one = _with(node.func, value=node.args[0])
        yield "swap arguments", _with(node, func=one, args=[node.func.value])
    for one, two in combinations(node.keywords, 2):
        keywords = [
            _with(k, value=two.value if k is one else one.value if k is two else k.value)
            for k in node.keywords
        ]
        yield "swap keywords", _with(node, keywords=keywords)
    for keyword in node.keywords:
        yield "drop keyword", _with(node, keywords=[k for k in node.keywords if k is not keyword])
    for text in KEYWORDS.get(_last(node.func), []):
        added = ast.parse(f"f({text})", mode="eval").body.keywords[0]  # type: ignore[attr-defined]
        if added.arg not in [keyword.arg for keyword in node.keywords]:
            yield "add keyword", _with(node, keywords=[*node.keywords, added])


def _last(function: ast.AST) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _constant(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield "flag", ast.Constant(not value)
    elif isinstance(value, int):
        for new in dict.fromkeys((value + 1, value - 1, 2 * value, -value, 0, 1)):
            if new != value:
                yield "number", ast.Constant(new)
    elif isinstance(value, float):
        for new in dict.fromkeys((2 * value, value / 2, -value, 0.0, 1.0, 1.25 * value)):
            if new != value:
                yield "number", ast.Constant(new)
    elif isinstance(value, str) and "->" in value:
        for text in _equations(value):
            yield "equation", ast.Constant(text)
    elif isinstance(value, str):
        for group in MODES:
            if value in group.split():
                for other in group.split():
                    if other != value:
                        yield "mode", ast.Constant(other)


def _equations(text: str) -> Iterator[str]:
    """An equation of `einsum` with two letters of a term, or two terms, in each other's place."""
    taken, _, made = text.partition("->")
    terms = taken.split(",")
    for swapped in _swapped(terms):
        yield f"{','.join(swapped)}->{made}"
    for index, term in enumerate([*terms, made]):
        for letters in _swapped(list(term)):
            new = [*terms, made]
            new[index] = "".join(letters)
            yield f"{','.join(new[:-1])}->{new[-1]}"


def _sibling(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    if isinstance(node, ast.Attribute) and not _is_of_self(node) and not _stored(node):
        for group in SIBLINGS:
            if node.attr in group.split():
                for other in group.split():
                    if other != node.attr:
                        yield "sibling", _with(node, attr=other)
        if isinstance(owner, ast.Call) and name == "func":
            inside = node.attr.removesuffix("_") if node.attr.endswith("_") else f"{node.attr}_"
            yield "in place", _with(node, attr=inside)
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        for kind in OPERATORS.get(type(node.op), []):
            yield "operator", _with(node, op=kind())
    if isinstance(node, ast.Compare):
        for kind in OPERATORS.get(type(node.ops[0]), []):
            yield "operator", _with(node, ops=[kind()])


def _operation(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    if isinstance(node, ast.BinOp):
        yield "swap operands", _with(node, left=node.right, right=node.left)
        yield "drop operand", node.left
        yield "drop operand", node.right
    elif isinstance(node, ast.UnaryOp):
        yield "drop function", node.operand
    elif isinstance(node, ast.Compare):
        yield "swap operands", _with(node, left=node.comparators[0], comparators=[node.left])
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not _is_of_self(node.func):
            yield "drop function", node.func.value
        for index in range(len(node.args[:2])):
            yield "drop function", node.args[index]
    elif isinstance(node, ast.AugAssign):
        target = _with(node.target, ctx=ast.Store())
        value = ast.BinOp(_with(node.target, ctx=ast.Load()), node.op, node.value)
        yield "in place", ast.Assign([target], value, lineno=0)
        yield "drop operand", ast.Assign([target], node.value, lineno=0)
    elif (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.BinOp)
        and ast.unparse(node.targets[0]) == ast.unparse(node.value.left)
    ):
        yield "in place", ast.AugAssign(node.targets[0], node.value.op, node.value.right)


def _wrapped(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    whole = isinstance(node, (ast.Call, ast.BinOp, ast.Subscript)) or (
        isinstance(node, ast.Name) and node.id in scope.variables
    )
    if not whole or _stored(node) or name not in ("value", "args", "left", "right", "elts"):
        return
    for text in WRAPPERS:
        tree = ast.parse(text, mode="eval")
        for outer in ast.walk(tree):
            for inner, value in ast.iter_fields(outer):
                for index, found in enumerate(value if isinstance(value, list) else [value]):
                    if isinstance(found, ast.Name) and found.id == "_":
                        if isinstance(value, list):
                            value[index] = node
                        else:
                            setattr(outer, inner, node)
        yield "put in function", tree.body


def _sequence(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) > 1:
        kind = "permute targets" if _stored(node) else "permute elements"
        for elts in _swapped(node.elts):
            yield kind, _with(node, elts=elts)
        if len(node.elts) > 2:
            yield kind, _with(node, elts=node.elts[::-1])
            yield kind, _with(node, elts=[*node.elts[1:], node.elts[0]])
        if not _stored(node):
            for index in range(len(node.elts)):
                rest = node.elts[:index] + node.elts[index + 1 :]
                yield "drop element", _with(node, elts=rest)
                twice = [*node.elts[:index], node.elts[index - 1], *node.elts[index + 1 :]]
                yield "element twice", _with(node, elts=twice)
    elif isinstance(node, ast.Dict):
        for values in _swapped(node.values):
            yield "permute elements", _with(node, values=values)
    elif isinstance(node, ast.Subscript) and not _stored(node):
        yield "drop slice", node.value
    elif isinstance(node, ast.Slice):
        yield "slice", _with(node, lower=node.upper, upper=node.lower)
        yield "slice", _with(node, lower=None)
        yield "slice", _with(node, upper=None)
        yield "slice", _with(node, step=None)
        yield "slice", _with(node, step=ast.Constant(2))
        yield "slice", _with(node, lower=ast.Constant(1))
        yield "slice", _with(node, upper=ast.Constant(-1))


def _order(node: Any, owner: Any, name: str, scope: _Scope) -> Iterator[Replacement]:
    if name == "iter":
        for text in ("list(_)[::-1]", "list(_)[1:]", "list(_)[:-1]"):
            tree = ast.parse(text, mode="eval").body
            call: Any = tree.value  # type: ignore[attr-defined]
            call.args = [node]
            yield "loop", tree
    elif isinstance(node, ast.Call) and _last(node.func) == "pop" and not node.args:
        yield "pop", _with(node, args=[ast.Constant(0)])
        index = ast.UnaryOp(ast.USub(), ast.Constant(1))
        yield "pop", ast.Subscript(node.func.value, index, ast.Load())  # type: ignore[attr-defined]
    elif isinstance(node, ast.Call) and _last(node.func) == "append":
        insert = _with(node.func, attr="insert")
        yield "pop", _with(node, func=insert, args=[ast.Constant(0), *node.args])
    elif isinstance(node, ast.IfExp):
        yield "condition", _with(node, body=node.orelse, orelse=node.body)
        yield "condition", node.body
        yield "condition", node.orelse
    elif isinstance(node, ast.If):
        yield "condition", _with(node, test=ast.UnaryOp(ast.Not(), node.test))


_MUTATORS: list[Callable[[Any, Any, str, _Scope], Iterator[Replacement]]] = [
    _operand, _arguments, _constant, _sibling, _operation, _wrapped, _sequence, _order,
]  # fmt: skip
