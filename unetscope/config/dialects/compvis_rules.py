"""What keeps the arguments of an original network from being options of ours."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import fields

from unetscope.config.dialects.compvis_arguments import (
    OF_TRANSFORMERS,
    REFUSED,
    Arguments,
    OriginalNetwork,
    UNetArguments,
)
from unetscope.config.sections import check_section
from unetscope.findings import GROUPS, HEADS, LIST_LENGTH, MISSING_KEY, UNSUPPORTED, Finding
from unetscope.wording import found

CLASSES = ("sequential", "timestep", "continuous")
"""What `num_classes` may be beside a number: vectors, numbers like the time, bare numbers."""
CLASSES_OF_PIXELS = ("timestep",)
"""The same without transformers."""
NORM_GROUPS = 32
"""Groups of every norm, which the originals have no argument for."""
_ONE_A_LEVEL = ("num_res_blocks", "num_attention_blocks", "disable_self_attentions")


def problems(network: OriginalNetwork) -> Iterator[Finding]:
    """What is wrong with the arguments' form or, if that is right, with their meaning."""
    of_form = [*check_section(network.params, network.section, network.argument())]
    of_form += [
        MISSING_KEY.at(network.argument(), f"the argument {argument.name} is missing")
        for argument in fields(network.section)
        if argument.required and argument.name not in network.params
    ]
    yield from of_form
    if not of_form:
        of_lengths = [*_lengths(network, network.arguments)]
        yield from of_lengths
        if of_lengths:
            return
        arguments = network.arguments
        yield from _refused(network, arguments)
        yield from _first_level(network, arguments)
        yield from _groups(network, arguments)
        yield from _attention_blocks(network, arguments)
        yield from _heads(network, arguments)
        yield from _resampling(network, arguments)
        if network.has_transformers:
            yield from _context(network, arguments)
            yield from _depths(network, arguments)
        else:
            yield from _without_transformers(network, arguments)
        if isinstance(arguments, UNetArguments):
            yield from _classes(network, arguments)
        elif arguments.dropout:
            yield expected(network, "dropout", "0, since ControlNetModel has none")


def expected(network: OriginalNetwork, name: str, what: str, hint: str | None = None) -> Finding:
    """That an argument has a value that is not covered."""
    said = found(network.params[name]) if name in network.params else "none"
    path = network.argument(name)
    return UNSUPPORTED.at(path, f"expected {what}, found {said}", hint)


