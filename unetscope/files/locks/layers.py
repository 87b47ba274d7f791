"""What follows from the class and the settings of torch's own layers, without torch.

What is written here only makes locks shorter: the writer states whatever the reader would not
restore, so that a layer of another version of torch has a longer text and no other content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unetscope.lock import ABOVE, RETURN, SELF, entry

Settings = Mapping[str, Any]
Body = tuple[str, ...]

CONTAINER = "ModuleList"
"""The class of what only holds modules with numbers as names."""
BIAS = "bias"
"""What a layer that may do without a bias has as a setting, beside those that torch lists."""
_PASSING = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")
"""Classes that return what they are given."""


@dataclass(frozen=True)
class Held:
    """A tensor that follows from settings; without a type it has the network's usual one."""

    name: str
    shape: tuple[int, ...]
    dtype: str | None = None
    buffer: bool = False


@dataclass(frozen=True)
class Given:
    """What a body follows from.

    Attributes:
        settings: of the module.
        tensors: the names of its own.
        children: name and class of each, in order.
    """

    settings: Settings
    tensors: Sequence[str]
    children: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Layer:
    """What is known of a class.

    Attributes:
        first: the settings that come first, as values without names.
        defaults: settings -> what they are unless they are stated.
        dims: of `per_dim`.
        per_dim: settings that are stated as one number where they are the same in each dim.
        biased: whether it may do without a bias, and then states `bias=false`.
        tensors: its own, by its settings.
        body: what runs in a call; None where that is not known.
        called: whether it has a body at all.
    """

    first: tuple[str, ...] = ()
    defaults: Settings = field(default_factory=dict)
    dims: int = 0
    per_dim: tuple[str, ...] = ()
    biased: bool = False
    tensors: Callable[[Settings], list[Held]] | None = None
    body: Callable[[Given], Body] | None = None
    called: bool = True


def _ran(text: str, given: Given, tensors: Sequence[str] | None = None) -> Body:
    """The body of a layer that is one function of its input and its tensors."""
    held = given.tensors if tensors is None else tensors
    operands = ["input", *(f"{SELF}{name}" for name in held)]
    return entry(text, operands), entry(RETURN, [ABOVE])


def _text(function: str, settings: Settings, defaults: Settings) -> str:
    """A function with the settings that are not its defaults: `conv(stride=(2, 2), groups=2)`."""
    stated = [
        f"{key}={_detail(settings[key])}" for key in defaults if settings[key] != defaults[key]
    ]
    return f"{function}({', '.join(stated)})" if stated else function


def _detail(value: Any) -> str:
    if isinstance(value, tuple):
        inner = ", ".join(map(_detail, value))
        return inner if len(value) == 1 else f"({inner})"
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _function(
    function: str,
    first: tuple[str, ...] = (),
    tensors: Callable[[Settings], list[Held]] | None = None,
    **defaults: Any,
) -> Layer:
    """A layer that is one function with all of its defaults; `inplace` changes no value."""
    stated = {key: default for key, default in defaults.items() if key != "inplace"}

    def body(given: Given) -> Body:
        return _ran(_text(function, given.settings, stated), given)

    return Layer(first, defaults, tensors=tensors, body=body)


def _passed(_: Given) -> Body:
    return (entry(RETURN, ["input"]),)


