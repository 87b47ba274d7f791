"""The skip stack in bytes, over the blocks."""

from __future__ import annotations

from math import prod

import pytest
import torch
from torch import nn

from unetscope.analysis.memory import Memory
from unetscope.analysis.network import Network
from unetscope.sources import Request, resolve
from unetscope.tracing import trace


@pytest.fixture
def memory(sd15):
    return Memory(Network(sd15))


def test_the_stack_at_its_fullest_is_the_residuals_of_the_article(memory, article):
    shapes = [row["shape"][1:] for row in article["residuals"]]
    assert memory.most_waiting == sum(4 * prod(shape) for shape in shapes)
    assert [skip.nbytes for skip in memory.skips] == [4 * prod(shape) for shape in shapes]


def test_waiting_grows_in_the_encoder_and_shrinks_in_the_decoder(memory):
    waiting = {memory.network.path(b.call): b.waiting for b in memory.blocks}
    assert [waiting[f"down_blocks.{i}"] for i in range(4)] == [4, 7, 10, 12]
    assert waiting["mid_block"] == 12
    assert [waiting[f"up_blocks.{i}"] for i in range(4)] == [9, 6, 3, 0]


def test_a_skip_is_made_then_joined_then_freed(memory):
    for skip in memory.skips:
        assert skip.born < skip.joined <= skip.freed


def test_blocks_hold_no_less_than_their_skips(memory):
    for block in memory.blocks:
        assert block.waiting_bytes <= block.skip_bytes <= block.after <= block.peak
    assert max(block.peak for block in memory.blocks) == memory.peak.nbytes


def test_all_skips_of_all_configs_are_taken():
    for name in ("sdxl_base", "bk_sdm_small"):
        blocks = Memory(Network(resolve(Request(name)).trace())).blocks
        assert max(block.waiting for block in blocks) > 0
        assert blocks[-1].waiting == blocks[-1].waiting_bytes == 0


class Half(nn.Module):
    """Hands on a view of half the channels."""

    def forward(self, x):
        return x[:, :4]


def test_two_skips_in_one_storage_count_once():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.enter, self.part, self.middle = nn.Conv2d(1, 8, 1), Half(), nn.Conv2d(4, 4, 1)
            self.leave = nn.Conv2d(8, 4, 1)

        def forward(self, x):
            whole = self.enter(x)
            half = self.part(whole)
            h = self.leave(torch.cat([self.middle(half), half], dim=1))
            return torch.cat([h, whole], dim=1)

    memory = Memory(Network(trace(Net(), (torch.zeros(1, 1, 4, 4),))))
    assert [skip.nbytes for skip in memory.skips] == [4 * 8 * 4 * 4] * 2
    assert memory.most_waiting == 4 * 8 * 4 * 4


def test_a_network_without_skips():
    memory = Memory(Network(trace(nn.Sequential(nn.Conv2d(1, 2, 1)), (torch.zeros(1, 1, 4, 4),))))
    assert memory.skips == ()
    assert memory.most_waiting == 0
    assert [block.waiting for block in memory.blocks] == [0]
