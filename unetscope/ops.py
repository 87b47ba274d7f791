"""The one table of operations: what the functions that a trace records do.

`Op.name` holds a function as the code wrote it: `torch.cat`, `torch.concat`, `Tensor.lerp_`, `+=`.
`operation` returns the row of the table that such a spelling belongs to. Whatever depends on what
a function does, such as its multiply-adds, what its backward pass keeps and whether it joins
tensors, is read from that row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache


class OpKind(Enum):
    """What an operation does."""

    JOIN = auto()
    """Puts tensors beside each other along one of their dims: `torch.cat`."""
    SUM = auto()
    """Adds two tensors, weighted or not."""
    PRODUCT = auto()
    """Multiplies two tensors element by element."""
    MATRIX_PRODUCT = auto()
    """Multiplies two tensors and sums up, whether they are weights or computed."""
    CONVOLUTION = auto()
    LINEAR = auto()
    ATTENTION = auto()
    """Attention as one function, such as `F.scaled_dot_product_attention`."""
    SOFTMAX = auto()
    NORM = auto()
    ACTIVATION = auto()
    POINTWISE = auto()
    """Works element by element and is none of the above."""
    COMPARISON = auto()
    """Compares or combines truth values; nothing is learned through it."""
    REDUCTION = auto()
    """Sums up, averages, orders or searches elements."""
    VIEW = auto()
    """Returns the same elements under another shape, mostly without a copy."""
    COPY = auto()
    """Returns equal elements, at most in another place of memory."""
    CAST = auto()
    """Returns the elements in another type or on another device."""
    MOVEMENT = auto()
    """Copies elements to other places: pads, repeats, flips, gathers, stacks."""
    POOLING = auto()
    RESAMPLING = auto()
    DROPOUT = auto()
    EMBEDDING = auto()
    CREATION = auto()
    """Makes a tensor from numbers, or fills one."""
    FOURIER = auto()
    UNKNOWN = auto()
    """Not in the table."""


class Keeps(Enum):
    """Which of its tensors a function keeps for its backward pass (torch's derivatives.yaml)."""

    NOTHING = auto()
    INPUT = auto()
    """The first that it is given."""
    OUTPUT = auto()
    ALL = auto()
    """All that it is given and makes."""
    FACTORS = auto()
    """Each factor whose partner needs a gradient."""
    QUOTIENT = auto()
    """Likewise, and the divisor in any case."""


UNSEEN = "unseen"
"""The name of whatever made a tensor during a pass without being seen; it is in no row."""
_ATEN = "torch.ops.aten."
"""Before the name of an operator that is torch's own."""
NO_MACS = "none"
"""The formula of operations that do no multiply-adds."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table.

    Attributes:
        name: torch's own name for it, without a prefix: `cat`, `add`, `conv`.
        kind: what it does.
        aliases: further names of torch's for the very same; `torch.`, `Tensor.` and `F.` before
            them and underscores around them, as in `add_` and `__radd__`, mean nothing here.
        symbols: how Python writes it, each with the names of the functions that are recorded so:
            `{"+": "add", "+=": "add_"}`.
        commutative: its two operands may change places.
        formula: the name of the formula in `tracing.flops` that counts its multiply-adds; `NO_MACS`
            if it does none, None if no formula is known.
        keeps: what its backward pass needs; None if that is not known.
        factors: the positions of the two factors among its inputs, if it is a product.
        sized: its arguments that are no tensors are dims of what it returns, as in `reshape`.
    """

    name: str
    kind: OpKind
    aliases: str = ""
    symbols: dict[str, str] = field(default_factory=dict)
    commutative: bool = False
    formula: str | None = NO_MACS
    keeps: Keeps | None = None
    factors: tuple[int, int] = (0, 1)
    sized: bool = False

    @property
    def spellings(self) -> tuple[str, ...]:
        """Everything that means it: names without prefixes, and symbols."""
        return (self.name, *self.aliases.split(), *self.symbols)

    @property
    def known(self) -> bool:
        """Whether it is in the table."""
        return self.kind is not OpKind.UNKNOWN


@cache
def operation(name: str) -> Operation:
    """The operation that a recorded function does.

    Args:
        name: as in `Op.name`: `+=`, `torch.concat`, `Tensor.lerp_`, `F.silu`, `torch.fft.fftn`;
            `torch.ops.aten.cat` is torch's own too.

    Returns:
        Its row; for a function that is in no row, one of kind `UNKNOWN` of which nothing is known.
    """
    bare = name
    for owner in (_ATEN, "torch.", "Tensor.", "F."):
        bare = bare.removeprefix(owner)
    bare = bare.strip("_") or bare
    # An overload of ATen's is recorded as `torch.add.Tensor`.
    row = _ROWS.get(bare) or _ROWS.get(bare.partition(".")[0].strip("_"))
    return row or Operation(bare, OpKind.UNKNOWN, formula=None)


def opaque(name: str) -> bool:
    """Whether no signature of torch's says what a function computes.

    So it is with an operator of another library, `torch.ops.NAMESPACE.NAME`, and with what nobody
    saw.

    Args:
        name: as in `Op.name`.
    """
    return name == UNSEEN or (name.startswith("torch.ops.") and not name.startswith(_ATEN))


def symbol(function: str) -> str | None:
    """How Python writes a function of torch's: `+=` for `add_`, `-` for `__rsub__`."""
    return _SYMBOLS.get(function)


def in_place(name: str) -> bool:
    """Whether a recorded function writes into its first input: `+=`, `Tensor.relu_`, `[]=`."""
    return name in _WRITING or (name.endswith("_") and not name.endswith("__"))


def _many(
    kind: OpKind, names: str, *, keeps: Keeps | None = None, sized: bool = False
) -> Iterator[Operation]:
    """A row for each word that does no multiply-adds; aliases follow after `=`."""
    for word in names.split():
        name, *aliases = word.split("=")
        yield Operation(name, kind, " ".join(aliases), keeps=keeps, sized=sized)


_CONVOLUTIONS = "conv1d conv2d conv3d"
_TRANSPOSED = "conv_transpose1d conv_transpose2d conv_transpose3d"

OPERATIONS: tuple[Operation, ...] = (
    # Joins, sums, products
    Operation("cat", OpKind.JOIN, "concat concatenate", keeps=Keeps.NOTHING),
    *_many(OpKind.JOIN, "hstack vstack=row_stack dstack column_stack", keeps=Keeps.NOTHING),
    Operation(
        "add",
        OpKind.SUM,
        "radd iadd",
        {"+": "add", "+=": "add_"},
        commutative=True,
        keeps=Keeps.NOTHING,
    ),
    Operation("lerp", OpKind.SUM),
    Operation(
        "mul",
        OpKind.PRODUCT,
        "multiply rmul imul",
        {"*": "mul", "*=": "mul_"},
        commutative=True,
        keeps=Keeps.FACTORS,
    ),
    # Convolutions, linear layers, matrix products, attention
    Operation("conv", OpKind.CONVOLUTION, _CONVOLUTIONS, formula="conv", keeps=Keeps.INPUT),
    Operation(
        "conv_transpose",
        OpKind.CONVOLUTION,
        _TRANSPOSED,
        formula="conv_transpose",
        keeps=Keeps.INPUT,
    ),
    Operation("linear", OpKind.LINEAR, formula="linear", keeps=Keeps.INPUT),
    Operation("bilinear", OpKind.MATRIX_PRODUCT, formula=None),
    Operation(
        "matmul",
        OpKind.MATRIX_PRODUCT,
        "rmatmul mm bmm mv dot",
        {"@": "matmul __rmatmul__"},
        formula="matmul",
        keeps=Keeps.FACTORS,
    ),
    *(Operation(name, OpKind.MATRIX_PRODUCT, formula="matmul") for name in ("vdot", "inner")),
    Operation("einsum", OpKind.MATRIX_PRODUCT, formula="einsum", keeps=Keeps.FACTORS),
    Operation("tensordot", OpKind.MATRIX_PRODUCT, formula="tensordot"),
    Operation("cdist", OpKind.MATRIX_PRODUCT, formula=None),
    *(
        Operation(name, OpKind.MATRIX_PRODUCT, formula=formula, keeps=Keeps.FACTORS, factors=(1, 2))
        for name, formula in (("addmm", "addmm"), ("baddbmm", "baddbmm"), ("addbmm", "baddbmm"))
    ),
    Operation(
        "scaled_dot_product_attention",
        OpKind.ATTENTION,
        formula="scaled_dot_product_attention",
        keeps=Keeps.ALL,
    ),
    *(
        Operation(name, OpKind.ATTENTION, formula=name)
        for name in ("multi_head_attention_forward", "native_multi_head_attention")
    ),
    # Kernels behind functions, which are seen where no function is
    Operation("convolution", OpKind.CONVOLUTION, formula="convolution", keeps=Keeps.INPUT),
    Operation(
        "scaled_dot_product_flash_attention_for_cpu",
        OpKind.ATTENTION,
        "scaled_dot_product_efficient_attention",
        formula="attention_kernel",
        keeps=Keeps.ALL,
    ),
    *_many(OpKind.SOFTMAX, "safe_softmax", keeps=Keeps.OUTPUT),
    *_many(
        OpKind.NORM,
        "native_batch_norm native_batch_norm_legit native_batch_norm_legit_no_training",
        keeps=Keeps.INPUT,
    ),
    *_many(OpKind.ACTIVATION, "prelu_kernel"),
    *_many(
        OpKind.RESAMPLING,
        """upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_nearest_exact1d
        upsample_nearest_exact2d upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d
        upsample_bicubic2d upsample_trilinear3d""",
        keeps=Keeps.NOTHING,
    ),
    *_many(OpKind.DROPOUT, "native_dropout"),
    *_many(OpKind.REDUCTION, "linalg_vector_norm", keeps=Keeps.ALL),
    *_many(
        OpKind.VIEW,
        "slice reshape_alias unsafe_view nested_view_from_jagged nested_get_values values",
        keeps=Keeps.NOTHING,
    ),
    *_many(OpKind.COPY, "lift_fresh", keeps=Keeps.NOTHING),
    *_many(OpKind.CAST, "to_copy", keeps=Keeps.NOTHING),
    *_many(
        OpKind.MOVEMENT,
        """index unsafe_index im2col reflection_pad1d reflection_pad2d reflection_pad3d
        replication_pad1d replication_pad2d replication_pad3d""",
    ),
    *_many(OpKind.CREATION, "empty_strided new_empty_strided", keeps=Keeps.NOTHING),
    # Norms, activations, pooling, resampling
    *_many(OpKind.SOFTMAX, "softmax log_softmax", keeps=Keeps.OUTPUT),
    *_many(OpKind.SOFTMAX, "softmin gumbel_softmax"),
    *_many(
        OpKind.NORM,
        "group_norm=native_group_norm rms_norm batch_norm instance_norm",
        keeps=Keeps.INPUT,
    ),
    *_many(OpKind.NORM, "layer_norm=native_layer_norm", keeps=Keeps.INPUT, sized=True),
    *_many(OpKind.NORM, "local_response_norm normalize weight_norm"),
    *_many(
        OpKind.ACTIVATION,
        """silu gelu mish elu selu celu leaky_relu relu6 softplus softsign softshrink
        hardswish hardtanh hardsigmoid hardshrink logsigmoid=log_sigmoid""",
        keeps=Keeps.INPUT,
    ),
    *_many(OpKind.ACTIVATION, "relu sigmoid=special.expit tanh", keeps=Keeps.OUTPUT),
    *_many(OpKind.ACTIVATION, "prelu rrelu tanhshrink threshold glu"),
    *_many(
        OpKind.POOLING, "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool2d", keeps=Keeps.NOTHING
    ),
    *_many(OpKind.POOLING, "max_pool1d max_pool2d max_pool3d", keeps=Keeps.INPUT),
    *_many(
        OpKind.POOLING,
        """max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
        lp_pool1d lp_pool2d lp_pool3d adaptive_avg_pool1d adaptive_avg_pool3d
        adaptive_max_pool1d=adaptive_max_pool1d_with_indices
        adaptive_max_pool2d=adaptive_max_pool2d_with_indices
        adaptive_max_pool3d=adaptive_max_pool3d_with_indices
        max_unpool1d max_unpool2d max_unpool3d""",
    ),
    *_many(
        OpKind.RESAMPLING,
        "interpolate upsample upsample_nearest upsample_bilinear",
        keeps=Keeps.NOTHING,
    ),
    Operation("grid_sample", OpKind.RESAMPLING, formula=None),
    *_many(OpKind.DROPOUT, "dropout dropout2d", keeps=Keeps.NOTHING),
    *_many(
        OpKind.DROPOUT, "dropout1d dropout3d alpha_dropout feature_dropout feature_alpha_dropout"
    ),
    *_many(OpKind.EMBEDDING, "embedding", keeps=Keeps.INPUT),
    # Element by element
    Operation(
        "sub",
        OpKind.POINTWISE,
        "subtract rsub isub",
        {"-": "sub rsub __rsub__", "-=": "sub_"},
        keeps=Keeps.NOTHING,
    ),
    Operation(
        "div",
        OpKind.POINTWISE,
        "divide true_divide rdiv truediv rtruediv idiv itruediv",
        {"/": "div true_divide __rdiv__", "/=": "div_"},
        keeps=Keeps.QUOTIENT,
    ),
    Operation("pow", OpKind.POINTWISE, "rpow ipow", {"**": "pow __rpow__"}),
    *_many(
        OpKind.POINTWISE,
        """neg=negative positive=pos sign floor ceil round=special.round trunc=fix frac deg2rad
        rad2deg conj=resolve_conj""",
        keeps=Keeps.NOTHING,
    ),
    *_many(
        OpKind.POINTWISE,
        """abs=absolute square log log2 log10 log1p=special.log1p logit=special.logit sin cos
        asin=arcsin acos=arccos atan=arctan sinh cosh asinh=arcsinh acosh=arccosh atanh=arctanh
        erf=special.erf erfc=special.erfc erfinv=special.erfinv sinc=special.sinc""",
        keeps=Keeps.INPUT,
    ),
    *_many(
        OpKind.POINTWISE,
        "exp exp2=special.exp2 expm1=special.expm1 sqrt rsqrt reciprocal tan",
        keeps=Keeps.OUTPUT,
    ),
    *_many(
        OpKind.POINTWISE,
        """floor_divide=floordiv=rfloordiv=ifloordiv remainder=mod=rmod=imod fmod float_power sgn
        atan2=arctan2 clamp=clip=clamp_min=clamp_max addcmul addcdiv nan_to_num outer=ger kron polar
        complex angle xlogy=special.xlogy""",
    ),
    *(
        Operation(name, OpKind.POINTWISE, commutative=True)
        for name in ("maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2")
    ),
    *(
        Operation(
            name,
            OpKind.COMPARISON,
            aliases,
            {sign: f"{name} __{name}__" if name in ("eq", "ne") else name},
            commutative=name in ("eq", "ne"),
            keeps=Keeps.NOTHING,
        )
        for sign, name, aliases in (
            ("==", "eq", ""),
            ("!=", "ne", "not_equal"),
            ("<", "lt", "less"),
            ("<=", "le", "less_equal"),
            (">", "gt", "greater"),
            (">=", "ge", "greater_equal"),
        )
    ),
    *_many(
        OpKind.COMPARISON,
        """isnan isinf isfinite isclose allclose equal logical_and logical_or logical_not
        logical_xor bitwise_and=and=iand bitwise_or=or=ror=ior bitwise_not=invert
        bitwise_xor=xor=rxor=ixor bitwise_left_shift=lshift=rlshift=ilshift
        bitwise_right_shift=rshift=rrshift=irshift any all""",
        keeps=Keeps.NOTHING,
    ),
    *_many(OpKind.REDUCTION, "sum mean argmax argmin count_nonzero", keeps=Keeps.NOTHING),
    *_many(OpKind.REDUCTION, "var", keeps=Keeps.INPUT),
    *_many(OpKind.REDUCTION, "std prod max min amax amin norm", keeps=Keeps.ALL),
    *_many(
        OpKind.REDUCTION,
        """std_mean var_mean aminmax median nanmedian mode linalg.norm linalg.matrix_norm
        vector_norm=linalg.vector_norm logsumexp=special.logsumexp cumsum cumprod sort argsort topk
        unique nonzero bincount searchsorted bucketize quantile histc""",
    ),
    # The same elements elsewhere
    Operation("getitem", OpKind.VIEW, "get", {"[]": "__getitem__"}, keeps=Keeps.NOTHING),
    Operation("setitem", OpKind.MOVEMENT, "", {"[]=": "__setitem__"}),
    *_many(
        OpKind.VIEW,
        "view reshape expand=broadcast_to unflatten split=unsafe_split narrow as_strided",
        keeps=Keeps.NOTHING,
        sized=True,
    ),
    *_many(
        OpKind.VIEW,
        """view_as reshape_as expand_as flatten=ravel permute transpose=swapaxes=swapdims
        movedim=moveaxis T mT H mH t adjoint chunk=unsafe_chunk tensor_split split_with_sizes hsplit
        vsplit dsplit unbind=iter unfold select diagonal squeeze unsqueeze broadcast_tensors real
        imag view_as_complex view_as_real atleast_1d atleast_2d atleast_3d""",
        keeps=Keeps.NOTHING,
    ),
    *_many(OpKind.COPY, "clone contiguous detach=data as_tensor", keeps=Keeps.NOTHING),
    *_many(
        OpKind.CAST,
        """to type type_as float half double bfloat16 int long short bool cpu cuda copy
        requires_grad alias""",
        keeps=Keeps.NOTHING,
    ),
    *_many(OpKind.MOVEMENT, "repeat tile", keeps=Keeps.NOTHING, sized=True),
    *_many(
        OpKind.MOVEMENT,
        """stack block_diag pad=constant_pad_nd repeat_interleave roll flip fliplr flipud rot90
        pixel_shuffle pixel_unshuffle channel_shuffle tril triu diag diag_embed fft.fftshift
        fft.ifftshift""",
        keeps=Keeps.NOTHING,
    ),
    *_many(
        OpKind.MOVEMENT,
        """cartesian_prod meshgrid gather scatter scatter_add index_select index_put index_add
        index_copy index_fill masked_fill masked_scatter masked_select take take_along_dim where
        one_hot slice_scatter select_scatter diagonal_scatter as_strided_scatter scatter_reduce
        pad_sequence nested_tensor_from_tensor_list nested.to_padded_tensor=to_padded_tensor""",
    ),
    Operation("fold", OpKind.MOVEMENT, formula=None),
    *(
        Operation(f"fft.{inverse}{name}", OpKind.FOURIER, formula=None)
        for inverse in ("", "i")
        for name in ("fft", "fft2", "fftn", "rfft", "rfft2", "rfftn", "hfft", "hfft2", "hfftn")
    ),
    # From numbers
    *_many(
        OpKind.CREATION,
        "zeros=new_zeros ones=new_ones full=new_full empty=new_empty rand randn resize",
        keeps=Keeps.NOTHING,
        sized=True,
    ),
    *_many(
        OpKind.CREATION,
        """zeros_like ones_like full_like empty_like tensor=new_tensor scalar_tensor arange linspace
        logspace eye randint rand_like randn_like randint_like randperm normal uniform bernoulli
        multinomial zero fill constant asarray from_numpy exponential fft.fftfreq fft.rfftfreq""",
        keeps=Keeps.NOTHING,
    ),
)


_SYMBOLS = {
    function: sign
    for row in OPERATIONS
    for sign, functions in row.symbols.items()
    for function in functions.split()
}
_ROWS = {spelling: row for row in OPERATIONS for spelling in row.spellings}
_WRITING = frozenset({"+=", "-=", "*=", "/=", "[]="})
