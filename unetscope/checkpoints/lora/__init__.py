"""Low-rank additions to a network (LoRA and its relatives): their form, ranks, targets and base.

A target is a module of the network that is added to. What is added tells how many channels that
module reads and writes, and all of them together tell the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.lora.bases import Base, encoder_of, matches, twins
from unetscope.checkpoints.lora.pieces import ENDS, LASTS, NORMS, Spotted, forms, targets
from unetscope.checkpoints.lora.places import NETWORK, by_place
from unetscope.checkpoints.lora.targets import Target
from unetscope.record import TensorSpec

__all__ = ["ENDS", "LASTS", "Spotted", "forms", "part"]

_MOST_SHOWN = 5


def part(tensors: Mapping[str, TensorSpec]) -> Part:
    """The low-rank addition that these tensors are.

    Args:
        tensors: the names that `Spotted` found, with their tensors.
    """
    added = [*targets(tensors)]
    # No base has norms, which have no channels that go in and out.
    places = by_place([target for target in added if target.form != NORMS])
    network = places.get(NETWORK, {})
    bases, unmatched = matches({key: target.told for key, target in network.items()})
    evidence = (
        *_about_places(places),
        *_about_ranks(added),
        *_about_base(bases, network, unmatched),
    )
    doubts = (*_about_other_bases(bases, network), *_about_unmatched(bases, network, unmatched))
    name = _name(_form(added, tensors), bases, places)
    nbytes = sum(spec.nbytes for spec in tensors.values())
    return Part("lora", name, "", dict(tensors), nbytes, evidence, doubts)


def _form(added: list[Target], names: Iterable[str]) -> str:
    """What is added; full differences and those of norms are told where nothing else is."""
    found = dict.fromkeys(target.form for target in added)
    weighty = [form for form in found if form != NORMS] or [*found]
    low_rank = [form for form in weighty if form != "full difference"] or weighty
    form = " and ".join(sorted(low_rank))
    if any(".dora_scale" in name or ".lora_magnitude_vector" in name for name in names):
        return form.replace("LoRA", "DoRA")
    return form


def _name(form: str, bases: list[Base], places: Mapping[str, Mapping[str, Target]]) -> str:
    if bases:
        return f"{form} for {' or '.join(base.name for base in bases)}"
    encoders = [place for place in places if place != NETWORK]
    if encoders and NETWORK not in places:
        found = encoder_of(_widths(places[encoders[0]]))
        return f"{form} for {found}" if found else form
    return form


def _widths(inside: Mapping[str, Target]) -> dict[str, int | None]:
    return {name: target.inputs for name, target in inside.items()}


def _about_places(places: Mapping[str, Mapping[str, Target]]) -> Iterator[str]:
    for place, inside in places.items():
        encoder = encoder_of(_widths(inside)) if place != NETWORK else ""
        if place == NETWORK:
            yield f"its targets in the network: {len(inside)}"
        elif encoder:
            yield f"its targets in the text encoder `{place}`, {encoder}: {len(inside)}"
        else:
            yield f"its targets in the text encoder `{place}`: {len(inside)}"
    if NETWORK in places and len(places) == 1:
        yield "it adds to no text encoder"


def _about_ranks(targets: list[Target]) -> Iterator[str]:
    ranks = Counter(target.rank for target in targets if target.rank is not None)
    if len(ranks) == 1:
        yield f"its rank is {next(iter(ranks))}"
    elif ranks:
        usual = ranks.most_common(1)[0][0]
        yield f"its ranks are {min(ranks)} to {max(ranks)}, most of them {usual}"


def _about_base(
    bases: list[Base], network: Mapping[str, Target], unmatched: list[str]
) -> Iterator[str]:
    if bases:
        fit = len(network) - len(unmatched)
        yield f"{fit} of {len(network)} targets are modules of {bases[0].name}, with their channels"
        if all(base.is_covered_by(network) for base in bases):
            yield "they are all of its modules of their roles, in every block"


def _about_other_bases(bases: list[Base], network: Mapping[str, Target]) -> Iterator[str]:
    if len(bases) > 1:
        yield f"its targets are in {' and in '.join(base.name for base in bases)} alike"
    if bases and (others := twins(bases[0], network)):
        yield f"{others} may have the same modules"
    if network and not bases:
        yield "no network that is known has its targets"


def _about_unmatched(
    bases: list[Base], network: Mapping[str, Target], unmatched: list[str]
) -> Iterator[str]:
    if unmatched:
        names = ", ".join(f"`{network[key].name}`" for key in unmatched[:_MOST_SHOWN])
        more = len(unmatched) - _MOST_SHOWN
        beyond = f" and {more} more" if more > 0 else ""
        told = f"{len(unmatched)} of {len(network)} targets are not in {bases[0].name}"
        yield f"{told}: {names}{beyond}"
