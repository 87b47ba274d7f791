"""Completion in real shells: in a pseudo-terminal, by pressing TAB."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import sys
from pathlib import Path
from time import monotonic

import pytest

import unetscope
from unetscope import cli

PATIENCE = 60
"""Seconds for a busy machine; an idle one needs a tenth of one a line."""
PROMPT = "ready> "
RC = {
    "bash": (".bashrc", "PS1='{}'; bind 'set bell-style none'"),
    "zsh": (".zshrc", "PROMPT='{}'"),
    "fish": (".config/fish/config.fish", "function fish_prompt; echo -n '{}'; end"),
}
"""What each shell reads when it starts -> how its prompt is set there."""
START = {
    "bash": ("bash", "--noprofile"),
    "zsh": ("zsh", "--no-globalrcs"),
    "fish": ("fish", "--private"),
}
CONTROL = re.compile(
    r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()].|[=>78])|[\x00-\x09\x0e-\x1f]"
)
"""What moves the cursor and colours text."""  # fmt: skip


class Shell:
    """An interactive shell in a terminal."""

    def __init__(self, command, environment):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.execvpe(command[0], command, environment)
        self.seen = ""

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def expect(self, *texts):
        """Read until all texts were on the screen."""
        deadline = monotonic() + PATIENCE
        while not all(text in self.shown for text in texts):
            ready, _, _ = select.select([self.terminal], [], [], max(deadline - monotonic(), 0))
            assert ready, f"expected {texts}, found {self.shown!r}"
            found = os.read(self.terminal, 65536).decode(errors="replace")
            self.seen += found
            if re.search(r"\x1b\[0?c", found):  # fish asks what terminal this is, and waits
                self.type("\x1b[?62c")

    @property
    def shown(self):
        return CONTROL.sub("", self.seen)

    def complete(self, line, word):
        """Press TAB behind a line, and see its last word as a command would get it."""
        self.seen = ""
        self.type(f"{line}\t\x01printf '[%s]' \r")
        self.expect(f"[{word}]")

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)


@pytest.fixture
def folder(tmp_path):
    """Files of a user's: one that is called as shipped configs are, one in a folder."""
    folder = tmp_path / "work"
    (folder / "mine").mkdir(parents=True)
    (folder / "sd15_of_mine.yaml").touch()
    (folder / "two words.yaml").touch()
    (folder / "mine" / "inside.yaml").touch()
    return folder


@pytest.fixture
def home(tmp_path):
    """A new user's, with `unetscope` on the path."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "unetscope"
    package = Path(unetscope.__file__).parents[1]
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(package)!r})\n"
        "from unetscope.__main__ import main\nmain()\n"
    )
    program.chmod(0o755)
    return home


@pytest.fixture(params=RC)
def shell(request, home, folder, monkeypatch, capsys):
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setenv("HOME", str(home))
    assert cli.run(["--install-completion", name]) == 0, capsys.readouterr().err
    file, prompt = RC[name]
    (home / file).parent.mkdir(parents=True, exist_ok=True)
    with (home / file).open("a") as rc:
        rc.write(f"\n{prompt.format(PROMPT)}\ncd '{folder}'\n")
    environment = {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "200",
    }
    shell = Shell(START[name], environment)
    yield shell
    shell.close()


def test_tab(shell):
    shell.expect(PROMPT.strip())
    for line, word in (
        ("expl", "explain"),
        ("trace --sections model,enc", "model,encoder"),
        ("diff --fail-on=beh", "--fail-on=behavioural"),
        ("trace --set attention_head_d", "attention_head_dim="),
        ("trace --set=attention_head_d", "--set=attention_head_dim="),
        ("explain sd15 mid_block.attentions.0.nor", "mid_block.attentions.0.norm"),
        ("trace sd15_inp", "sd15_inpaint"),
        ("trace sd15_of", "sd15_of_mine.yaml"),
        ("trace two", "two words.yaml"),
        ("trace min", "mine/"),
        ("trace ./sd15", "./sd15_of_mine.yaml"),
        ("trace mine/ins", "mine/inside.yaml"),
        ("trace --save sd15", "sd15_of_mine.yaml"),
    ):
        shell.complete(f"unetscope {line}", word)
    shell.type("unetscope trace sd15_\t\t")
    shell.expect("sd15_inpaint", "sd15_of_mine.yaml")
