"""What a family of networks is: its options, what they must satisfy, and what is built from them.

A family is a folder beside this file, with one `Family` object, and one line in the registry. The
object needs no torch; the module of the network is imported when a network is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from msgspec import Meta, Struct

from unetscope.errors import Place, nearest
from unetscope.families.sizes import Sizes
from unetscope.findings import MISSING, UNSUPPORTED, Finding, Path
from unetscope.record import TensorSpec
from unetscope.wording import found

if TYPE_CHECKING:
    from torch import nn

# The types of options. The bounds are wide enough for every published UNet by an order of
# magnitude, and small enough that a slip of the keyboard does not build a billion layers.
MOST = 65_536
"""Channels, heads, frames, pixels along a side: anything that is counted but layers."""
Count = Annotated[int, Meta(ge=1, le=MOST, description="1 to 65,536")]
DEEPEST = 64
"""Layers of a block, or transformer blocks behind one of them."""
Depth = Annotated[int, Meta(ge=1, le=DEEPEST, description="1 to 64")]
Blocks = Annotated[int, Meta(ge=0, le=DEEPEST, description="0 to 64")]
Join = Annotated[int, Meta(ge=0, le=DEEPEST, description="0 for the newest")]
Kernel = Annotated[int, Meta(ge=1, le=31, description="1 to 31")]
Probability = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
# Not `tuple[Count, Count]`: in a union with a bounded int, msgspec 0.19 to 0.22 reads its
# length from the wrong place and crashes.
HeightAndWidth = Annotated[
    tuple[Count, ...], Meta(min_length=2, max_length=2, description="height, width")
]
Levels = Meta(min_length=1, max_length=16, description="one entry a level, 1 to 16 levels")

Tensors = dict[str, TensorSpec | dict[str, TensorSpec]]
"""Keyword arguments of a network's `forward`."""

USUAL_SIZE = (64, 64)
"""Height and width of Stable Diffusion's latents, and of many small images."""
USUAL_TOKENS = 77
"""Tokens of CLIP's texts, and of most others."""
ALIGNED = 8
"""Half-precision matrices want dims that are multiples of this.

Source: NVIDIA, "Matrix Multiplication Background User's Guide", on tensor cores.
"""


class Options(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of a network, as its config writes them; each family defines its own."""


OptionsT = TypeVar("OptionsT", bound=Options)


@dataclass(frozen=True)
class Covered:
    """The values of options that are implemented; others are refused by name.

    A published option without an implementation must never be ignored: the network would be another
    one than its config says.

    Attributes:
        values: option -> the values covered; of options not listed, all that the type allows.
        needs: option and value -> the options that must not be null with it.
        hint: a hint about an option and its value that is not covered; without one, the nearest
            value is suggested.
    """

    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    needs: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    hint: Callable[[str, Any], str | None] = lambda _key, _value: None

    def findings(self, options: Any) -> Iterator[Finding]:
        """Every option that is not covered, or lacks another beside it."""
        for key, accepted in self.values.items():
            value = getattr(options, key)
            entries = enumerate(value) if isinstance(value, tuple) else [(None, value)]
            for index, entry in entries:
                if entry not in accepted:
                    path = (key,) if index is None else (key, index)
                    message = f"expected {_any_of(accepted)}, found {found(entry)}"
                    hint = self.hint(key, entry) or _nearest(entry, accepted)
                    yield UNSUPPORTED.at(path, message, hint)
        for (key, value), others in self.needs.items():
            if getattr(options, key, None) == value:
                for other in others:
                    if getattr(options, other) is None:
                        message = f"expected a number since {key} is {value}, found null"
                        yield MISSING.at((other,), message, beside=(key,))


@dataclass(frozen=True, kw_only=True)
class Family(Generic[OptionsT]):
    """A class of networks and all that unetscope knows of it.

    Attributes:
        name: the name of the class.
        network: where the class is, `module:attribute`; it is called with the options.
        options: what a network is built from.
        inputs: the tensors of its `forward`, by keyword, from the options, the batch size, height
            and width of the sample, and the number of tokens of the text.
        channels: channels of each level, from the full resolution down.
        narrower: overrides of the options, `KEY=VALUE` each, that leave fewer channels, those that
            leave the fewest first; not all of them need fit. Audits run such a network for real.
        sizes: which samples it takes.
        covered: the values of its options that are implemented.
        rules: what keeps the options from being a network, given where the config writes
            them, since a default is never the cause. Paths are inside the options.
        surprises: what may surprise in options that no rule objects to.
        channel_keys: the options that are channels of feature maps, or of a text's tokens.
        text_keys: those of a text's tokens, the first that applies first.
        level_keys: the options without which no rule can tell what the levels are.
        size_keys: those that, beside the levels, tell which samples it takes.
        check_tokens: what keeps the network from reading a text of so many tokens.
        usual_size: height and width of the sample where the config gives none.
        usual_tokens: tokens of a text where the config gives no number.
        likely_key: the option that a failure in the module at a path most likely comes from.
        library: the library that publishes the class, whose config files name it.
        own_keys: the options that its class does not have.
    """

    name: str
    network: str
    options: type[OptionsT]
    inputs: Callable[[OptionsT, int, tuple[int, int], int], Tensors]
    channels: Callable[[OptionsT], Sequence[int]]
    narrower: Callable[[OptionsT], Iterator[tuple[str, ...]]]
    sizes: Sizes[OptionsT]
    covered: Covered = field(default_factory=Covered)
    rules: Callable[[OptionsT, Mapping[Path, Place]], Iterator[Finding]] = lambda *_: iter(())
    surprises: Callable[[OptionsT], Iterator[Finding]] = lambda _: iter(())
    channel_keys: Sequence[str] = ()
    text_keys: Sequence[str] = ()
    level_keys: Sequence[str] = ()
    size_keys: Sequence[str] = ()
    check_tokens: Callable[[OptionsT, int], Iterator[Finding]] = lambda *_: iter(())
    usual_size: Callable[[OptionsT], tuple[int, int]] = lambda _: USUAL_SIZE
    usual_tokens: Callable[[OptionsT], int] = lambda _: USUAL_TOKENS
    likely_key: Callable[[str], str | None] = lambda _: None
    library: str | None = None
    own_keys: Sequence[str] = ()

    def findings(self, options: OptionsT, written: Mapping[Path, Place]) -> Iterator[Finding]:
        """Everything that keeps the options from being a network, with paths inside them."""
        yield from self.covered.findings(options)
        yield from self.rules(options, written)

    def build(self, options: OptionsT) -> nn.Module:
        """Build a network on torch's current default device.

        Raises:
            ConfigError: an option has a value that is not covered.
        """
        for finding in self.covered.findings(options):
            raise finding.error({})
        module, _, attribute = self.network.partition(":")
        network: nn.Module = getattr(import_module(module), attribute)(options)
        return network


def largest_divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is `most` at most."""
    return next(n for n in range(min(most, number), 0, -1) if number % n == 0)


def _nearest(entry: Any, accepted: tuple[Any, ...]) -> str | None:
    names = [name for name in accepted if isinstance(name, str)]
    close = nearest(entry, names) if isinstance(entry, str) else None
    return f"did you mean {close}?" if close else None


def _any_of(accepted: tuple[Any, ...]) -> str:
    *others, last = map(_spell, accepted)
    return f"{', '.join(others)} or {last}" if others else last


def _spell(accepted: Any) -> str:
    return accepted if isinstance(accepted, str) else found(accepted)
