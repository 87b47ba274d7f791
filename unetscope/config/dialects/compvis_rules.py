"""What keeps the arguments of an original network from being options of ours."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import convert
from msgspec.structs import fields

from unetscope.config.dialects.compvis_arguments import (
    OF_TRANSFORMERS,
    REFUSED,
    Arguments,
    OriginalNetwork,
    UNetArguments,
)
from unetscope.config.sections import check_section
from unetscope.findings import GROUPS, LIST_LENGTH, MISSING_KEY, UNSUPPORTED, Finding
from unetscope.wording import found

NORM_GROUPS = 32
"""Groups of every norm, which the originals have no argument for."""


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
        arguments = convert(network.params, network.section)
        yield from _refused(network, arguments)
        yield from _lengths(network, arguments)
        yield from _groups(network, arguments)
        yield from _heads(network, arguments)
        if network.has_transformers:
            yield from _context(network, arguments)
        else:
            yield from _without_transformers(network, arguments)
        if isinstance(arguments, UNetArguments):
            yield from _classes(network, arguments)
        elif arguments.dropout:
            yield _expected(network, "dropout", "0, since ControlNetModel has none")


def _expected(network: OriginalNetwork, name: str, what: str, hint: str | None = None) -> Finding:
    said = found(network.params[name]) if name in network.params else "none"
    path = network.argument(name)
    return UNSUPPORTED.at(path, f"expected {what}, found {said}", hint)


def _refused(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """Arguments whose values no family covers."""
    for name, (covered, meaning) in REFUSED.items():
        value = getattr(arguments, name, covered)
        same_heads = name == "num_heads_upsample" and value == arguments.num_heads
        if value != covered and not same_heads:
            hint = f"no family here covers {meaning}"
            yield _expected(network, name, found(covered), hint)


def _lengths(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    levels = len(arguments.channel_mult)
    for name in ("num_res_blocks", "transformer_depth", "disable_self_attentions"):
        value = getattr(arguments, name)
        if isinstance(value, tuple) and len(value) != levels:
            message = f"expected {levels} entries, one for each of channel_mult, found {len(value)}"
            yield LIST_LENGTH.at(network.argument(name), message)
    if network.is_control_net and isinstance(arguments.num_res_blocks, tuple):
        yield _expected(network, "num_res_blocks", "one number, since ControlNetModel has one")


def _groups(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    for index, mult in enumerate(arguments.channel_mult):
        channels = mult * arguments.model_channels
        if channels % NORM_GROUPS:
            message = (
                f"expected a multiple of the norms' {NORM_GROUPS} groups at each level, found "
            )
            where = network.argument("model_channels")
            yield GROUPS.at(where, f"{message}{channels} channels at level {index}")
            return


def _heads(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    width, last = arguments.num_head_channels, len(arguments.channel_mult) - 1
    if width in (-1, 0) and arguments.num_heads < 1:
        message = "expected num_heads or num_head_channels of at least 1, found neither"
        yield MISSING_KEY.at(network.argument(), message)
    elif width == 0:
        yield _expected(network, "num_head_channels", "-1 or at least 1")
    elif width > 0:
        for index, mult in enumerate(arguments.channel_mult):
            channels = mult * arguments.model_channels
            attends = 2**index in arguments.attention_resolutions or index == last
            if attends and channels % width:
                what = f"a divisor of the {channels} channels of level {index}"
                yield _expected(network, "num_head_channels", what)
                return


def _context(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    context = arguments.context_dim
    if context is None and "sgm" not in network.target.split("."):
        message = "expected context_dim beside it, the width of the text's tokens"
        yield MISSING_KEY.at(network.argument("use_spatial_transformer"), message)
    if isinstance(context, tuple) and len(set(context)) != 1:
        yield _expected(network, "context_dim", "one width for all transformer blocks")


def _without_transformers(network: OriginalNetwork, arguments: Arguments) -> Iterator[Finding]:
    """Networks of latent diffusion without a text: what `UNet2DModel` cannot say of them."""
    if network.is_control_net:
        what = "true, since ControlNetModel has transformers"
        yield _expected(network, "use_spatial_transformer", what)
        return
    for name, default in OF_TRANSFORMERS.items():
        if getattr(arguments, name) != default:
            hint = "it means nothing without use_spatial_transformer: true"
            yield _expected(network, name, "nothing", hint)
    if isinstance(arguments.num_res_blocks, tuple):
        yield _expected(network, "num_res_blocks", "one number, since UNet2DModel has one")
    if isinstance(arguments, UNetArguments) and isinstance(arguments.num_classes, str):
        yield _expected(network, "num_classes", "a number or null, as UNet2DModel has no other")
    if arguments.num_head_channels < 1 and arguments.num_heads > 1:
        what = "1, or num_head_channels beside it, since UNet2DModel has heads of one width"
        yield _expected(network, "num_heads", what)


def _classes(network: OriginalNetwork, arguments: UNetArguments) -> Iterator[Finding]:
    classes, width = arguments.num_classes, arguments.adm_in_channels
    if isinstance(classes, str) and classes != "sequential":
        yield _expected(network, "num_classes", "a number, sequential or null")
    elif classes == "sequential" and width is None:
        message = "expected adm_in_channels beside it, the width of what is embedded"
        yield MISSING_KEY.at(network.argument("num_classes"), message)
    elif classes != "sequential" and width is not None:
        yield _expected(network, "adm_in_channels", "nothing without num_classes: sequential")
