"""How many ledgers of skips are as an expert would write them down, and how long that takes.

    python benchmarks/ledgers.py [--only cases timm configs speed] [--repeat 7]

Four tables. The small networks of tests/skips stand beside an expert's answers. The backbones are
timm's, one of each kind that it has: none has a U, so none may show a skip. The shipped configs
stand beside the ledgers of their locks, and GLIGEN beside the plain network. The times are those of
`find_skips` alone, medians of rounds. Exit 1 if a score is below its target. timm is no dependency
of unetscope: where it is missing, that table says so and sets no target.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "configs" / "locks"
sys.path[:0] = [str(ROOT / "tests" / "skips")]
sys.path.append(str(ROOT))  # whatever PYTHONPATH names comes first

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from unetscope.analysis.digest import digest  # noqa: E402
from unetscope.analysis.skips import find_skips  # noqa: E402
from unetscope.files import locks  # noqa: E402
from unetscope.record import Trace  # noqa: E402
from unetscope.sources import Request, resolve  # noqa: E402
from unetscope.sources.torchvision_operators import lend_missing  # noqa: E402
from unetscope.tracing import trace  # noqa: E402

BACKBONES = """
    beit_base_patch16_224 botnet26t_256 halonet26t bat_resnext26ts gcresnet33ts
    lambda_resnet26t repvgg_a0 mobileone_s0 cait_xxs24_224 coat_lite_tiny convit_tiny
    convmixer_768_32 convnext_atto crossvit_9_240 csatv2 cs3darknet_s cspresnet50 darknet53
    cspnext_tiny davit_tiny deit_tiny_patch16_224 densenet121 dla34 dpn48b edgenext_xx_small
    efficientformer_l1 efficientnet_b0 mixnet_s mobilenetv2_050 tf_efficientnetv2_b0
    efficientvim_m1 efficientvit_b0 efficientvit_m0 eva02_tiny_patch14_224 fasternet_t0
    fastvit_t8 focalnet_tiny_srf gcvit_xxtiny ghostnet_050 ghostnetv2_100 hardcorenas_a
    hgnet_tiny hgnetv2_b0 hiera_tiny_224 sam2_hiera_tiny hrnet_w18_small iformer_t
    inception_next_atto inception_resnet_v2 inception_v3 inception_v4 lcnetv2_small levit_128s
    mambaout_femto coatnet_nano_rw_224 maxvit_pico_rw_256 poolformer_s12 convformer_s18
    mixer_s32_224 gmlp_ti16_224 resmlp_12_224 mobilenetv3_small_050 mobilevit_xxs
    mobilevitv2_050 mvitv2_tiny naflexvit_base_patch16_gap nasnetalarge nest_tiny nextvit_small
    nfnet_f0 pit_ti_224 pnasnet5large pvt_v2_b0 rdnet_tiny regnetx_002 regnety_002
    repghostnet_050 repvit_m0_9 res2net50_26w_4s resnest14d resnet18 resnet50d
    seresnext26d_32x4d resnetv2_50 rexnet_100 selecsls42 legacy_seresnet18 sequencer2d_s
    shvit_s1 skresnet18 starnet_s050 swiftformer_xs swin_tiny_patch4_window7_224
    swinv2_tiny_window8_256 swinv2_cr_tiny_224 tiny_vit_5m_224 tnt_s_patch16_224 tresnet_m
    twins_pcpvt_small twins_svt_small vgg11 visformer_tiny vit_tiny_patch16_224
    vit_tiny_r_s16_p8_224 vit_relpos_small_patch16_224 vitamin_small_224 volo_d1_224
    ese_vovnet19b_slim legacy_xception xception41 xcit_nano_12_p16_224
"""
"""One or a few of each kind of timm's.

Left out: `mobilenetv5`, which brings its coarse maps up to its fine ones and joins them; and
`cpubone`, `efficientformer_v2` and `lowformer`, whose attention runs on a coarser map that is
brought up and added, which is a U of one level as much as a residual.
"""
WITHOUT_SKIP = 0.97
"""The share of backbones that show no skip, at least."""
SD15_MS = 12.0
LARGE_S = 0.2
"""The times of `find_skips`, at most."""


@dataclass
class Score:
    """How many of some networks came out right, and of the others what was found."""

    title: str
    target: float
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """All but those that were left out."""
        return self.right + len(self.wrong)

    def add(self, name: str, differences: list[str]) -> None:
        """Count a network; it is right if nothing differs."""
        if differences:
            self.wrong.append(f"{name}: {'; '.join(differences)}")
        else:
            self.right += 1

    def reached(self) -> bool:
        """Whether enough of them are right."""
        return self.right >= self.target * self.tried


def small_networks() -> Iterator[Score]:
    """The networks of tests/skips beside their truth."""
    from skip_ledgers import CASES, differences

    for title, empty in {
        "small networks with skips": False,
        "small networks without": True,
    }.items():
        score = Score(title, target=1.0)
        for case in CASES:
            if case.skips is None:
                if not empty:
                    score.left_out.append(f"{case.name}: undecidable: {case.why}")
            elif (not case.skips) is empty:
                score.add(case.name, differences(case))
        yield score


def backbones() -> Iterator[Score]:
    """Networks of timm, none of which has a U."""
    score = Score("backbones of timm", WITHOUT_SKIP)
    lend_missing()
    try:
        import timm
    except ImportError as error:
        score.left_out.append(f"all of them: timm is not installed here ({error})")
        yield score
        return
    known = set(timm.list_models())
    for name in BACKBONES.split():
        if name not in known:
            score.left_out.append(f"{name}: timm {timm.__version__} does not have it")
            continue
        with torch.device("meta"):
            model = timm.create_model(name, pretrained=False).eval()
            size = model.pretrained_cfg["input_size"]
        found = trace(model, [torch.zeros(1, *size, device="meta")]).skips
        score.add(name, [f"{len(found)} skips"] if found else [])
    yield score


def configs() -> Iterator[Score]:
    """The shipped configs beside their locks, and GLIGEN's beside those without its attention."""
    score = Score("shipped configs", target=1.0)
    for file in sorted(LOCKS.glob("*.lock")):
        expected = locks.load(file).skips
        found = digest(resolve(Request(file.stem)).trace()).skips
        score.add(file.stem, [] if found == expected else [f"{len(found)} of {len(expected)}"])
    yield score
    score = Score("with gated attention", target=1.0)
    for name in ("sd14", "sd15"):
        gated = resolve(Request(name, overrides=["attention_type=gated"])).trace()
        expected = locks.load(LOCKS / f"{name}.lock").skips
        found = digest(gated).skips
        score.add(name, [] if found == expected else [f"{len(found)} of {len(expected)}"])
    yield score


