"""The step tables: what the encoder pushes after which layer, and where the decoder joins it.

The decoder's tables are numbered as in the article on Stable Diffusion's UNet (2.1). Those of the
encoder and of the middle, which the article has not, have letters before their numbers (E2.1, M1.1)
so that the decoder's stay the article's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace

from unetscope.analysis.network import Network
from unetscope.table import Table
from unetscope.views.step_table import Body
from unetscope.views.view import View, code, phrase


def steps(view: View) -> list[Table]:
    """The joins and the calls around them, in order, for each module that joins skips.

    Where those are blocks of the decoder, its blocks without a skip have tables too, and each has
    the number of its block.
    """
    network = view.network
    joins = (network.join(skip).step for skip in network.trace.skips)
    bodies = [body for body in dict.fromkeys(joins) if body is not None]
    numbered = dict(enumerate(bodies, 1))
    decoder = view.anatomy.decoder
    if set(bodies) <= set(decoder):
        numbered = {
            number: block
            for number, block in enumerate(decoder, 1)
            if block in bodies or network.units(block)
        }
    ran: dict[int | None, dict[int, None]] = {}
    for skip in network.trace.skips:
        ran.setdefault(network.join(skip).step, {})[skip.op] = None
    return [
        Body(
            view,
            "steps",
            str(number),
            body,
            _calls(view, body),
            _entered(view, body),
            joins=tuple(ran.get(body, ())),
        ).table()
        for number, body in numbered.items()
        if view.shows(body)
    ]


def _entered(view: View, body: int) -> int:
    """The feature map that comes into a body that joins skips.

    It is the module's own, or what the decoder's first block is given, or what the first skip
    is joined to.
    """
    network = view.network
    first = _first(view, body)
    given = network.main_input(body if first is None else first)
    if given is not None:
        given = network.before_join(given)
    if given is None or given in network.pushed:
        joined = (s.onto for s in network.trace.skips if network.join(s).step == body)
        given = next(joined, given)
    assert given is not None
    return given


def _first(view: View, body: int) -> int | None:
    """The decoder's first block, if this is the body that runs the blocks."""
    decoder = view.anatomy.decoder
    return decoder[0] if decoder and body == view.network.trunk else None


def _calls(view: View, body: int) -> list[int]:
    """The calls of a body that return a feature map; in the trunk, those of the decoder."""
    network, start = view.network, 0
    if body == network.trunk:
        start = min(network.join(skip).clock for skip in network.trace.skips)
        if (begun := _first(view, body)) is not None:
            start = min(start, network.step(begun).start)
    return [call for call in _mapping(network, body) if network.step(call).start >= start]


def _mapping(network: Network, body: int) -> list[int]:
    """The child calls of a body that return a feature map."""
    return [call for call in network.children[body] if network.main_output(call) is not None]


def encoder_steps(view: View) -> list[Table]:
    """The calls of the encoder's blocks, and after which of them what is pushed.

    Before the blocks stand the calls of the entry (E0.1). Where blocks push nothing but what they
    return, as those do of networks whose trunk joins the skips, the blocks are the rows of one
    table. What is pushed later, by blocks of the decoder, is named below the last.
    """
    network, anatomy = view.network, view.anatomy
    if not anatomy.encoder:
        return []
    pushes, later = _pushes(view)
    if network.trunk is None or _made_inside(view, pushes):
        bodies = [
            _body(view, f"E{number}", block, pushes[block])
            for number, block in enumerate(anatomy.encoder, 1)
            if view.shows(block)
        ]
        if any(map(view.shows, anatomy.entry)):
            bodies.insert(0, _of_trunk(view, "E0", anatomy.entry, pushes))
    elif view.shows(network.trunk):
        bodies = [_of_trunk(view, "E1", (*anatomy.entry, *anatomy.encoder), pushes)]
    else:
        bodies = []
    tables = [body.table() for body in bodies if body is not None]
    if tables and later and view.block is None:
        names = code(view.words.listed.join(f"res[{view.residual_numbers[v]}]" for v in later))
        note = phrase(view.words.pushed_later, None, names=names)
        tables[-1] = replace(tables[-1], after=(*tables[-1].after, note))
    return tables


def middle_steps(view: View) -> list[Table]:
    """The calls of those blocks in the middle that consist of several units."""
    bodies = [
        _body(view, f"M{number}", block, (), "middle_steps")
        for number, block in enumerate(view.anatomy.middle, 1)
        if view.shows(block) and view.network.units(block)
    ]
    return [body.table() for body in bodies if body is not None]


def _body(
    view: View, number: str, block: int, pushes: Sequence[int], key: str = "encoder_steps"
) -> Body | None:
    """A block whose calls are the rows, or itself; None if no feature map comes in."""
    entered = view.network.main_input(block)
    if entered is None:
        return None
    calls = _mapping(view.network, block) or [block]
    return Body(view, key, number, block, calls, entered, pushes=pushes)


def _of_trunk(
    view: View, number: str, blocks: Sequence[int], pushes: Mapping[int, Sequence[int]]
) -> Body | None:
    """Several blocks that are the rows themselves; None if no feature map comes in."""
    network = view.network
    entered = network.main_input(blocks[0])
    if entered is None:
        return None
    trunk = network.trunk or 0
    made = [value for block in blocks for value in pushes[block]]
    name = view.words.listed.join(map(network.path, blocks)) if number == "E0" else ""
    return Body(view, "encoder_steps", number, trunk, blocks, entered, pushes=made, name=name)


def _pushes(view: View) -> tuple[dict[int, list[int]], list[int]]:
    """What is pushed from the start of each block of entry and encoder until the next one's.

    What is there before the first belongs to it.

    Returns:
        By block, in order; and what blocks of the middle and of the decoder made.
    """
    network, anatomy = view.network, view.anatomy
    early = (*anatomy.entry, *anatomy.encoder)
    calls = sorted((*early, *anatomy.middle, *anatomy.decoder))
    starts = [network.step(call).start for call in calls]
    found: dict[int, list[int]] = {block: [] for block in early}
    later: list[int] = []
    for value in view.residuals:
        begun = bisect_left(starts, network.graph.born(value))
        found.get(calls[begun - 1] if begun else early[0], later).append(value)
    return found, later


def _made_inside(view: View, pushes: Mapping[int, Sequence[int]]) -> bool:
    """Whether the calls of a block of the encoder make what is pushed, beside its own result."""
    network = view.network
    return any(
        block in network.holding(network.made_in(value))
        for block in view.anatomy.encoder
        for value in pushes[block]
    )
