"""What stands in a whole file: networks under their prefixes, what is beside them, true shapes."""

import json
import re
from math import prod

import pytest
from checkpoint_files import write
from named_networks import clip_text, compvis_vae, header, linear, open_clip, t5, under

from unetscope.checkpoints import parts as module
from unetscope.checkpoints.claims import contradictions, missing
from unetscope.checkpoints.identified import Part
from unetscope.checkpoints.parts import parts, pipeline
from unetscope.checkpoints.signatures import SIGNATURES
from unetscope.record import TensorSpec
from unetscope.sentences import said

SCHEDULE = {"betas": (1000,), "alphas_cumprod": (1000,)}


def shapes(part):
    return {name: spec.shape for name, spec in part.tensors.items()}


@pytest.fixture
def sd1(sd15_compvis):
    """Stable Diffusion 1.5 as CompVis published it, averages and all."""
    averages = {f"diffusion_model.{n}".replace(".", ""): s for n, s in sd15_compvis.items()}
    return {
        **under("model.diffusion_model.", sd15_compvis),
        **under("first_stage_model.", compvis_vae()),
        **under("cond_stage_model.transformer.", clip_text(768, 12)),
        **under("model_ema.", {**averages, "decay": (), "num_updates": ()}),
        **SCHEDULE,
    }


def test_an_all_in_one_checkpoint(sd1, sd15_compvis):
    found = {part.prefix or part.name: part for part in parts(header(sd1))}
    assert {prefix: (part.kind, part.name) for prefix, part in found.items()} == {
        "model.diffusion_model.": ("unet", ""),
        "first_stage_model.": ("autoencoder", "KL autoencoder of SD1, SD2 and SDXL"),
        "cond_stage_model.transformer.": ("text encoder", "CLIP ViT-L/14"),
        "model_ema.": ("averaged weights", "unet"),
        "noise schedule": ("other", "noise schedule"),
    }
    assert shapes(found["model.diffusion_model."]) == sd15_compvis
    assert shapes(found["model_ema."]) == sd15_compvis
    assert sum(part.nbytes for part in found.values()) == 2 * sum(prod(s) for s in sd1.values())
    assert missing(tuple(found.values())) == ()
    own, left_out = module.unet(header(sd1))
    assert own.keys() == sd15_compvis.keys()
    assert left_out["averaged weights"] == len(sd15_compvis)


def test_averages_without_their_network_keep_their_names():
    (found,) = parts(header({"model_ema.diffusion_modelout2bias": (4,), "model_ema.decay": ()}))
    assert found.kind == "averaged weights"
    assert found.tensors.keys() == {"diffusion_modelout2bias"}
    assert "dots" in found.doubts[0]


def test_sdxl_s_two_encoders_and_what_is_missing(sd15_compvis):
    unet = under("model.diffusion_model.", sd15_compvis)
    unet |= {n: (s[0], 2048) for n, s in unet.items() if ".attn2.to_k." in n or ".attn2.to_v." in n}
    one = under("conditioner.embedders.0.transformer.", clip_text(768, 12))
    two = under("conditioner.embedders.1.model.", open_clip(1280, 32))
    vae = under("first_stage_model.", compvis_vae())
    both = parts(header(unet | one | two | vae))
    assert {part.name for part in both if part.kind == "text encoder"} == {
        "CLIP ViT-L/14",
        "OpenCLIP ViT-bigG/14",
    }
    assert missing(both) == ()
    assert "where SDXL has two" in missing(parts(header(unet | one | vae)))[0]
    assert [text.split(":")[0] for text in missing(parts(header(unet)))] == [
        "no text encoder",
        "no autoencoder",
    ]
    assert missing(parts(header(vae))) == ()


@pytest.mark.parametrize(
    "prefix",
    ["text_encoders.t5xxl.transformer.", "cond_stage_model.t5xxl.transformer.", "text_encoder_3."],
)
def test_what_stands_beside_a_network_in_a_container_is_its_own(prefix):
    shapes_of = under(prefix, t5(4096, 10240, 24))
    beside = {prefix.removesuffix("transformer.") + "logit_scale": ()}
    (found,) = parts(header(shapes_of | beside))
    assert (found.name, found.prefix) == ("T5-XXL v1.1", prefix)
    assert len(found.tensors) == len(shapes_of) + 1


