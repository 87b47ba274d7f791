"""Every command that may advise `--device` has it, and refuses a device that is not here."""

from __future__ import annotations

import pytest
import torch

from unetscope import cli

COMMANDS = cli._parser().commands
MORE = {"diff": ["sd15"], "explain": ["conv_in"], "lock": ["-o", "never.lock"]}


def _takes(name, option):
    return any(option in each.opts for each in COMMANDS[name].params)


RUNNING = [name for name in COMMANDS if _takes(name, "--device") and name != "show"]


def test_what_is_given_to_code_goes_with_a_device():
    """Where code fails on meta, `--device cpu` is advised."""
    for name in COMMANDS:
        assert _takes(name, "--input") == _takes(name, "--device"), name


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="there is such a device here")
@pytest.mark.parametrize("name", RUNNING)
def test_a_device_that_is_not_here_is_refused(name, unetscope):
    result = unetscope(name, "article_003", *MORE.get(name, []), "--device", "mps")
    assert (result.code, result.out) == (2, "")
    first, *rest = [line for line in result.err.splitlines() if not line.startswith("no config")]
    assert first == "error: there is no device `mps` here"
    assert [line.partition(":")[0] for line in rest] == ["hint"]


def test_advice_to_a_config_is_of_options_that_there_are(unetscope):
    for name in RUNNING:
        if name not in ("log", "lock"):
            said = unetscope(name, "sd15", *MORE.get(name, []), "--input", "1,2").err
            assert "`--input`" in said
