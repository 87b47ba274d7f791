"""The same network in other words: cosmetic changes, and every tensor's other name."""

from dataclasses import replace

from small_networks import Chain, Listed, conv, locked, narrow_trace, prefixed, renamed
from torch import nn

from unetscope.analysis.diff import ChangeSeverity, diff
from unetscope.analysis.digest import digest
from unetscope.analysis.names import compvis_names
from unetscope.lock import LockedModule


def tensors(lock):
    return {tensor.name: tensor.shape for tensor in lock.tensors}


def only_cosmetic(old, new):
    found = diff(old, new)
    assert found.changes
    assert {change.severity for change in found.changes} == {ChangeSeverity.COSMETIC}
    before, after = tensors(old), tensors(new)
    assert {name: before[name] for name, _ in found.names} == {
        name: after[other] for name, other in found.names
    }
    assert {name for name, _ in found.names} >= before.keys() - after.keys()
    return found


def test_another_name_at_each_level():
    traced = narrow_trace()
    only_cosmetic(digest(traced), digest(renamed(traced, prefixed)))


def test_a_renamed_block_is_one_line():
    traced = narrow_trace()
    new = digest(renamed(traced, lambda path: path.replace("mid_block", "bottleneck")))
    found = only_cosmetic(digest(traced), new)
    assert [(c.id, c.was, c.now) for c in found.changes] == [
        ("module-renamed", "mid_block", "bottleneck")
    ]
    assert found.changes[0].count > 10


def test_a_reshuffled_list_is_one_line():
    layers = [conv(4, 4), nn.Sequential(conv(4, 6), nn.GroupNorm(2, 6)), conv(6, 4)]
    old = locked(Listed(layers))
    new = locked(Listed(layers[::-1], order=[2, 1, 0]))
    found = diff(old, new)
    assert [(c.id, c.was, c.now) for c in found.changes] == [("module-renamed", "layers", "layers")]
    assert {(c.was, c.now) for c in found.changes[0].parts} == {
        ("layers.0", "layers.2"),
        ("layers.2", "layers.0"),
    }


def test_another_class():
    traced = narrow_trace()
    only_cosmetic(digest(traced), digest(renamed(traced, str, kind=lambda name: f"My{name}")))


def test_layers_that_are_held_elsewhere_now():
    old = locked(Chain(["a", "b", "c"], a=conv(4, 6), b=nn.SiLU(), c=conv(6, 4)))
    new = locked(nn.Sequential(nn.Sequential(conv(4, 6), nn.SiLU()), conv(6, 4)))
    found = only_cosmetic(old, new)
    assert dict(found.names)["a.weight"] == "0.0.weight"


class Heads(nn.Module):
    """Layers whose tokens are split into heads: what it is set to shows in no tensor."""

    def __init__(self, heads):
        super().__init__()
        self.heads = heads
        self.first, self.second = conv(4, 6), conv(6, 4)

    def forward(self, x):
        x = self.first(x)
        return self.second(x.view(len(x), self.heads, -1, *x.shape[2:]).view(x.shape))


def test_a_module_that_is_held_elsewhere_is_still_compared():
    old = locked(Chain(["heads", "out"], heads=Heads(2), out=conv(4, 5)))
    new = locked(nn.Sequential(Chain(["split", "last"], split=Heads(3), last=conv(4, 5))))
    changed = [c for c in diff(old, new).changes if c.severity is not ChangeSeverity.COSMETIC]
    assert [(c.id, c.was, c.now, c.about) for c in changed] == [
        ("attr-changed", "heads", "0.split", "heads")
    ]


def test_one_layer_that_looks_alike_is_no_renamed_one():
    old = locked(Chain(["a", "b", "c"], a=conv(4, 6), b=conv(6, 8), c=conv(8, 4)))
    new = locked(nn.Sequential(nn.Sequential(conv(4, 6), conv(6, 5), conv(5, 4))))
    found = diff(old, new)
    assert found.names == ()
    assert {change.id for change in found.changes} >= {"param-added", "param-removed"}
    assert not [change for change in found.changes if change.id == "module-renamed"]


def test_compvis_names_of_stable_diffusion(sd15):
    paths = [module.path for module in sd15.modules]
    known = compvis_names(paths)
    old, new = digest(sd15), digest(renamed(sd15, lambda path: known.get(path, f"kept.{path}")))
    new = replace(new, modules=(*new.modules, *_missing(new)))
    found = only_cosmetic(old, new)
    assert len(found.names) == 686
    assert dict(found.names)["down_blocks.0.resnets.0.conv1.weight"] == (
        "input_blocks.1.0.in_layers.2.weight"
    )


def _missing(lock):
    """The holders that CompVis' names imply and diffusers' network has not."""
    known = {module.path for module in lock.modules}
    wanted = {}
    for path in known:
        while path:
            path = path.rpartition(".")[0]
            if path not in known:
                wanted[path] = None
    holder = LockedModule("", "Sequential")
    return [replace(holder, path=path) for path in wanted]


def test_a_moved_layer_that_is_called_elsewhere_is_more_than_a_renaming():
    old = locked(Chain(["a", "b"], a=nn.Sequential(conv(4, 4), conv(4, 4, 1)), b=nn.Sequential()))
    new = locked(Chain(["b", "a"], a=nn.Sequential(conv(4, 4)), b=nn.Sequential(conv(4, 4, 1))))
    assert diff(old, new).worst is not ChangeSeverity.COSMETIC
