"""A terminal for tests: starts a program on a pty, types, pastes, and waits for what it shows.

Nothing here sleeps: expect() returns as soon as the text is there and fails after its time limit with everything that
was shown.
"""
import os
import pty
import re
import select
import signal
import struct
import fcntl
import termios
import time

LIMIT_SECONDS = 20
UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*)?|\r+)$")
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>()][0-9A-Za-z]?|[\x0e\x0f]")


def clean(raw):
    """Shown text: without escape sequences, each carriage return starts a line, what is cut in two is left out."""
    text = UNFINISHED.sub("", raw.decode(errors="ignore"))
    return re.sub(r"\r*\n|\r+", "\n", ESCAPES.sub("", text))


def words(pattern):
    """The pattern with every space matching a line break, too."""
    return pattern.replace(" ", r"\s+")


class TerminalError(AssertionError):
    """The program did not show what was expected of it."""


class Terminal:
    def __init__(self, argv, env=None, cwd=None, rows=40, columns=100):
        self.shown = ""  # everything, with escapes taken out
        self.raw = b""
        self.seen = 0  # what expect() has consumed of it
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                if cwd:
                    os.chdir(cwd)
                os.execvpe(argv[0], argv, env or os.environ)
            finally:
                os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, text):
        data = text.encode() if isinstance(text, str) else text
        while data:
            # A program that writes while we write must not make both wait for each other.
            self.read(0)
            _, writable, _ = select.select([], [self.fd], [], LIMIT_SECONDS)
            if not writable:
                raise TerminalError("the program does not read its terminal")
            data = data[os.write(self.fd, data[:512]) :]

    def type_line(self, text):
        self.send(text + "\r")

    def paste(self, text):
        """Sends text as a terminal does that was asked for bracketed paste."""
        self.send("\x1b[200~" + text.replace("\n", "\r") + "\x1b[201~")

    def read(self, seconds):
        """Takes in what is there within so many seconds. Returns False at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        self.shown = clean(self.raw)
        return bool(data)

    def expect(self, pattern, seconds=LIMIT_SECONDS):
        """Waits for a regular expression after what was expected before. Returns the match."""
        deadline = time.monotonic() + seconds
        alive = True
        while True:
            match = re.compile(pattern, re.MULTILINE).search(self.shown, self.seen)
            if match:
                self.seen = match.end()
                return match
            left = deadline - time.monotonic()
            if not alive or left <= 0:
                why = "the program ended" if not alive else f"not within {seconds} s"
                raise TerminalError(f"{why}: no {pattern!r} in:\n{self.shown[self.seen:]}\n--- before that:\n{self.shown[:self.seen]}")
            alive = self.read(min(left, 0.5))

    def since(self, mark):
        return self.shown[mark:]

    def close(self):
        """Ends the program, as closing a terminal does. Returns its wait status."""
        if self.pid is None:
            return None
        os.close(self.fd)
        deadline = time.monotonic() + 5
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = None
                return status
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                deadline += 5
            select.select([], [], [], 0.02)
