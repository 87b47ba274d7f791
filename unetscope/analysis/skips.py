"""Finding skips in the data flow of one pass.

A skip is a join (`torch.cat` and its like, `lerp`, `+`) of two tensors of which one is an ancestor
of the other, with modules in between. For `lerp` and `+` the resolution must have changed in
between too, on every way from one to the other, else it is a residual. A tensor that was scaled,
shifted, filtered, gated or added to on its way to the join is still the tensor that was pushed.
Where a body that joins skips joins a tensor to itself, no block stood between encoder and decoder:
that is a pop too. Last-in-first-out is found, never assumed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence

from unetscope.record import Op, SkipEvent, Step, Value

CONCATENATIONS = frozenset(
    f"torch.{name}"
    for name in ("cat", "concat", "concatenate", "hstack", "vstack", "dstack", "column_stack")
)
SUMS = frozenset({"+", "+=", "torch.add", "torch.lerp", "Tensor.lerp", "Tensor.lerp_"})
PRODUCTS = frozenset({"*", "*=", "torch.mul"})
# What these return is a new feature, not its input on the way to a join.
_LEARNED = frozenset(
    {
        *(f"F.conv{transposed}{dims}d" for transposed in ("", "_transpose") for dims in (1, 2, 3)),
        *("F.linear", "F.bilinear", "F.embedding", "F.multi_head_attention_forward"),
        *("@", "torch.bmm", "torch.baddbmm", "torch.einsum", "F.scaled_dot_product_attention"),
    }
)
Shape = tuple[int, ...]

_ON_FEATURE_MAPS = ("conv", "pool", "interpolate", "upsample")


def find_skips(
    steps: Sequence[Step], ops: Sequence[Op], values: Sequence[Value], context: Collection[int]
) -> tuple[SkipEvent, ...]:
    """Every skip, in the order of the joins.

    Args:
        steps: the calls of the pass.
        ops: its functions.
        values: its tensors.
        context: inputs of the network beside the sample, such as text tokens: joined to the
            features that attend to them, they are added keys and values, no skips.
    """
    return _Flow(steps, ops, values, context).skips()


class _Flow:
    """The data flow of a pass: a value's parents are what the function that made it was given."""

    def __init__(
        self,
        steps: Sequence[Step],
        ops: Sequence[Op],
        values: Sequence[Value],
        context: Collection[int],
    ) -> None:
        self.steps, self.ops, self.values, self.context = steps, ops, values, context
        # Newest parent first, so that a stack pops the oldest: earlier skips lead straight there.
        self.parents = [
            () if value.op is None else tuple(sorted(ops[value.op].inputs, reverse=True))
            for value in values
        ]
        self.resolutions: dict[tuple[int, ...], list[int]] = {}
        for value in range(len(values)):
            size = self._resolution(value)
            if size is not None:
                self.resolutions.setdefault(size, []).append(value)
        # The skips found so far: by join, what was pushed, by the operand that it arrived as.
        self.arrived: dict[int, dict[int, int]] = {}

    def skips(self) -> tuple[SkipEvent, ...]:
        found = []  # (pushed value, op, operand, onto)
        for index, op in enumerate(self.ops):
            if op.name in CONCATENATIONS or op.name in SUMS:
                found += [(pushed, index, *at) for pushed, *at in self._joined(op, index)]
        # With no block between encoder and decoder the deepest tensor is popped onto itself.
        bodies = {self.ops[row[1]].step for row in found}
        for index, op in enumerate(self.ops):
            if op.name in CONCATENATIONS and op.step in bodies and self._is_doubled(op):
                found.append((op.inputs[0], index, 1, op.inputs[0]))
        found.sort(key=lambda row: row[1])
        numbers = {value: push for push, value in enumerate(sorted({row[0] for row in found}))}
        return tuple(SkipEvent(numbers[row[0]], *row) for row in found)

    def _joined(self, op: Op, index: int) -> Iterator[tuple[int, int, int]]:
        """The skips among the operands of a join: (pushed value, operand, value joined onto)."""
        operands = op.inputs
        if op.name in SUMS:
            operands = operands[:2]  # lerp's third is its weight
            if len({self.values[operand].spec for operand in operands}) > 1:
                return
        if len(set(operands)) < 2:
            return
        matches = {operand: self._match(operand, operands, op) for operand in set(operands)}
        for position, operand in enumerate(operands):
            match = matches.pop(operand, None)  # an operand that stands twice counts once
            if match is None:
                continue
            origin, other = match
            # A gate reads the decoder: then each side descends from the other's past, and the
            # older of the two was pushed.
            back = matches.get(other)
            if back is not None and back[1] == operand:
                if back[0] < origin:
                    continue
                del matches[other]
            self.arrived.setdefault(index, {})[operand] = origin
            yield origin, position, other

    @staticmethod
    def _is_doubled(op: Op) -> bool:
        """Whether a join is of one tensor with itself."""
        return len(op.inputs) == 2 and len(set(op.inputs)) == 1

    def _match(self, operand: int, operands: Sequence[int], op: Op) -> tuple[int, int] | None:
        """What was pushed, if `operand` is a skip, and the operand that was computed from it."""
        # Newest first: most likely the decoder's own tensor.
        others = sorted(set(operands) - {operand}, reverse=True)
        for origin in self._origins(operand):
            for other in others:
                if origin not in self.context and self._skipped(origin, other, op):
                    return origin, other
        return None

    def _skipped(self, early: int, late: int, join: Op) -> bool:
        """Whether `late` was computed from `early` by modules that ended before the join."""
        born = self._clock(early)

        def by_a_module(value: int) -> bool:
            op = self.values[value].op
            call = None if op is None else self.ops[op].step
            if call is None:
                return False
            end = self.steps[call].end
            return self.steps[call].start > born and end is not None and end < join.clock

        if join.name not in SUMS:
            return self._descends(late, early, by_a_module)
        sizes = self._sizes(late) or self._sizes_either_way(late)

        def resized(value: int) -> bool:
            return by_a_module(value) and self._is_resized(value, late, sizes)

        def rescaled(value: int) -> bool:  # a global average (1 x 1) is no resolution
            return resized(value) and max(self._resolution(value) or (), default=1) > 1

        return (
            self._rescaled_between(early, late, sizes)
            and self._descends(late, early, rescaled)
            and not self._stays(late, early, resized)
        )

    def _descends(self, late: int, early: int, passing: Callable[[int], bool]) -> bool:
        """Whether `late` was computed from `early` by way of a value that `passing` accepts."""
        if late <= early:
            return False
        seen: set[tuple[int, bool]] = set()
        stack = [(late, False)]
        while stack:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            value, passed = state
            passed = passed or passing(value)
            for parent in self.parents[value]:
                if parent > early:
                    stack.append((parent, passed))
                elif parent == early and passed:
                    return True
        return False

    def _stays(self, late: int, early: int, resized: Callable[[int], bool]) -> bool:
        """Whether `late` was computed from `early` on a way that keeps the resolution.

        Attention whose keys and values are pooled does: its queries are not. A way by an earlier
        join of the same skip does not count.
        """
        seen = {late}
        stack = [late]
        while stack:
            value = stack.pop()
            if resized(value):
                continue
            index = self.values[value].op
            arrived = {} if index is None else self.arrived.get(index, {})
            for parent in self.parents[value]:
                if arrived.get(parent) == early:
                    continue
                if parent == early:
                    return True
                if parent > early and parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
        return False

    def _origins(self, operand: int) -> Iterator[int]:
        """`operand`, then what it was before functions scaled, shifted or filtered it."""
        queue = [operand]
        seen = set(queue)
        for value in queue:
            yield value
            if self._is_new(value):
                continue
            # What has the result's shape was changed; factors and shifts are broadcast to it.
            shape = self.values[value].spec.shape
            changed = [p for p in self.parents[value] if self.values[p].spec.shape == shape]
            for parent in changed or self.parents[value]:
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)

    def _is_new(self, value: int) -> bool:
        """Whether a value is a feature of its own, not another one on its way to a join."""
        index = self.values[value].op
        if index is None:
            return True
        op = self.ops[index]
        if op.name in _LEARNED or op.name in CONCATENATIONS:
            return True
        if op.name in PRODUCTS:  # a gate may be a module of its own
            return False
        if self.values[value].call is not None:
            return True
        if op.name in SUMS and len(op.inputs) > 1:  # a residual block written in the open
            early, late = sorted(op.inputs[:2])
            return self._descends(late, early, lambda _: True)
        return False

    def _is_resized(self, value: int, joined: int, sizes: Collection[Shape]) -> bool:
        """Whether a feature map has another size than the one that was joined.

        Windows of an image (another batch size) are none of it.
        """
        size = self._resolution(value)
        new, old = self.values[value].spec.shape, self.values[joined].spec.shape
        return (
            size is not None and len(new) == len(old) and new[:1] == old[:1] and size not in sizes
        )

    def _sizes(self, value: int) -> tuple[Shape, ...]:
        """Height and width of a feature map, if what made it or one of its shape before tells."""
        shape = self.values[value].spec.shape
        while True:
            size = self._resolution(value)
            if size is not None:
                return (size,)
            alike = [p for p in self.parents[value] if self.values[p].spec.shape == shape]
            if not alike:
                return ()
            value = alike[0]

    def _sizes_either_way(self, value: int) -> tuple[Shape, ...]:
        """Both that it may have: its channels are its second dim or its last."""
        shape = self.values[value].spec.shape
        return shape[2:], shape[1:-1]

    def _resolution(self, value: int) -> tuple[int, ...] | None:
        """Height and width of a feature map, None for other tensors, such as an attention's heads.

        Which dims they are is known from what made it: `(B, C, H, W)` comes from a convolution,
        `(B, H, W, C)` from a linear layer.
        """
        index = self.values[value].op
        name = "" if index is None else self.ops[index].name
        if any(word in name for word in _ON_FEATURE_MAPS):
            return self.values[value].spec.shape[2:]
        return self.values[value].spec.shape[1:-1] if name == "F.linear" else None

    def _rescaled_between(self, early: int, late: int, sizes: Collection[Shape]) -> bool:
        """Whether any feature map between two values has another size than they."""
        for size, made in self.resolutions.items():
            if size not in sizes:
                first = bisect_right(made, early)
                if first < len(made) and made[first] < late:
                    return True
        return False

    def _clock(self, value: int) -> int:
        op = self.values[value].op
        return 0 if op is None else self.ops[op].clock
