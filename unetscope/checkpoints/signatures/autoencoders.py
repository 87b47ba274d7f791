"""Autoencoders of images and of video, in CompVis' and their authors' names and in diffusers'.

Sources: CompVis/latent-diffusion, `ldm/modules/diffusionmodules/model.py`; madebyollin/taesd;
huggingface/diffusers, `models/autoencoders`; comfyanonymous/ComfyUI, `comfy/sd.py` (class VAE).
"""

from __future__ import annotations

from unetscope.checkpoints.signatures.signature import Pattern, Signature

VAE = "autoencoder"
_SD = "KL autoencoder of SD1, SD2 and SDXL"
_KIND = "an autoencoder of CompVis' kind"
_SAME_FORM = "SD1's, SD2's and SDXL's autoencoders have the same names and shapes"
_WAN_OR_QWEN = "Wan 2.1's and Qwen-Image's autoencoders have the same names and shapes"
_HUNYUAN = (
    "HunyuanVideo 1.5's and HunyuanImage's refiner's autoencoders have the same names and shapes"
)
_COMPVIS = "decoder.up.0.block.0.conv1.weight"
_DIFFUSERS = "decoder.up_blocks.0.resnets.0.conv1.weight"
_IN, _IN_3D = "decoder.conv_in.weight", "decoder.conv_in.conv.weight"
_QUANTISED = "quant_conv.weight"
_CODES = "quantize.embedding.weight"
_BN = "bn.running_mean"
_IN_TIME = "decoder.time_conv_out.weight"
_MASK = "decoder.condition_encoder.layers.0.weight"
_TEMPORAL = "encoder.temp_conv_in.weight"
_OTHERS = (
    *(_IN_TIME, _MASK, _CODES, _TEMPORAL),
    *("decoder.mid.block_1.mix_factor", "decoder_unet.conv_in.weight"),
)
_RESTORES = "decoder.mid.attn_1.norm2.weight"
"""What RestoreFormer, which restores faces, attends to a code with."""
_FOURTH = {
    _COMPVIS: "encoder.down.3.block.0.conv1.weight",
    _DIFFUSERS: "encoder.down_blocks.3.resnets.0.conv1.weight",
}


def _image(first: str) -> tuple[Signature, ...]:
    """The autoencoders of single images, in the dialect that has a tensor called `first`."""
    fourth = _FOURTH[first]

    def one(
        name: str, *more: tuple[str, Pattern], lacks: tuple[str, ...], doubt: str = ""
    ) -> Signature:
        return Signature(VAE, name, {first: None, **dict(more)}, lacks, doubt=doubt)

    return (
        one(
            _SD,
            (_IN, (512, 4, 3, 3)),
            (_QUANTISED, (8, 8, 1, 1)),
            (fourth, None),
            lacks=_OTHERS,
            doubt=_SAME_FORM,
        ),
        one(
            "KL autoencoder of the x4 upscaler",
            (_IN, (512, 4, 3, 3)),
            (_QUANTISED, (8, 8, 1, 1)),
            lacks=(fourth, *_OTHERS),
        ),
        one(
            "KL autoencoder of Flux.1 or SD3, 16 channels",
            (_IN, (512, 16, 3, 3)),
            (fourth, None),
            lacks=(_QUANTISED, *_OTHERS),
            doubt="Flux.1's and SD3's autoencoders have the same names and shapes",
        ),
        one(
            "KL autoencoder of Flux.2, 32 channels",
            (_IN, (512, 32, 3, 3)),
            (_BN, (128,)),
            lacks=_OTHERS,
        ),
        one(
            "VQ autoencoder",
            (_CODES, (None, None)),
            lacks=(*(name for name in _OTHERS if name != _CODES), _RESTORES),
        ),
    )


