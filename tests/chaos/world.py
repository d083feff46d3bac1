"""The service that chaos is let loose on, how much of it, and what must hold afterwards."""
import os
import pathlib
import time

import daemon
from asking import Asker, numbered

SANITIZED = os.environ.get("PES_SANITIZE", "none") != "none"

# A deadline is kept within 50 ms where times are judged at all; elsewhere a machine may be busy with other things.
DEADLINE_SLACK_MS = 50
BUSY_SLACK_MS = 2000

PROVIDERS = {
    "eicar": 'module = "eicar.so"\nworkers = 4\n',
    "alpha": 'module = "scripted.so"\noptions = {"only=alpha"}\nworkers = 4\n',
    "beta": 'module = "scripted.so"\noptions = {"only=beta"}\nworkers = 4\n',
}


class Amount:
    """How much: `short` for every change, `long` on demand. Long runs judge times, too."""

    def __init__(self, is_long):
        self.is_long = is_long

    def of(self, short, long):
        return long if self.is_long else short

    @property
    def slack_ms(self):
        return DEADLINE_SLACK_MS if self.is_long and not SANITIZED else BUSY_SLACK_MS


def start(providers=None, main="mode = enforce\n", **more):
    config = daemon.config_folder(main, providers or PROVIDERS)
    return daemon.Pesd(config=config, **more)


def part(row, name):
    return next(part for part in row.parts if part.name == name)


def broker_of(pesd, seconds=5):
    """The broker's pid; waits for one that is being started."""
    deadline = time.monotonic() + seconds
    while True:
        pids = pesd.pids_of("pes-broker")
        if pids or time.monotonic() > deadline:
            (pid,) = pids
            return pid
        pesd.read_log(0.01)


def memory_kib(pid):
    return int(daemon.status_of(pid)["VmRSS"].split()[0])


def n_fds(pid):
    """Descriptors of a process, or None where we may not look."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        return None


class Footprint:
    """What the broker holds, before and after: descriptors come back exactly, memory nearly."""

    def __init__(self, pesd):
        self.pesd, self.pid = pesd, broker_of(pesd)
        self.kib, self.fds = memory_kib(self.pid), n_fds(self.pid)

    def check(self, more_kib):
        assert broker_of(self.pesd) == self.pid, "the broker was replaced"
        deadline = time.monotonic() + 5
        while n_fds(self.pid) != self.fds and time.monotonic() < deadline:
            time.sleep(0.05)
        assert n_fds(self.pid) == self.fds, (self.fds, n_fds(self.pid))
        grown = memory_kib(self.pid) - self.kib
        # A sanitizer keeps what was freed for a while, on purpose.
        assert SANITIZED or grown <= more_kib, f"the broker grew by {grown} KiB"
        return {"broker_grew_kib": grown}


def drain(pesd):
    """Reads what the daemon has logged so far, so that its pipe is never full."""
    while pesd.read_log(0):
        pass


def wait_workers(pesd, name, seconds=10):
    """Until a question to this provider is answered in full again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        (row,) = Asker(pesd, numbered("echo back?", 1)).wait().rows
        if row.error == 0 and part(row, name).status == "ok":
            return
    raise AssertionError(f"{name} does not answer again: {row}")


def below(pesd, provider, comm):
    """The processes of a provider that bear this name."""
    found = []
    for init in pesd.pids_of("pes-init", provider):
        for pid in daemon.descendants(init):
            try:
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == comm:
                    found.append(pid)
            except OSError:
                continue
    return found