def test_every_tensor_is_in_one_part(sd1):
    odd = {"loss.discriminator.main.0.weight": (64, 3, 4, 4), "somewhere.else": (3,)}
    found = parts(header(sd1 | odd))
    assert sum(len(part.tensors) for part in found) == len(sd1 | odd) - 2  # EMA's two counters
    assert {part.kind for part in found if part.prefix == "loss."} == {"other"}


def test_others_of_a_pytorch_checkpoint(sd15_shapes):
    file = header(sd15_shapes)
    tensors = dict(file.tensors)
    file.others["ema"] = dict(tensors)
    file.others["optimizer"] = {"state.0.exp_avg": TensorSpec((5,), "float32")}
    kinds = {part.prefix: (part.kind, part.name) for part in parts(file)}
    assert kinds == {
        "": ("unet", ""),
        "ema.": ("averaged weights", "unet"),
        "optimizer.": ("optimizer", ""),
    }


def test_a_file_of_averages_alone_is_that_network(sd15_shapes):
    (found,) = parts(header(under("ema_model.", sd15_shapes)))
    assert (found.kind, found.prefix) == ("unet", "ema_model.")


def test_a_pipeline_s_folders(tmp_path, sd15_shapes):
    for folder, name, tensors in (
        ("unet", "diffusion_pytorch_model.safetensors", sd15_shapes),
        ("text_encoder", "model.safetensors", clip_text(768, 12)),
        ("vae", "diffusion_pytorch_model.fp16.safetensors", compvis_vae()),
    ):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / name, tensors, "F16")
    (tmp_path / "scheduler").mkdir()
    write(tmp_path / "text_encoder" / "model.fp16.safetensors", clip_text(768, 12), "F16")
    (tmp_path / "model_index.json").write_text(json.dumps({"unet": ["diffusers", "UNet"]}))
    found = pipeline(tmp_path)
    assert {(part.prefix, part.kind) for part in found} == {
        ("unet/", "unet"),
        ("text_encoder/", "text encoder"),
        ("vae/", "autoencoder"),
    }


def test_what_nothing_claims_says_so():
    (found,) = parts(header({"module.backbone.stem.weight": (3, 3), "module.head.bias": (3,)}))
    assert (found.kind, found.name, found.prefix) == ("other", "", "module.")
    assert found.tensors.keys() == {"backbone.stem.weight", "head.bias"}
    assert "backbone.stem.weight" in found.evidence[0]
    assert found.doubts
    assert parts(header({})) == ()


# Quantised tensors.

PLAIN = {
    **linear("input_blocks.0.0", 4, 8),
    **linear("output_blocks.0.0.in_layers.0", 8, 8),
    **linear("out.2", 128, 64),
    **linear("out.3", 128, 64, bias=False),
}


def quantised(owner, replaced):
    """The plain network, with one layer's weight replaced by what a packing stores."""
    found = {name: TensorSpec(shape, "float16") for name, shape in PLAIN.items()}
    del found[f"{owner}.weight"]
    return header(found | {f"{owner}.{name}": spec for name, spec in replaced.items()})


def spec(dtype, *shape):
    return TensorSpec(shape, dtype)


STATE = "weight.quant_state.bitsandbytes__nf4"
PACKINGS = {
    "float8_e4m3fn": {
        "weight": spec("float8_e4m3fn", 64, 128),
        "scale_weight": spec("float32"),
        "scale_input": spec("float32"),
    },
    "float8_e5m2": {
        "weight": spec("float8_e5m2", 64, 128),
        "weight_scale": spec("float32"),
        "comfy_quant": spec("uint8", 26),
    },
    "F4": {
        "weight": spec("uint8", 64, 64),
        "weight_scale": spec("float8_e4m3fn", 128, 8),
        "weight_scale_2": spec("float32"),
        "comfy_quant": spec("uint8", 20),
    },
    "int8": {
        "weight": spec("int8", 64, 128),
        "SCB": spec("float32", 64),
        "weight_format": spec("uint8"),
    },
    "NF4": {
        "weight": spec("uint8", 4096, 1),
        "weight.absmax": spec("uint8", 128),
        "weight.nested_absmax": spec("float32", 1),
        "weight.nested_quant_map": spec("float32", 256),
        "weight.quant_map": spec("float32", 16),
        STATE: spec("uint8", 90),
    },
    "uint4": {
        "qweight": spec("int32", 16, 64),
        "qzeros": spec("int32", 1, 8),
        "scales": spec("float16", 1, 64),
        "g_idx": spec("int32", 128),
    },
    "uint8": {
        "qweight": spec("int32", 32, 64),
        "qzeros": spec("int32", 1, 16),
        "scales": spec("float16", 1, 64),
    },
    "int4": {
        "qweight": spec("int8", 64, 64),
        "wscales": spec("float16", 2, 64),
        "smooth_factor": spec("float16", 128),
        "smooth_factor_orig": spec("float16", 128),
    },
}


