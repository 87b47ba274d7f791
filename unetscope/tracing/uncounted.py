"""The functions that are known to do no multiply-adds."""

from __future__ import annotations

FREE = frozenset(
    """
    get getitem setitem view view_as reshape reshape_as flatten unflatten ravel squeeze unsqueeze
    permute transpose t T mT adjoint swapaxes swapdims movedim moveaxis expand expand_as
    broadcast_to broadcast_tensors chunk split split_with_sizes tensor_split hsplit vsplit dsplit
    unbind unfold narrow select diagonal diag diag_embed as_strided real imag view_as_complex
    view_as_real unsafe_chunk unsafe_split atleast_1d atleast_2d atleast_3d

    fft_fftshift fft_ifftshift

    cat concat concatenate stack hstack vstack dstack column_stack block_diag cartesian_prod
    meshgrid clone contiguous copy to type type_as float double half bfloat16 int long short bool
    cpu cuda detach requires_grad alias pad constant_pad_nd roll flip fliplr flipud rot90 repeat
    repeat_interleave tile pixel_shuffle pixel_unshuffle channel_shuffle gather scatter index_select
    index_put index_add index_copy index_fill masked_fill masked_scatter masked_select take
    take_along_dim where embedding one_hot tril triu

    zeros ones full empty zeros_like ones_like full_like empty_like new_zeros new_ones new_full
    new_empty new_tensor tensor as_tensor scalar_tensor arange linspace logspace eye rand randn
    randint rand_like randn_like randint_like randperm normal uniform bernoulli multinomial zero
    fill constant asarray from_numpy exponential

    add sub rsub mul rmul radd iadd isub imul idiv itruediv div rdiv truediv rtruediv true_divide
    divide multiply subtract floor_divide floordiv remainder fmod mod pow rpow float_power neg
    negative positive abs absolute sign sgn sqrt rsqrt square reciprocal exp exp2 expm1 log log2
    log10 log1p logit sin cos tan asin acos atan atan2 sinh cosh tanh arctan2 erf erfc erfinv
    sigmoid sinc floor ceil round trunc frac clamp clip clamp_min clamp_max maximum minimum fmax
    fmin lerp addcmul addcdiv nan_to_num hypot outer ger kron deg2rad polar complex conj angle xlogy

    eq ne lt le gt ge isnan isinf isfinite isclose allclose equal logical_and logical_or logical_not
    logical_xor bitwise_and bitwise_or bitwise_not bitwise_xor and or xor invert any all

    sum mean std var std_mean var_mean prod max min amax amin aminmax argmax argmin median
    nanmedian mode norm vector_norm linalg_norm linalg_vector_norm linalg_matrix_norm logsumexp
    cumsum cumprod count_nonzero sort argsort topk unique nonzero bincount searchsorted bucketize
    quantile histc numel item tolist size dim len bool int float contains

    relu relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish softplus softsign hardtanh
    hardswish hardsigmoid tanhshrink softshrink hardshrink threshold special_expit glu logsigmoid
    log_sigmoid softmax log_softmax softmin gumbel_softmax

    dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout

    group_norm layer_norm batch_norm instance_norm local_response_norm rms_norm normalize
    native_group_norm native_layer_norm weight_norm

    avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d lp_pool1d lp_pool2d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
    adaptive_max_pool2d adaptive_max_pool3d interpolate upsample upsample_nearest upsample_bilinear
    """.split()  # noqa: SIM905
)
"""By name, without the underscores of in-place and reflected forms.

Views, copies, element-wise work, reductions, norms, pooling and resampling: none sums up products
of two tensors.
"""
