"""A UNet that a ControlNet steers.

"Adding Conditional Control to Text-to-Image Diffusion Models" (2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

    from unetscope.families.diffusers.networks.controlnet import ControlNetModel
    from unetscope.families.diffusers.networks.unet2d_condition import UNet2DConditionModel


class ControlledUNet(nn.Module):
    """Both networks read the sample; what the ControlNet returns is added to the UNet's residuals.

    Args:
        unet: the UNet.
        controlnet: a ControlNet of the same widths.
    """

    def __init__(self, unet: UNet2DConditionModel, controlnet: ControlNetModel):
        super().__init__()
        self.controlnet = controlnet
        self.unet = unet

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        controlnet_cond: Tensor,
        added_cond_kwargs: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """Denoise `(B, in_channels, H, W)`, following a picture `(B, 3, 8H, 8W)`."""
        residuals, middle = self.controlnet(
            sample,
            timestep,
            encoder_hidden_states,
            controlnet_cond,
            added_cond_kwargs=added_cond_kwargs,
        )
        denoised: Tensor = self.unet(
            sample,
            timestep,
            encoder_hidden_states,
            added_cond_kwargs=added_cond_kwargs,
            down_block_additional_residuals=residuals,
            mid_block_additional_residual=middle,
        )
        return denoised
