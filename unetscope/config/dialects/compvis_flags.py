"""The flags of guided-diffusion, as YAML files write them: arguments of its `create_model`.

Such a file names no class; it is known by the flags that it must hold.
Source: `guided_diffusion/script_util.py` in openai/guided-diffusion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct, convert

from unetscope.config.dialects.compvis_arguments import OriginalNetwork, UNetArguments
from unetscope.config.sections import check_section, keys_of
from unetscope.errors import nearest
from unetscope.families.family import MOST, Count, Depth
from unetscope.findings import MISSING_KEY, UNKNOWN_KEY, WRONG_VALUE, Finding, Path
from unetscope.wording import found, joined, shown

TARGET = "guided_diffusion.unet.UNetModel"
KNOWN_BY = ("num_channels", "num_res_blocks", "attention_resolutions")
CHANNEL_MULTS = {
    512: (0.5, 1, 1, 2, 2, 4, 4),
    256: (1, 1, 2, 2, 4, 4),
    128: (1, 1, 2, 3, 4),
    64: (1, 2, 3, 4),
}
"""Side of the image -> what an empty `channel_mult` means."""
CLASSES = 1000
DIFFUSION = frozenset(
    {
        "diffusion_steps",
        "noise_schedule",
        "predict_xstart",
        "rescale_learned_sigmas",
        "rescale_timesteps",
        "timestep_respacing",
        "use_kl",
    }
)
"""Flags of what trains and samples, which stand beside those of the network."""
_FLAG_OF = {
    "in_channels": None,
    "model_channels": "num_channels",
    "num_classes": "class_cond",
    "out_channels": "learn_sigma",
}
"""Argument -> the flag that it comes from; all others have the same name."""
_UNSETTLED = ("num_heads", "use_scale_shift_norm")
"""Flags whose default is one thing to `create_model` and another to the command line."""

_Numbers = str | Annotated[float, Meta(gt=0, le=MOST)] | tuple[Annotated[float, Meta(gt=0)], ...]


class Flags(Struct, frozen=True, kw_only=True):
    """What `create_model` is called with."""

    image_size: Count
    num_channels: Count
    num_res_blocks: Depth
    attention_resolutions: _Numbers
    channel_mult: _Numbers = ""
    learn_sigma: bool = False
    class_cond: bool = False
    dropout: Any = 0
    num_heads: Any = -1
    num_head_channels: Any = -1
    num_heads_upsample: Any = -1
    resblock_updown: Any = False
    use_checkpoint: Any = None
    use_fp16: Any = None
    use_new_attention_order: Any = None
    use_scale_shift_norm: Any = False


@dataclass(frozen=True)
class FlagNetwork(OriginalNetwork):
    """A network that flags describe; `params` are the arguments that they mean."""

    flags: dict[str, Any]

    def argument(self, *key: str | int) -> Path:
        """Where the flag of an argument stands."""
        if not key:
            return self.path
        flag = _FLAG_OF.get(str(key[0]), str(key[0]))
        return self.path if flag is None else (*self.path, flag)

    @property
    def ignored(self) -> list[str]:
        """Keys that are flags of the diffusion, or of other code."""
        return [key for key in self.flags if key not in keys_of(Flags)]


def are_flags(value: dict[str, Any]) -> bool:
    """Whether a mapping holds the flags that tell a network of guided-diffusion."""
    return "target" not in value and all(key in value for key in KNOWN_BY)


def network_of(flags: dict[str, Any], path: Path) -> FlagNetwork | tuple[Finding, ...]:
    """The network that flags mean, or what is wrong with them."""
    wrong = tuple(_problems(flags, path))
    if wrong:
        return wrong
    given = convert({key: value for key, value in flags.items() if key in keys_of(Flags)}, Flags)
    shared = keys_of(UNetArguments).keys() - {"image_size"}
    params = {key: value for key, value in flags.items() if key in shared}
    params |= {
        "in_channels": 3,
        "out_channels": 6 if given.learn_sigma else 3,
        "model_channels": given.num_channels,
        "num_classes": CLASSES if given.class_cond else None,
        "channel_mult": list(_numbers(given.channel_mult) or CHANNEL_MULTS[given.image_size]),
        "attention_resolutions": [
            # A side that is larger than the image means no level.
            factor
            for each in _numbers(given.attention_resolutions)
            if (factor := given.image_size // int(each))
        ],
    }
    return FlagNetwork(path, TARGET, params, flags)


def _problems(flags: dict[str, Any], path: Path) -> Iterator[Finding]:
    known = {key: value for key, value in flags.items() if key in keys_of(Flags)}
    of_form = list(check_section(known, Flags, path))
    yield from of_form
    for key in (key for key in flags if key not in known and key not in DIFFUSION):
        if key in keys_of(UNetArguments):
            hint = "guided-diffusion's `create_model` takes none, and decides it by other flags"
            yield UNKNOWN_KEY.at((*path, key), "unknown key", hint)
        elif close := nearest(key, keys_of(Flags)):
            yield UNKNOWN_KEY.at((*path, key), "unknown key", f"did you mean {close}?")
    has_width = flags.get("num_head_channels", -1) != -1
    if "image_size" not in flags:
        yield MISSING_KEY.at(path, "the flag image_size is missing")
    for flag in _UNSETTLED:
        if flag not in flags and not (flag == "num_heads" and has_width):
            hint = "its default is not the same in `create_model` and on the command line"
            yield MISSING_KEY.at(path, f"the flag {flag} is missing", hint)
    if of_form or "image_size" not in flags:
        return
    for key in ("channel_mult", "attention_resolutions"):
        try:
            numbers = _numbers(flags.get(key, ""))
        except ValueError:
            message = f"expected numbers with commas between them, found {found(flags[key])}"
            yield WRONG_VALUE.at((*path, key), message)
            continue
        if key == "channel_mult" and not numbers and flags["image_size"] not in CHANNEL_MULTS:
            sides = joined(CHANNEL_MULTS)
            message = f"expected channel_mult beside it, or one of {sides}, found "
            yield WRONG_VALUE.at((*path, "image_size"), f"{message}{flags['image_size']}")


def _numbers(value: Any) -> list[float]:
    """What `"1,2,4"`, `16` or a list says.

    Raises:
        ValueError: a part is no positive number.
    """
    parts = value.split(",") if isinstance(value, str) else value
    parts = parts if isinstance(parts, (list, tuple)) else [parts]
    if parts == [""]:
        return []
    numbers = [float(part) for part in parts]
    if not all(1 / MOST <= number <= MOST for number in numbers):
        raise ValueError(shown(str(value)))
    return [int(number) if number.is_integer() else number for number in numbers]
