"""What ran in the body of a call, as a lock writes it: its data flow, however the code spells it.

Functions have the names that `unetscope.ops` has for all of their spellings. What returns the same
elements is left out, and what returns them in the same order in another shape is one `reshape`,
however many functions did it and whether they are called `view`, `flatten` or `[:, None]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import prod

from unetscope.analysis.dims import PERMUTING, numbers, permutation
from unetscope.analysis.network import Network
from unetscope.lock import ABOVE, CONSTANT, OUTSIDE, RETURN, Results, entry, named, part
from unetscope.ops import OpKind, operation
from unetscope.record import Op, Step, TensorSpec

Key = tuple[int, tuple[int, ...]]
"""Some elements in their order, by a value that holds them, in a shape."""

Names = Mapping[int, str]
"""Sizes that have a name in a body: `H` and `W` of the feature map that it is given."""

_MARKS = re.compile(r"[\s,=#^←\[\]]")
_PLACES = re.compile(r"(None|\d+:\d+|\d+|:|, )*")
_DECIMALS = re.compile(r"-?\d[\d.e-]*")
_SLICE = re.compile(r"(?P<before>(:, )*)(?P<start>\d+):(?P<stop>\d+)")
_INDEX = re.compile(r"((None|\d+|\d*:\d*(:\d+)?)(, |$))+")
_FACTORS = re.compile(r"(recompute_scale_factor|scale_factor|size)=(\([^)]*\)|[^,]*)(, |$)")
_WHOLE_DIMS = re.compile(r"(, |^):(, :)*$")
_FILLED = re.compile(r"fill_value=[^,]*")
_KEEPING_ORDER = frozenset(
    {
        *("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "select"),
        *("reshape_as", "narrow", "expand", "expand_as", "atleast_1d", "atleast_2d", "atleast_3d"),
        *("split", "chunk", "tensor_split", "split_with_sizes", "unbind"),
    }
)
"""Functions that keep the order of the elements if one tensor has them all afterwards."""
_SPLITTING = ("split", "chunk", "tensor_split", "split_with_sizes", "hsplit", "vsplit", "dsplit")
_FILLING = ("zeros", "ones", "empty", "full")
_STACKING = {"hstack": 1, "column_stack": 1, "vstack": 0, "dstack": 2}
_TURNED = {"gt": "lt", "ge": "le"}
"""Comparisons of two tensors that are another of them turned round: `a > b` is `b < a`."""
_BROADCASTING = (OpKind.SUM, OpKind.PRODUCT, OpKind.POINTWISE, OpKind.COMPARISON)
_FLOATS = ("float32", "float16", "bfloat16")


def body(network: Network, call: int) -> tuple[str, ...]:
    """The entries of a call's body; see `unetscope.lock.Lock.functions`.

    Args:
        network: what ran.
        call: one of its calls.
    """
    return tuple(_Body(network, call).entries)


def function(op: Op, network: Network) -> str:
    """A function as a lock writes it: `cat(dim=1)`."""
    return _written(op, *specs(network, op), {})[0]


class _Body:
    """The entries of one body.

    Attributes:
        entries: one for each function and each call, in order, and one for what is returned.
    """

    def __init__(self, network: Network, call: int) -> None:
        self._network = network
        self._step = network.step(call)
        self._ops = frozenset(network.ops[call])
        self._results = Results()
        self._names: dict[Key, str] = {}
        self._above: dict[Key, str] = {}
        self._same: dict[int, int] = {}
        """An earlier value with the same elements in the same order, maybe in another shape."""
        self._made: dict[int, tuple[int, ...]] = {}
        """The shape in which the body makes a value, where it is not the value's own."""
        self.entries: list[str] = []
        for argument in self._step.inputs:
            self._names.setdefault(self._key(argument.value), plain(argument.name))
        self._sizes = _names_of_sizes(network.spec(a.value).shape for a in self._step.inputs)
        trace = network.trace
        events: list[tuple[int, Op | Step]] = [
            *((op.clock, op) for op in map(trace.ops.__getitem__, network.ops[call])),
            *((step.start, step) for step in map(network.step, network.children[call])),
        ]
        for _, event in sorted(events, key=lambda event: event[0]):
            if isinstance(event, Step):
                given = self._operands(self._keys(argument.value for argument in event.inputs))
                names = [plain(argument.name) for argument in event.inputs]
                operands = [f"{name}={each}" for name, each in zip(names, given, strict=True)]
                callee = named(self._step.module, event.module)
                self._add(callee, operands, self._keys(event.outputs))
            else:
                self._ran(event)
        self._add(RETURN, self._operands(self._keys(self._step.outputs)), ())

    def _ran(self, op: Op) -> None:
        row, (inputs, outputs) = operation(op.name), specs(self._network, op)
        if _keeps_elements(op, inputs, outputs):
            for value in op.outputs:
                if value not in op.inputs:
                    self._same[value] = self._same.get(op.inputs[0], op.inputs[0])
        else:
            made = self._keys(op.outputs)
            if row.name == "getitem" and _INDEX.fullmatch(op.detail):
                op, made = self._without_new_dims(op)
            text, taken = _written(op, inputs, outputs, self._sizes)
            keys = self._keys(op.inputs[:taken])
            if row.kind in _BROADCASTING or row.name == "where":
                keys = self._without_outer_ones(keys)
            if row.name in _TURNED and len(keys) > 1:
                keys.reverse()
            self._add(text, self._operands(keys), made)

    def _without_new_dims(self, op: Op) -> tuple[Op, list[Key]]:
        """An index without the dims of one that it puts in, and what it makes then."""
        words = op.detail.split(", ")
        rest = list(self._network.spec(op.outputs[0]).shape)
        shape: list[int] = []
        for word in words:
            size = rest.pop(0) if word == "None" or ":" in word else 1
            shape += [size] if ":" in word else []
        value = op.outputs[0]
        self._made[value] = (*shape, *rest)
        kept = _WHOLE_DIMS.sub("", ", ".join(word for word in words if word != "None"))
        return replace(op, detail=kept), [(value, self._made[value])]

    def _without_outer_ones(self, keys: Sequence[Key]) -> list[Key]:
        """Operands that are broadcast, as they were before dims of one were put in front of them.

        One stays as it is, for the result has as many dims as the longest of them. Of one element
        nobody knows where dims were put.
        """
        rank = max((len(shape) for _, shape in keys), default=0)
        inner: list[Key] = []
        for base, shape in keys:
            own = self._network.spec(base).shape
            added = len(shape) - len(own)
            outer = added > 0 and shape == (1,) * added + own and prod(own) > 1
            inner.append((base, own if outer else shape))
        longest = any(len(shape) == rank for _, shape in inner)
        return [
            short if longest or len(long[1]) < rank else long
            for short, long in zip(inner, keys, strict=True)
        ]

    def _add(self, text: str, operands: Iterable[str], made: Sequence[Key]) -> None:
        """Add an entry, and name what it made; what is handed through has a name already."""
        self.entries.append(entry(text, operands))
        name = self._results.add(text)
        self._above = {}
        for place, key in enumerate(made):
            which = f"[{place}]" if len(made) > 1 else ""
            if key not in self._names:
                self._names[key], self._above[key] = name + which, ABOVE + which

    def _operands(self, keys: Sequence[Key]) -> list[str]:
        """How the body refers to values, after entries that bring them into their shapes."""
        for key in keys:
            self._bring(key)
        return list(map(self._name, keys))

    def _bring(self, key: Key) -> None:
        """Add the entry by which a value is there that no function of the body returned as it is.

        It is another's elements in another shape, or shares its memory with what was written to.
        """
        base, shape = key
        given = self._made.get(base, self._network.spec(base).shape)
        value = self._network.trace.values[base]
        if key in self._names:
            return
        if given != shape:
            self._bring((base, given))
            text = f"reshape({_reshaped(given, shape, self._sizes)})"
            self._add(text, [self._name((base, given))], [key])
        elif value.op in self._ops and value.updated:
            self._add("updated", self._operands(self._keys(value.updated)), [key])

    def _keys(self, values: Iterable[int]) -> list[Key]:
        return list(map(self._key, values))

    def _key(self, value: int) -> Key:
        return self._same.get(value, value), self._network.spec(value).shape

    def _name(self, key: Key) -> str:
        if key in self._above:
            return self._above[key]
        if key in self._names:
            return self._names[key]
        trace = self._network.trace
        held = trace.values[key[0]]
        if held.source is None:
            return CONSTANT if held.op is None else OUTSIDE
        given = any(argument.value == key[0] for argument in trace.inputs)
        return OUTSIDE if given else named(self._step.module, held.source)


