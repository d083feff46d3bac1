#!/usr/bin/env python3
"""Soak: honest clients and a nemesis, for as long as wanted (R18).

    soak.py SECONDS

Every few seconds something is killed, stopped, flooded or reloaded. Each question of the honest clients must have an
answer, in time, right or saying what is missing; the broker's memory and descriptors and the number of processes stay
what they were. Says TAP and, at the end, a table of the faults that were survived. PES_SEED repeats a run's choices.
"""
import collections
import os
import pathlib
import random
import signal
import sys
import time

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "support"), str(here.parent / "integration" / "launcher")]

import daemon  # noqa: E402
import tap  # noqa: E402
import world  # noqa: E402
from asking import CLEAN, SAMPLE, Asker, numbered, percentile  # noqa: E402
from faults_broker import ever, judge_honest  # noqa: E402
from faults_client import send_mutated, vectors  # noqa: E402

TIMEOUT_MS = 2000
PROVIDERS = tuple(world.PROVIDERS)


class Nemesis:
    """Does one harmful thing after the other. Each method without underscore is a fault."""

    def __init__(self, pesd, chance):
        self.pesd, self.chance, self.survived = pesd, chance, collections.Counter()
        self.broker_due = 0
        self.faults = [name for name in dir(self) if name.startswith("fault_")]

    def strike(self):
        name = self.chance.choice(self.faults)
        if getattr(self, name)() is not False:
            self.survived[name.removeprefix("fault_").replace("_", " ")] += 1

    def _signal_worker(self, number):
        workers = world.below(self.pesd, self.chance.choice(PROVIDERS), "pes-worker")
        if not workers:
            return False
        os.kill(self.chance.choice(workers), number)
        return True

    def fault_kill_a_worker(self):
        return self._signal_worker(signal.SIGSEGV)

    def fault_stop_a_worker(self):
        return self._signal_worker(signal.SIGSTOP)

    def fault_kill_the_broker(self):
        if time.monotonic() < self.broker_due:
            return False
        self.broker_due = time.monotonic() + 3  # more often than five times in ten seconds it waits, as it should
        os.kill(world.broker_of(self.pesd), signal.SIGKILL)
        return True

    def fault_kill_identity(self):
        for pid in self.pesd.pids_of("pes-identity"):
            os.kill(pid, signal.SIGKILL)

    def fault_reload(self):
        self.pesd.reload()

    def fault_crash_by_content(self):
        Asker(self.pesd, numbered("# PES-SCRIPT: @alpha crash BUS", 20), timeout_ms=TIMEOUT_MS).wait()

    def fault_hang_by_content(self):
        Asker(self.pesd, numbered("# PES-SCRIPT: @beta hang", 2), timeout_ms=300).wait()

    def fault_leak(self):
        Asker(self.pesd, numbered("# PES-SCRIPT: @alpha leak 20", 20), timeout_ms=TIMEOUT_MS).wait()

    def fault_garbage_from_a_provider(self):
        Asker(self.pesd, numbered("# PES-SCRIPT: @beta garbage", 10), timeout_ms=TIMEOUT_MS).wait()

    def fault_garbage_from_a_client(self):
        try:
            send_mutated(self.pesd, self.chance, vectors(), 200)
        except OSError:
            pass  # the broker may be on its way back

    def fault_flood_of_log_lines(self):
        Asker(self.pesd, numbered("# PES-SCRIPT: @alpha log 5000", 3), timeout_ms=TIMEOUT_MS).wait()


def settle(pesd):
    """Until all providers answer in full."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        world.drain(pesd)
        (row,) = Asker(pesd, numbered("echo", 1)).wait().rows
        if row.error == 0 and row.coverage == "full":
            return
        time.sleep(0.2)
    raise AssertionError(f"not as before: {row}")


def fresh_footprint(pesd):
    """What a broker that has just been asked a little holds."""
    settle(pesd)
    Asker(pesd, numbered(CLEAN, 200)).wait()
    pid = world.broker_of(pesd)
    return world.memory_kib(pid), world.n_fds(pid), len(daemon.descendants(pesd.pid))


def soak(seconds, seed):
    with world.start().wait_ready() as pesd:
        kib, fds, processes = fresh_footprint(pesd)
        nemesis = Nemesis(pesd, random.Random(seed))
        askers = [Asker(pesd, ever(CLEAN, SAMPLE), 50, TIMEOUT_MS) for _ in range(4)]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            nemesis.strike()
            world.drain(pesd)
            time.sleep(nemesis.chance.random())
        rows = [row for asker in askers for row in asker.stop().rows]
        for row in rows:
            assert row.wall_us / 1000 <= TIMEOUT_MS + world.BUSY_SLACK_MS, row
        n_without = judge_honest(rows)
        kib_after, fds_after, processes_after = fresh_footprint(pesd)
        assert fds_after == fds, (fds, fds_after)
        assert processes_after <= processes + 2, (processes, processes_after)
        assert world.SANITIZED or kib_after <= kib + 1024, (kib, kib_after)
        walls = [row.wall_us / 1000 for row in rows]
        print(f"# {len(rows)} questions, {n_without} of them without every provider or without a broker")
        print(f"# p50 {percentile(walls, 0.5):.2f} ms, p99 {percentile(walls, 0.99):.1f} ms, longest {max(walls):.0f} ms")
        print(f"# broker {kib} KiB before, {kib_after} KiB after; {fds} descriptors; {processes_after} processes")
        for name, n in sorted(nemesis.survived.items()):
            print(f"# {name:<30} {n:6}")


def main():
    if len(sys.argv) != 2 or not sys.argv[1].isdigit() or int(sys.argv[1]) == 0:
        sys.exit("usage: soak.py SECONDS")
    seed = int(os.environ.get("PES_SEED", time.time_ns() % 2**32))

    def case():
        print(f"# PES_SEED={seed}", flush=True)
        soak(int(sys.argv[1]), seed)

    case.__doc__ = f"R18: {sys.argv[1]} s of faults leave nothing behind, and nobody without an answer"
    tap.run({"test_soak": case})


if __name__ == "__main__":
    main()
