"""R1 to R5: what a provider can do to those who ask it."""
import collections
import os
import signal
import threading
import time

import daemon
import world
from asking import CLEAN, Asker, Probe, numbered


def judge_crashes(rows, kind, number):
    """Each question is answered, alpha is named with its signal, and nobody else is missing."""
    statuses = collections.Counter()
    for row in rows:
        assert row.error == 0 and row.decided_by == "fail_policy", row
        assert row.coverage == "partial_providers" and row.verdict in ("none", "not_detected"), row
        culprit = world.part(row, "alpha")
        statuses[culprit.status, culprit.signal] += 1
        for name in ("eicar", "beta"):
            assert world.part(row, name).status == "ok", row
    assert set(statuses) == {("crashed", number)}, (kind, statuses)


def r1(amount):
    """R1: a provider's workers crash under load"""
    n_each = amount.of(100, 2500)
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        footprint = world.Footprint(pesd)
        with probe:
            askers = [Asker(pesd, numbered("# PES-SCRIPT: @alpha crash SEGV", n_each), 50) for _ in range(4)]
            while any(asker.thread.is_alive() for asker in askers):
                pesd.read_log(0.1)
        rows = [row for asker in askers for row in asker.wait().rows]
        assert len(rows) == 4 * n_each, len(rows)
        judge_crashes(rows, "SEGV", "SIGSEGV")
        return {"crashes": len(rows), **footprint.check(256), **probe.figures()}


def r1_other_deaths(amount):
    """R1: every other way to die is told by its name"""
    n_each = amount.of(3, 200)
    ways = {f"crash {name}": f"SIG{name}" for name in ("ABRT", "BUS", "FPE", "ILL", "KILL", "TERM")}
    with world.start().wait_ready() as pesd:
        for way, number in ways.items():
            judge_crashes(Asker(pesd, numbered(f"# PES-SCRIPT: @alpha {way}", n_each)).wait().rows, way, number)
        for status in (0, 1, 127):
            judge_crashes(
                Asker(pesd, numbered(f"# PES-SCRIPT: @alpha exit {status}", n_each)).wait().rows, "exit", "-"
            )
        return {"deaths": (len(ways) + 3) * n_each}


def r2(amount):
    """R2: a whole provider is killed, and comes back on schedule"""
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        waits = []
        with probe:
            for n in range(amount.of(4, 8)):
                since = len(pesd.lines)
                # A worker that is being forked bears the same name for a moment; the oldest is the zygote.
                os.kill(min(world.below(pesd, "alpha", "pes-host")), signal.SIGKILL)
                match = pesd.wait_log(r"provider-lost: provider 'alpha': .* in (\d+) ms", since=since)
                waits.append(int(match[1]))
                pesd.wait_log(r"provider 'alpha' is ready", since=since, seconds=30)
        for n, wait in enumerate(waits):
            assert 0.8 * 100 * 2**n - 1 <= wait <= 1.2 * 100 * 2**n + 1, waits
        world.wait_workers(pesd, "alpha")
        return {"kills": len(waits), "waits_ms": waits, **probe.figures()}


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        try:
            fields = open(f"/proc/{pid}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def r3(amount):
    """R3: a provider that never becomes ready costs nobody anything"""
    providers = dict(world.PROVIDERS, alpha='module = "scripted.so"\noptions = {"load=crash SEGV"}\n')
    with world.start(providers).wait_ready() as pesd:
        probe = Probe(pesd)
        front = [pesd.pid, world.broker_of(pesd)]
        before, began = cpu_seconds(front), time.monotonic()
        with probe:
            time.sleep(amount.of(4, 60))
            world.drain(pesd)
        busy = (cpu_seconds(front) - before) / (time.monotonic() - began)
        for row in probe.rows:
            if row.question == CLEAN:  # what is found is not waited for
                assert world.part(row, "alpha").status in ("unavailable", "not_ready"), row
        n_starts = sum("provider 'alpha'" in line and "starting it again" in line for line in pesd.lines)
        assert 0 < n_starts < 20, n_starts
        assert busy < 0.5, f"pesd and broker took {busy:.2f} of a processor"
        return {"starts": n_starts, "busy_share": round(busy, 3), **probe.figures()}


class Stopper:
    """Stops (SIGSTOP) every worker of alpha as soon as it is there."""

    def __init__(self, pesd):
        self.pesd, self.done, self.n = pesd, threading.Event(), 0
        self.thread = threading.Thread(target=self._stop)

    def _stop(self):
        while not self.done.wait(0.01):
            for pid in world.below(self.pesd, "alpha", "pes-worker"):
                try:
                    os.kill(pid, signal.SIGSTOP)
                    self.n += 1
                except ProcessLookupError:
                    continue

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def ask_hanging(pesd, command, n, amount):
    """Each is answered by its deadline, with alpha named as late. The waits, in ms."""
    timeout_ms = 400
    rows = Asker(pesd, numbered(f"# PES-SCRIPT: @alpha {command}", n), timeout_ms=timeout_ms).wait().rows
    for row in rows:
        assert row.wall_us / 1000 <= timeout_ms + amount.slack_ms, (command, row)
        assert row.error == 0 and row.coverage == "partial_providers", (command, row)
        assert world.part(row, "alpha").status == "timeout", (command, row)
        assert world.part(row, "beta").status == world.part(row, "eicar").status == "ok", (command, row)
    return [row.wall_us / 1000 - timeout_ms for row in rows]


def r4(amount):
    """R4: providers that hang in every way are late by themselves alone"""
    n_each = amount.of(5, 200)
    late = []
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        footprint = world.Footprint(pesd)
        with probe:
            for command in ("hang", "spin", "sleep 60000", "log 5; @alpha hang"):
                late += ask_hanging(pesd, command, n_each, amount)
            if os.geteuid() == 0:
                with Stopper(pesd) as stopper:
                    late += ask_hanging(pesd, "sleep 300", n_each, amount)
                assert stopper.n >= n_each, stopper.n
        world.wait_workers(pesd, "alpha")
        zombies = [pid for pid in daemon.descendants(pesd.pid) if daemon.status_of(pid)["State"].startswith("Z")]
        assert not zombies, zombies
        world.drain(pesd)
        return {"hangs": len(late), "latest_ms": round(max(late), 1), **footprint.check(256), **probe.figures()}


def r5(amount):
    """R5: a provider that writes garbage instead of answers is found out each time"""
    n_each = amount.of(20, 2000)
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        footprint = world.Footprint(pesd)
        told = collections.Counter()
        with probe:
            for command in ("garbage", "odd", "flood 100000", "lie"):
                for row in Asker(pesd, numbered(f"# PES-SCRIPT: @alpha {command}", n_each)).wait().rows:
                    assert row.error == 0, row
                    assert world.part(row, "beta").status == world.part(row, "eicar").status == "ok", row
                    told[command, world.part(row, "alpha").status] += 1
                    if command == "garbage":
                        assert world.part(row, "alpha").status != "ok", row
        world.wait_workers(pesd, "alpha")
        return {"scans": sum(told.values()), **footprint.check(256), **probe.figures()}


ROWS = [r1, r1_other_deaths, r2, r3, r4, r5]