def plain(name: str) -> str:
    """The name of an argument, which may come from any dict, without what sets off operands."""
    return _MARKS.sub("_", name)


def specs(network: Network, op: Op) -> tuple[list[TensorSpec], list[TensorSpec]]:
    """What a function took and made."""
    return list(map(network.spec, op.inputs)), list(map(network.spec, op.outputs))


def _keeps_elements(op: Op, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> bool:
    """Whether all that a function returns is what it is given first, maybe in another shape."""
    if not inputs or len(outputs) != 1:
        return bool(op.outputs) and set(op.outputs) <= set(op.inputs)
    (made,), given = outputs, inputs[0]
    if made.numel != given.numel or made.dtype != given.dtype:
        return False
    row = operation(op.name)
    if row.kind is OpKind.DROPOUT:
        return set(op.outputs) <= set(op.inputs)
    if row.name == "getitem":
        return len(inputs) == 1 and bool(_PLACES.fullmatch(op.detail))
    if row.name in PERMUTING:
        dims = permutation(op, len(given.shape))
        return dims == sorted(dims)
    moved = row.name == "copy"
    return (row.kind in (OpKind.COPY, OpKind.CAST) and not moved) or row.name in _KEEPING_ORDER


def _written(
    op: Op, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], names: Names
) -> tuple[str, int]:
    """A function as a lock writes it, and how many of its tensors it takes as operands."""
    row = operation(op.name)
    base = row.name.removesuffix("_like")
    detail, taken = op.detail, len(inputs)
    if row.name in PERMUTING:
        detail = ", ".join(map(str, permutation(op, len(inputs[0].shape))))
        return f"permute({detail})", 1
    if row.name in _SPLITTING and inputs and outputs:
        return f"split({_split(inputs[0].shape, [spec.shape for spec in outputs])})", 1
    if row.name in ("narrow", "select") and inputs:
        dim, start, *length = numbers(detail)
        size = inputs[0].shape[dim]
        start %= size
        whole = f"getitem({':, ' * dim}{start})"
        return (part(dim, start, start + length[0], size) if length else whole), 1
    sliced = _SLICE.fullmatch(detail) if row.name == "getitem" and len(inputs) == 1 else None
    if sliced is not None:
        dim = len(sliced["before"]) // 3
        return part(dim, int(sliced["start"]), int(sliced["stop"]), inputs[0].shape[dim]), 1
    if row.kind is OpKind.CAST and row.name != "copy" and outputs:
        return f"to({outputs[0].dtype})", 1
    if row.name in ("expand", "expand_as"):
        return f"expand({_expanded(inputs[0].shape, outputs[0].shape, names)})", 1
    if base in _FILLING and outputs:
        # Where a float is as precise as the network's other floats, its dtype is the network's.
        dtype = "" if outputs[0].dtype in _FLOATS else outputs[0].dtype
        value = "".join(_FILLED.findall(detail))
        sizes = f"size=({', '.join(names.get(n, str(n)) for n in outputs[0].shape)})"
        return f"{base}({', '.join(filter(None, (sizes, value, dtype)))})", 0
    if row.name in _STACKING and all(len(spec.shape) > 2 for spec in inputs):
        dim = _STACKING[row.name]
        return (f"cat(dim={dim})" if dim else "cat"), taken
    if row.name == "square":
        return "pow(2)", taken
    if row.name == "interpolate" and inputs and outputs:
        detail = _resampled(detail, inputs[0].shape[2:], outputs[0].shape[2:])
    name = row.name if row.known else op.name
    if len(inputs) > 1:
        name = _TURNED.get(name, name)
    return (f"{name}({detail})" if detail else name), taken