def _refused(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """Arguments whose values no family covers."""
    for name, (covered, meaning) in REFUSED.items():
        value = getattr(arguments, name, covered)
        if value != covered:
            hint = f"no family here covers {meaning}"
            yield expected(network, name, found(covered), hint)


def _lengths(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    levels = len(arguments.channel_mult)
    for name in (*_ONE_A_LEVEL, "transformer_depth"):
        value = getattr(arguments, name)
        if isinstance(value, tuple) and len(value) != levels:
            message = f"expected {levels} entries, one for each of channel_mult, found {len(value)}"
            yield LIST_LENGTH.at(network.argument(name), message)
    if network.is_control_net and isinstance(arguments.num_res_blocks, tuple):
        yield expected(network, "num_res_blocks", "one number, since ControlNetModel has one")


def _groups(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    for index, channels in enumerate(arguments.channels):
        if channels % NORM_GROUPS or not channels:
            message = (
                f"expected a multiple of the norms' {NORM_GROUPS} groups at each level, found "
            )
            where = network.argument("model_channels")
            yield GROUPS.at(where, f"{message}{channels} channels at level {index}")
            return


def _first_level(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """The embedded time follows `model_channels`; with us it follows the first level."""
    first, channels = arguments.channels[0], arguments.model_channels
    if first == channels:
        return
    hint = "the original cannot run otherwise: its last convolution reads model_channels"
    if network.is_guided:
        hint = f"no family here covers a time of {channels} features beside {first} of the image"
    message = f"expected 1, found {arguments.channel_mult[0]:g}"
    yield UNSUPPORTED.at(network.argument("channel_mult", 0), message, hint)


def _attention_blocks(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """Of so many ResNets at each level attention follows the first ones."""
    for index, count in enumerate(arguments.num_attention_blocks or ()):
        if count and arguments.attending[index]:
            hint = "no family here covers attention after some ResNets of a level alone"
            message = f"expected 0, or null for all of them, found {count}"
            yield UNSUPPORTED.at(network.argument("num_attention_blocks", index), message, hint)
            return


def _heads(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    width, number = arguments.num_head_channels, arguments.num_heads
    if width in (-1, 0) and number < 1:
        message = "expected num_heads or num_head_channels of at least 1, found neither"
        yield MISSING_KEY.at(network.argument(), message)
        return
    if width == 0:
        yield expected(network, "num_head_channels", "-1 or at least 1")
        return
    name, divisor = ("num_head_channels", width) if width > 0 else ("num_heads", number)
    for index, channels in enumerate(arguments.channels):
        attends = arguments.attending[index] or index == len(arguments.channels) - 1
        if attends and channels % divisor:
            where = name if name in network.params else "model_channels"
            message = f"expected a divisor of the {channels} channels of level {index}"
            yield HEADS.at(network.argument(where), f"{message}, found {divisor}")
            return
    other = arguments.num_heads_upsample
    if reads_heads_upsample(network, arguments) and other not in (-1, number):
        hint = "no family here covers a decoder with heads of its own"
        yield expected(network, "num_heads_upsample", f"-1 or num_heads, {number}", hint)


def reads_heads_upsample(network: OriginalNetwork, arguments: Arguments) -> bool:
    """Whether `num_heads_upsample` is read: by attentions that are no transformers."""
    legacy = arguments.legacy is not False and arguments.num_head_channels == -1
    return not network.has_transformers and legacy and any(arguments.attending)


def _resampling(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """ResNets that halve and double stand beside plain attentions, or beside none."""
    resampling = len(arguments.channel_mult) > 1
    if not arguments.resblock_updown or not resampling:
        return
    if network.is_control_net:
        yield expected(network, "resblock_updown", "false, since ControlNetModel has convolutions")
    elif network.has_transformers and any(arguments.attending):
        hint = "no family here covers ResNets that halve and double beside transformers"
        yield expected(network, "resblock_updown", "false", hint)


def _depths(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """The middle block has as many transformer blocks as the last level, if that has any."""
    depth, middle = arguments.transformer_depth, arguments.transformer_depth_middle
    last = depth if isinstance(depth, int) else depth[-1]
    if middle is not None and middle != last and arguments.attending[-1]:
        hint = "no family here covers a middle block that is deeper or shallower than its level"
        yield expected(network, "transformer_depth_middle", f"null or {last}", hint)


def _context(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    context = arguments.context_dim
    if context is None and (network.is_video or "sgm" not in network.target.split(".")):
        message = "expected context_dim beside it, the width of the text's tokens"
        beside = () if network.is_video else ("use_spatial_transformer",)
        yield MISSING_KEY.at(network.argument(*beside), message)
    if isinstance(context, tuple) and len(set(context)) != 1:
        yield expected(network, "context_dim", "one width for all transformer blocks")


def _without_transformers(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """Networks of latent diffusion without a text: what `UNet2DModel` cannot say of them."""
    if network.is_control_net:
        what = "true, since ControlNetModel has transformers"
        yield expected(network, "use_spatial_transformer", what)
        return
    for name, default in OF_TRANSFORMERS.items():
        if getattr(arguments, name) != default:
            hint = "it means nothing without use_spatial_transformer: true"
            yield expected(network, name, "nothing", hint)
    if isinstance(arguments.num_res_blocks, tuple):
        yield expected(network, "num_res_blocks", "one number, since UNet2DModel has one")


def _classes(network: OriginalNetwork, arguments: UNetArguments) -> Iterator[Finding]:
    classes = arguments.num_classes
    named = CLASSES if network.has_transformers else CLASSES_OF_PIXELS
    if isinstance(classes, str) and classes not in named:
        hint = "it goes with transformers alone" if classes in CLASSES else None
        yield expected(network, "num_classes", f"a number, {', '.join(named)} or null", hint)
    elif classes == "sequential" and arguments.adm_in_channels is None:
        message = "expected adm_in_channels beside it, the width of what is embedded"
        yield MISSING_KEY.at(network.argument("num_classes"), message)