def _convolution(dims: int, *, transposed: bool = False) -> Layer:
    one, zero = (1,) * dims, (0,) * dims
    running = {"stride": one, "padding": zero, "dilation": one}
    if transposed:
        running["output_padding"] = zero
    name = "conv_transpose" if transposed else "conv"

    def tensors(settings: Settings) -> list[Held]:
        out, into, groups = (settings[e] for e in ("out_channels", "in_channels", "groups"))
        ends = (into, out // groups) if transposed else (out, into // groups)
        held = [Held("weight", (*ends, *settings["kernel_size"])), Held(BIAS, (out,))]
        return held if settings[BIAS] else held[:1]

    def body(given: Given) -> Body:
        return _ran(_text(name, given.settings, {**running, "groups": 1}), given)

    return Layer(
        first=("in_channels", "out_channels", "kernel_size"),
        defaults={**running, "output_padding": zero, "groups": 1, "padding_mode": "zeros"},
        dims=dims,
        per_dim=("kernel_size", "stride", "padding", "dilation", "output_padding"),
        biased=True,
        tensors=tensors,
        body=body,
    )


def _linear(settings: Settings) -> list[Held]:
    shape = (settings["out_features"], settings["in_features"])
    held = [Held("weight", shape), Held(BIAS, shape[:1])]
    return held if settings[BIAS] else held[:1]


def _group_norm(given: Given) -> Body:
    defaults = {"num_groups": None, "eps": 1e-05}
    return _ran(_text("group_norm", given.settings, defaults), given)


def _layer_norm(given: Given) -> Body:
    shape = ", ".join(map(str, given.settings["normalized_shape"]))
    eps = _text("", given.settings, {"eps": 1e-05})[1:-1]
    stated = f"normalized_shape=({shape})" + (f", {eps}" if eps else "")
    return _ran(f"layer_norm({stated})", given)


def _layer_norm_tensors(settings: Settings) -> list[Held]:
    shape = tuple(settings["normalized_shape"])
    held = [Held("weight", shape), Held(BIAS, shape)] if settings["elementwise_affine"] else []
    return held if settings[BIAS] else held[:1]


def _channel_norm_tensors(settings: Settings) -> list[Held]:
    """Of a norm that has a weight and a bias for each channel."""
    key = "num_channels" if "num_channels" in settings else "num_features"
    shape = (settings[key],)
    held = [Held("weight", shape), Held(BIAS, shape)] if settings["affine"] else []
    if settings.get("track_running_stats"):
        held += [Held(name, shape, buffer=True) for name in ("running_mean", "running_var")]
        held.append(Held("num_batches_tracked", (), "int64", buffer=True))
    return held


def _batch_norm(given: Given) -> Body:
    order = ("running_mean", "running_var", "weight", BIAS)
    text = _text("batch_norm", given.settings, {"eps": 1e-05})
    return _ran(text, given, [name for name in order if name in given.tensors])


def _sequential(given: Given) -> Body:
    entries: list[str] = []
    last = above = "input"
    for name, kind in given.children:
        entries.append(entry(f"{SELF}{name}", [f"input={above}"]))
        last, above = (last, last) if kind in _PASSING else (f"{SELF}{name}", ABOVE)
    return (*entries, entry(RETURN, [above]))


_DIMS = (1, 2, 3)
_NORMALISED = {"eps": 1e-05, "momentum": 0.1, "affine": True, "track_running_stats": True}
_INSTANCE = {**_NORMALISED, "affine": False, "track_running_stats": False}
_POOLED = {"padding": 0, "ceil_mode": False}
_MAXIMAL = {**_POOLED, "dilation": 1, "return_indices": False}
_MEAN = {**_POOLED, "count_include_pad": True, "divisor_override": None}

LAYERS: Mapping[str, Layer] = {
    **{f"Conv{dims}d": _convolution(dims) for dims in _DIMS},
    **{f"ConvTranspose{dims}d": _convolution(dims, transposed=True) for dims in _DIMS},
    "Linear": Layer(
        ("in_features", "out_features"),
        biased=True,
        tensors=_linear,
        body=lambda given: _ran("linear", given),
    ),
    "Embedding": Layer(
        ("num_embeddings", "embedding_dim"),
        {
            "padding_idx": None,
            "max_norm": None,
            "norm_type": 2.0,
            "scale_grad_by_freq": False,
            "sparse": False,
        },
        tensors=lambda its: [Held("weight", (its["num_embeddings"], its["embedding_dim"]))],
        body=lambda given: _ran("embedding", given),
    ),
    "GroupNorm": Layer(
        ("num_channels",),
        {"eps": 1e-05, "affine": True},
        tensors=_channel_norm_tensors,
        body=_group_norm,
    ),
    "LayerNorm": Layer(
        ("normalized_shape",),
        {"eps": 1e-05, "elementwise_affine": True},
        1,
        ("normalized_shape",),
        True,
        _layer_norm_tensors,
        _layer_norm,
    ),
    "RMSNorm": Layer(
        ("normalized_shape",),
        {"eps": None, "elementwise_affine": True},
        1,
        ("normalized_shape",),
        tensors=lambda its: _layer_norm_tensors({**its, BIAS: False}),
    ),
    **{
        f"BatchNorm{dims}d": Layer(
            ("num_features",), _NORMALISED, tensors=_channel_norm_tensors, body=_batch_norm
        )
        for dims in _DIMS
    },
    **{
        f"InstanceNorm{dims}d": Layer(
            ("num_features",),
            _INSTANCE,
            tensors=_channel_norm_tensors,
            body=lambda given: _ran("instance_norm", given, []),
        )
        for dims in _DIMS
    },
    **{f"MaxPool{dims}d": Layer(("kernel_size",), _MAXIMAL) for dims in _DIMS},
    **{f"AvgPool{dims}d": Layer(("kernel_size",), _MEAN) for dims in _DIMS[1:]},
    "Upsample": Layer(
        defaults={
            "size": None,
            "scale_factor": None,
            "mode": "nearest",
            "align_corners": None,
            "name": "Upsample",
            "recompute_scale_factor": None,
        }
    ),
    "PixelShuffle": Layer(("upscale_factor",)),
    "PixelUnshuffle": Layer(("downscale_factor",)),
    "Identity": Layer(body=_passed),
    **{name: Layer(defaults={"inplace": False}, body=_passed) for name in _PASSING[1:]},
    "ReLU": _function("relu", inplace=False),
    "SiLU": _function("silu", inplace=False),
    "Mish": _function("mish", inplace=False),
    "SELU": _function("selu", inplace=False),
    "Hardswish": _function("hardswish", inplace=False),
    "Hardsigmoid": _function("hardsigmoid", inplace=False),
    "ELU": _function("elu", alpha=1.0, inplace=False),
    "CELU": _function("celu", alpha=1.0, inplace=False),
    "LeakyReLU": _function("leaky_relu", negative_slope=0.01, inplace=False),
    "GELU": _function("gelu", approximate="none"),
    "Softplus": _function("softplus", beta=1.0, threshold=20.0),
    "Tanh": _function("tanh"),
    "Sigmoid": _function("sigmoid"),
    "LogSigmoid": _function("logsigmoid"),
    "Softsign": _function("softsign"),
    "PReLU": _function(
        "prelu", ("num_parameters",), lambda its: [Held("weight", (its["num_parameters"],))]
    ),
    "Sequential": Layer(body=_sequential),
    **{
        name: Layer(called=False)
        for name in (CONTAINER, "ModuleDict", "ParameterList", "ParameterDict")
    },
}
"""Class -> what is known of it."""
UNKNOWN = Layer()
"""What is known of any other class."""