def _names_of_sizes(shapes: Iterable[Sequence[int]]) -> Names:
    """The names of the spatial sizes of the first feature map `(B, C, *spatial)` among shapes.

    So a body that works at several resolutions is one body. Sizes of one element have no name.
    """
    spatial = next((shape[2:] for shape in shapes if len(shape) > 3), ())
    named = zip(reversed(spatial), ("W", "H", "D"), strict=False)
    return {size: name for size, name in named if size > 1}


def _split(whole: Sequence[int], parts: Sequence[tuple[int, ...]]) -> str:
    """`parts=3, dim=1`, or the sizes of parts that are not equal."""
    dim = next((d for d, size in enumerate(whole) if any(p[d] != size for p in parts)), 0)
    sizes = [part[dim] for part in parts]
    equal = len(set(sizes)) == 1
    told = f"parts={len(parts)}" if equal else f"sizes=({', '.join(map(str, sizes))})"
    return f"{told}, dim={dim}"


def _resampled(detail: str, old: Sequence[int], new: Sequence[int]) -> str:
    """The arguments of `interpolate`, with one factor for a size that it leads to exactly."""
    given = {match[1]: match[2] for match in _FACTORS.finditer(detail)}
    factors = [after / before for before, after in zip(old, new, strict=True) if before]
    exact = len({*factors}) == 1 and (1 / factors[0]).is_integer() | factors[0].is_integer()
    stated = {float(number) for number in _DECIMALS.findall(given.get("scale_factor", ""))}
    if not exact or not stated <= {*factors}:
        return detail
    rest = _FACTORS.sub("", detail).removesuffix(", ")
    return ", ".join(filter(None, (f"scale_factor={factors[0]:g}", rest)))


