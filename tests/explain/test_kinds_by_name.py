"""What a kind of modules is, where it occurs and what it takes, on networks of several families."""

from __future__ import annotations

import pytest

from unetscope.analysis.module_kinds import MODULE_KINDS, module_kinds
from unetscope.analysis.named_kinds import NamedKinds, folded_paths
from unetscope.analysis.network import Network
from unetscope.analysis.parameters import numel, parameters
from unetscope.sources import Request, resolve
from unetscope.views.kind_card import kind_card
from unetscope.views.view import View

NETWORKS = {
    "sd15": Request("sd15"),
    "article_003": Request("article_003"),
    "ddpm": Request("ddpm_cifar10_32"),
    "lucidrains": Request("denoising_diffusion_pytorch:Unet", kwargs="{dim: 8}"),
}


@pytest.fixture(scope="module", params=NETWORKS)
def known(request):
    if request.param == "lucidrains":
        pytest.importorskip("denoising_diffusion_pytorch")
    return NamedKinds(Network(resolve(NETWORKS[request.param]).trace()))


def cards(known, name, section):
    view = View.of(known.network.trace)
    tables, _ = kind_card(view, known, known.find(name), section)
    return tables


def test_every_kind_and_class_has_a_card(known):
    for name in (*known.kinds, *known.classes):
        (facts,) = cards(known, name, "kind")
        (places,) = cards(known, name, "places")
        record = facts.record(facts.rows[0])
        rows = [places.record(row) for row in places.rows]
        assert record["times"] == sum(row["times"] for row in rows)
        assert record["times"] == sum(record["times_by_part"])
        assert 0 <= facts.data["parameter_share"] <= 1
        if name in known.kinds:
            assert record["about"]


def test_layers_in_all_are_the_calls_inside(known):
    """Counted otherwise: by the paths of the calls of layers, not from within each occurrence."""
    network = known.network
    for kind, found in known.kinds.items():
        if kind == "GSC":
            continue
        (table,) = cards(known, kind, "contains")
        rows = [table.record(row) for row in table.rows]
        paths = [path for each in found for path in each.modules]
        calls = [
            network.module(call).kind
            for call, step in enumerate(network.trace.steps)
            if not network.children[call]
            and any(step.module == path or step.module.startswith(f"{path}.") for path in paths)
        ]
        for row in rows:
            if row["group"] == "layer" and row["name"] in {m.kind for m in network.trace.modules}:
                assert row["total"] == calls.count(row["name"])


def test_a_class_that_holds_every_layer_of_its_kind_has_all_their_parameters(known):
    linear = [t for t in parameters(known.network.trace)
              if known.network.modules[t.module].kind == "Linear"]  # fmt: skip
    (table,) = cards(known, "Linear", "kind")
    assert table.record(table.rows[0])["parameters"] == numel(linear)


def test_kinds_are_those_of_params_by_type(known):
    expected = {each.kind for each in module_kinds(known.network)}
    assert {kind for kind in known.kinds if kind in MODULE_KINDS} == expected


def test_one_gsc_is_three_layers(sd15):
    (table,) = cards(NamedKinds(Network(sd15)), "gsc", "contains")
    rows = [table.record(row) for row in table.rows]
    assert [(row["name"], row["each"], row["total"]) for row in rows] == [
        ("GroupNorm", [1], 45),
        ("SiLU", [1], 45),
        ("Conv2d", [1], 45),
    ]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("Spatial Transformer", "SpatialTransformer"),
        ("CrossAttnDownBlock", "CrossAttnDownBlock_X"),
        ("resnetblock", "ResNetBlock"),
        ("ResBlock", "ResNetBlock"),
        ("resnetblock2d", "ResnetBlock2D"),
        ("TimestepEmbedding", "TimestepEmbedding"),
    ],
)
def test_spellings(sd15, wanted, name):
    assert NamedKinds(Network(sd15)).find(wanted).name == name


def test_a_class_of_several_kinds_is_all_of_them_or_none(sd15):
    known = NamedKinds(Network(sd15))
    assert known.find("Attention").kinds == ("SelfAttention", "CrossAttention")
    assert known.find("Linear").kinds == ()


def test_paths_fold_where_their_numbers_differ():
    paths = ["up.0.conv", "up.1.conv", "down.0.0", "down.0.1", "mid"]
    assert folded_paths(paths) == {
        "up.*.conv": paths[:2], "down.0.*": paths[2:4], "mid": paths[4:],
    }  # fmt: skip


def test_command(unetscope):
    shown = unetscope("explain", "article_003", "ResNetBlock")
    assert shown.code == 0
    assert "Encoder 2, Middle block 1, Decoder 2" in shown.out
    missing = unetscope("explain", "article_003", "GSC")
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.startswith(
        "error: no module of the kind GSC in Simplified UNet\n"
        "hint: kinds that occur in it: DownSample, UpSample, ResNetBlock,"
    )
    near = unetscope("explain", "article_003", "ResBlok")
    assert (near.code, near.out) == (2, "")
    assert "`ResBlock`" in near.err
    chinese = unetscope("explain", "article_003", "DownSample", "--lang", "zh")
    assert "降低分辨率" in chinese.out