class Block(nn.Module):
    """A norm and a convolution."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.norm, self.conv = nn.GroupNorm(1, channels), nn.Conv2d(channels, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The block's result."""
        return self.conv(self.norm(x))


class Large(nn.Module):
    """A U of `skips` blocks on each side, of three modules each, on ten levels."""

    def __init__(self, skips: int) -> None:
        super().__init__()
        self.each = skips // 10
        self.enter = nn.Conv2d(3, 4, 1)
        self.down = nn.ModuleList(Block() for _ in range(skips))
        self.mid = Block()
        self.up = nn.ModuleList(Block(8) for _ in range(skips))

    def forward(self, x: Tensor) -> Tensor:
        """Every block pushes; every level halves."""
        x, held = self.enter(x), []
        for index, block in enumerate(self.down, 1):
            x = block(x)
            held.append(x)
            if index % self.each == 0:
                x = nn.functional.avg_pool2d(x, 2)
        x = self.mid(x)
        for index, block in enumerate(self.up):
            if index % self.each == 0:
                x = nn.functional.interpolate(x, scale_factor=2)
            x = block(torch.cat([x, held.pop()], dim=1))
        return x


def times(repeat: int) -> Iterator[tuple[str, int, int, float, float]]:
    """Of each network its name, functions, skips, seconds of `find_skips`, and their bound."""
    sd15 = resolve(Request("sd15")).trace()
    yield "sd15", len(sd15.ops), *timed(sd15, repeat), SD15_MS / 1e3
    with torch.device("meta"):
        model = Large(1000).eval()
    large = trace(model, [torch.zeros(1, 3, 4096, 4096, device="meta")])
    yield f"{len(large.steps):,} modules", len(large.ops), *timed(large, repeat), LARGE_S


def timed(record: Trace, repeat: int) -> tuple[int, float]:
    """How many skips a trace has, and the seconds that it takes to find them."""
    found, seconds = find_skips(record), []
    gc.collect()
    gc.disable()  # as the command line does
    for _ in range(repeat):
        began = time.perf_counter()
        find_skips(record)
        seconds.append(time.perf_counter() - began)
    gc.enable()
    return len(found), statistics.median(seconds)


SCORES: dict[str, Callable[[], Iterator[Score]]] = {
    "cases": small_networks,
    "timm": backbones,
    "configs": configs,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = [*SCORES, "speed"]
    parser.add_argument("--only", nargs="*", choices=parts, default=parts)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    below = []
    print(f"{'':28}{'right':>8}{'of':>8}{'share':>10}{'target':>10}{'left out':>10}")
    scores = []
    for name, score_all in SCORES.items():
        for score in score_all() if name in options.only else ():
            scores.append(score)
            share = f"{score.right / score.tried:.1%}" if score.tried else "-"
            print(
                f"{score.title:28}{score.right:8}{score.tried:8}{share:>10}{score.target:>10.0%}"
                f"{len(score.left_out):10}",
                flush=True,
            )
            if not score.reached():
                below.append(f"{score.title}: {share} are right, the target is {score.target:.0%}")
    if "speed" in options.only:
        print(f"\n{'find_skips':28}{'functions':>10}{'skips':>8}{'ms':>10}{'bound':>8}")
        for name, functions, skips, seconds, bound in times(options.repeat):
            print(f"{name:28}{functions:10,}{skips:8,}{1e3 * seconds:10.1f}{1e3 * bound:8.0f}")
            if seconds > bound:
                below.append(f"{name}: {1e3 * seconds:.1f} ms, the bound is {1e3 * bound:.0f} ms")
    for title, lines in {"Wrong": "wrong", "Left out": "left_out"}.items():
        found = [line for score in scores for line in getattr(score, lines)]
        if found:
            print(f"\n{title} ({len(found)}):", *(f"  {line}" for line in found), sep="\n")
    print("\n" + ("\n".join(below) or "All scores reach their targets."))
    raise SystemExit(1 if below else 0)


if __name__ == "__main__":
    main()