@pytest.mark.parametrize("dtype", PACKINGS)
def test_packed_tensors_have_the_shapes_that_they_are_used_in(dtype):
    file = quantised("out.2", PACKINGS[dtype])
    (found,) = parts(file)
    assert found.kind == "unet"
    assert shapes(found) == PLAIN
    assert found.dtypes[dtype] == 64 * 128
    assert found.nbytes == sum(tensor.nbytes for tensor in file.values())
    assert bool(found.doubts) == (dtype == "NF4")


def test_awq_stores_the_other_axis():
    packed = {
        "qweight": spec("int32", 128, 8),
        "qzeros": spec("int32", 1, 8),
        "scales": spec("float16", 1, 64),
    }
    assert shapes(parts(quantised("out.2", packed))[0]) == PLAIN


def test_zeros_without_axes_tell_no_bits():
    packed = {
        "qweight": spec("int32", 16, 64),
        "qzeros": spec("int32"),
        "scales": spec("float16", 1, 64),
    }
    assert shapes(parts(quantised("out.2", packed))[0]) == PLAIN


def test_flattened_weights_whose_shape_is_lost_say_so():
    packed = {"weight": spec("uint8", 4096, 1), STATE: spec("uint8", 90)}
    (found,) = parts(quantised("out.3", packed))
    assert found.tensors["out.3.weight"] == TensorSpec((64 * 128,), "NF4")
    assert "no header tells more" in found.doubts[0]
    assert found.parameters == sum(map(prod, PLAIN.values()))


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((8, 768), "embedding"),
        ((1024,), "embedding"),
        ((197, 768), "other"),
        ((1, 197, 768), "other"),
        ((8, 700), "other"),
        ((), "other"),
    ],
)
def test_one_tensor_may_be_some_words(shape, kind):
    (found,) = parts(header({"<cat-toy>": shape}))
    assert found.kind == kind


def test_scales_of_a_network_s_own_are_left_alone():
    own = {"conv.scales": (3,), "block.weight_scale": (4,), "a._scale": (2,)}
    (found,) = parts(header(own))
    assert shapes(found) == own


