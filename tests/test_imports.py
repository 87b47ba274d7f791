"""What must not be imported: torch where a command answers without it, and its slow parts ever."""

import subprocess
import sys

import pytest

from unetscope import cli

TORCH_FREE = [
    "['--help']",
    "['--version']",
    "['trace', '--help']",
    "['list']",
    "['show', 'sd15']",
    "['schema']",
    "['trace', 'no-such-config']",
]


def modules_after(code):
    """The modules that a fresh interpreter holds after running `code`."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines())


def run(arguments):
    return f"from unetscope import cli\ncli.run({arguments})"


@pytest.mark.parametrize("arguments", TORCH_FREE)
def test_commands_that_need_no_torch(arguments):
    loaded = modules_after(run(arguments))
    assert "unetscope.cli" in loaded
    assert "torch" not in loaded


def test_a_command_imports_no_other():
    loaded = modules_after(run("['list']"))
    assert "unetscope.commands.list" in loaded
    assert not loaded & {f"unetscope.commands.{name}" for name in cli.COMMANDS if name != "list"}


def test_a_saved_trace_needs_no_torch(unetscope, tmp_path):
    saved = tmp_path / "t.json"
    assert unetscope("trace", "sd15", "--sections", "model", "--save", saved).code == 0
    assert "torch" not in modules_after(run(f"['trace', {str(saved)!r}]"))
    assert "torch" not in modules_after(run(f"['skips', {str(saved)!r}, '-f', 'json']"))


SLOW = {"sympy", "torch._dynamo", "torch._inductor"}
ON_META = """
from unetscope import cli
for name in ("sd15", "sdxl_base", "sd_x4_upscaler", "article_002", "article_003"):
    assert cli.run(["trace", name]) == 0
"""
WITHOUT_TRACING = """
import torch, unetscope.families
from unetscope.config import load
spec = load("sd15")
with torch.device("meta"):
    network = unetscope.families.build(spec.family, spec.unet)
    network(torch.empty(1, 4, 64, 64), torch.empty(1), torch.empty(1, 77, 768))
"""


def test_a_pass_on_meta_imports_none_of_torchs_slow_parts():
    loaded = modules_after(ON_META)
    assert "torch" in loaded  # as the tests above would see
    assert not loaded & SLOW


def test_without_tracing_torchs_meta_kernels_import_them():
    assert modules_after(WITHOUT_TRACING) >= {"sympy", "torch._dynamo"}


def test_importing_the_package_imports_nothing_heavy():
    loaded = modules_after("import unetscope")
    assert not loaded & {"torch", "msgspec", "yaml", "rich", "typer"}
