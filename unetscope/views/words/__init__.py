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
    source: str


def words(language: str) -> Words:
    """The words of a language, one of `LANGUAGES`."""
    return cast(Words, import_module(f"{__name__}.{language}").WORDS)
