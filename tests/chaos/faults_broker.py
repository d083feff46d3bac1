"""R11, R12, R15: the broker is killed, replaced, starved."""
import os
import signal
import time

import daemon
import world
from asking import CLEAN, SAMPLE, Asker, Probe, numbered, percentile
from supervision import Activator

def judge_honest(rows):
    """Each has an answer: the right one, or one that says why there is none. How many of the latter."""
    n_without = 0
    for row in rows:
        if row.error == 0 and row.coverage == "full":
            assert row.verdict == ("test_sample" if row.question == SAMPLE else "not_detected"), row
        else:
            assert row.verdict in ("none", "not_detected", "test_sample"), row
            assert row.error != 0 or row.decided_by in ("fail_policy", "client_policy", "verdict"), row
            n_without += 1
    return n_without


def ever(*questions):
    while True:
        yield from questions


def first_verdict_ms(pesd, since):
    """How long from `since` until a question is answered in full."""
    while True:
        (row,) = Asker(pesd, [SAMPLE]).wait().rows
        if row.error == 0 and row.coverage == "full":
            return (time.monotonic() - since) * 1000
        assert time.monotonic() - since < 20, row


def r11(amount):
    """R11: the broker is killed under load, without an orphan and without a client that waits for ever"""
    n_kills = amount.of(4, 40)
    back = []
    with world.start().wait_ready() as pesd:
        first_verdict_ms(pesd, time.monotonic())
        n_calm = len(daemon.descendants(pesd.pid))
        askers = [Asker(pesd, ever(CLEAN, SAMPLE), 50) for _ in range(4)]
        for _ in range(n_kills):
            broker = world.broker_of(pesd)
            began = time.monotonic()
            os.kill(broker, signal.SIGKILL)
            back.append(first_verdict_ms(pesd, began))
            world.drain(pesd)
            time.sleep(2.1)  # five starts within ten seconds are free; more have to wait, as they should
        rows = [row for asker in askers for row in asker.stop().rows]
        for row in rows:
            assert row.wall_us / 1000 <= 2000 + amount.slack_ms, row
        everything = daemon.descendants(pesd.pid)
        assert len(everything) <= n_calm + 2, (n_calm, sorted(map(daemon.command_of, everything)))
        watch = daemon.Watch(everything)
        pesd.process.kill()
        assert not watch.wait(2), "pesd was killed, and left somebody behind"
        figures = {"kills": n_kills, "questions": len(rows), "without_broker": judge_honest(rows)}
        return {**figures, "back_p99_ms": round(percentile(back, 0.99))}


def r12(amount):
    """R12: the service is replaced under load without a failed question"""
    activator = Activator()
    pesd = activator.start().wait_ready()
    first = pesd  # its policy and paths are good for the others, too
    askers = [Asker(first, ever(CLEAN), 125, timeout_ms=10000) for _ in range(4)]
    n = amount.of(3, 100)
    for _ in range(n):
        time.sleep(0.3)
        assert pesd.stop(15) == 0
        pesd = activator.start().wait_ready()
    rows = [row for asker in askers for row in asker.stop().rows]
    pesd.kill()
    failed = [row for row in rows if row.error or row.coverage != "full" or row.verdict != "not_detected"]
    assert not failed, failed[:3]
    return {"upgrades": n, "questions": len(rows), "longest_ms": round(max(row.wall_us for row in rows) / 1000)}


def starved(n_files):
    """A pesd with so few descriptors: it serves, or says what is missing and ends. How it went."""
    with world.start({"eicar": world.PROVIDERS["eicar"]}, before=["prlimit", f"--nofile={n_files}"]) as pesd:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and pesd.process.poll() is None:
            pesd.read_log(0.1)
            rows = Asker(pesd, [SAMPLE, CLEAN]).wait().rows
            if judge_honest(rows) == 0:
                return "served"
        assert pesd.lines, f"{n_files} descriptors: neither served nor said a word"
        return "refused"


def r15_files(amount):
    """R15: with too few descriptors the service serves, or says what is missing"""
    step = amount.of(45, 5)
    went = {n: starved(n) for n in range(20, 201, step)}
    assert went[max(went)] == "served", went
    return {"limits": len(went), "served_from": min(n for n, how in went.items() if how == "served")}


def r15_log(amount):
    """R15: a log that nobody reads holds nobody up"""
    n = amount.of(40, 2000)
    with world.start().wait_ready() as pesd:
        probe = Probe(pesd)
        with probe:
            rows = Asker(pesd, numbered("# PES-SCRIPT: @alpha log 20000", n)).wait().rows
        assert all(row.error == 0 for row in rows), rows
        return {"floods": n, **probe.figures()}


ROWS = [r11, r12, r15_files, r15_log]
