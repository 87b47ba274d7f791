"""The words of the tables: one file a language.

Names of modules, functions and classes are not words: they stay as in the code.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Words:
    """Everything that a language file must say; `{}` and `{name}` are filled in by the views."""

    yes: str
    no: str
    none: str
    listed: str
    """What stands between the items of a list."""

    # Heading
    model: str
    config: str
    parameters: str
    tensors: str
    device: str
    dtype: str

    # Inputs and output
    inputs_and_output: str
    name: str
    shape: str
    output: str

    # The five parts
    parts: str
    part: str
    modules: str
    input_dims: str
    output_dims: str
    entry: str
    encoder: str
    middle: str
    decoder: str
    exit: str

    # Comparison of blocks
    encoder_blocks: str
    decoder_blocks: str
    compared: str
    down_block: str
    up_block: str
    module_type: str
    size_halved: str
    size_doubled: str
    size_change: str
    channels_doubled: str
    channels_halved: str
    channel_change: str
    resnets: str
    transformers: str
    main_inputs: str
    image: str
    time: str
    text: str
    skip: str
    other_input: str

    # Middle block
    middle_block: str
    input: str
    layers: str
    resampler: str

    # Residuals and skips
    residuals: str
    index: str
    producer_layer: str
    channels_and_size: str
    nth_resnet: str
    downsampler_of: str
    residual_sum: str
    ledger: str
    push: str
    producer: str
    bytes_held: str
    pop: str
    step: str
    consumer: str
    calls_between: str
    channels_before: str
    channels_joined: str
    added_on_the_way: str
    verdict: str
    lifo: str
    not_lifo: str
    out_of_order: str
    reused: str

    # Steps
    steps_of: str
    sample_in: str
    from_producer: str
    operation: str
    input_tensors: str
    key_layer: str
    previous: str
    not_applicable: str

    # Trees and functions
    calls: str
    path: str
    module_class: str
    attributes: str
    own_parameters: str
    called: str
    ops: str
    function: str
    arguments: str
    never_called: str

    # Shipped configs
    configs: str
    family: str
    sample_size: str
    conditioning: str
    extends: str
    source: str

    # Cost
    cost: str
    macs: str
    flops: str
    share: str
    total: str
    others: str
    other: str
    block: str
    kind_of_work: str
    time_embedding: str
    convolution: str
    linear: str
    self_attention: str
    cross_attention: str
    joint_attention: str
    product: str
    flops_convention: str
    flops_papers: str
    all_formulas: str
    no_formula: str
    nested_costs: str
    costs_add_up: str
    uncounted: str
    times: str
    elements: str
    image_cost: str
    denoising_steps: str
    passes_a_step: str
    forwards: str
    sweep: str
    batch: str
    height: str
    width: str
    text_tokens: str
    attention: str
    all_else: str
    attention_share: str

    # Audit
    products: str
    element_wise: str
    other_engine: str
    difference: str
    explained: str
    reasons: str
    filed: str
    no_vectors: str
    no_attention: str
    no_baddbmm: str
    broadcasting: str
    rounding: str
    counts_element_wise: str
    all_explained: str
    not_explained: str

    # Memory
    memory: str
    weights: str
    buffers: str
    inputs: str
    activation_peak: str
    peak_by_last_use: str
    peak_with_matrices: str
    inference_total: str
    size_in_module: str
    memory_convention: str
    unseen_matrices: str
    weights_by_dtype: str
    bytes_each: str
    size_binary: str
    size_decimal: str
    weights_convention: str
    alive_at_peak: str
    peak_place: str
    as_skip: str
    memory_by_block: str
    peak_inside: str
    held_after: str
    waiting: str
    waiting_bytes: str
    skip_bytes: str
    most_waiting: str
    skip_lifetimes: str
    made_in: str
    joined_in: str
    freed_in: str
    made_clock: str
    joined_clock: str
    freed_clock: str
    outlives: str
    training: str
    item: str
    gradients: str
    moments: str
    master_weights: str
    kept_activations: str
    training_assumptions: str
    kept_whole: str
    measured: str
    predicted_peak: str
    measured_peak: str
    error: str
    median_time: str
    whole_pass: str
    measured_how: str
    measured_memory: str
    measured_no_memory: str

    # Parameters
    tensor: str
    stage: str
    module_kind: str
    inside: str
    merge_block: str
    also_named: str
    rest_of_transformer: str
    rows_add_up: str
    selected: str
    lora: str
    no_lora: str

    # One module
    what_it_is: str
    module: str
    in_part: str
    compvis_name: str
    config_keys: str
    shapes: str
    direction: str
    goes_in: str
    comes_out: str
    comes_from: str
    channels: str
    channels_of: str
    channels_of_skip: str
    channels_set: str
    channels_kept: str
    layers_cost: str
    layer: str
    formula: str
    macs_formula: str
    attention_inside: str
    heads: str
    queries_keys: str
    query_from: str
    key_from: str
    value_from: str
    as_tokens: str
    by_default: str
    found_modules: str

    # Differences
    changes: str
    severity: str
    severities: dict[str, str]
    """By the class's name."""
    change: str
    where: str
    what: str
    before: str
    after: str
    delta: str
    total_names: dict[str, str]
    """By the total's id."""
    no_change: str
    only_renamed: str
    same_tensors: str
    only_tensors_renamed: str
    counted_changes: str
    whole_network: str
    in_tensors: str
    in_modules: str
    more_blocks: str
    more_dims: str
    skips_differ: str
    config_changed: str
    key: str
    new_names: str
    passes: str
    breaks_bar: str
    breaks_class: str
    breaks_deny: str
    breaks_bound: str
    all_changes: str
    left_out: str
    compared_models: str

    # Findings of a config
    file: str
    line: str
    column: str
    message: str
    hint: str
    checked: str
    nothing_found: str
    sometimes: str
    multiples: str
    multiples_not: str
    odd_numbers: str
    sides: str
    works: str
    smallest: str
    example: str
    maps_by_level: str
    odd_level: str
    legal_sizes: str
    levels: dict[str, str]
    """By a finding's severity."""

    about: dict[str, str]
    """What each kind of module is, by the kind's name."""


def words(language: str) -> Words:
    """The words of a language, one of `LANGUAGES`."""
    return cast(Words, import_module(f"{__name__}.{language}").WORDS)
