"""A UNet and a ControlNet as one network."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from unetscope.errors import UnetscopeError

if TYPE_CHECKING:
    from unetscope.config import Spec
    from unetscope.families.diffusers.networks.controlnet import ControlNetModel
    from unetscope.families.diffusers.networks.unet2d_condition import UNet2DConditionModel
    from unetscope.record import Trace

# What must be equal for the residuals to fit.
_SHARED = ("block_out_channels", "layers_per_block", "down_block_types", "in_channels")


def controlled(unet: Spec, controlnet: str, device: str, dtype: str) -> Trace:
    """One pass of the UNet of a config with the ControlNet of another.

    Raises:
        UnetscopeError: one of them is something else, or they do not fit.
    """
    from unetscope.config import load

    sizes = unet.inputs
    control = load(
        controlnet,
        batch=sizes.batch,
        height=sizes.height,
        width=sizes.width,
        tokens=sizes.tokens,
    )
    for spec, family in ((unet, "UNet2DConditionModel"), (control, "ControlNetModel")):
        if spec.family != family:
            raise UnetscopeError(f"`{spec.reference}`: expected a {family}, found a {spec.family}")
    for option in _SHARED:
        ours, theirs = getattr(unet.unet, option), getattr(control.unet, option)
        if ours != theirs:
            raise UnetscopeError(
                f"`{controlnet}` does not fit `{unet.reference}`: "
                f"`{option}` is {theirs}, not {ours}"
            )
    from unetscope import families
    from unetscope.families.diffusers.networks.controlnet import ControlledUNet
    from unetscope.tracing import devices, trace

    def make() -> ControlledUNet:
        return ControlledUNet(
            cast("UNet2DConditionModel", families.build(unet.family, unet.unet)),
            cast("ControlNetModel", families.build(control.family, control.unet)),
        )

    inputs = devices.zeros({**control.tensors(), **unet.tensors()}, device, dtype)
    return trace(
        devices.build(make, device, dtype),
        kwargs=inputs,
        name=f"{unet.name} with {control.name}",
        config=unet.resolved | {"controlnet": control.resolved},
        reference=f"{unet.reference} + {control.reference}",
    )
