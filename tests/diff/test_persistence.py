"""Which buffers a `state_dict` holds: recorded, saved, compared, and held against checkpoints."""

import json

import pytest
import torch
from small_networks import locked
from torch import nn

from unetscope import load
from unetscope.analysis.diff import ChangeSeverity, diff, tensor_diff
from unetscope.analysis.diff.bare import bare
from unetscope.analysis.digest import digest
from unetscope.errors import UnetscopeError
from unetscope.files import locks, traces
from unetscope.tracing import trace


class Buffered(nn.Module):
    """One convolution, with the buffers that are asked for: name -> shape and persistence."""

    def __init__(self, used=None, **buffers):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self._used = used
        for name, (shape, persistent) in buffers.items():
            self.register_buffer(name, torch.ones(shape), persistent=persistent)

    def forward(self, x):
        y = self.conv(x)
        return y if self._used is None else y * getattr(self, self._used)


KEPT, COMPUTED = ((1, 4, 1, 1), True), ((1, 4, 1, 1), False)


def found(old, new):
    """The changes from one network to another as id, place and severity; both ways are mirrors."""
    old, new = locked(old), locked(new)
    changes = diff(old, new).changes
    assert sorted(map(repr, (c.mirrored() for c in changes))) == sorted(
        map(repr, diff(new, old).changes)
    )
    return {(change.id, change.where): change for change in changes}


def test_a_lock_and_a_trace_keep_it():
    model = nn.Sequential(Buffered(kept=KEPT, computed=COMPUTED), nn.BatchNorm2d(4))
    traced = trace(model.eval(), (torch.zeros(1, 4, 8, 8),))
    lock = digest(traced)
    assert [t.name for t in lock.tensors if t.persistent] == list(model.state_dict())
    assert [t.name for t in lock.tensors if not t.persistent] == ["0.computed"]
    assert traces.loads(traces.dumps(traced)) == traced
    assert locks.loads(locks.dumps(lock)) == lock
    assert locks.dumps(lock).count(b"persistent") == 1


def test_a_parameter_is_always_saved():
    traced = trace(Buffered().eval(), (torch.zeros(1, 4, 8, 8),))
    document = json.loads(traces.dumps(traced))
    document["trace"]["modules"][1]["parameters"][0]["persistent"] = False
    with pytest.raises(UnetscopeError, match="`weight` is a parameter that no state_dict holds"):
        traces.loads(json.dumps(document).encode())


def test_buffers_are_listed_with_it(unetscope, tmp_path):
    saved = tmp_path / "t.json"
    model = Buffered(kept=KEPT, computed=COMPUTED).eval()
    saved.write_bytes(traces.dumps(trace(model, (torch.zeros(1, 4, 8, 8),))))
    rows = json.loads(unetscope("params", saved, "-f", "json").out)["buffers"]["rows"]
    assert {row["name"]: row["persistent"] for row in rows} == {"kept": True, "computed": False}


@pytest.mark.parametrize(
    ("old", "new", "change", "severity"),
    [
        ({}, {"b": KEPT}, "param-added", "BREAKING"),
        ({}, {"b": COMPUTED}, "buffer-added", "COST"),
        ({"b": KEPT}, {"b": COMPUTED}, "persistence-changed", "BREAKING"),
        ({"b": KEPT}, {"b": ((1, 1, 1, 1), True)}, "param-reshaped", "BREAKING"),
        ({"b": COMPUTED}, {"b": ((1, 1, 1, 1), False)}, "attr-changed", "BEHAVIOURAL"),
        ({"b": COMPUTED}, {"b": COMPUTED}, None, None),
    ],
)
def test_only_what_a_checkpoint_holds_breaks_it(old, new, change, severity):
    changes = found(Buffered(**old), Buffered(**new))
    expected = {} if change is None else {(change, "b"): ChangeSeverity[severity]}
    assert {key: value.severity for key, value in changes.items()} == expected


def test_what_uses_a_new_buffer_is_found_too():
    changes = found(Buffered(), Buffered("b", b=COMPUTED))
    assert {key[0] for key in changes} >= {"buffer-added", "op-changed"}


def test_a_checkpoint_holds_persistent_buffers_and_no_others():
    lock = locked(Buffered(kept=KEPT, computed=COMPUTED))
    shapes = {t.name: t.shape for t in lock.tensors}
    saved = {name: shape for name, shape in shapes.items() if name != "computed"}
    assert not tensor_diff(lock, bare("saved", saved)).changes

    def changed(shapes):
        return [
            (c.id, c.where) for c in tensor_diff(lock, bare("other", shapes)).changes if c.where
        ]

    assert changed(shapes) == [("param-added", "computed")]
    del saved["kept"]
    assert changed(saved) == [("param-removed", "kept")]


def test_a_tied_tensor_may_be_saved_under_one_name_or_both():
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1))
    model[1].weight = model[0].weight
    lock = locked(model)
    shapes = {t.name: t.shape for t in lock.tensors}
    assert not tensor_diff(lock, bare("both", shapes)).changes
    del shapes["1.weight"]
    assert not tensor_diff(lock, bare("once", shapes)).changes


def test_published_code_tells_what_it_saves():
    traced = load("sd_x2_latent_upscaler", height=16, width=16).trace()
    buffers = {b.persistent for module in traced.modules for b in module.buffers}
    assert buffers == {False}
