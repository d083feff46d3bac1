"""An interactive bash or zsh with the shell guard, on a terminal of its own, with a known prompt and no other set-up."""
import os
import pathlib
import re
import shutil
import tempfile
import time

from pty_drive import LIMIT_SECONDS, Terminal, TerminalError, clean

# Each prompt carries its number in a sequence that terminals ignore, so that a new prompt can be told from one that is
# only drawn again.
NUMBER = re.compile(rb"\x1b\]7777;(\d+)\x07")


class GuardedShell(Terminal):
    """`shell` is bash or zsh; `setup` are lines of its rc file before the guard's; `env` adds to the environment."""

    def __init__(self, shell, setup="", env=None, columns=200):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pes-shell."))
        self.n_prompts = 0
        hook = f'eval "$(pes-shell-guard init {shell})"'
        history = f"HISTFILE={self.folder}/history"
        if shell == "zsh":
            prompt = "setopt prompt_subst; unsetopt prompt_sp; precmd() { ((n_prompts += 1)) }\n"
            prompt += "PS1=$'%{\\e]7777;$n_prompts\\a%}$ '"
            rc = f"{prompt}\n{history}\nHISTSIZE=100\nSAVEHIST=100\n{setup}\n{hook}\n"
            (self.folder / ".zshrc").write_text(rc)
            argv = ["zsh", "-d", "-i"]
        else:
            prompt = "PROMPT_COMMAND='((n_prompts += 1))'\nPS1='\\[\\e]7777;$n_prompts\\a\\]$ '"
            (self.folder / "rc").write_text(f"{prompt}\n{history}\n{setup}\n{hook}\n")
            argv = ["bash", "--noprofile", "--rcfile", str(self.folder / "rc"), "-i"]
        full = dict(os.environ, TERM="xterm", ZDOTDIR=str(self.folder), HOME=str(self.folder))
        full.pop("PROMPT_COMMAND", None)
        full.update(env or {})
        super().__init__(argv, env=full, cwd=self.folder, columns=columns)
        self.ready()

    def ready(self, seconds=LIMIT_SECONDS):
        """Waits for a new prompt, and goes on after it."""
        deadline = time.monotonic() + seconds
        while True:
            for match in NUMBER.finditer(self.raw):
                if int(match[1]) > self.n_prompts:
                    self.n_prompts = int(match[1])
                    self.seen = len(clean(self.raw[: match.end()]))
                    self.expect(re.escape("$"))
                    return
            left = deadline - time.monotonic()
            if left <= 0 or not self.read(min(left, 0.5)):
                raise TerminalError(f"no prompt after {self.n_prompts} in:\n{self.shown}")

    def interrupt(self):
        """Gives the line up. bash overlooks an interrupt that comes between its drawing the line and its waiting for
        the next key, until that key comes; so it may take several."""
        for _ in range(40):
            self.send("\x03")
            try:
                self.ready(0.5)
                return
            except TerminalError:
                pass
        raise TerminalError(f"the line cannot be given up:\n{self.shown}")

    def mark(self):
        return len(self.shown)

    def command(self, text):
        """Types a line, waits until it has ended and gives what it printed."""
        self.type_line(text + "; echo END-$((40+2))")
        before = self.expect(r"END-\$\(\(40\+2\)\)").end()
        after = self.expect(r"^END-42").start()
        self.ready()
        return self.shown[before:after].strip("\n")

    def paste_line(self, text):
        """Pastes and presses Enter."""
        self.paste(text)
        self.send("\r")

    def made(self, name):
        """Whether a command made this file."""
        return (self.folder / name).exists()

    def close(self):
        status = super().close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status