def test_a_network_is_known_by_its_elements_where_shapes_are_lost():
    shapes_of = {name: TensorSpec(s, "float16") for name, s in clip_text(768, 12).items()}
    for name, tensor in list(shapes_of.items()):
        if name.endswith("fc1.weight"):
            shapes_of[name] = TensorSpec((tensor.numel // 2, 1), "uint8")
            shapes_of[f"{name}.absmax"] = TensorSpec((tensor.numel // 64,), "float32")
            shapes_of[f"{name}.quant_state.bitsandbytes__nf4"] = TensorSpec((90,), "uint8")
            del shapes_of[name.replace("weight", "bias")]
    (found,) = parts(header(shapes_of))
    assert found.name == "CLIP ViT-L/14"


# Metadata.


@pytest.mark.parametrize(
    ("key", "claim", "said"),
    [
        ("modelspec.architecture", "stable-diffusion-xl-v1-base", "that is SDXL"),
        ("modelspec.architecture", "stable-diffusion-v1", ""),
        ("general.architecture", "flux", "that is Flux.1"),
        ("general.architecture", "sd1", ""),
        ("ss_v2", "True", "that is SD2"),
        ("ss_v2", "False", ""),
        ("ss_base_model_version", "sd_v2_768", "that is SD2"),
        ("ss_base_model_version", "sd_v1", ""),
        ("general.architecture", "pig", ""),
    ],
)
def test_what_a_file_says_of_itself(sd15_shapes, key, claim, said):
    file = header(sd15_shapes, metadata={key: claim})
    found = contradictions(file, parts(file))
    assert len(found) == bool(said)
    assert all(said in text and "those of SD1" in text and claim in text for text in found)


@pytest.mark.parametrize(
    ("architecture", "network", "agree"),
    [
        ("flux", "Chroma", True),
        ("flux", "Flux.2 dev", True),
        ("lumina2", "Z-Image", True),
        ("hyvid", "HunyuanImage 2.1", True),
        ("wan", "Z-Image", False),
        ("sdxl", "Chroma", False),
    ],
)
def test_gguf_s_architecture_names_a_loader(architecture, network, agree):
    """Converters write `flux` for all that ComfyUI loads as Flux, and so on."""
    row = next(s for s in SIGNATURES if s.name == network)
    last = [form.format(count - 1) for form, count in row.blocks.items()]
    tensors = {n: tuple(size or 7 for size in p or (7,)) for n, p in row.has.items()}
    tensors |= {name: (7,) for name in last if name not in tensors}
    file = header(tensors, metadata={"general.architecture": architecture})
    (found,) = parts(file)
    assert found.name == network
    assert len(contradictions(file, (found,))) == (not agree)


@pytest.mark.parametrize(
    ("name", "claim", "agree"),
    [
        ("LoRA for SSD-1B", "sdxl_base_v1-0", True),
        ("LoRA for DiT-XL", "sd_v1", True),
        ("LoRA for Hunyuan-DiT", "hunyuan-image-2.1", False),
        ("HunyuanImage 2.1", "hunyuan-image-2.1", True),
        ("LoRA for SD2", "sd_v2_v", True),
        ("LoRA for Flux.1", "chroma", False),
    ],
)
def test_names_are_not_taken_for_a_family_by_a_part_of_them(name, claim, agree):
    part = Part("lora" if "LoRA" in name else "transformer", name, "", {}, 0)
    file = header({"x": (1,)}, metadata={"ss_base_model_version": claim})
    assert len(contradictions(file, (part,))) == (not agree)


def test_marks_of_prediction_against_metadata(sd15_compvis):
    shapes_of = under("model.diffusion_model.", sd15_compvis) | {"v_pred": (), "ztsnr": ()}
    file = header(shapes_of, metadata={"modelspec.prediction_type": "epsilon"})
    (said,) = contradictions(file, parts(file))
    assert "velocities" in said


def test_every_sentence_is_said_in_chinese(sd1):
    packed = {"weight": spec("uint8", 4096, 1), STATE: spec("uint8", 90)}
    files = [
        header(sd1),
        quantised("out.2", PACKINGS["NF4"]),
        quantised("out.3", packed),
        header({"lora_unet_x.lora_down.weight": (4, 8), "lora_unet_x.lora_up.weight": (8, 4)}),
        header({"<cat>": (1, 768)}),
        header({"odd.weight": (3,)}),
        header({"model_ema.odd": (3,)}),
        *(
            header({name: tuple(n or 7 for n in s or (7,)) for name, s in signature.has.items()})
            for signature in SIGNATURES
        ),
    ]
    texts = set()
    for file in files:
        found = parts(file)
        texts.update(missing(found))
        for part in found:
            texts.update((*part.evidence, *part.doubts))
    assert len(texts) > 300
    assert [text for text in texts if not re.search("[\u4e00-\u9fff]", said(text, "zh"))] == []
    doubts = {signature.doubt for signature in SIGNATURES}
    assert [text for text in doubts if re.search("'s | and ", said(text, "zh"))] == []


def test_many_networks_in_one_file_take_no_long_time():
    """Quadratic work in the number of networks would take minutes here."""
    many = {f"{n}.redux_down.weight": (4096, 12288) for n in range(20_000)}
    many |= {f"{n}.redux_up.weight": (12288, 1152) for n in range(20_000)}
    many |= {f"text_encoders.x.{n}": (1,) for n in range(20_000)}
    found = parts(header(many))
    assert sum(len(part.tensors) for part in found) == len(many)
    assert len(found) < 100