SIGNATURES = (
    *_image(_COMPVIS),
    *_image(_DIFFUSERS),
    Signature(
        VAE,
        "KL autoencoder of Stable Video Diffusion",
        {"decoder.mid.block_1.mix_factor": None, _IN: (512, 4, 3, 3)},
    ),
    Signature(
        VAE,
        "KL autoencoder of Stable Video Diffusion",
        {_IN_TIME: (3, 3, 3, 1, 1), _IN: (512, 4, 3, 3)},
    ),
    Signature(VAE, "asymmetric KL autoencoder", {_MASK: None, _IN: (None, 4, 3, 3)}),
    Signature(
        VAE,
        "consistency decoder",
        {"decoder_unet.conv_in.weight": (320, 7, 3, 3), "encoder.conv_in.weight": None},
    ),
    Signature(
        VAE,
        "autoencoder of HunyuanVideo",
        {_IN_3D: (512, 16, 3, 3, 3), "decoder.conv_norm_out.weight": (128,)},
    ),
    Signature(
        VAE,
        "autoencoder of HunyuanVideo",
        {_IN_3D: (512, 16, 3, 3, 3), "decoder.mid.block_1.norm1.weight": None},
    ),
    Signature(
        VAE,
        "autoencoder of CogVideoX",
        {_IN_3D: (512, 16, 3, 3, 3), "decoder.norm_out.norm_layer.weight": None},
    ),
    Signature(
        VAE,
        "autoencoder of HunyuanVideo 1.5 or of HunyuanImage's refiner",
        {_IN_3D: (1024, 32, 3, 3, 3), "decoder.norm_out.gamma": (128, 1, 1, 1)},
        doubt=_HUNYUAN,
    ),
    Signature(
        VAE,
        "autoencoder of LTX-Video or LTX-2",
        {
            "decoder.up_blocks.0.resnets.0.conv1.conv.weight": None,
            "encoder.conv_in.conv.weight": (128, 48, 3, 3, 3),
        },
    ),
    Signature(
        VAE,
        "autoencoder of LTX-Video or LTX-2",
        {"decoder.up_blocks.0.res_blocks.0.conv1.conv.weight": None, _IN_3D: (None, 128, 3, 3, 3)},
    ),
    Signature(
        VAE,
        "autoencoder of Wan 2.1 or Qwen-Image",
        {
            "decoder.middle.0.residual.0.gamma": (384, 1, 1, 1),
            "encoder.conv1.weight": (96, 3, 3, 3, 3),
        },
        ("decoder.upsamples.0.upsamples.0.residual.2.weight",),
        doubt=_WAN_OR_QWEN,
    ),
    Signature(
        VAE,
        "autoencoder of Wan 2.1 or Qwen-Image",
        {"decoder.mid_block.resnets.0.norm1.gamma": (384, 1, 1, 1), _IN: (384, 16, 3, 3, 3)},
        doubt=_WAN_OR_QWEN,
    ),
    Signature(
        VAE,
        "autoencoder of Wan 2.2",
        {
            "decoder.middle.0.residual.0.gamma": None,
            "decoder.upsamples.0.upsamples.0.residual.2.weight": None,
        },
    ),
    Signature(
        VAE,
        "autoencoder of Wan 2.2",
        {"decoder.mid_block.resnets.0.norm1.gamma": (1024, 1, 1, 1), _IN: (1024, 48, 3, 3, 3)},
    ),
    Signature(
        VAE,
        "autoencoder of Mochi",
        {"encoder.proj_in.weight": (64, 15), "decoder.proj_out.weight": (3, 128)},
    ),
    Signature(VAE, "autoencoder of Mochi", {"decoder.blocks.2.blocks.3.stack.5.weight": None}),
    Signature(
        VAE,
        "autoencoder of Mochi, decoder",
        {"blocks.2.blocks.3.stack.5.weight": None},
        ("decoder.blocks.2.blocks.3.stack.5.weight",),
    ),
    Signature(VAE, "autoencoder of Cosmos", {"decoder.unpatcher3d.wavelets": None}),
    Signature(VAE, "autoencoder of Cosmos", {"encoder.conv_in.conv_s.weight": (128, 192, 1, 3, 3)}),
    Signature(
        VAE,
        "DC-AE of 32 channels, as Sana's",
        {
            "decoder.norm_out.weight": (128,),
            _IN: (1024, 32, 3, 3),
            "encoder.conv_in.weight": (128, 3, 3, 3),
        },
    ),
    Signature(VAE, "autoencoder of Allegro", {_TEMPORAL: (128, 128, 3, 1, 1)}),
    Signature(
        VAE,
        "TAESD of SD1, SD2 or SDXL",
        {"encoder.layers.0.weight": (64, 3, 3, 3), "decoder.layers.0.weight": (64, 4, 3, 3)},
    ),
    Signature(
        VAE,
        "TAESD of SD3 or Flux.1",
        {"encoder.layers.0.weight": (64, 3, 3, 3), "decoder.layers.0.weight": (64, 16, 3, 3)},
    ),
    Signature(
        VAE,
        "TAESD of SD1, SD2 or SDXL, decoder",
        {"3.conv.0.weight": (64, 64, 3, 3), "1.weight": (64, 4, 3, 3)},
    ),
    Signature(
        VAE,
        "TAESD of SD3 or Flux.1, decoder",
        {"3.conv.0.weight": (64, 64, 3, 3), "1.weight": (64, 16, 3, 3)},
    ),
    Signature(
        VAE,
        "TAESD of SD1, SD2 or SDXL, encoder",
        {"1.conv.0.weight": (64, 64, 3, 3), "0.weight": (64, 3, 3, 3), "14.weight": (4, 64, 3, 3)},
    ),
    Signature(
        VAE,
        "TAESD of SD3 or Flux.1, encoder",
        {"1.conv.0.weight": (64, 64, 3, 3), "0.weight": (64, 3, 3, 3), "14.weight": (16, 64, 3, 3)},
    ),
    Signature(VAE, "VQGAN of Stable Cascade, stage A", {"vquantizer.codebook.weight": (8192, 4)}),
    Signature(
        VAE,
        "EfficientNet encoder of Stable Cascade",
        {"backbone.1.0.block.0.1.num_batches_tracked": None},
    ),
    Signature(
        VAE,
        "previewer of Stable Cascade",
        {"blocks.11.num_batches_tracked": None, "blocks.0.weight": (512, 16, 1, 1)},
    ),
    *(
        Signature(
            VAE,
            "Oobleck, of sound in stereo",
            {"decoder.layers.1.layers.0.beta": None, f"encoder.layers.0.{weight}": (128, 2, 7)},
        )
        for weight in ("weight_v", "parametrizations.weight.original1")
    ),
    Signature(
        VAE,
        "Oobleck, of sound in stereo",
        {
            "encoder.block.0.res_unit1.snake1.alpha": None,
            "decoder.block.0.res_unit1.snake1.alpha": None,
            "encoder.conv1.weight_v": (128, 2, 7),
        },
    ),
    Signature(VAE, _KIND, {_COMPVIS: None, "encoder.conv_in.weight": None}, general=True),
    Signature(
        VAE,
        _KIND,
        {_DIFFUSERS: None, "encoder.conv_in.weight": None},
        general=True,
    ),
    Signature(
        VAE,
        "decoder of an autoencoder",
        {_COMPVIS: None, _IN: None},
        ("encoder.conv_in.weight",),
        general=True,
    ),
    Signature(
        VAE,
        "decoder of an autoencoder",
        {_DIFFUSERS: None, _IN: None},
        ("encoder.conv_in.weight",),
        general=True,
    ),
)