def _expanded(old: Sequence[int], new: Sequence[int], names: Names) -> str:
    """The sizes of what was repeated, and -1 for what stays, as `Tensor.expand` takes them."""
    added = len(new) - len(old)
    return ", ".join(
        "-1" if dim >= added and old[dim - added] == size else names.get(size, str(size))
        for dim, size in enumerate(new)
    )


def _reshaped(old: Sequence[int], new: Sequence[int], names: Names) -> str:
    """The dims of a new shape by those of the old one: `d0, d1, d2*d3`.

    Where a dim is parted the last part is -1, as it follows from the others: `d0, 8, -1`. Dims of
    one element are left out of products, and are 1 where they are new.
    """
    words: list[str] = []
    i = j = 0
    while i < len(old) or j < len(new):
        before = old[i] if i < len(old) else 1
        after = new[j] if j < len(new) else 1
        if i < len(old) and j < len(new) and before == after:
            words.append(f"d{i}")
            i, j = i + 1, j + 1
        elif i < len(old) and before == 1:
            i += 1
        elif j < len(new) and after == 1:
            words.append("1")
            j += 1
        else:
            taken, made = [i], [j]
            while before != after:
                if before < after and taken[-1] + 1 < len(old):
                    taken.append(taken[-1] + 1)
                    before *= old[taken[-1]]
                elif made[-1] + 1 < len(new):
                    made.append(made[-1] + 1)
                    after *= new[made[-1]]
                else:  # a dim without elements
                    return ", ".join(map(str, new))
            merged = "*".join(f"d{dim}" for dim in taken if old[dim] > 1)
            parts = [new[place] for place in made[:-1]]
            words += [names.get(part, str(part)) for part in parts] + [
                merged if not parts else "-1"
            ]
            i, j = taken[-1] + 1, made[-1] + 1
    return ", ".join(words)
