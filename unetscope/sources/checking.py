"""Everything that is wrong with what a user named, and what may surprise in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from unetscope.errors import ConfigError, Place
from unetscope.sources import Request, kind_of, resolve
from unetscope.sources.configs import ConfigNetwork
from unetscope.sources.request import SIZES
from unetscope.sources.revisions import checked_out, is_revision
from unetscope.sources.source import Info

if TYPE_CHECKING:
    from unetscope.rules.configs import Checked


def check(request: Request, info: Info) -> Checked:
    """Every finding of a source, by its place.

    A config is read as far as it can be, and so is that of its ControlNet; without errors they are
    built and run once, so that what only shows there is found. Of any other source its trace is
    checked.

    Raises:
        UnetscopeError: there is no such source, it cannot be read, or an option has no meaning for
            it.
    """
    from unetscope.rules.configs import Checked
    from unetscope.rules.trial import check_pass

    kind = kind_of(request)
    if not issubclass(kind, ConfigNetwork) or kind.tensors_only:
        source = resolve(request, info)
        return Checked(list(check_pass(source.trace, Place(request.source))))
    if not is_revision(request.source):
        return _check_network(request, info)
    with checked_out(request.source) as found:
        request = replace(request, source=str(found.file))
        checked = _check_network(request, found.telling(info))
    for index, finding in enumerate(checked.findings):
        if finding.place is not None:
            checked.findings[index] = replace(finding, place=found.named(finding.place))
    return checked


def _check_network(request: Request, info: Info) -> Checked:
    """What is found in a config, in that of its ControlNet, and in their pass."""
    from unetscope.config import load
    from unetscope.findings import Severity
    from unetscope.rules.trial import check_pass

    for option in request.given:
        if option not in ConfigNetwork.takes:
            raise ConfigNetwork.refusal(request, option)
    if request.device != "meta":
        from unetscope.tracing import devices

        devices.known(request.device)  # one that is not here is no fault of the config's
    sizes = {name: request.sizes.get(name) for name in SIZES}
    checked = _check_config(request.source, request.overrides, sizes, info)
    findings = checked.findings
    if request.controlnet is not None:
        findings += _check_config(request.controlnet, (), sizes, info).findings
    if all(finding.severity is Severity.WARNING for finding in findings):
        spec = load(request.source, overrides=request.overrides, **sizes)
        findings += check_pass(lambda: resolve(request).trace(), spec.places["unet",], spec)
    checked.findings = sorted(dict.fromkeys(findings), key=lambda finding: finding.order)
    return checked


def _check_config(
    reference: str, overrides: Sequence[str], sizes: dict[str, int | None], info: Info
) -> Checked:
    """What is found by reading one config.

    Raises:
        ConfigError: there is no such file.
    """
    from unetscope.config.files import locate, read_text, split_part
    from unetscope.config.loading import document_of
    from unetscope.findings import MALFORMED
    from unetscope.rules.configs import Checked, check

    path = locate(split_part(reference)[0])
    read_text(path)  # a file that is not there is no finding
    try:
        document = document_of(reference, overrides, sizes)
    except ConfigError as error:
        place = error.place or Place(str(path))
        return Checked([MALFORMED.in_file(place, error.message, error.hint)])
    for note in document.notes:
        info(f"note: {note}")
    return check(document)
