"""Attentions in which tokens of something else join the pixels leave a UNet's ledger as it is."""

from __future__ import annotations

import pytest
from skip_ledgers import ledger, network_of

from unetscope.analysis.anatomy import stack_use
from unetscope.analysis.network import Network
from unetscope.record import Trace
from unetscope.sources import Request, resolve


def pops(record: Trace) -> list[tuple[int, tuple[int, ...]]]:
    """The number and the shape of each tensor popped, in the order of the joins."""
    return [(skip.push, record.values[skip.value].spec.shape) for skip in record.skips]


@pytest.fixture(scope="module")
def gated() -> Trace:
    """GLIGEN (2023): in each transformer grounding tokens attend together with the pixels."""
    return resolve(Request("sd14", overrides=("attention_type=gated",))).trace()


def test_gligen_has_the_skips_of_its_u_net(gated: Trace) -> None:
    plain = resolve(Request("sd14")).trace()
    assert len(plain.skips) == 12
    assert pops(gated) == pops(plain)
    network, other = Network(gated), Network(plain)
    assert ledger(network) == ledger(other)
    assert stack_use(network).last_in_first_out


def test_joint_attention_in_a_small_network() -> None:
    plain, joint = map(network_of, ("diffusion u net", "diffusion with joint attention"))
    assert len(joint.trace.ops) > len(plain.trace.ops)
    assert ledger(joint) == ledger(plain)
