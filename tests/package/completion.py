#!/usr/bin/env python3
"""Completion of pes in a real bash and a real zsh: completion.py BUILD-OF-PES COMPLETION-FOLDER"""
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import tap

PES = pathlib.Path(sys.argv[1]).resolve()
FOLDER = pathlib.Path(sys.argv[2]).resolve()

_home = None

# As bash-completion does it: the words of the line, and the function that is registered for the first.
BASH = """
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
read -r -a COMP_WORDS <<<"$2"
[[ $2 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
function=$(complete -p pes | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
"$function" pes
printf '%s\\n' "${COMPREPLY[@]}"
"""

# zsh completes only on a terminal. What it would insert is listed there; the mark is written so that its echo is none.
ZSH = """
fpath=('%s' $fpath); autoload -U compinit; compinit -D -u; PS1=
zstyle ':completion:*' verbose false; LISTMAX=9999; bindkey '^I' list-choices; unsetopt ZLE_BRACKETED_PASTE
print READ''Y
"""


def home():
    """A user with a store and a file of updates."""
    global _home
    if _home is None:
        _home = tempfile.TemporaryDirectory(prefix="pes-completion.")
        top = pathlib.Path(_home.name)
        (top / "pes/definitions/kept-here").mkdir(parents=True)
        (top / "pes/updates.d").mkdir()
        (top / "pes/updates.d/fetched-here.conf").write_text("")
    return {"XDG_DATA_HOME": _home.name, "XDG_CONFIG_HOME": _home.name}


def environment():
    return dict(os.environ, **home(), PATH=f"{PES.parent}:{os.environ['PATH']}", TERM="dumb", COLUMNS="200", HOME="/nonexistent")


def bash(line):
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", FOLDER / "pes.bash", line],
        capture_output=True, text=True, env=environment(), check=False, timeout=60,
    )
    assert not done.stderr, done.stderr
    return done.stdout.split()


def read_until(fd, mark, seconds):
    """What a terminal shows until the mark comes, or for so long."""
    shown, deadline = b"", time.monotonic() + seconds
    while mark not in shown and time.monotonic() < deadline:
        if select.select([fd], [], [], 0.1)[0]:
            shown += os.read(fd, 65536)
    return shown


def zsh(line):
    if not shutil.which("zsh"):
        tap.skip("needs zsh")
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment())
    try:
        os.write(fd, (ZSH % FOLDER).encode())
        assert b"READY" in read_until(fd, b"READY\r\n", 30)
        # The list ends where the line is shown again; a second line tells that it is complete.
        os.write(fd, line.encode() + b"\t")
        shown = read_until(fd, b"\n", 20)
        os.write(fd, b"\x15print DO''NE\n")
        shown += read_until(fd, b"DONE\r\n", 20)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
    return re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b" ", shown).decode().split()


def pes(*arguments):
    return subprocess.run([PES, *arguments], capture_output=True, text=True, check=True).stdout


def commands():
    return re.findall(r"^  ([a-z]+)  ", pes("help"), re.MULTILINE)


def kinds(prefix):
    return [line.split()[0] for line in pes("kinds").splitlines()[1:] if line.startswith(prefix)]


def check(complete):
    wanted = commands()
    assert len(wanted) > 8 and "scan" in wanted, wanted
    got = complete("pes ")
    assert set(wanted) <= set(got), (wanted, got)
    got = complete("pes scan --")
    for option in ("--recursive", "--kind", "--no-cache", "--json"):
        assert option in got, got
    got = complete("pes scan --kind script.")
    wanted = kinds("script.")
    assert len(wanted) > 2 and set(wanted) <= set(got), (wanted, got)
    assert not set(kinds("command.")) & set(got), got
    assert "1h" in complete("pes off --for ")
    assert {"build", "check", "update", "rollback", "status"} <= set(complete("pes definitions "))
    for verb in ("update", "rollback", "status"):
        assert {"kept-here", "fetched-here"} <= set(complete(f"pes definitions {verb} "))
    assert "--accept" in complete("pes definitions update kept-here --")
    assert "hashlist" in complete("pes definitions build --type ")


def test_bash():
    """bash completes commands, options, kinds and times"""
    check(bash)
    assert bash("pes stat") == ["status"]
    assert bash("pes help rep") == ["report"]
    assert bash("pes scan --nothing-begins-so") == []


def test_zsh():
    """zsh completes commands, options, kinds and times"""
    check(zsh)


if __name__ == "__main__":
    tap.run(globals())
